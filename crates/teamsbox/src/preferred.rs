//! The preferred presence: one slot per person, shared by the Teams menu and by applications.

use crate::duration::{DAY, Milliseconds};
use crate::value::{Availability, Shown};

/// What a person chose, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preferred {
    /// The chosen pair.
    pub(crate) shown: Shown,
    /// When the choice lapses.
    pub(crate) ends: Milliseconds,
}

impl Preferred {
    /// Whether the choice has lapsed.
    pub(crate) fn ended(&self, now: Milliseconds) -> bool {
        self.ends <= now
    }
}

/// How long a choice lasts when nobody says: a day for the two that keep others away, a week for the rest.
pub(crate) fn default_duration(shown: Shown) -> Milliseconds {
    match shown.availability {
        Availability::Busy | Availability::DoNotDisturb => DAY,
        _ => 7 * DAY,
    }
}
