//! What the agent keeps: where its server is and its secret, for this user only; until when the person paused it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{secret::Secret, usage::Milliseconds};

/// Where the agent's server is, and its secret there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Address of the server, without a slash at the end.
    pub server: String,
    /// The device's secret, or where it is.
    #[serde(flatten)]
    pub secret: Secret,
    /// Whose device it is.
    pub person: String,
}

/// A pause, by the time of day: the agent may end in it, and the computer may sleep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// In milliseconds since 1970.
    pub since: Milliseconds,
    /// 0: there is none.
    pub lasting: Milliseconds,
}

impl Pause {
    /// How much is left: never more than it was to last, also if the clock was set back meanwhile.
    #[must_use]
    pub fn left(self, now: Milliseconds) -> Milliseconds {
        self.lasting.saturating_sub(now.saturating_sub(self.since))
    }
}

/// The folders of the agent.
#[derive(Clone, Debug)]
pub struct Files {
    /// What is kept.
    folder: PathBuf,
    /// What lasts as long as the session.
    runtime: PathBuf,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{path}: {cause}; check that the folder is there and belongs to you")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is not as the agent writes it.
    #[error("{path} is damaged: {cause}; pair this device again, which writes it anew")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: serde_json::Error,
    },
    /// Neither the system nor the person says where files go.
    #[error("there is no home folder; say where the agent keeps its files: --folder FOLDER")]
    NoHome,
}

impl Files {
    /// Where the system wants them, or in one folder.
    ///
    /// # Errors
    /// The system does not say.
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
            // Not the folder that roams: a secret is this computer's.
            .or_else(|| variable("LOCALAPPDATA"))
            .or_else(|| home(".config"))
            .ok_or(FileError::NoHome)?;
        let folder = kept.join("offhook-agent");
        let runtime = variable("XDG_RUNTIME_DIR").map(|runtime| runtime.join("offhook-agent"));
        let runtime = runtime.unwrap_or_else(|| folder.clone());
        Ok(Self { folder, runtime })
    }

    /// Where a running agent can be asked.
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("control.sock")
    }

    /// Where the server is remembered, and the secret if no keyring takes it.
    pub fn credentials_path(&self) -> PathBuf {
        self.folder.join("credentials.json")
    }

    fn pause_path(&self) -> PathBuf {
        self.folder.join("pause.json")
    }

    /// The credentials, once the device is paired.
    ///
    /// # Errors
    /// They cannot be read.
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

    /// Keeps them.
    ///
    /// # Errors
    /// They cannot be written; what was there is kept.
    pub fn keep(&self, credentials: &Credentials) -> Result<(), FileError> {
        let path = self.credentials_path();
        self.write(&path, &text(&path, credentials)?)
    }

    /// Forgets them; whether there were any.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn forget(&self) -> Result<bool, FileError> {
        remove(self.credentials_path())
    }

    /// The pause, which outlives the agent.
    pub fn pause(&self) -> Pause {
        let kept = fs::read(self.pause_path()).unwrap_or_default();
        serde_json::from_slice(&kept).unwrap_or_default()
    }

    /// Remembers it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn set_pause(&self, pause: Pause) -> Result<(), FileError> {
        let path = self.pause_path();
        match pause.lasting {
            0 => remove(path).map(|_| ()),
            _ => self.write(&path, &text(&path, &pause)?),
        }
    }

    /// Makes the folder that lasts as long as the session, for this user only.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make_runtime(&self) -> Result<(), FileError> {
        make(&self.runtime)
    }

    fn write(&self, path: &Path, text: &[u8]) -> Result<(), FileError> {
        make(&self.folder)?;
        let trouble = |cause| FileError::Io {
            path: path.to_owned(),
            cause,
        };
        // Made under another name, for this user only; then there is never half a file.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(trouble)?;
        io::Write::write_all(&mut file, text).map_err(trouble)?;
        file.as_file().sync_all().map_err(trouble)?;
        file.persist(path).map_err(|error| trouble(error.error))?;
        Ok(())
    }
}

/// Removes a file; whether there was one.
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
    fn a_damaged_file_says_what_to_do() {
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
