//! The engine: owns people and their signals, takes what happened, returns what follows, and knows when it must be
//! called next. All time passes through `now`; nothing happens between two calls.

mod person;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{
    Action, Appointment, AppointmentId, Choice, ClientId, ClientState, Effect, LineId, LineState,
    PersonId, PersonPolicy, PersonRecord, Presence, Reason, Signals, Slot, TeamsAnswer, Timestamp,
    Timing,
    evaluate::{Silent, evaluate},
    mirror::Command,
};
use person::Person;

/// Something that happened. An input about a person who is not known is ignored: the person was removed meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A person exists, with what the store remembers. Replaces what was known.
    AddPerson(PersonId, Box<PersonRecord>, Arc<PersonPolicy>),
    /// A person no longer exists. What was written to Teams is taken back.
    RemovePerson(PersonId),
    /// Something about a person.
    Person(PersonId, Fact),
    /// A sweep takes longer than was said: what Teams shows is fresh for as long as that, and never again for less.
    ObservationFresh(Duration),
    /// Time has passed.
    Tick,
}

/// Something that happened to one person.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The Teams account was found.
    TeamsLinked,
    /// The person has no Teams account any more.
    TeamsUnlinked,
    /// The person's own login at Microsoft has ended. An answer of Teams begins it anew.
    TeamsLoginEnded,
    /// Complete answers, the last of which was asked for then, leave the account out. One that has it brings it back.
    TeamsAccountMissing {
        /// When Graph was asked.
        asked_at: Timestamp,
    },
    /// All the person's lines that some source watches, now. What is known of lines that stay is kept.
    Lines(Vec<LineId>),
    /// Settings or profiles changed.
    Policy(Arc<PersonPolicy>),
    /// A telephone line said what it is doing. Renews the lease even if nothing changed.
    Line {
        /// Which.
        line: LineId,
        /// What it is doing.
        state: LineState,
        /// The end of the lease.
        until: Timestamp,
        /// The number or name of the other party, if the system tells it.
        party: Option<Arc<str>>,
    },
    /// The connection to a line's telephone system is lost.
    LineStale(LineId),
    /// Graph said what Teams shows.
    TeamsObserved(TeamsAnswer),
    /// Teams acknowledged a write.
    TeamsAcknowledged(Slot, Action),
    /// Teams answered that there was nothing of ours in the slot to take back.
    TeamsNothingToClear(Slot),
    /// Microsoft refused a write, which is tried again.
    TeamsRefused(Slot, Action),
    /// The person chose a profile, or went back to automatic.
    Choice(Option<Choice>),
    /// A client is connected. Renews the lease even if nothing changed.
    Client {
        /// Which.
        client: ClientId,
        /// What it says.
        state: ClientState,
        /// Since when it is so.
        since: Timestamp,
        /// The end of the lease.
        until: Timestamp,
    },
    /// A client ended.
    ClientEnded(ClientId),
    /// The person is in a meeting outside Teams. Renews the lease.
    Meeting {
        /// Its name at its source.
        meeting: Arc<str>,
        /// The person speaks and listens.
        audio: bool,
        /// The person's screen is shared.
        screen: bool,
        /// The end of the lease.
        until: Timestamp,
    },
    /// The person left a meeting.
    MeetingEnded(Arc<str>),
    /// The programs that use the microphone on one machine, each since when. Replaces what that agent said before.
    Programs {
        /// The agent.
        client: ClientId,
        /// The programs, by the alias of the table.
        programs: Vec<(Arc<str>, Timestamp)>,
        /// The end of the lease.
        until: Timestamp,
    },
    /// An appointment was made or changed.
    Appointment(Appointment),
    /// An appointment was deleted.
    AppointmentDeleted(AppointmentId),
    /// All that the person's calendar has; what it had before is gone.
    Calendar(Vec<Appointment>),
}

/// Owns people and their signals. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    timing: Timing,
    /// Boxed, so that the tree's nodes do not keep room for people who are not there.
    people: BTreeMap<PersonId, Box<Person>>,
    /// When which person must be looked at, at the latest.
    deadlines: BTreeSet<(Timestamp, PersonId)>,
}

