//! Random histories against the core: people, sources, faults and times that follow from one number, and the
//! invariants that every history must keep. A seed that fails tells the same story again and again.
//!
//! `world.rs` lets time pass and carries out what the engine asks for; `steps.rs` decides what happens next;
//! `account.rs` is the truth in Teams and `writer.rs` the way to it; `invariants.rs` is what must hold.

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
    /// The number that it follows from.
    pub seed: u64,
    /// The step after which it was noticed.
    pub step: u64,
    /// What was broken.
    pub what: String,
}

/// What happened in histories whose answers each have a lag of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls and meetings that were written to Teams.
    pub calls: u64,
    /// Teams calls that were believed and were none.
    pub false_calls: u64,
}

impl Tally {
    /// The domain allows one false call in so many.
    const ALLOWED: u64 = 1_000;

    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            false_calls: self.false_calls + other.false_calls,
        }
    }

    /// Whether there are no more false calls than the domain allows.
    pub const fn is_allowed(self) -> bool {
        self.false_calls * Self::ALLOWED <= self.calls
    }
}

/// Lets one history happen, to its silent end. The story is told to `log`.
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
