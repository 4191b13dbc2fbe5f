//! Files of the agent: pairing and secret, readable for this user only, and the pause.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{secret::Secret, usage::Milliseconds};

/// Pairing of the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Address of the server, without a slash at the end.
    pub server: String,
    /// Secret of the device, or its name in the keyring.
    #[serde(flatten)]
    pub secret: Secret,
    /// Person who owns the device.
    pub person: String,
}

/// Pause by the time of day, which continues while the agent is stopped or the computer sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Start in milliseconds since 1970.
    pub since: Milliseconds,
    /// Duration in milliseconds; 0 without a pause.
    pub lasting: Milliseconds,
}

impl Pause {
    /// Remaining time in milliseconds: never more than `lasting`, even if the clock was set back.
    #[must_use]
    pub fn left(self, now: Milliseconds) -> Milliseconds {
        self.lasting.saturating_sub(now.saturating_sub(self.since))
    }
}

/// Folders of the agent.
#[derive(Clone, Debug)]
pub struct Files {
    /// Folder of permanent files.
    folder: PathBuf,
    /// Folder of files that last as long as the session.
    runtime: PathBuf,
}

/// Failure of a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}; check that the folder exists and belongs to you")]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Failure of the operating system.
        cause: io::Error,
    },
    /// The file is damaged.
    #[error("{path} is damaged: {cause}; pair this device again, which replaces the file")]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// Error of the parser.
        cause: serde_json::Error,
    },
    /// Neither the system nor the command line names a folder.
    #[error("there is no home folder; name a folder for the agent's files: --folder FOLDER")]
    NoHome,
}

impl Files {
    /// Uses the system's folders for user data, or the given folder.
    ///
    /// # Errors
    /// The system names no folder.
    pub fn new(folder: Option<PathBuf>) -> Result<Self, FileError> {
        if let Some(folder) = folder {
            let runtime = folder.clone();
            return Ok(Self { folder, runtime });
        }
        let variable = |name: &str| {
            let value = std::env::var_os(name).map(PathBuf::from);
            value.filter(|path| path.is_absolute())
        };
        let home = |rest: &str| Some(variable("HOME")?.join(rest));
        let kept = variable("XDG_CONFIG_HOME")
            // Not the roaming folder, because the secret belongs to this computer.
            .or_else(|| variable("LOCALAPPDATA"))
            .or_else(|| home(".config"))
            .ok_or(FileError::NoHome)?;
        let folder = kept.join("offhook-agent");
        let runtime = variable("XDG_RUNTIME_DIR").map(|runtime| runtime.join("offhook-agent"));
        let runtime = runtime.unwrap_or_else(|| folder.clone());
        Ok(Self { folder, runtime })
    }

    /// Socket of a running agent.
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("control.sock")
    }

    /// File with the pairing, and with the secret if there is no keyring.
    pub fn credentials_path(&self) -> PathBuf {
        self.folder.join("credentials.json")
    }

    fn pause_path(&self) -> PathBuf {
        self.folder.join("pause.json")
    }

    /// Pairing of the device; `None` if it is not paired.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn credentials(&self) -> Result<Option<Credentials>, FileError> {
        let path = self.credentials_path();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(FileError::Io { path, cause }),
        };
        let read = serde_json::from_slice(&text);
        read.map(Some)
            .map_err(|cause| FileError::Damaged { path, cause })
    }

    /// Stores the pairing.
    ///
    /// # Errors
    /// The file cannot be written; the earlier file stays.
    pub fn keep(&self, credentials: &Credentials) -> Result<(), FileError> {
        let path = self.credentials_path();
        self.write(&path, &text(&path, credentials)?)
    }

    /// Removes the pairing. Returns true if there was one.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self) -> Result<bool, FileError> {
        remove(self.credentials_path())
    }

    /// Pause, which outlives the agent.
    pub fn pause(&self) -> Pause {
        let kept = fs::read(self.pause_path()).unwrap_or_default();
        serde_json::from_slice(&kept).unwrap_or_default()
    }

    /// Stores the pause.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_pause(&self, pause: Pause) -> Result<(), FileError> {
        let path = self.pause_path();
        match pause.lasting {
            0 => remove(path).map(|_| ()),
            _ => self.write(&path, &text(&path, &pause)?),
        }
    }

    /// Creates the folder of the session, for this user only.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn make_runtime(&self) -> Result<(), FileError> {
        make(&self.runtime)
    }

    fn write(&self, path: &Path, text: &[u8]) -> Result<(), FileError> {
        make(&self.folder)?;
        let trouble = |cause| FileError::Io {
            path: path.to_owned(),
            cause,
        };
        // Written under a temporary name for this user only, then renamed, so that the file is always complete.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(trouble)?;
        io::Write::write_all(&mut file, text).map_err(trouble)?;
        file.as_file().sync_all().map_err(trouble)?;
        file.persist(path).map_err(|error| trouble(error.error))?;
        Ok(())
    }
}

