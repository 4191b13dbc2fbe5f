//! The files of an installation: configuration, data folder, database.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use server::config::{Config, Environment};
use store::Store;

/// Name of the database in the data folder.
const DATABASE: &str = "offhook.db";
/// Held by the running server.
const LOCK: &str = "offhook.lock";

/// Reads the configuration with this process's environment.
pub fn configuration(path: &Path) -> anyhow::Result<Config> {
    Ok(Config::read(path, &Environment::new(std::env::vars()))?)
}

/// Where the database is.
pub fn database(config: &Config) -> PathBuf {
    config.data.join(DATABASE)
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
    create_folder(config)?;
    // The folder may have been made by somebody else, for everybody; SQLite's other files take the mode of this one.
    let path = database(config);
    let made = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    made.with_context(|| format!("cannot open the database {}", path.display()))?;
    Ok(Store::open(&path).await?)
}

/// Makes sure that this is the only server on its data. The lock ends with the process, however it ends.
pub fn lock(config: &Config) -> anyhow::Result<File> {
    let path = config.data.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    file.try_lock().map_err(|_| {
        anyhow::anyhow!(
            "another server works on {}; stop it, or give this one its own folder (`data` or OFFHOOK_DATA)",
            config.data.display()
        )
    })?;
    Ok(file)
}
