//! Names of the things that presence is about. The caller chooses them; the core only compares.

use std::fmt;

/// A person whose presence is kept. The number is the store's and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

/// One telephone line (extension) of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u64);

/// Numbers from here on are those of publications.
const PUBLISHED: u64 = 1 << 62;

impl LineId {
    /// What a telephone itself publishes (RFC 3903), by the number of the publication: it comes and goes, and nobody waits
    /// for it.
    pub const fn published(number: u64) -> Self {
        Self(PUBLISHED | number)
    }

    /// Whether it is a publication.
    pub const fn is_published(self) -> bool {
        self.0 >= PUBLISHED
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
