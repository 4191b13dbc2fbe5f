//! The preferred presence: one slot of each person, shared by the Teams menu and applications.

use crate::{
    duration::{DAY, Milliseconds},
    value::{Availability, Shown},
};

/// A preferred presence with its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preferred {
    /// The chosen pair.
    pub(crate) shown: Shown,
    /// Expiry.
    pub(crate) ends: Milliseconds,
}

impl Preferred {
    /// Returns true if the choice has expired.
    pub(crate) fn ended(&self, now: Milliseconds) -> bool {
        self.ends <= now
    }
}

/// Default duration: a day for Busy and DoNotDisturb, a week for all others (Graph: "presence:
/// setUserPreferredPresence").
pub(crate) fn default_duration(shown: Shown) -> Milliseconds {
    match shown.availability {
        Availability::Busy | Availability::DoNotDisturb => DAY,
        _ => 7 * DAY,
    }
}
