//! Restoring a backup while the server runs. What cannot be changed under a running server – everything at once – is asked
//! of whoever started it: end, put the backup in place, begin again.

use std::path::PathBuf;

use store::{PreparedRestore, Store, StoreError};
use tokio::sync::mpsc;

use crate::{api::Entry, problem::Problem};

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
    /// it. The path under which the database that was there is kept is returned.
    ///
    /// # Errors
    /// A file cannot be written; the database is as before then, unless only the note failed.
    pub async fn finish(self) -> Result<Option<PathBuf>, StoreError> {
        let database = self.prepared.database().to_owned();
        let kept = self.prepared.put_in_place().await?;
        let store = Store::open(&database).await?;
        store.note(&self.entry.change()).await?;
        store.close().await;
        Ok(kept)
    }
}

/// Where whoever started the server hears of it.
pub type AskedRestores = mpsc::Receiver<Restore>;

/// How a server asks for it.
#[derive(Clone, Debug)]
pub struct Restores(mpsc::Sender<Restore>);

impl Restores {
    /// One restore at a time.
    #[must_use]
    pub fn new() -> (Self, AskedRestores) {
        let (ask, asked) = mpsc::channel(1);
        (Self(ask), asked)
    }

    pub(crate) fn ask(&self, restore: Restore) -> Result<(), Problem> {
        self.0
            .try_send(restore)
            .map_err(|_| Problem::conflict("a backup is being restored already; wait for it"))
    }
}
