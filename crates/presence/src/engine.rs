//! The engine: owns people and their signals, takes what happened, returns what follows, and knows when it must be
//! called next. All time passes through `now`; nothing happens between two calls.

mod person;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Choice, Effect, LineId, LineState, PersonId, PersonRecord, Presence, Reason, Settings, Signals,
    Slot, SyncMode, TeamsState, TeamsWrite, Timestamp, mirror::Wish,
};
use person::Person;

/// Something that happened. An input about a person who is not known is ignored: the person was removed meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A person exists, with what the store remembers. Replaces what was known.
    AddPerson(PersonId, Box<PersonRecord>),
    /// A person's Teams account was found.
    LinkTeams(PersonId),
    /// A person's lines or Teams account changed. What is known of lines that stay is kept.
    UpdatePerson {
        /// Who.
        person: PersonId,
        /// All the person's lines that some source watches.
        lines: Vec<LineId>,
        /// The person has a Teams account.
        linked: bool,
    },
    /// A person no longer exists. What was written to Teams is taken back.
    RemovePerson(PersonId),
    /// A telephone line said what it is doing. Renews the lease even if nothing changed.
    Line {
        /// Whose line.
        person: PersonId,
        /// Which.
        line: LineId,
        /// What it is doing.
        state: LineState,
        /// The end of the lease.
        until: Timestamp,
    },
    /// The connection to a line's telephone system is lost.
    LineStale {
        /// Whose line.
        person: PersonId,
        /// Which.
        line: LineId,
    },
    /// Graph said what Teams shows.
    TeamsObserved {
        /// Whose presence.
        person: PersonId,
        /// What it is.
        state: TeamsState,
        /// When Graph was asked.
        asked_at: Timestamp,
    },
    /// Teams acknowledged a write.
    TeamsAcknowledged(TeamsWrite),
    /// The person chose a profile, or went back to automatic. Durable already.
    Choose(PersonId, Option<Choice>),
    /// The organisation's sync mode changed. Durable already.
    SetMode(SyncMode),
    /// Time passed.
    Tick,
}

/// Owns people and their signals. See the crate's description.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    people: BTreeMap<PersonId, Person>,
    deadlines: BTreeSet<(Timestamp, PersonId)>,
}

impl Engine {
    /// An engine without people.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            people: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes in what happened at `now` and returns what follows. `now` must not run backwards.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::AddPerson(id, record) => self.add(id, *record, now, &mut effects),
            Input::LinkTeams(person) => {
                self.with(person, now, &mut effects, |person, _| {
                    person.linked = true;
                    Vec::new()
                });
            }
            Input::UpdatePerson {
                person,
                lines,
                linked,
            } => {
                self.with(person, now, &mut effects, |person, _| {
                    person
                        .signals
                        .lines
                        .retain(|signal| lines.contains(&signal.line));
                    person.lines = lines;
                    person.linked = linked;
                    Vec::new()
                });
            }
            Input::RemovePerson(id) => self.remove(id, now, &mut effects),
            Input::Line {
                person,
                line,
                state,
                until,
            } => {
                self.with(person, now, &mut effects, |person, _| {
                    person.report_line(line, state, until, now);
                    Vec::new()
                });
            }
            Input::LineStale { person, line } => {
                self.with(person, now, &mut effects, |person, settings| {
                    let limit = now + settings.timing.line_stale;
                    for signal in person
                        .signals
                        .lines
                        .iter_mut()
                        .filter(|signal| signal.line == line)
                    {
                        signal.stale = true;
                        signal.until = signal.until.min(limit);
                    }
                    Vec::new()
                });
            }
            Input::TeamsObserved {
                person,
                state,
                asked_at,
            } => {
                self.with(person, now, &mut effects, |person, settings| {
                    person
                        .mirror
                        .observe(&mut person.signals, settings, state, asked_at, now)
                });
            }
            Input::TeamsAcknowledged(TeamsWrite {
                person,
                slot,
                action,
            }) => {
                self.with(person, now, &mut effects, |person, settings| {
                    person
                        .mirror
                        .acknowledge(slot, action, &settings.timing, now)
                });
            }
            Input::Choose(person, choice) => {
                self.with(person, now, &mut effects, |person, _| {
                    person.signals.choice = choice;
                    Vec::new()
                });
            }
            Input::SetMode(mode) => self.set_mode(mode, now, &mut effects),
            Input::Tick => {}
        }
        self.run_due(now, &mut effects);
        effects
    }

    /// When [`Engine::handle`] must be called next, at the latest.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The presence of a person, as last told.
    pub fn presence(&self, person: PersonId) -> Option<&Presence> {
        self.people.get(&person).map(|person| &person.told)
    }

    /// The presence of a person at `now` with every reason, in the order of the rules.
    pub fn explain(&self, person: PersonId, now: Timestamp) -> Option<(Presence, Vec<Reason>)> {
        let person = self.people.get(&person)?;
        let mut reasons = Vec::new();
        let decision = person.evaluate(&self.settings, now, &mut reasons);
        Some((decision.presence, reasons))
    }

    /// The signals of a person, for whoever checks invariants.
    pub fn signals(&self, person: PersonId) -> Option<&Signals> {
        self.people.get(&person).map(|person| &person.signals)
    }

    /// What is ours in a slot of a person's Teams presence, for whoever checks invariants.
    pub fn own(&self, person: PersonId, slot: Slot) -> Option<&crate::Own> {
        self.people
            .get(&person)
            .map(|person| person.mirror.own(slot))
    }

    fn with(
        &mut self,
        id: PersonId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
        change: impl FnOnce(&mut Person, &Settings) -> Vec<Wish>,
    ) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        let mut wishes = person.expire(&self.settings, now);
        wishes.extend(change(person, &self.settings));
        person.carry_out(id, wishes, effects);
        self.settle(id, now, false, effects);
    }

    /// Makes writes, presence and deadline follow from the person's signals.
    fn settle(&mut self, id: PersonId, now: Timestamp, is_new: bool, effects: &mut Vec<Effect>) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        let expired = person.expire(&self.settings, now);
        person.carry_out(id, expired, effects);
        let reported = person.signals.lines.len() >= person.lines.len();
        if person.linked {
            let wishes = person
                .mirror
                .follow_wants(&person.signals, &self.settings, reported, now);
            person.carry_out(id, wishes, effects);
        }
        person.remember_call(id, &self.settings, effects);
        person.tell(id, &self.settings, now, is_new, effects);

        let deadline = person.next_deadline(&self.settings, now);
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

    fn set_mode(&mut self, mode: SyncMode, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.settings.mode == mode {
            return;
        }
        self.settings.mode = mode;
        let people: Vec<PersonId> = self.people.keys().copied().collect();
        for id in people {
            self.with(id, now, effects, |person, _| {
                person.forget_teams(mode);
                Vec::new()
            });
        }
    }

    fn add(
        &mut self,
        id: PersonId,
        record: PersonRecord,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let person = Person::restore(record, &self.settings, now);
        if let Some(replaced) = self.people.insert(id, person)
            && let Some(deadline) = replaced.deadline
        {
            self.deadlines.remove(&(deadline, id));
        }
        self.settle(id, now, true, effects);
    }

    fn remove(&mut self, id: PersonId, now: Timestamp, effects: &mut Vec<Effect>) {
        self.with(id, now, effects, |person, _| {
            person.lines = Vec::new();
            person.signals = Signals::default();
            person.mirror.let_go();
            Vec::new()
        });
        if let Some(person) = self.people.remove(&id)
            && let Some(deadline) = person.deadline
        {
            self.deadlines.remove(&(deadline, id));
        }
    }
}
