//! The files of a database, which only SQLite may open.
//!
//! SQLite locks them with POSIX locks, and the operating system drops all of a process's locks on a file as soon as the
//! process closes any descriptor of it (fcntl(2), "Advisory record locking"). From then on another program that opens and
//! closes the database believes that it is the only user, and deletes the log with committed changes in it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::backup::with_suffix;

/// What SQLite appends to the name of a database for the files that belong to it.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// Returns true if `path` leads to the database at `database`, its log or its shared-memory index under any name (symbolic
/// and hard links included). Opens no file.
#[must_use]
pub fn is_database_file(database: &Path, path: &Path) -> bool {
    let identity = |path: &Path| {
        let about = fs::metadata(path).ok()?;
        Some((about.dev(), about.ino()))
    };
    let Some(found) = identity(path) else {
        return false;
    };
    SUFFIXES
        .iter()
        .any(|suffix| identity(&with_suffix(database, suffix)) == Some(found))
}
