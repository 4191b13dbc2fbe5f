//! Backup of a running database, and restore: the backup is checked and copied while the server runs, and replaces the
//! database while the server is stopped. A file is written under a temporary name, flushed to the disk, and then renamed,
//! so that no incomplete file has its final name.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::NamedTempFile;

use crate::{
    Database, Progress, StoreError,
    database::migrations,
    files::{is_database_file, with_suffix},
};

/// Instructions of SQLite's virtual machine between two checks for cancellation: some milliseconds.
const STEPS: i32 = 100_000;

/// Prefix of the names of unfinished copies. A killed process leaves them behind.
pub const UNFINISHED_PREFIX: &str = ".offhook-unfinished-";

impl Database {
    /// Writes a consistent copy of the database to a new file that only this user may read. Writers are not blocked.
    ///
    /// # Errors
    /// The file exists or cannot be written; the database refused. There is no file then.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.backup_watched(to, &Arc::default()).await
    }

    /// [`Self::backup`] with progress in bytes, which can be cancelled.
    ///
    /// # Errors
    /// As of [`Self::backup`]; [`StoreError::Cancelled`].
    pub async fn backup_watched(
        &self,
        to: &Path,
        progress: &Arc<Progress>,
    ) -> Result<(), StoreError> {
        let to = std::path::absolute(to).map_err(|error| io_error(to, &error))?;
        if fs::symlink_metadata(&to).is_ok() {
            return Err(backup_error(
                &to,
                "it exists already; choose a new name for the backup",
            ));
        }
        let copy = temporary_file(&to)?;
        let name = copy.path().to_str().map(str::to_owned).ok_or_else(|| {
            backup_error(
                &to,
                "the database takes only paths in UTF-8; choose another",
            )
        })?;
        self.copy(name, progress)
            .await
            .map_err(|error| match error {
                StoreError::Database(error) => {
                    backup_error(&to, format!("{error}; check free space and permissions"))
                }
                other => other,
            })?;
        blocking(move || {
            copy.as_file()
                .sync_all()
                .map_err(|error| io_error(&to, &error))?;
            copy.persist_noclobber(&to)
                .map_err(|error| io_error(&to, &error.error))?;
            sync_folder(&to)
        })
        .await
    }

    /// Copies the database into an existing empty file, so that the copy has this file's permissions from the beginning.
    async fn copy(&self, to: String, progress: &Arc<Progress>) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let size = sqlx::query(size).fetch_one(&mut *connection).await?;
        let size = size.get::<i64, _>(0).cast_unsigned();
        progress.advance(0, size)?;
        let (watched, file) = (progress.clone(), PathBuf::from(&to));
        let goes_on = move || {
            let done = fs::metadata(&file).map_or(0, |file| file.len());
            watched.advance(done.min(size), size).is_ok()
        };
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS, goes_on);
        drop(handle);
        let copied = sqlx::query("VACUUM INTO ?1")
            .bind(to)
            .execute(&mut *connection)
            .await;
        connection.lock_handle().await?.remove_progress_handler();
        match copied {
            Err(_) if progress.is_cancelled() => Err(StoreError::Cancelled),
            Err(error) => Err(error.into()),
            Ok(_) => progress.advance(size, size),
        }
    }
}

/// A checked copy of a backup, in the folder of the database that it replaces. Dropping it deletes the copy.
#[derive(Debug)]
pub struct PreparedRestore {
    copy: NamedTempFile,
    database: PathBuf,
}

impl PreparedRestore {
    /// Copies a backup and checks the copy. The database may be in use.
    ///
    /// # Errors
    /// The backup is damaged, is not a database of Offhook, or was written by a newer version; the database exists and
    /// `force` is false; a file cannot be read or written.
    pub async fn new(backup: &Path, database: &Path, force: bool) -> Result<Self, StoreError> {
        let database = std::path::absolute(database).map_err(|error| io_error(database, &error))?;
        if !force && fs::symlink_metadata(&database).is_ok() {
            return Err(backup_error(
                &database,
                "it exists already; to replace it, add --force (it is kept beside the restored one)",
            ));
        }
        if fs::metadata(with_suffix(backup, "-wal")).is_ok_and(|log| log.len() > 0) {
            return Err(backup_error(
                backup,
                "it has a log (-wal) beside it, so that it is a database in use, not a backup; create one with `offhook backup`",
            ));
        }
        if is_database_file(&database, backup) {
            return Err(backup_error(
                backup,
                "it is the database itself under another name; remove that name and choose a backup",
            ));
        }
        // The check reads the copy, not the backup: the copy is the file that replaces the database.
        let (from, copy) = (backup.to_owned(), temporary_file(&database)?);
        let copy = blocking(move || {
            let mut source = fs::File::open(&from).map_err(|error| io_error(&from, &error))?;
            io::copy(&mut source, &mut copy.as_file()).map_err(|error| io_error(&from, &error))?;
            copy.as_file()
                .sync_all()
                .map_err(|error| io_error(&from, &error))?;
            Ok(copy)
        })
        .await?;
        check(copy.path())
            .await
            .map_err(|problem| backup_error(backup, problem))?;
        Ok(Self { copy, database })
    }

