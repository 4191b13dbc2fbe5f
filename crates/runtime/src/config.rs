//! The configuration as its sections read it: checks of values, files beside it, and messages with line, key and expected
//! value. A section is declared by the crate that uses it; `server` reads the file and hands the sections out.

mod environment;
mod parse;
mod places;

use std::{
    cell::RefCell,
    net::IpAddr,
    path::{Path, PathBuf},
};

pub use environment::Environment;
use ipnet::IpNet;
use places::Places;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::de::DeserializeOwned;

const MISSING: &str = "is missing or empty";
/// Name of the database in the data folder.
const DATABASE: &str = "offhook.db";
/// Largest size of a file that holds a secret, in bytes.
const SECRET_MAX: u64 = 16 * 1024;

/// Path of the database in a data folder.
pub fn database(data: &Path) -> PathBuf {
    data.join(DATABASE)
}

/// Reason why the configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {cause}; create it (an empty file is enough to begin with), or name the configuration with --config or OFFHOOK_CONFIG", path.display())]
    Unreadable {
        /// The configuration file.
        path: PathBuf,
        /// Error of the operating system.
        cause: String,
    },
    /// A line of the file is invalid.
    #[error("{}:{line}: {key}{problem}", path.display())]
    Line {
        /// The configuration file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key with its section, and a colon; empty where there is none.
        key: String,
        /// The invalid value and the expected one.
        problem: String,
    },
    /// A key is missing, or its value cannot work; from the file or the environment.
    #[error("{}: {key}: {problem}", path.display())]
    Key {
        /// The configuration file.
        path: PathBuf,
        /// The key with its section.
        key: String,
        /// The invalid value and the expected one.
        problem: String,
    },
    /// An environment variable is invalid.
    #[error("environment variable {name}: {problem}")]
    Environment {
        /// Name of the variable.
        name: String,
        /// The invalid value and the expected one.
        problem: String,
    },
}

/// Reads the values of sections; holds the file for messages.
#[derive(Debug)]
pub struct ConfigReader<'a> {
    path: &'a Path,
    text: &'a str,
    environment: &'a Environment,
    /// The data folder.
    data: PathBuf,
    /// Files of secrets read so far.
    secret_files: RefCell<Vec<PathBuf>>,
}

impl<'a> ConfigReader<'a> {
    /// Parses `text`, the content of the file at `path`, and applies `environment` over it. `data_of` returns the data folder that
    /// the file names. `arrays`: keys that may be arrays of tables, for messages.
    ///
    /// # Errors
    /// The text or a variable has an unknown key or a value of the wrong type.
    pub fn parse<T: DeserializeOwned>(
        path: &'a Path,
        text: &'a str,
        environment: &'a Environment,
        arrays: &[&str],
        data_of: impl FnOnce(&T) -> Option<PathBuf>,
    ) -> Result<(T, Self), ConfigError> {
        // The file is parsed without the environment first, because its errors then have lines.
        toml::from_str::<T>(text).map_err(|error| parse::explain(path, text, &error, arrays))?;
        let sections: T = environment.apply_to(path, text)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let data = match (environment.data(), data_of(&sections)) {
            (Some(data), _) => data,
            (None, Some(data)) => folder.join(data),
            (None, None) => folder.join("offhook-data"),
        };
        let reader = Self {
            path,
            text,
            environment,
            data,
            secret_files: RefCell::default(),
        };
        Ok((sections, reader))
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The files from which secrets were read.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        self.secret_files.borrow().clone()
    }