impl Engine {
    /// An engine without people.
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            people: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// The times it works with.
    pub const fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Takes in what happened at `now` and returns what follows. `now` must not run backwards.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::AddPerson(id, record, policy) => {
                self.add(id, *record, policy, now, &mut effects);
            }
            Input::RemovePerson(id) => self.remove(id, now, &mut effects),
            Input::Person(id, fact) => {
                self.with(id, now, &mut effects, |person, timing, effects| {
                    if person.is_client_start(&fact) && person.has_teams_call() {
                        effects.push(Effect::ReadTeams(id));
                    }
                    person.apply(fact, timing, now)
                })
            }
            // Deadlines that were listed before come too early, which is found when they come.
            Input::ObservationFresh(fresh) => {
                let known = &mut self.timing.observation_fresh;
                *known = fresh.max(*known);
            }
            Input::Tick => {}
        }
        self.run_due(now, &mut effects);
        effects
    }

    /// When [`Engine::handle`] must be called next, at the latest.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// The presence of a person, as last told.
    pub fn presence(&self, person: PersonId) -> Option<&Presence> {
        self.people.get(&person).map(|person| &person.last_presence)
    }

    /// The presence of a person at `now` with every reason, in the order of the rules; without the microphone's layer for
    /// those who may not see it.
    pub fn explain(
        &self,
        person: PersonId,
        with_microphone: bool,
        now: Timestamp,
    ) -> Option<(Presence, Vec<Reason>)> {
        let person = self.people.get(&person)?;
        let mut reasons = Vec::new();
        let facts = person.facts(&self.timing, with_microphone);
        let decision = evaluate(&facts, now, &mut reasons);
        Some((decision.presence, reasons))
    }

    /// Computes a person's presence anew, for whoever measures how long that takes.
    pub fn compute(&self, person: PersonId, now: Timestamp) -> Option<Presence> {
        let facts = self.people.get(&person)?.facts(&self.timing, true);
        Some(evaluate(&facts, now, &mut Silent).presence)
    }

    /// What holds for a person.
    pub fn policy(&self, person: PersonId) -> Option<&Arc<PersonPolicy>> {
        self.people.get(&person).map(|person| &person.policy)
    }

    /// The signals of a person, for whoever checks invariants.
    pub fn signals(&self, person: PersonId) -> Option<&Signals> {
        self.people.get(&person).map(|person| &person.signals)
    }

    /// What is ours in a slot of a person's Teams presence, for whoever checks invariants.
    pub fn slot(&self, person: PersonId, slot: Slot) -> Option<&crate::SlotState> {
        self.people
            .get(&person)
            .map(|person| person.mirror.slot(slot))
    }

    fn with(
        &mut self,
        id: PersonId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
        change: impl FnOnce(&mut Person, &Timing, &mut Vec<Effect>) -> Vec<Command>,
    ) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        let mut commands = person.expire(&self.timing, now);
        commands.extend(change(person, &self.timing, effects));
        person.push_effects(id, commands, effects);
        self.settle(id, now, false, effects);
    }

    /// Makes writes, presence and deadline follow from the person's signals.
    fn settle(&mut self, id: PersonId, now: Timestamp, is_new: bool, effects: &mut Vec<Effect>) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        let expired = person.expire(&self.timing, now);
        person.push_effects(id, expired, effects);
        let lines = person.signals.lines.iter();
        let watched = lines.filter(|signal| !signal.line.is_published());
        let reported = watched.count() >= person.lines.len();
        let commands = person.update_slots(&self.timing, reported, now);
        person.push_effects(id, commands, effects);
        person.store_call(id, &self.timing, effects);
        person.publish(id, &self.timing, now, is_new, effects);

        let deadline = person.next_deadline(&self.timing, now);
        // A later deadline than the listed one is found when the listed one comes: most are pushed back every second.
        if person
            .deadline
            .is_none_or(|listed| listed <= now || deadline.is_none_or(|at| at < listed))
        {
            if let Some(listed) = person.deadline.take() {
                self.deadlines.remove(&(listed, id));
            }
            person.deadline = deadline;
            self.deadlines.extend(deadline.map(|at| (at, id)));
        }
    }

    fn run_due(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline > now {
                return;
            }
            self.deadlines.pop_first();
            if let Some(person) = self.people.get_mut(&id) {
                person.deadline = None;
            }
            self.settle(id, now, false, effects);
        }
    }

    fn add(
        &mut self,
        id: PersonId,
        record: PersonRecord,
        policy: Arc<PersonPolicy>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let person = Person::restore(record, policy, &self.timing, now);
        if let Some(mut replaced) = self.people.insert(id, Box::new(person)) {
            let commands = replaced.mirror.release();
            replaced.push_effects(id, commands, effects);
            if let Some(deadline) = replaced.deadline {
                self.deadlines.remove(&(deadline, id));
            }
        }
        self.settle(id, now, true, effects);
    }

    fn remove(&mut self, id: PersonId, now: Timestamp, effects: &mut Vec<Effect>) {
        self.with(id, now, effects, |person, _, _| {
            person.lines = Vec::new();
            person.signals = Signals::default();
            person.mirror.release()
        });
        if let Some(person) = self.people.remove(&id)
            && let Some(deadline) = person.deadline
        {
            self.deadlines.remove(&(deadline, id));
        }
    }
}
