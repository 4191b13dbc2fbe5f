//! The files of an installation: configuration, data folder, database.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use server::{
    access, backups_folder,
    clock::Clock,
    config::{Config, Environment},
    vault::Vault,
};
use store::{Change, Checked, Concern, Store, StoreError, StoredPerson};

/// Environment variable with the key of the sealed secrets.
const KEY_VARIABLE: &str = "OFFHOOK_SECRETS_KEY";
/// Name of systemd's credential with it.
const KEY_CREDENTIAL: &str = "offhook-secrets-key";
/// Name of the file with it in the data folder.
const KEY_FILE: &str = "secrets.key";
/// How long a command's own session lasts.
const SESSION: Duration = Duration::from_secs(60);
/// Held by the running server.
const LOCK: &str = "offhook.lock";

/// Reads the configuration with this process's environment.
pub fn configuration(path: &Path) -> anyhow::Result<Config> {
    Ok(Config::read(path, &Environment::new(std::env::vars()))?)
}

/// Makes the data folder, for this user only: it holds who is doing what.
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
    Ok(Store::open(&path).await?)
}

/// A database of at most this size is checked for damage before the server starts; a larger one while it runs.
const CHECKED_MAX: u64 = 200 * 1024 * 1024;
/// How many backups are named to an administrator who needs one.
const NEWEST: usize = 3;

/// Opens the database for the server. A damaged one is refused, and the backups are named that can take its place.
pub async fn open_to_serve(config: &Config) -> anyhow::Result<(Store, Checked)> {
    let path = create_database(config)?;
    match Store::open_checked(&path, CHECKED_MAX).await {
        Ok(opened) => Ok(opened),
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
    // Their names begin with their time.
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

/// Creates the database's file for this user only, if there is none: other users may have access to the folder, and
/// SQLite's other files take the mode of this one. A file that exists is left to SQLite (see [`store::is_database_file`]).
fn create_database(config: &Config) -> anyhow::Result<PathBuf> {
    create_folder(config)?;
    let path = config.database();
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

/// A cookie that the running server accepts for a minute: a user who may write its database needs no key.
pub async fn session(config: &Config) -> anyhow::Result<String> {
    let store = open(config).await?;
    let cookie = session_in(&store).await;
    store.close().await;
    cookie
}

/// The same with an open database.
pub async fn session_in(store: &Store) -> anyhow::Result<String> {
    let secret = access::new_secret()?;
    let until = Clock::system().now() + SESSION;
    store
        .add_session(&access::hash(&secret), None, until)
        .await?;
    Ok(format!("{}={secret}", access::COOKIE))
}

/// What the audit log is told of a change that a command makes.
pub fn change<'a>(what: &'static str, target: &'a str, clock: &Clock) -> Change<'a> {
    Change {
        at: clock.now(),
        who: "command line",
        what,
        target,
        before: None,
        after: None,
        concern: Concern::Administration,
        attempt: None,
    }
}

/// Whether a person goes by that id, mail or sign-in name.
pub fn goes_by(person: &StoredPerson, name: &str) -> bool {
    person.id.to_string() == name
        || [&person.mail, &person.user_principal_name]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}

/// The key of the sealed secrets: from the environment, else the file of the configuration, else systemd's credential,
/// else a file in the data folder, which is made at first.
pub fn vault(config: &Config) -> anyhow::Result<Vault> {
    if let Ok(key) = std::env::var(KEY_VARIABLE) {
        return Ok(Vault::new(&key, KEY_VARIABLE)?);
    }
    if let Some(file) = &config.secrets_key {
        anyhow::ensure!(
            !store::is_database_file(&config.database(), file),
            "the key file {} belongs to the database; name the file with the key in secrets.key_file",
            file.display()
        );
        return Ok(Vault::from_file(file)?);
    }
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let file = Path::new(&folder).join(KEY_CREDENTIAL);
        if file.exists() {
            return Ok(Vault::from_file(&file)?);
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
            return Err(error).with_context(|| format!("cannot make {}", file.display()));
        }
    }
    Ok(Vault::from_file(&file)?)
}

/// Takes the data for one process; `None`: a server works on it. The lock ends with the process, however it ends.
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

/// The same for what must be alone on the data.
pub fn only_server(config: &Config) -> anyhow::Result<File> {
    lock(config)?.with_context(|| {
        format!(
            "another server works on {}; stop it, or give this one its own folder (`data` or OFFHOOK_DATA)",
            config.data.display()
        )
    })
}
