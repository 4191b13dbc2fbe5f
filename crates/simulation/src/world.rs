//! State of one history: the people, the engine, the clock and the events to come.

use std::{collections::BTreeMap, time::Duration};

use presence::{Action, Engine, LineId, PersonId, Slot, TenantLag, Timestamp};

use crate::{
    Tally, account::Words, lag::Lags, log::EventLog, person::SimulatedPerson, random::Random,
    write_queue::Answer,
};

/// Polling interval during long stretches of time: short enough that no lease ends.
pub const SLOW_SWEEP: Duration = Duration::from_secs(240);
/// A future event. A person is an index of the list.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A sweep reads the person.
    Sweep(usize),
    /// An extra read of the person, after a change.
    Read(usize),
    /// An answer of Graph arrives.
    GraphAnswered(usize, GraphAnswer, u32),
    /// The next request of the queue may be sent.
    Send(usize, u32),
    /// A request arrives in Teams.
    Land(usize, Slot, Action),
    /// The answer to a request arrives.
    Answer(usize, Answer, u32),
    /// A state in Teams expires.
    Expire(usize),
    /// A line reports its state after a start.
    Report(usize, LineId, u32),
}

/// An answer of Graph on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GraphAnswer {
    pub(crate) words: Words,
    pub(crate) version: u64,
    pub(crate) asked_at: Timestamp,
    /// Time at which the answer was true.
    pub(crate) true_at: Timestamp,
}

/// The state of one history.
#[derive(Debug)]
pub struct World<'s> {
    pub(crate) random: Random,
    pub(crate) now: Timestamp,
    pub(crate) engine: Engine,
    /// Programs use microphones in this history.
    pub(crate) has_microphones: bool,
    /// The same engine in a world without microphones: viewers who may not see microphones must see this one.
    /// Idle in a history without microphones.
    pub(crate) without_microphones: Engine,
    pub(crate) people: Vec<SimulatedPerson>,
    /// No delivery fails, so that further invariants hold.
    pub(crate) calm: bool,
    /// Lags of Graph's answers.
    pub(crate) lags: Lags,
    /// Lag of the tenant as the server measures it.
    pub(crate) tenant_lag: TenantLag,
    /// Each write is followed by a read each second for 70 s.
    pub(crate) reads_often: bool,
    /// Results so far.
    pub(crate) tally: Tally,
    pub(crate) link_up: bool,
    pub(crate) next_name: u64,
    pub(crate) sweep: Duration,
    pub(crate) slow: bool,
    /// No new events; deliveries succeed.
    pub(crate) silent: bool,
    pub(crate) down: bool,
    /// Last start of the process.
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

    /// The first broken invariant, if one is.
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