    /// Path of the database that the backup replaces.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Replaces the database, which no process may have open. The replaced database is kept as `NAME.before-restore-N`
    /// in the same folder; returns this path, or `None` if there was no database.
    ///
    /// # Errors
    /// A file cannot be written. The database is unchanged then.
    pub async fn apply(self) -> Result<Option<PathBuf>, StoreError> {
        let Self { copy, database } = self;
        checkpoint_log(&database).await;
        blocking(move || {
            let exists = fs::symlink_metadata(&database).is_ok();
            let kept = exists.then(|| move_aside(&database)).transpose()?;
            copy.persist(&database)
                .map_err(|error| io_error(&database, &error.error))?;
            sync_folder(&database)?;
            Ok(kept)
        })
        .await
    }
}

/// Checks that a file is an undamaged database of Offhook, of this version or an older one. The error is a problem with
/// its remedy.
async fn check(file: &Path) -> Result<(), String> {
    let foreign = |error: sqlx::Error| {
        format!("it is damaged, or not a database of Offhook ({error}); choose another backup")
    };
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .immutable(true);
    let mut connection = options.connect().await.map_err(foreign)?;
    let found = sqlx::query("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(foreign)?;
    if found.get::<&str, _>(0) != "ok" {
        return Err(format!(
            "it is damaged: {}; choose another backup",
            found.get::<&str, _>(0)
        ));
    }
    check_version(&mut connection).await.map_err(foreign)?
}

/// Checks the migrations that wrote the file. The inner error is a problem with its remedy.
async fn check_version(
    connection: &mut SqliteConnection,
) -> Result<Result<(), String>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version")
            .fetch_all(connection)
            .await?;
    let known = migrations();
    let newest = known.last().map_or(0, |migration| migration.version);
    for row in &rows {
        let version: i64 = row.get(0);
        if version > newest {
            return Ok(Err(format!(
                "it was written by a newer version (schema {version}, and this version knows {newest}); use that version"
            )));
        }
        let ours = known.iter().any(|migration| {
            migration.version == version && *migration.checksum == *row.get::<&[u8], _>(1)
        });
        if !ours || !row.get::<bool, _>(2) {
            return Ok(Err(format!(
                "its schema {version} is not one of Offhook; choose another backup"
            )));
        }
    }
    if rows.is_empty() {
        return Ok(Err("it is an empty database; choose another backup".into()));
    }
    Ok(Ok(()))
}

/// Moves the committed changes from a database's log into the database, if it can be opened. Otherwise a process that
/// is killed during the replacement could separate the database from its log.
async fn checkpoint_log(database: &Path) {
    if fs::symlink_metadata(database).is_err() {
        return;
    }
    let emptied = async {
        let options = SqliteConnectOptions::new().filename(database);
        let mut connection = options.connect().await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    if let Err(error) = emptied.await {
        tracing::warn!(%error, "the log of the replaced database could not be emptied; it is kept beside that database");
    }
}

/// Renames a database and its log to `NAME.before-restore-N`, with the first free number; returns the new path.
fn move_aside(database: &Path) -> Result<PathBuf, StoreError> {
    let free = |path: &PathBuf| {
        ["", "-wal", "-shm"]
            .iter()
            .all(|suffix| fs::symlink_metadata(with_suffix(path, suffix)).is_err())
    };
    let kept = (1_u32..)
        .map(|number| with_suffix(database, &format!(".before-restore-{number}")))
        .find(free)
        .ok_or_else(|| {
            backup_error(
                database,
                "too many databases are kept beside it; remove some",
            )
        })?;
    // A hard link first, where the file system has them: the old name exists at every moment.
    fs::hard_link(database, &kept)
        .or_else(|_| fs::rename(database, &kept))
        .map_err(|error| io_error(&kept, &error))?;
    // The log may hold changes that the database file lacks. SQLite would apply a log that is left behind to the new
    // database.
    let (log, kept_log) = (with_suffix(database, "-wal"), with_suffix(&kept, "-wal"));
    absent_is_fine(fs::rename(&log, kept_log)).map_err(|error| io_error(&log, &error))?;
    let index = with_suffix(database, "-shm");
    absent_is_fine(fs::remove_file(&index)).map_err(|error| io_error(&index, &error))?;
    Ok(kept)
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A new temporary file in the folder of `path`, readable by this user only.
fn temporary_file(path: &Path) -> Result<NamedTempFile, StoreError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    tempfile::Builder::new()
        .prefix(UNFINISHED_PREFIX)
        .tempfile_in(folder)
        .map_err(|error| io_error(path, &error))
}

/// Flushes the folder of `path` to the disk, and with it a rename in this folder.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io_error(folder, &error))
}

/// Runs blocking work on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(backup_error(
                Path::new("backup"),
                format!("it broke off: {error}"),
            ))
        })
}

fn io_error(path: &Path, error: &io::Error) -> StoreError {
    backup_error(
        path,
        format!(
            "{error}; check that the folder exists, is writable by this user and has free space"
        ),
    )
}

fn backup_error(path: &Path, problem: impl Into<String>) -> StoreError {
    StoreError::Backup {
        path: path.into(),
        problem: problem.into(),
    }
}
