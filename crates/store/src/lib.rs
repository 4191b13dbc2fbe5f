//! What Offhook keeps: people, their lines and choices, settings, and every write to Teams that is still in force.
//!
//! What people enter is durable before it is acknowledged, and a write to Teams is durable before it is sent. Signals
//! are not kept: they are rebuilt from their sources after a start.

mod access;
mod import;
mod people;
mod records;
mod settings;

use std::path::{Path, PathBuf};

use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use access::SecretHash;
pub use import::{CsvProblem, ImportPerson, read_people_csv};
pub use people::{ImportSummary, StoredPerson};

/// Something went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file could not be opened or brought up to date.
    #[error(
        "cannot open the database {path}: {cause}; check that the folder exists, is writable by this user and has free space"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the database said.
        cause: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error(
        "cannot bring the database {path} up to date: {cause}; restore a backup or use the version that wrote it"
    )]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What the database said.
        cause: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the database refused: {0}; check free space and permissions")]
    Database(#[from] sqlx::Error),
    /// Two people claim the same thing.
    #[error("{what} {value} belongs to {owner} already; remove it there first")]
    Taken {
        /// The kind of thing.
        what: &'static str,
        /// The thing.
        value: String,
        /// Who has it.
        owner: String,
    },
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however sudden. A power failure may take the last second with it. For what follows from
    /// signals: it costs no wait for the disk.
    Process,
    /// A power failure too. For what people enter.
    Power,
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// Every commit waits for the disk.
    pool: SqlitePool,
    /// Commits wait for the operating system only; the disk follows at each checkpoint.
    quick: SqlitePool,
}

/// A transaction that begins by reading and writes later fails when another writes in between; one that says at once
/// that it will write waits for its turn.
pub(crate) const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// More readers than this only queue for the two cores that the product is sized for.
const CONNECTIONS_MAX: u32 = 4;
/// One commits, one makes checkpoints.
const QUICK_CONNECTIONS_MAX: u32 = 2;

impl Store {
    /// Opens the SQLite database at `path`, creating it and bringing its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // Checkpoints stall whoever makes them for as long as the disk takes: `checkpoint` makes them aside, and
            // only a log that it cannot keep short is checkpointed by a writer.
            .pragma("wal_autocheckpoint", "16384")
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options.clone())
            .await
            .map_err(|cause| StoreError::Open {
                path: path.into(),
                cause,
            })?;
        let quick = SqlitePoolOptions::new()
            .max_connections(QUICK_CONNECTIONS_MAX)
            .connect_lazy_with(options.synchronous(SqliteSynchronous::Normal));
        let migrations = vec![Migration::new(
            1,
            "people and writes".into(),
            MigrationType::Simple,
            include_str!("../migrations/sqlite/0001_people_and_writes.sql").into_sql_str(),
            false,
        )];
        Migrator::with_migrations(migrations)
            .run(&pool)
            .await
            .map_err(|cause| StoreError::Migrate {
                path: path.into(),
                cause,
            })?;
        Ok(Self { pool, quick })
    }

    /// Moves what was committed from the log into the database without holding up writers. To be called every second
    /// or so.
    ///
    /// # Errors
    /// The database refused; nothing is lost.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&self.quick)
            .await?;
        Ok(())
    }

    /// Closes the database; what was committed is on disk.
    pub async fn close(self) {
        self.quick.close().await;
        self.pool.close().await;
    }
}
