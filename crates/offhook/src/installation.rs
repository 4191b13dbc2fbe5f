//! Files of an installation: configuration, data folder, database.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use api::restores::backups_folder;
use runtime::{audit::Administration, clock::Clock, secrets, vault::Vault};
use server::config::{Config, Environment};
use store::{
    Change, Concern, DamageCheck, Database, OrganisationId, Store, StoreError, StoredPerson,
};

/// Environment variable with the key of the sealed secrets.
const KEY_VARIABLE: &str = "OFFHOOK_SECRETS_KEY";
/// Name of the systemd credential with the key.
const KEY_CREDENTIAL: &str = "offhook-secrets-key";
/// Name of the file with the key in the data folder.
const KEY_FILE: &str = "secrets.key";
/// Lifetime of a command's session.
const SESSION: Duration = Duration::from_secs(60);
/// Lock file of the running server.
const LOCK: &str = "offhook.lock";

/// Reads the configuration with the environment of this process.
pub fn configuration(path: &Path) -> anyhow::Result<Config> {
    Ok(Config::read(path, &Environment::new(std::env::vars()))?)
}

/// Creates the data folder, readable for this user only, because it holds personal data.
pub fn create_folder(config: &Config) -> anyhow::Result<()> {
    let folder = &config.data;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| {
            format!(
                "cannot create the data folder {}; set `data` or OFFHOOK_DATA",
                folder.display()
            )
        })
}

/// Opens the database.
pub async fn open(config: &Config) -> anyhow::Result<Store> {
    let path = create_database(config)?;
    Ok(Store::open(&path, OrganisationId::FIRST).await?)
}

/// Maximum size of a database that is checked for damage before the server starts; larger ones are checked while it runs.
const CHECKED_MAX: u64 = 200 * 1024 * 1024;
/// Number of backups named in the error about a damaged database.
const NEWEST: usize = 3;

/// Opens the database for the server. A damaged one is refused, and the error names the newest backups.
pub async fn open_to_serve(config: &Config) -> anyhow::Result<(Store, DamageCheck)> {
    let path = create_database(config)?;
    match Database::open_checked(&path, CHECKED_MAX).await {
        Ok((database, checked)) => Ok((database.organisation(OrganisationId::FIRST), checked)),
        Err(error @ StoreError::Damaged { .. }) => {
            anyhow::bail!("{error}; {}", newest_backups(&path))
        }
        Err(error) => Err(error.into()),
    }
}

fn newest_backups(database: &Path) -> String {
    let folder = backups_folder(database);
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut backups: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    backups.retain(|path| path.extension().is_some_and(|extension| extension == "db"));
    // The names of backups begin with their time.
    backups.sort();
    let newest: Vec<String> = backups
        .iter()
        .rev()
        .take(NEWEST)
        .map(|path| path.display().to_string())
        .collect();
    if newest.is_empty() {
        return format!("there is no backup in {}", folder.display());
    }
    format!("the newest backups are {}", newest.join(", "))
}

/// Creates the file of the database, readable for this user only, if it does not exist: other users may have access to the
/// folder, and SQLite's other files have the mode of this one. An existing file is left to SQLite (see
/// [`store::is_database_file`]).
fn create_database(config: &Config) -> anyhow::Result<PathBuf> {
    create_folder(config)?;
    let path = config.database();
    let is_missing = fs::metadata(&path).map_or(true, |file| file.len() == 0);
    if is_missing && had_database(config) {
        anyhow::bail!(
            "the database {} is missing or empty, and there was one; put it back or restore a backup with `offhook restore FILE --force` ({}). To begin without data, use an empty folder (`data` or OFFHOOK_DATA)",
            path.display(),
            newest_backups(&path)
        );
    }
    let created = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path);
    match created {
        Ok(_) => Ok(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(path),
        Err(error) => {
            Err(error).with_context(|| format!("cannot create the database {}", path.display()))
        }
    }
}