/// Removes a file. Returns true if it existed.
fn remove(path: PathBuf) -> Result<bool, FileError> {
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(FileError::Io { path, cause }),
    }
}

fn text(path: &Path, kept: &impl Serialize) -> Result<Vec<u8>, FileError> {
    serde_json::to_vec_pretty(kept).map_err(|cause| FileError::Damaged {
        path: path.to_owned(),
        cause,
    })
}

fn make(folder: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|cause| FileError::Io {
        path: folder.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_for_this_user_only_and_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(Some(folder.path().join("a/b"))).unwrap();
        assert_eq!(files.credentials().unwrap(), None);
        let credentials = Credentials {
            server: "https://offhook.example".into(),
            secret: Secret::Token("oha_secret".into()),
            person: "Anna".into(),
        };
        files.keep(&credentials).unwrap();
        assert_eq!(files.credentials().unwrap().as_ref(), Some(&credentials));
        let written = fs::read_to_string(files.credentials_path()).unwrap();
        assert!(written.contains(r#""token": "oha_secret""#), "{written}");
        assert!(!format!("{credentials:?}").contains("oha_secret"));
        #[cfg(unix)]
        {
            let mode = |path: &Path| {
                use std::os::unix::fs::PermissionsExt;
                fs::metadata(path).unwrap().permissions().mode() & 0o777
            };
            assert_eq!(mode(&files.credentials_path()), 0o600);
            assert_eq!(mode(&files.folder), 0o700);
        }
        let kept = Credentials {
            secret: Secret::Keyring("https://offhook.example #1".into()),
            ..credentials
        };
        files.keep(&kept).unwrap();
        assert_eq!(files.credentials().unwrap(), Some(kept));
        assert!(files.forget().unwrap() && !files.forget().unwrap());
    }

    #[test]
    fn a_damaged_file_names_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(Some(folder.path().to_owned())).unwrap();
        fs::write(files.credentials_path(), "{").unwrap();
        let error = files.credentials().unwrap_err().to_string();
        assert!(
            error.contains("credentials.json is damaged") && error.contains("pair"),
            "{error}"
        );
        fs::write(files.pause_path(), "nonsense").unwrap();
        assert_eq!(files.pause(), Pause::default());
    }

    #[test]
    fn a_pause_is_never_longer_than_it_was_whatever_the_clock_does() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(Some(folder.path().to_owned())).unwrap();
        let pause = Pause {
            since: 1_000,
            lasting: 500,
        };
        files.set_pause(pause).unwrap();
        assert_eq!(files.pause(), pause);
        let left = [1_000, 1_400, 1_500, 9_999].map(|now| pause.left(now));
        assert_eq!(left, [500, 100, 0, 0]);
        assert_eq!(pause.left(0), 500, "the clock was set back");
        for _ in 0..2 {
            files.set_pause(Pause::default()).unwrap();
            assert_eq!(files.pause(), Pause::default(), "it was ended");
        }
    }
}
