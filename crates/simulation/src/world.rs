//! The state of one history: the people, the engine, the clock and the events to come.

use std::{collections::BTreeMap, time::Duration};

use presence::{Action, Engine, LineId, PersonId, Slot, TenantLag, Timestamp};

use crate::{
    Tally, account::Words, lag::Lags, log::EventLog, person::SimulatedPerson, random::Random,
    write_queue::Answer,
};

/// The sweep during long stretches of time: often enough that no lease ends.
pub const SLOW_SWEEP: Duration = Duration::from_secs(240);
/// Something that will happen. People are named by their place in the list.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Teams is asked as a matter of course.
    Sweep(usize),
    /// Teams is asked because something changed there.
    Read(usize),
    /// An answer of Teams arrives.
    GraphAnswered(usize, GraphAnswer, u32),
    /// What waits for Teams may be sent.
    Send(usize, u32),
    /// A request arrives in Teams.
    Land(usize, Slot, Action),
    /// The answer to a request arrives here.
    Answer(usize, Answer, u32),
    /// Something in Teams runs out.
    Expire(usize),
    /// A line tells after a start what it is doing.
    Report(usize, LineId, u32),
}

/// An answer of Teams on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GraphAnswer {
    pub(crate) words: Words,
    pub(crate) version: u64,
    pub(crate) asked_at: Timestamp,
    /// When what it tells was true.
    pub(crate) true_at: Timestamp,
}

/// The world of one history.
#[derive(Debug)]
pub struct World<'s> {
    pub(crate) random: Random,
    pub(crate) now: Timestamp,
    pub(crate) engine: Engine,
    /// Programs use microphones in this history.
    pub(crate) has_microphones: bool,
    /// The same engine in a world without microphones: whoever may not see them must see this one. Idle where the
    /// history has none.
    pub(crate) without_microphones: Engine,
    pub(crate) people: Vec<SimulatedPerson>,
    /// Nothing goes wrong on the way to Teams and back, so that more must hold.
    pub(crate) calm: bool,
    /// How long Graph takes to show what is true.
    pub(crate) lags: Lags,
    /// What the server knows of that.
    pub(crate) tenant_lag: TenantLag,
    /// Whoever was written about is read each second for a while.
    pub(crate) reads_often: bool,
    /// What happened so far.
    pub(crate) tally: Tally,
    pub(crate) link_up: bool,
    pub(crate) next_name: u64,
    pub(crate) sweep: Duration,
    pub(crate) slow: bool,
    /// Nothing new happens any more; what is under way gets through.
    pub(crate) silent: bool,
    pub(crate) down: bool,
    /// When the process last started.
    pub(crate) started_at: Timestamp,
    pub(crate) lives: u32,
    pub(crate) queue: BTreeMap<(Timestamp, u64), Event>,
    pub(crate) sequence: u64,
    pub(crate) log: &'s mut EventLog,
    pub(crate) failure: Option<String>,
}

impl World<'_> {
    pub(crate) fn log(&mut self, line: impl FnOnce() -> String) {
        self.log.add(self.now, line);
    }

    pub(crate) fn fail(&mut self, what: impl FnOnce() -> String) {
        if self.failure.is_none() {
            let what = what();
            self.log.add(self.now, || format!("BROKEN: {what}"));
            self.failure = Some(what);
        }
    }

    pub(crate) fn check(&mut self, found: Result<(), String>) {
        if let Err(what) = found {
            self.fail(|| what);
        }
    }

    /// Whether everything that must hold has held.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn later(&mut self, after: Duration, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), event);
    }

    pub(crate) fn position(&self, id: PersonId) -> Option<usize> {
        self.people.iter().position(|person| person.id == id)
    }
}
