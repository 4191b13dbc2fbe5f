//! The core of Offhook: what is known of people, and what follows from it.
//!
//! Presence is *computed* from leased signals and never stored ([`Presence`], [`Signals`]). The [`Engine`] owns people
//! and their signals; the caller hands in what happened and the time, and gets back what changed, what is to be written
//! to Teams and what must be remembered. There is no input or output in this crate, no clock, no randomness, no
//! logging: the same inputs at the same times give the same effects.
//!
//! Start reading at `evaluate.rs` (the rules), then `mirror.rs` (Teams' own state against the echo of ours), then
//! `engine.rs`.

mod effect;
mod engine;
mod evaluate;
mod line;
mod mirror;
mod own;
mod person;
mod profile;
mod reason;
mod record;
mod settings;
mod signals;
mod status;
mod teams;
mod time;

pub use effect::{Effect, TeamsWrite};
pub use engine::{Engine, Input};
pub use evaluate::Presence;
pub use line::LineState;
pub use own::{Action, Held, Own, Slot, Withdrawn, YieldReason, Yielded};
pub use person::{LineId, PersonId};
pub use profile::{Choice, MyProfiles, Profile};
pub use reason::{Reason, Rule, Source};
pub use record::{OwnRecord, PersonRecord, Record};
pub use settings::{LoopBreaker, Settings, SyncMode, Timing};
pub use signals::{LineSignal, Signals};
pub use status::{Activity, Confidence, Status};
pub use teams::{Meaning, Observation, TeamsCall, TeamsState};
pub use time::Timestamp;

#[cfg(test)]
mod tests;
