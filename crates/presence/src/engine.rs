//! The engine: owns people and their signals, turns inputs into effects, and names the time of its next call.
//! Time is an argument; nothing happens between two calls.

mod person;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use person::{Person, Publication};

use crate::{
    Action, Appointment, AppointmentId, Choice, ClientId, ClientState, Effect, LineChange, LineId,
    MicrophoneLayer, PersonId, PersonPolicy, PersonRecord, Presence, Reason, Signals, Slot,
    TeamsAnswer, Timestamp, Timing,
    evaluate::{Silent, evaluate},
    mirror::Command,
};

/// An input. An input about an unknown person is ignored: the person was removed while it was on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Adds a person with the store's records; replaces a person with the same id.
    AddPerson(PersonId, Box<PersonRecord>, Arc<PersonPolicy>),
    /// Removes a person; clears our writes in Teams.
    RemovePerson(PersonId),
    /// A fact about a person.
    Person(PersonId, Fact),
    /// Sweeps take longer: an observation of Teams is fresh for at least this time. A shorter time has no
    /// effect.
    ObservationFresh(Duration),
    /// Time has passed.
    Tick,
}

/// A fact about one person.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The person has a Teams account.
    TeamsLinked,
    /// The person has no Teams account any more.
    TeamsUnlinked,
    /// The person's own sign-in at Microsoft has ended. The next answer of Teams ends this state.
    TeamsLoginEnded,
    /// Complete answers, the last one requested at `asked_at`, leave the account out. An answer with the
    /// account ends this state.
    TeamsAccountMissing {
        /// Time of the request to Graph.
        asked_at: Timestamp,
    },
    /// All lines of the person that a source watches. Signals of lines that stay are kept.
    Lines(Vec<LineId>),
    /// Settings or profiles changed.
    Policy(Arc<PersonPolicy>),
    /// A source reports the state of a line.
    Line(LineId, LineChange),
    /// Graph's answer about the person's state in Teams.
    TeamsObserved(TeamsAnswer),
    /// Teams acknowledged a write.
    TeamsAcknowledged(Slot, Action),
    /// Teams answered a clear with 404: the slot holds no write of ours.
    TeamsNothingToClear(Slot),
    /// Microsoft refused a write, which is retried.
    TeamsRefused(Slot, Action),
    /// The person chose a profile, or went back to automatic.
    Choice(Option<Choice>),
    /// State of a connected client. Renews the lease even if the state is the same.
    Client {
        /// The client.
        client: ClientId,
        /// The state.
        state: ClientState,
        /// Start of the state.
        since: Timestamp,
        /// End of the lease.
        until: Timestamp,
    },
    /// A client ended.
    ClientEnded(ClientId),
    /// The person is in a meeting outside Teams. Renews the lease.
    Meeting {
        /// Name of the meeting at its source.
        meeting: Arc<str>,
        /// The person has audio.
        audio: bool,
        /// The person's screen is shared.
        screen: bool,
        /// End of the lease.
        until: Timestamp,
    },
    /// The person left a meeting.
    MeetingEnded(Arc<str>),
    /// All programs that use the microphone on one machine, each with its start. Replaces the agent's last
    /// report.
    Programs {
        /// The agent.
        client: ClientId,
        /// Programs by alias (docs/microphone-sync.md), each with its start.
        programs: Vec<(Arc<str>, Timestamp)>,
        /// End of the lease.
        until: Timestamp,
    },
    /// An appointment was added or changed.
    Appointment(Appointment),
    /// An appointment was deleted.
    AppointmentDeleted(AppointmentId),
    /// All appointments of the person's calendar. Replaces the earlier ones.
    Calendar(Vec<Appointment>),
}

/// Owns people and their signals; see the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    timing: Timing,
    /// Boxed: the nodes of the tree reserve no room for further people.
    people: BTreeMap<PersonId, Box<Person>>,
    /// Deadline of each person, the earliest first.
    deadlines: BTreeSet<(Timestamp, PersonId)>,
}

impl Engine {
    /// Creates an engine without people.
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            people: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// Times that the engine works with.
    pub const fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Applies an input at `now` and returns its effects. `now` must not go back.
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
            // The listed deadlines are then too early; `settle` corrects each when it is due.
            Input::ObservationFresh(fresh) => {
                let known = &mut self.timing.observation_fresh;
                *known = fresh.max(*known);
            }
            Input::Tick => {}
        }
        self.run_due(now, &mut effects);
        effects
    }

    /// Latest time of the next call of [`Engine::handle`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Number of people.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether the engine has no people.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Presence of a person as in the last [`Effect::Changed`].
    pub fn presence(&self, person: PersonId) -> Option<&Presence> {
        self.people.get(&person).map(|person| &person.last_presence)
    }

    /// Presence of a person at `now` with every reason, in the order of the rules. `microphone` must be
    /// [`MicrophoneLayer::for_viewer`] of the viewer.
    pub fn explain(
        &self,
        person: PersonId,
        microphone: MicrophoneLayer,
        now: Timestamp,
    ) -> Option<(Presence, Vec<Reason>)> {
        let person = self.people.get(&person)?;
        let mut reasons = Vec::new();
        let facts = person.facts(&self.timing, microphone);
        let decision = evaluate(&facts, now, &mut reasons);
        Some((decision.presence, reasons))
    }

    /// Computes a person's presence, for measurements.
    pub fn compute(&self, person: PersonId, now: Timestamp) -> Option<Presence> {
        let facts = self
            .people
            .get(&person)?
            .facts(&self.timing, MicrophoneLayer::Included);
        Some(evaluate(&facts, now, &mut Silent).presence)
    }

    /// Policy of a person.
    pub fn policy(&self, person: PersonId) -> Option<&Arc<PersonPolicy>> {
        self.people.get(&person).map(|person| &person.policy)
    }

    /// Signals of a person, for checks of invariants.
    pub fn signals(&self, person: PersonId) -> Option<&Signals> {
        self.people.get(&person).map(|person| &person.signals)
    }

    /// State of a slot in the person's Teams account, for checks of invariants.
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
        self.settle(id, now, Publication::OfChanges, effects);
    }

    /// Updates slots, presence and deadline of a person from the signals.
    fn settle(
        &mut self,
        id: PersonId,
        now: Timestamp,
        publication: Publication,
        effects: &mut Vec<Effect>,
    ) {
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
        person.publish(id, &self.timing, now, publication, effects);

        let deadline = person.next_deadline(&self.timing, now);
        // A later deadline than the listed one is corrected when that one is due: most move back every
        // second.
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
            self.settle(id, now, Publication::OfChanges, effects);
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
        self.settle(id, now, Publication::Always, effects);
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
