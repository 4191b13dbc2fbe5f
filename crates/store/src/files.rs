//! The files of a database, which only SQLite may open.
//!
//! SQLite holds POSIX locks on them. The operating system drops all locks of a process on a file as soon as the process
//! closes any descriptor of that file (fcntl(2), "Advisory record locking"). Afterwards another program that opens and
//! closes the database considers itself its only user, and deletes the log with committed changes in it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Suffixes of the database, its log, and its shared-memory index.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// Real paths of the databases that this process has opened. The configuration may have changed since then and name
/// another one.
static OPENED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Adds a database to those that this process has opened.
pub(crate) fn remember(database: &Path) {
    let real = database.canonicalize();
    let real = real.unwrap_or_else(|_| database.to_owned());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    opened.insert(real);
}

/// Returns true if `path` leads to the database at `database` or to one that this process has opened, to its log or its
/// shared-memory index, under any name (symbolic and hard links included). Opens no file.
#[must_use]
pub fn is_database_file(database: &Path, path: &Path) -> bool {
    let real = database.canonicalize();
    is_open_database(path) || belongs(database, path) || real.is_ok_and(|real| belongs(&real, path))
}

/// Returns true if `path` leads to a file of a database that this process has opened. Opens no file.
#[must_use]
pub fn is_open_database(path: &Path) -> bool {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    opened.iter().any(|database| belongs(database, path))
}

/// Device and inode of a file.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// `path` with `suffix` appended to its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn belongs(database: &Path, path: &Path) -> bool {
    let Some(found) = identity(path) else {
        return false;
    };
    SUFFIXES
        .iter()
        .any(|suffix| identity(&with_suffix(database, suffix)) == Some(found))
}
