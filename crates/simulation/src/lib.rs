//! Random histories against the core: people, sources, faults and times that follow from one number, and the
//! invariants that every history must keep. A seed that fails gives the same history every time.
//!
//! `world.rs` is the state of a history; `events.rs` passes the time and carries out the engine's effects;
//! `steps.rs` chooses random steps; `account.rs` is the true state in Teams, `write_queue.rs` the queue of writes
//! to it; `invariants.rs` is checked after every step.

mod account;
mod events;
pub mod invariants;
mod lag;
mod log;
mod person;
mod random;
mod steps;
mod world;
mod write_queue;

pub use log::EventLog;
pub use random::Random;
use world::World;

/// A history that broke an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Seed of the history.
    pub seed: u64,
    /// The step after which the invariant was broken.
    pub step: u64,
    /// The broken invariant.
    pub what: String,
}

/// Results of histories with a different lag for each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls and meetings that were written to Teams.
    pub calls: u64,
    /// Teams calls that were believed and did not exist.
    pub false_calls: u64,
}

impl Tally {
    /// One false call in this number of calls is allowed.
    const ALLOWED: u64 = 1_000;

    /// Adds two tallies.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            false_calls: self.false_calls + other.false_calls,
        }
    }

    /// Whether the number of false calls is allowed.
    pub const fn is_allowed(self) -> bool {
        self.false_calls * Self::ALLOWED <= self.calls
    }
}

/// Runs one history to its silent end, with its events in `log`.
pub fn run(seed: u64, log: &mut EventLog) -> Result<Tally, Failure> {
    let mut random = Random::new(seed);
    let steps = random.between(20, 60);
    let mut world = World::new(random, log);
    for step in 0..steps {
        world.step();
        world
            .verdict()
            .map_err(|what| Failure { seed, step, what })?;
    }
    world.end_in_silence();
    world.verdict().map_err(|what| Failure {
        seed,
        step: steps,
        what,
    })?;
    Ok(world.tally)
}
