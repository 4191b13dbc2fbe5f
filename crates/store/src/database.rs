//! The database file: opening, schema, durable and quick commits, and detection of a file that was deleted or replaced.

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

/// The failures that a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, also a kill. A power failure can undo the last second of commits. For records that
    /// follow from signals: the commit does not wait for the disk.
    Process,
    /// A power failure as well. For changes by people.
    Power,
}

/// The database of an installation: one SQLite file with the data of every organisation. Cheap to clone.
///
/// Has the operations on the whole file: schema, damage check, checkpoints, backup, the server's clock, and sealing of
/// all secrets with a new key. The data of an organisation is read and changed through its [`crate::Store`].
#[derive(Clone, Debug)]
pub struct Database {
    /// Connections for commits that wait for the disk ([`Durability::Power`]), and for all reads.
    pub(crate) pool: SqlitePool,
    /// Connections for commits that wait for the operating system only ([`Durability::Process`]). Each checkpoint
    /// flushes these commits to the disk.
    pub(crate) quick: SqlitePool,
    file: Arc<Path>,
    /// Device and inode of the file when it was opened.
    identity: Option<(u64, u64)>,
}

/// Begins a transaction that writes. It waits for other writers at once; a plain `BEGIN` that reads first fails if
/// another connection writes before its own first write.
pub(crate) const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// Connections of the durable pool: more readers would only queue for the two cores that the product is sized for.
const CONNECTIONS_MAX: u32 = 4;
/// Connections of the quick pool: one for commits, one for checkpoints.
const QUICK_CONNECTIONS_MAX: u32 = 2;

/// Bytes of the probe: as large as a usual change, so that a full disk refuses both.
const PROBE_BYTES: u32 = 16 * 1024;

impl Database {
    /// Opens the SQLite database at `path`, creating it and bringing its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, is obviously damaged, belongs to another program, or was written by a newer
    /// version.
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
            // A checkpoint blocks its caller until the disk has finished. `checkpoint` runs apart from the writers; a
            // writer makes one only if the log grows beyond this number of pages.
            .pragma("wal_autocheckpoint", "16384")
            // Overwrites deleted content with zeros: deleted texts, and rows past their retention.
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
            // A full disk, missing permission or a failing disk is no fault of the schema.
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

    /// Moves committed changes from the log into the database without blocking writers. To be called about once a
    /// second.
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

    /// Commits a change of 16 KiB, to find out whether the database accepts changes.
    ///
    /// # Errors
    /// The database was replaced or refused the change.
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

    /// Refuses changes if another program deleted or replaced the file or its log: SQLite would accept them, and they
    /// would be lost at the end of the process.
    pub(crate) async fn require_in_place(&self) -> Result<(), StoreError> {
        let log = files::with_suffix(&self.file, "-wal");
        if files::identity(&self.file) == self.identity {
            if files::identity(&log).is_some() {
                return Ok(());
            }
            // SQLite removes the log with the last connection and creates it again with the next one. It does not create
            // a log again that was deleted under an open connection.
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

    /// Closes the database for all its clones and stores. Commits are on the disk then; later calls fail.
    pub async fn close(&self) {
        self.quick.close().await;
        self.pool.close().await;
    }
}

/// A pool that closes a connection with an open transaction, instead of lending it again.
///
/// After some errors, such as a full disk, SQLite rolls a transaction back on its own. The ROLLBACK of sqlx then fails;
/// sqlx considers the connection to be inside a transaction from then on and refuses every later one.
fn pool_options(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .after_release(|connection, _| {
            Box::pin(async move {
                // Dropping a transaction only queues its ROLLBACK. The ping is answered after it.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

/// The history of the schema. Released migrations never change; new ones are appended.
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