/// True if the data folder had a database: it contains the mark of a server that ran, backups, or a log with changes.
fn had_database(config: &Config) -> bool {
    let database = config.database();
    let has_content = |path: PathBuf| fs::metadata(path).is_ok_and(|file| file.len() > 0);
    let beside = fs::read_dir(&config.data).into_iter().flatten().flatten();
    let names = beside.filter_map(|file| file.file_name().into_string().ok());
    let file_name = database.file_name().unwrap_or_default().to_string_lossy();
    let before_restore = format!("{file_name}.before-restore-");
    let backups = fs::read_dir(backups_folder(&database));
    let backups = backups.into_iter().flatten().flatten();
    has_content(config.data.join(LOCK))
        || has_content(config.data.join(format!("{file_name}-wal")))
        || names
            .into_iter()
            .any(|name| name.starts_with(&before_restore))
        || backups
            .map(|file| file.path())
            .any(|file| file.extension().is_some_and(|end| end == "db"))
}

/// Marks the data folder of a server with an open database: from now on a missing database is an error, and not a first
/// start.
pub fn mark_served(lock: &mut File) -> anyhow::Result<()> {
    if lock.metadata()?.len() == 0 {
        lock.write_all(b"A server has run here: a missing database is an error.\n")?;
        lock.sync_all()?;
    }
    Ok(())
}

/// Removes incomplete copies of killed processes in the data folder and the folder of backups. For the server, which holds
/// the lock.
pub fn remove_unfinished(config: &Config) {
    for folder in [config.data.clone(), backups_folder(&config.database())] {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        for file in files {
            let name = file.file_name();
            if name.to_string_lossy().starts_with(store::UNFINISHED_PREFIX)
                && let Err(error) = fs::remove_file(file.path())
            {
                tracing::warn!(file = %file.path().display(), %error, "an unfinished copy could not be removed");
            }
        }
    }
}

/// Cookie that the running server accepts for a minute: a user who may write its database needs no API key.
pub async fn session(config: &Config) -> anyhow::Result<String> {
    let store = open(config).await?;
    let cookie = session_in(&store).await;
    store.database().close().await;
    cookie
}

/// Like [`session`], with an open database.
pub async fn session_in(store: &Store) -> anyhow::Result<String> {
    let secret = secrets::new_secret()?;
    let until = Clock::system().now() + SESSION;
    store
        .add_session(&secrets::hash(&secret), None, until)
        .await?;
    Ok(format!("{}={secret}", api::sessions::SESSION_COOKIE))
}

/// Entry in the audit log for a change by a command.
pub fn change<'a>(what: Administration, target: &'a str, clock: &Clock) -> Change<'a> {
    Change {
        at: clock.now(),
        who: "command line",
        what: what.name(),
        target,
        before: None,
        after: None,
        concern: Concern::Administration,
        attempt: None,
    }
}

/// True if a person has this id, mail or sign-in name.
pub fn goes_by(person: &StoredPerson, name: &str) -> bool {
    person.id.to_string() == name
        || [&person.mail, &person.user_principal_name]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}

/// Key of the sealed secrets: from the environment, else the file in the configuration, else systemd's credential, else a
/// file in the data folder, which is created if missing.
pub fn vault(config: &Config) -> anyhow::Result<Vault> {
    if let Ok(key) = std::env::var(KEY_VARIABLE) {
        return Ok(Vault::new(&key, KEY_VARIABLE)?);
    }
    if let Some(file) = &config.secrets_key {
        return key_from(config, file);
    }
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let file = Path::new(&folder).join(KEY_CREDENTIAL);
        if file.exists() {
            return key_from(config, &file);
        }
    }
    let file = config.data.join(KEY_FILE);
    create_folder(config)?;
    let made = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&file);
    match made {
        Ok(mut made) => {
            made.write_all(Vault::new_key()?.as_bytes())?;
            made.sync_all()?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot create {}", file.display()));
        }
    }
    key_from(config, &file)
}

/// Reads a key file. Refuses a file of the database under another name.
fn key_from(config: &Config, file: &Path) -> anyhow::Result<Vault> {
    anyhow::ensure!(
        !store::is_database_file(&config.database(), file),
        "the key file {} belongs to the database; name the file with the key in secrets.key_file",
        file.display()
    );
    Ok(Vault::from_file(file)?)
}

/// Locks the data for this process; `None` if a server holds the lock. The operating system releases the lock when the
/// process ends.
pub fn lock(config: &Config) -> anyhow::Result<Option<File>> {
    let path = config.data.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Locks the data, or fails with a remedy.
pub fn only_server(config: &Config) -> anyhow::Result<File> {
    lock(config)?.with_context(|| {
        format!(
            "another server works on {}; stop it, or give this one its own folder (`data` or OFFHOOK_DATA)",
            config.data.display()
        )
    })
}
