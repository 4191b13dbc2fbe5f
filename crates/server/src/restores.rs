//! Restoring a backup while the server runs. What cannot be changed under a running server – everything at once – is asked
//! of whoever started it: end, put the backup in place, begin again.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use store::{OrganisationId, PreparedRestore, Store, StoreError};
use tokio::sync::mpsc;

use crate::audit::Entry;

/// The folder of a database's backups, beside it. The server takes none from elsewhere.
#[must_use]
pub fn backups_folder(database: &Path) -> PathBuf {
    database.with_file_name("backups")
}

/// A restore that was asked for. The server is to be stopped for it.
#[derive(Debug)]
pub struct Restore {
    prepared: PreparedRestore,
    entry: Entry,
}

impl Restore {
    pub(crate) fn new(prepared: PreparedRestore, entry: Entry) -> Self {
        Self { prepared, entry }
    }

    /// Puts the backup in the place of the database, which nothing uses any more, and notes in its audit log who asked for
    /// it.
    ///
    /// # Errors
    /// A file cannot be written; the database is as before then.
    pub async fn finish(self) -> Result<Restored, StoreError> {
        let Self { prepared, entry } = self;
        let database = prepared.database().to_owned();
        let kept = prepared.apply().await?;
        let noted = note(&database, &entry).await;
        Ok(Restored { kept, noted })
    }
}

async fn note(database: &Path, entry: &Entry) -> Result<(), StoreError> {
    let store = Store::open(database, OrganisationId::FIRST).await?;
    let noted = store.record_change(&entry.change()).await;
    store.database().close().await;
    noted
}

/// A backup is in the place of the database.
#[derive(Debug)]
pub struct Restored {
    /// Where the database that was there is kept.
    pub kept: Option<PathBuf>,
    /// Whether the audit log of the restored database tells of it.
    pub noted: Result<(), StoreError>,
}

/// Where whoever started the server hears of it.
pub type AskedRestores = mpsc::Receiver<Restore>;

/// A restore was accepted before this one and is not finished.
#[derive(Debug, thiserror::Error)]
#[error("a backup is being restored already; wait for it")]
pub(crate) struct AlreadyRestoring;

/// How a server asks for it.
#[derive(Clone, Debug)]
pub struct Restores {
    asked: mpsc::Sender<Restore>,
    /// A restore was accepted: another one waits for the server that begins with it.
    accepted: Arc<AtomicBool>,
}

impl Restores {
    /// One restore at a time.
    #[must_use]
    pub fn new() -> (Self, AskedRestores) {
        let (ask, asked) = mpsc::channel(1);
        let restores = Self {
            asked: ask,
            accepted: Arc::default(),
        };
        (restores, asked)
    }

    /// The next server accepts a restore again.
    pub fn begin_again(&self) {
        self.accepted.store(false, Ordering::Release);
    }

    pub(crate) fn ask(&self, restore: Restore) -> Result<(), AlreadyRestoring> {
        if self.accepted.swap(true, Ordering::AcqRel) {
            return Err(AlreadyRestoring);
        }
        self.asked.try_send(restore).map_err(|_| AlreadyRestoring)
    }
}
