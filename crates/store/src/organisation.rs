//! Organisations, and the store of one organisation.

use std::{fmt, path::Path};

use crate::{Database, StoreError};

/// One organisation of an installation: its people, scopes, settings, accounts, and audit log.
///
/// An installation has exactly one organisation so far, [`Self::FIRST`], and the schema has no column for it. Every
/// function that reads or changes an organisation's data belongs to [`Store`], which is bound to an organisation. A second
/// organisation therefore needs a column and a condition in this crate, but no further parameter in its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrganisationId(u32);

impl OrganisationId {
    /// The only organisation of an installation.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The data of one organisation in a [`Database`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) database: Database,
    organisation: OrganisationId,
}

impl Store {
    /// Opens the database at `path` as [`Database::open`] does, and binds the store to one of its organisations.
    ///
    /// # Errors
    /// As of [`Database::open`].
    pub async fn open(path: &Path, organisation: OrganisationId) -> Result<Self, StoreError> {
        Ok(Database::open(path).await?.organisation(organisation))
    }

    /// The organisation that this store reads and changes.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// The database with the data of all organisations.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }
}

impl Database {
    /// The store of one organisation in this database.
    #[must_use]
    pub fn organisation(&self, organisation: OrganisationId) -> Store {
        Store {
            database: self.clone(),
            organisation,
        }
    }
}
