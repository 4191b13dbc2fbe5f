//! Reads calendars from files: only below the folder that the configuration names, only regular `.ics` files with one
//! name, and no file of the data folder. Metadata are checked before a file is opened: opening and closing the database beside
//! SQLite would drop SQLite's locks.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The reason why a file is not read. All refused files have one variant: more would reveal which files exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No folder is configured.
    #[error("no folder of calendar files is configured")]
    NoFolder,
    /// Missing, unreadable, outside the folder, or no regular `.ics` file.
    #[error("not a readable .ics file below the folder of calendar files")]
    NotOurs,
    /// The file is larger than the limit.
    #[error("the file is too large")]
    TooLarge,
}

/// The folder of calendar files, and the data folder, in which all files are refused.
#[derive(Clone, Debug)]
pub struct CalendarFolder {
    /// The folder of calendar files; `None`: none is read.
    pub folder: Option<PathBuf>,
    /// The data folder.
    pub data: PathBuf,
}

impl CalendarFolder {
    /// Reads at most `most` bytes of the file that a text like `file:/calendars/anna.ics` names, without its `file:`.
    pub fn read(&self, named: &str, most: usize) -> Result<Vec<u8>, FileError> {
        let folder = self.folder.as_deref().ok_or(FileError::NoFolder)?;
        // "file:///calendars/…" means the same.
        let named = named
            .strip_prefix("//")
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(named);
        let mut file = self
            .open(folder, Path::new(named))
            .map_err(|_| FileError::NotOurs)?;
        let mut text = Vec::new();
        let limit = (most as u64).saturating_add(1);
        let read = file.by_ref().take(limit).read_to_end(&mut text);
        read.map_err(|_| FileError::NotOurs)?;
        if text.len() > most {
            return Err(FileError::TooLarge);
        }
        Ok(text)
    }

    fn open(&self, folder: &Path, named: &Path) -> io::Result<File> {
        let refused = || io::Error::other("is not read as a calendar");
        let folder = folder.canonicalize()?;
        let path = folder.join(named).canonicalize()?;
        let data = self.data.canonicalize();
        let in_data = data.as_ref().is_ok_and(|data| path.starts_with(data));
        let of_system = ["/proc", "/dev", "/sys"]
            .iter()
            .any(|system| path.starts_with(system));
        let is_calendar = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("ics"));
        if !path.starts_with(&folder) || in_data || of_system || !is_calendar {
            return Err(refused());
        }
        let metadata = fs::symlink_metadata(&path)?;
        // A second name may be one of the database or of a key.
        if !metadata.is_file() || metadata.nlink() != 1 || self.is_of_data(&metadata) {
            return Err(refused());
        }
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(&path)?;
        if same(&file.metadata()?, &metadata) {
            Ok(file)
        } else {
            Err(refused())
        }
    }

    /// Whether the metadata is of a file in the data folder, reached by another path such as a bind mount.
    fn is_of_data(&self, metadata: &Metadata) -> bool {
        let files = fs::read_dir(&self.data).into_iter().flatten().flatten();
        files
            .filter_map(|entry| entry.metadata().ok())
            .any(|known| same(&known, metadata))
    }
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::{CalendarFolder, FileError};

    const MOST: usize = 100;

    #[test]
    fn only_calendars_of_the_folder_are_read() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["calendars", "calendars/team", "calendars/data", "other"] {
            fs::create_dir(at(folder)).unwrap();
        }
        for file in [
            "calendars/anna.ics",
            "calendars/team/berlin.ICS",
            "calendars/secrets.key",
            "calendars/data/offhook.db",
            "calendars/data/anna.ics",
            "other/anna.ics",
        ] {
            fs::write(at(file), "text").unwrap();
        }
        fs::write(at("calendars/large.ics"), [0; MOST + 1]).unwrap();
        symlink(at("calendars/anna.ics"), at("calendars/link.ics")).unwrap();
        symlink(at("other/anna.ics"), at("calendars/away.ics")).unwrap();
        symlink(at("calendars/data/offhook.db"), at("calendars/db.ics")).unwrap();
        fs::hard_link(at("calendars/data/offhook.db"), at("calendars/hard.ics")).unwrap();
        symlink(at("other"), at("calendars/elsewhere")).unwrap();
        symlink("/proc/self/environ", at("calendars/environment.ics")).unwrap();
        symlink("/dev/zero", at("calendars/zero.ics")).unwrap();
        fs::create_dir(at("calendars/folder.ics")).unwrap();
        let reads = CalendarFolder {
            folder: Some(at("calendars")),
            data: at("calendars/data"),
        };
        let read = |path: &Path| reads.read(path.to_str().unwrap(), MOST);
        for good in [
            "calendars/anna.ics",
            "calendars/link.ics",
            "calendars/team/berlin.ICS",
            "calendars/team/../anna.ics",
        ] {
            assert_eq!(read(&at(good)), Ok(b"text".to_vec()), "{good}");
        }
        assert_eq!(reads.read("anna.ics", MOST), Ok(b"text".to_vec()));
        let long = format!("//{}", at("calendars/anna.ics").display());
        assert_eq!(reads.read(&long, MOST), Ok(b"text".to_vec()));
        for bad in [
            "calendars/away.ics",
            "calendars/db.ics",
            "calendars/hard.ics",
            "calendars/secrets.key",
            "calendars/data/offhook.db",
            "calendars/data/anna.ics",
            "calendars/elsewhere/anna.ics",
            "calendars/../other/anna.ics",
            "calendars/environment.ics",
            "calendars/zero.ics",
            "calendars/folder.ics",
            "calendars/missing.ics",
            "other/anna.ics",
            "calendars",
        ] {
            assert_eq!(read(&at(bad)), Err(FileError::NotOurs), "{bad}");
        }
        for bad in [
            "",
            "../other/anna.ics",
            "/etc/passwd",
            "anna.ics\0",
            "//host/anna.ics",
        ] {
            assert_eq!(reads.read(bad, MOST), Err(FileError::NotOurs), "{bad}");
        }
        assert_eq!(read(&at("calendars/large.ics")), Err(FileError::TooLarge));
        let none = CalendarFolder {
            folder: None,
            data: at("calendars/data"),
        };
        assert_eq!(none.read("anna.ics", MOST), Err(FileError::NoFolder));
    }
}
