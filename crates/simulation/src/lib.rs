//! Random histories against the core: people, sources, faults and times that follow from one number, and the
//! invariants that every history must keep. A seed that fails tells the same story again and again.
//!
//! `world.rs` lets time pass and carries out what the engine asks for; `steps.rs` decides what happens next;
//! `account.rs` is the truth in Teams and `writer.rs` the way to it; `invariants.rs` is what must hold.

mod account;
pub mod invariants;
mod random;
mod someone;
mod steps;
mod story;
mod world;
mod writer;

pub use random::Random;
pub use story::Story;

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

/// Lets one history happen, to its silent end. The story is told to `story`.
pub fn run(seed: u64, story: &mut Story) -> Result<(), Failure> {
    let mut random = Random::new(seed);
    let steps = random.between(20, 60);
    let mut world = World::new(random, story);
    for step in 0..steps {
        world.step();
        world
            .verdict()
            .map_err(|what| Failure { seed, step, what })?;
    }
    world.fall_silent();
    world.verdict().map_err(|what| Failure {
        seed,
        step: steps,
        what,
    })
}
