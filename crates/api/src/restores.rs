//! Restoring a backup while the server runs. The command that started the server stops it, puts the backup in the place of the
//! database, and starts it again.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use runtime::audit::Entry;
use store::{OrganisationId, PreparedRestore, Store, StoreError};
use tokio::sync::mpsc;

/// The folder of a database's backups, beside it. The server takes none from elsewhere.
#[must_use]
pub fn backups_folder(database: &Path) -> PathBuf {
    database.with_file_name("backups")
}

/// A requested restore: the server stops for it.
#[derive(Debug)]
pub struct Restore {
    prepared: PreparedRestore,
    entry: Entry,
}

impl Restore {
    /// A prepared backup, and the audit entry that names who asked for it.
    pub fn new(prepared: PreparedRestore, entry: Entry) -> Self {
        Self { prepared, entry }
    }

    /// Puts the backup in the place of the database, once the server has stopped, and adds the entry to its audit log.
    ///
    /// # Errors
    /// A file cannot be written; the database is as before then.
    pub async fn finish(self) -> Result<Restored, StoreError> {
        let Self { prepared, entry } = self;
        let database = prepared.database().to_owned();
        let kept = prepared.apply().await?;
        let recorded = record(&database, &entry).await;
        Ok(Restored { kept, recorded })
    }
}

async fn record(database: &Path, entry: &Entry) -> Result<(), StoreError> {
    let store = Store::open(database, OrganisationId::FIRST).await?;
    let recorded = store.record_change(&entry.change()).await;
    store.database().close().await;
    recorded
}

/// A backup is in the place of the database.
#[derive(Debug)]
pub struct Restored {
    /// The file of the previous database.
    pub kept: Option<PathBuf>,
    /// Whether the audit log of the restored database has the entry.
    pub recorded: Result<(), StoreError>,
}

/// The requests, for the command that started the server.
pub type AskedRestores = mpsc::Receiver<Restore>;

/// A restore was accepted before this one and is not finished.
#[derive(Debug, thiserror::Error)]
#[error("a backup is being restored already; wait for it")]
pub struct AlreadyRestoring;

/// The way to ask for a restore.
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

    /// Accepts a restore again, for the next server.
    pub fn begin_again(&self) {
        self.accepted.store(false, Ordering::Release);
    }

    /// Asks the command that started the server to restore a backup.
    ///
    /// # Errors
    /// A restore was accepted before and is not finished.
    pub fn ask(&self, restore: Restore) -> Result<(), AlreadyRestoring> {
        if self.accepted.swap(true, Ordering::AcqRel) {
            return Err(AlreadyRestoring);
        }
        self.asked.try_send(restore).map_err(|_| AlreadyRestoring)
    }
}
