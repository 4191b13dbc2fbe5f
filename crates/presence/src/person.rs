//! Names of the things that presence is about. The caller chooses them; the core only compares.

use std::fmt;

/// A person whose presence is kept. The number is the store's and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

/// A source of line states. Lines are ordered by kind, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineId {
    /// A line (extension) of a PBX that a connector watches, by its number in the store.
    Watched(u64),
    /// A publication of a phone (RFC 3903), by its number in the presence server. It comes and goes: a missing one does not
    /// make a presence stale.
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
