//! Behaviour of the engine: scenarios of the domain, one by one, and properties over random histories.

mod do_not_disturb;
mod properties;
mod restart;
mod scenarios;

use std::time::Duration;

use crate::{
    Action, Choice, Effect, Engine, Input, LineId, LineState, PersonId, PersonRecord, Presence,
    Record, Settings, Slot, SyncMode, TeamsState, TeamsWrite, Timestamp,
};

pub(crate) const ANNA: PersonId = PersonId(1);
pub(crate) const DESK: LineId = LineId(11);
pub(crate) const START: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// One person, driven by hand.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) writes: Vec<(Slot, Action)>,
    pub(crate) records: Vec<Record>,
    pub(crate) acknowledges: bool,
}

impl World {
    /// A world whose line has said that it is idle.
    pub(crate) fn new(mode: SyncMode) -> Self {
        let mut world = Self::with_record(mode, PersonRecord::default());
        let (state, until) = (LineState::Idle, START + Duration::from_secs(30 * 24 * 3600));
        world.input(Input::Line {
            person: ANNA,
            line: DESK,
            state,
            until,
        });
        world
    }

    pub(crate) fn with_record(mode: SyncMode, record: PersonRecord) -> Self {
        let mut world = Self {
            engine: Engine::new(Settings {
                mode,
                ..Settings::default()
            }),
            now: START,
            writes: Vec::new(),
            records: Vec::new(),
            acknowledges: true,
        };
        let record = PersonRecord {
            lines: vec![DESK],
            linked: true,
            ..record
        };
        world.input(Input::AddPerson(ANNA, Box::new(record)));
        world
    }

    pub(crate) fn input(&mut self, input: Input) {
        let effects = self.engine.handle(self.now, input);
        let mut written = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write(TeamsWrite { slot, action, .. }) => written.push((slot, action)),
                Effect::Remember(record) => self.records.push(record),
                Effect::Changed { .. } | Effect::WritingPaused { .. } => {}
            }
        }
        self.writes.extend(&written);
        if self.acknowledges {
            for (slot, action) in written {
                self.input(Input::TeamsAcknowledged(TeamsWrite {
                    person: ANNA,
                    slot,
                    action,
                }));
            }
        }
    }

    /// Lets time pass, second by second; `teams` is what Graph answers meanwhile.
    pub(crate) fn pass(&mut self, time: Duration, teams: Option<(&str, &str)>) {
        let end = self.now + time;
        while self.now < end {
            self.now = (self.now + Duration::from_secs(1)).min(end);
            match teams {
                Some((availability, activity)) => self.teams(availability, activity),
                None => self.input(Input::Tick),
            }
        }
    }

    pub(crate) fn teams(&mut self, availability: &str, activity: &str) {
        let state = TeamsState::new(availability, activity);
        self.input(Input::TeamsObserved {
            person: ANNA,
            state,
            asked_at: self.now,
        });
    }

    pub(crate) fn line(&mut self, state: LineState) {
        let until = self.now + Duration::from_secs(600);
        self.input(Input::Line {
            person: ANNA,
            line: DESK,
            state,
            until,
        });
    }

    pub(crate) fn choose(&mut self, name: &str) {
        let profile = self
            .engine
            .settings()
            .profiles
            .named(name)
            .cloned()
            .unwrap();
        let choice = Choice {
            profile,
            since: self.now,
            until: None,
        };
        self.input(Input::Choose(ANNA, Some(choice)));
    }

    pub(crate) fn back_to_automatic(&mut self) {
        self.input(Input::Choose(ANNA, None));
    }

    pub(crate) fn presence(&self) -> &Presence {
        self.engine.presence(ANNA).unwrap()
    }

    /// `status, text` in one line, for short assertions.
    pub(crate) fn shown(&self) -> String {
        let presence = self.presence();
        format!("{}, {}", presence.status, presence.text())
    }

    /// What the explanation adds to its reasons.
    pub(crate) fn notes(&self) -> Vec<String> {
        let (_, reasons) = self.engine.explain(ANNA, self.now).unwrap();
        reasons
            .into_iter()
            .filter_map(|reason| reason.note)
            .collect()
    }

    pub(crate) fn take_writes(&mut self) -> Vec<(Slot, Action)> {
        std::mem::take(&mut self.writes)
    }

    pub(crate) fn last_own_record(&self, of: Slot) -> Option<crate::OwnRecord> {
        self.records.iter().rev().find_map(|record| match record {
            Record::Own { slot, own, .. } if *slot == of => Some(*own),
            _ => None,
        })?
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
