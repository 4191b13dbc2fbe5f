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

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

/// More readers than this only queue for the two cores that the product is sized for.
const CONNECTIONS_MAX: u32 = 4;

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
            // A write to Teams that we forgot in a power failure would be taken for Teams' own.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await
            .map_err(|cause| StoreError::Open {
                path: path.into(),
                cause,
            })?;
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
        Ok(Self { pool })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes the database; what was committed is on disk.
    pub async fn close(self) {
        self.pool.close().await;
    }
}