    /// A path of the configuration, which is relative to the folder of its file.
    pub fn beside(&self, file: &Path) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        folder.join(file)
    }

    /// An error at a key: names its line, or the environment variable that overrides it.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        let (path, problem) = (self.path.into(), problem.into());
        if let Some(name) = self.environment.overriding(key) {
            return ConfigError::Environment { name, problem };
        }
        let path_of_key = key.split(' ').next().unwrap_or(key);
        match Places::new(self.text).line(path_of_key) {
            Some(line) => ConfigError::Line {
                path,
                line,
                key: format!("{}: ", places::shown(key)),
                problem,
            },
            None => ConfigError::Key {
                path,
                key: key.into(),
                problem,
            },
        }
    }

    /// Where the value of a key is set: its line, or its environment variable.
    pub fn place(&self, key: &str) -> String {
        match self.environment.overriding(key) {
            Some(name) => name,
            None => Places::new(self.text)
                .line(key)
                .map_or_else(|| key.to_owned(), |line| format!("line {line}")),
        }
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// It is missing or empty.
    pub fn required(&self, key: &str, value: Option<String>) -> Result<String, ConfigError> {
        value
            .filter(|value| !value.trim().is_empty())
            .ok_or_else(|| self.error(key, MISSING))
    }

    /// A secret that must be there.
    ///
    /// # Errors
    /// It is missing or empty.
    pub fn required_secret(
        &self,
        key: &str,
        value: Option<SecretString>,
    ) -> Result<SecretString, ConfigError> {
        value
            .filter(|value| !value.expose_secret().trim().is_empty())
            .ok_or_else(|| self.error(key, MISSING))
    }

    /// A value that becomes a segment of a URL path: letters, digits, `-`, `.`, `_`.
    ///
    /// # Errors
    /// Other characters, or none.
    pub fn segment(&self, key: &str, value: Option<String>) -> Result<String, ConfigError> {
        let value = self.required(key, value)?;
        let allowed =
            |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
        if !value.chars().all(allowed) {
            let problem = format!(
                "{value:?} is neither an id nor a domain; expected letters, digits, dots and dashes"
            );
            return Err(self.error(key, problem));
        }
        Ok(value)
    }

    /// IP addresses and networks.
    ///
    /// # Errors
    /// A text is neither.
    pub fn networks(&self, key: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
        let network = |text: &String| {
            let network = text.parse::<IpNet>().ok();
            let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            network.ok_or_else(|| {
                let problem = format!(
                    "{text:?} is neither an address nor a network; expected for example \"192.0.2.10\" or \"192.0.2.0/24\""
                );
                self.error(key, problem)
            })
        };
        texts.iter().map(network).collect()
    }

    /// The address of a service: https, or plain http on loopback.
    ///
    /// # Errors
    /// Another address.
    pub fn url(
        &self,
        key: &str,
        value: Option<String>,
        default: &str,
    ) -> Result<String, ConfigError> {
        let value = value.unwrap_or_else(|| default.into());
        let authority = value.split_once("://").map_or(&*value, |(_, rest)| rest);
        if authority
            .split('/')
            .next()
            .is_some_and(|host| host.contains('@'))
        {
            // Not repeated: it may be a secret.
            let problem = format!("names a user before the host; expected for example {default}");
            return Err(self.error(key, problem));
        }
        let loopback = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
        if value.starts_with("https://") || loopback.iter().any(|prefix| value.starts_with(prefix))
        {
            // The Graph client adds the version; many administrators paste the address with it.
            let value = value.trim_end_matches('/').trim_end_matches("/v1.0");
            return Ok(value.to_owned());
        }
        let problem = format!(
            "{value:?} is no https address; expected for example {default} (plain http only on loopback, for teamsbox)"
        );
        Err(self.error(key, problem))
    }

    /// Reads a file that the configuration names, unless it belongs to the database. The doctor reads these files too,
    /// while the server runs, and closing a file of the database would then release SQLite's locks.
    ///
    /// # Errors
    /// It cannot be read, or belongs to the database.
    pub fn read_file(&self, file: &Path) -> std::io::Result<Vec<u8>> {
        if store::is_database_file(&database(&self.data), file) {
            let problem = "belongs to the database; name the file that was meant";
            return Err(std::io::Error::other(problem));
        }
        std::fs::read(file)
    }

    /// A secret, either by value or from a file. Its value never appears in a message.
    ///
    /// # Errors
    /// Both are given, or the file cannot be read.
    pub fn secret(
        &self,
        key: &str,
        value: Option<SecretString>,
        file: Option<PathBuf>,
    ) -> Result<Option<SecretString>, ConfigError> {
        let Some(file) = file else {
            return Ok(value);
        };
        let key_of_file = format!("{key}_file");
        if value.is_some() {
            return Err(self.error(
                &key_of_file,
                format!("is given together with {key}; give one of them"),
            ));
        }
        let file = self.beside(&file);
        let read = std::fs::metadata(&file).and_then(|metadata| {
            if metadata.len() > SECRET_MAX {
                return Err(std::io::Error::other(format!(
                    "is larger than {SECRET_MAX} bytes, so it is no secret"
                )));
            }
            let content = SecretSlice::from(self.read_file(&file)?);
            let text = std::str::from_utf8(content.expose_secret());
            let text = text.map_err(std::io::Error::other)?;
            Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
        });
        self.secret_files.borrow_mut().push(file.clone());
        read.map(Some)
            .map_err(|error| self.error(&key_of_file, format!("{}: {error}", file.display())))
    }

    /// A certificate with its private key, both PEM; one file may hold both.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn keyed(
        &self,
        keys: &str,
        certificate: PathBuf,
        private_key: Option<PathBuf>,
    ) -> Result<(Vec<u8>, Vec<u8>), ConfigError> {
        let private_key = private_key.unwrap_or_else(|| certificate.clone());
        let read = |key: &str, file: &Path| {
            let file = self.beside(file);
            self.read_file(&file)
                .map_err(|error| self.error(key, format!("{}: {error}", file.display())))
        };
        let public = read(&format!("{keys}certificate_file"), &certificate)?;
        let private = read(&format!("{keys}private_key_file"), &private_key)?;
        self.secret_files
            .borrow_mut()
            .push(self.beside(&private_key));
        Ok((public, private))
    }
}
