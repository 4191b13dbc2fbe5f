//! The database file: opening it, its schema, its two kinds of commit, and whether it is still in its place.

use std::{path::Path, sync::Arc};

use sqlx::{
    Connection, Row, SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    StoreError,
    error::{damaged, is_damage, is_of_disk},
    files,
};

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however sudden. A power failure may take the last second with it. For what follows from
    /// signals: it costs no wait for the disk.
    Process,
    /// A power failure too. For what people enter.
    Power,
}

/// The database of an installation: one SQLite file with the data of every organisation. Cheap to clone.
///
/// It has the operations on the file as a whole: schema, damage check, checkpoints, backup, the server's clock, and
/// sealing of all secrets with a new key. Data of an organisation is read and changed through its [`crate::Store`].
#[derive(Clone, Debug)]
pub struct Database {
    /// Every commit waits for the disk.
    pub(crate) pool: SqlitePool,
    /// Commits wait for the operating system only; the disk follows at each checkpoint.
    pub(crate) quick: SqlitePool,
    file: Arc<Path>,
    /// Device and inode of the file when it was opened.
    identity: Option<(u64, u64)>,
}

/// A transaction that begins by reading and writes later fails when another writes in between; one that says at once
/// that it will write waits for its turn.
pub(crate) const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// More readers than this only queue for the two cores that the product is sized for.
const CONNECTIONS_MAX: u32 = 4;
/// One commits, one makes checkpoints.
const QUICK_CONNECTIONS_MAX: u32 = 2;

/// As large as a usual change, so that the probe is refused when such a change would be.
const PROBE_BYTES: u32 = 16 * 1024;

impl Database {
    /// Opens the SQLite database at `path`, creating it and bringing its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, is damaged as far as is seen without looking for it, or was written by a
    /// newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Self::connect(path).await?;
        database.migrate().await?;
        Ok(database)
    }

    pub(crate) async fn connect(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // Checkpoints stall whoever makes them for as long as the disk takes: `checkpoint` makes them aside, and
            // only a log that it cannot keep short is checkpointed by a writer.
            .pragma("wal_autocheckpoint", "16384")
            // Overwrites deleted content with zeros: texts that people delete, and rows past their retention.
            .pragma("secure_delete", "ON")
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(10));
        let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let pool = pool_options(CONNECTIONS_MAX)
            .connect_with(options.clone())
            .await
            .map_err(|cause| {
                if is_damage(&cause) {
                    damaged(&file, &cause)
                } else {
                    StoreError::Open {
                        path: path.into(),
                        cause,
                    }
                }
            })?;
        let quick = pool_options(QUICK_CONNECTIONS_MAX)
            .connect_lazy_with(options.synchronous(SqliteSynchronous::Normal));
        files::remember(&file);
        let identity = files::identity(&file);
        Ok(Self {
            pool,
            quick,
            file: file.into(),
            identity,
        })
    }

    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        let tables = sqlx::query(
            "SELECT count(*), coalesce(sum(name = '_sqlx_migrations'), 0) FROM sqlite_master WHERE type = 'table'",
        );
        let tables = tables.fetch_one(&self.pool).await?;
        if tables.get::<i64, _>(0) > 0 && tables.get::<i64, _>(1) == 0 {
            return Err(StoreError::Foreign {
                path: self.file.to_path_buf(),
            });
        }
        let migrated = Migrator::with_migrations(migrations())
            .run(&self.pool)
            .await;
        migrated.map_err(|cause| match cause {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
                if is_damage(&error) =>
            {
                damaged(&self.file, &error)
            }
            // No room, no permission, a failing disk: the schema is not to blame.
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
                if is_of_disk(&error) =>
            {
                StoreError::Database(error)
            }
            cause => StoreError::Migrate {
                path: self.file.to_path_buf(),
                cause,
            },
        })
    }

    /// Absolute path of the database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Moves what was committed from the log into the database without holding up writers. To be called every second
    /// or so.
    ///
    /// # Errors
    /// The database refused; nothing is lost.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        self.require_in_place().await?;
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&self.quick)
            .await?;
        Ok(())
    }

    /// Commits a change of some pages to find out whether the database takes changes.
    ///
    /// # Errors
    /// It does not.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.require_in_place().await?;
        sqlx::query(
            "INSERT INTO write_probe (id, filler) VALUES (1, randomblob(?1))
             ON CONFLICT (id) DO UPDATE SET filler = excluded.filler",
        )
        .bind(PROBE_BYTES)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Refuses changes of a database whose file, or whose log, was deleted or replaced by another program: they would be
    /// acknowledged, and gone with the process.
    pub(crate) async fn require_in_place(&self) -> Result<(), StoreError> {
        let log = files::with_suffix(&self.file, "-wal");
        if files::identity(&self.file) == self.identity {
            if files::identity(&log).is_some() {
                return Ok(());
            }
            // The last connection removes the log, and the next one makes it again; one whose log was deleted does not.
            sqlx::query("SELECT count(*) FROM sqlite_master")
                .fetch_one(&self.pool)
                .await?;
            if files::identity(&log).is_some() {
                return Ok(());
            }
        }
        Err(StoreError::Replaced {
            path: self.file.to_path_buf(),
        })
    }

    /// Closes the database for every clone and every [`crate::Store`] of it. Commits are on disk then; later calls fail.
    pub async fn close(&self) {
        self.quick.close().await;
        self.pool.close().await;
    }
}

