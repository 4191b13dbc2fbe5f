//! Ids of people and lines. The caller chooses the numbers; the core only compares them.

use std::fmt;

/// Id of a person, by the number in the store; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

/// A source of line states. Lines are ordered by kind, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineId {
    /// A line (extension) of a PBX that a connector watches, by its number in the store.
    Watched(u64),
    /// A publication of a phone (RFC 3903), by its number in the presence server. Publications come and go: a
    /// missing one does not make a presence stale.
    Published(u64),
}

impl LineId {
    /// Whether the states come from a phone's own publication.
    pub const fn is_published(self) -> bool {
        match self {
            Self::Watched(_) => false,
            Self::Published(_) => true,
        }
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