/// A pool that closes a connection whose transaction could not be ended, instead of lending it again.
///
/// After some errors (a full disk among them) SQLite rolls a transaction back by itself. sqlx's own ROLLBACK then fails, so
/// sqlx counts the connection as inside a transaction from then on and refuses every later one.
fn pool_options(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .after_release(|connection, _| {
            Box::pin(async move {
                // A dropped transaction has only queued its ROLLBACK; the ping is answered after it.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

/// The schema's history. What is written here was run somewhere: it is only ever added to.
pub(crate) fn migrations() -> Vec<Migration> {
    let migration = |version, description: &'static str, sql: &'static str| {
        let (description, sql) = (description.into(), sql.into_sql_str());
        Migration::new(version, description, MigrationType::Simple, sql, false)
    };
    vec![
        migration(
            1,
            "people and writes",
            include_str!("../migrations/sqlite/0001_people_and_writes.sql"),
        ),
        migration(
            2,
            "presence model",
            include_str!("../migrations/sqlite/0002_presence_model.sql"),
        ),
        migration(
            3,
            "directory and secrets",
            include_str!("../migrations/sqlite/0003_directory_and_secrets.sql"),
        ),
        migration(
            4,
            "tenants",
            include_str!("../migrations/sqlite/0004_tenants.sql"),
        ),
        migration(
            5,
            "devices",
            include_str!("../migrations/sqlite/0005_devices.sql"),
        ),
        migration(
            6,
            "upkeep",
            include_str!("../migrations/sqlite/0006_upkeep.sql"),
        ),
        migration(
            7,
            "requests once",
            include_str!("../migrations/sqlite/0007_requests_once.sql"),
        ),
        migration(
            8,
            "audit of own changes",
            include_str!("../migrations/sqlite/0008_audit_of_own_changes.sql"),
        ),
        migration(
            11,
            "people changes",
            include_str!("../migrations/sqlite/0011_people_changes.sql"),
        ),
        migration(
            12,
            "templates of scopes",
            include_str!("../migrations/sqlite/0012_templates_of_scopes.sql"),
        ),
        migration(
            13,
            "profiles",
            include_str!("../migrations/sqlite/0013_profiles.sql"),
        ),
        migration(
            14,
            "teams account names",
            include_str!("../migrations/sqlite/0014_teams_account_names.sql"),
        ),
        migration(
            15,
            "left writes",
            include_str!("../migrations/sqlite/0015_left_writes.sql"),
        ),
        migration(
            16,
            "time zone of calendars",
            include_str!("../migrations/sqlite/0016_time_zone_of_calendars.sql"),
        ),
    ]
}
