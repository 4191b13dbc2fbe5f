//! `offhook.toml` and its environment: reads, checks and converts them to the options of the server's parts. Opens no
//! database and binds no port; an error names file, line, key and the expected value.

mod environment;
mod outside;
mod pbx;
mod places;
mod raw;
mod sip;
mod tenant;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use api::open_id::{CLAIM, OpenIdOptions};
use directory::DirectoryOptions;
pub use environment::Environment;
use gateway::external_fetch::OutsideOptions;
use ipnet::IpNet;
use phones::{PhonesOptions, pbx::PbxOptions};
use places::Places;
use presence::TenantName;
use raw::Raw;
use runtime::retention::AuditRetention;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use teams::TeamsOptions;

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// Folder of the database.
    pub data: PathBuf,
    /// Listening address of HTTP.
    pub listen: SocketAddr,
    /// Base address of the pages in links, if it differs from `listen`.
    pub public_url: Option<String>,
    /// Reverse proxies, trusted to name the client in `X-Forwarded-For`.
    pub proxies: Vec<IpNet>,
    /// Settings of sign-in with OpenID Connect; `None`: not offered.
    pub open_id: Option<OpenIdOptions>,
    /// The API key, if the configuration names one.
    pub api_key: Option<SecretString>,
    /// The file with the key of the sealed secrets, if the configuration names one.
    pub secrets_key: Option<PathBuf>,
    /// Retention of the audit log.
    pub audit_kept: AuditRetention,
    /// The tenants; the tenant of `[teams]` is the first.
    pub tenants: Vec<TeamsOptions>,
    /// Import settings of people from Entra, by the names of the tenants.
    pub directories: BTreeMap<TenantName, DirectoryOptions>,
    /// The PBXs.
    pub pbxs: Vec<PbxOptions>,
    /// Settings of the presence server for phones; `None`: no phones are served.
    pub phones: Option<PhonesOptions>,
    /// Addresses and files that the server reads when a person enters them.
    pub outside: OutsideOptions,
    /// The files from which secrets were read.
    pub secret_files: Vec<PathBuf>,
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

/// Default retention of the audit log: two years, which many audits ask for.
const AUDIT_DAYS: u64 = 730;
/// Default retention of changes that people make to their own settings.
const OWN_CHANGES_DAYS: u64 = 30;
const PORT: u16 = 8_200;
/// Name of the database in the data folder.
const DATABASE: &str = "offhook.db";
const MISSING: &str = "is missing or empty";
/// Largest size of a file that holds a secret, in bytes.
const SECRET_MAX: u64 = 16 * 1024;

impl Config {
    /// Reads the file at `path` and applies `environment` over it.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn read(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let unreadable = |cause: String| ConfigError::Unreadable {
            path: path.into(),
            cause,
        };
        if store::is_open_database(path) {
            return Err(unreadable("it is the database, not a configuration".into()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Self::parse(path, &text, environment)
    }

    /// The same from text; `path` is used in messages and to resolve relative file names.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Self, ConfigError> {
        // The file is parsed without the environment first, because its errors then have lines.
        toml::from_str::<Raw>(text).map_err(|error| raw::explain(path, text, &error))?;
        let raw = environment.apply_to(path, text)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let data = match (environment.data(), &raw.data) {
            (Some(data), _) => data,
            (None, Some(data)) => folder.join(data),
            (None, None) => folder.join("offhook-data"),
        };
        Check {
            path,
            text,
            environment,
            data,
            secret_files: RefCell::default(),
        }
        .config(raw)
    }

    /// Path of the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join(DATABASE)
    }
}

/// Checks values; holds the path of the file for messages.
struct Check<'a> {
    path: &'a Path,
    text: &'a str,
    environment: &'a Environment,
    /// The data folder.
    data: PathBuf,
    /// Files of secrets read so far.
    secret_files: RefCell<Vec<PathBuf>>,
}

impl Check<'_> {
    fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
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
    fn place(&self, key: &str) -> String {
        match self.environment.overriding(key) {
            Some(name) => name,
            None => Places::new(self.text)
                .line(key)
                .map_or_else(|| key.to_owned(), |line| format!("line {line}")),
        }
    }

    fn config(&self, raw: Raw) -> Result<Config, ConfigError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let listen = match raw.http.listen {
            None => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
            Some(listen) => listen.parse().map_err(|_| {
                let problem = format!(
                    "{listen:?} is no address with a port; expected for example 127.0.0.1:8200"
                );
                self.error("http.listen", problem)
            })?,
        };
        let public_url = match raw.http.public_url {
            None => None,
            url => Some(self.url("http.public_url", url, "https://offhook.example.com")?),
        };
        let api_key = self.secret(
            "access.api_key",
            raw.access.api_key,
            raw.access.api_key_file,
        )?;
        if api_key
            .as_ref()
            .is_some_and(|key| key.expose_secret().len() < 20)
        {
            let problem = "is shorter than 20 characters; leave it out to have a strong one made at the first start";
            return Err(self.error("access.api_key", problem));
        }
        let days = |key, days: u64| match days {
            1..=36_500 => Ok(Duration::from_secs(days * 24 * 3600)),
            _ => {
                let problem = format!("{days} is out of range; expected 1 to 36500 days");
                Err(self.error(key, problem))
            }
        };
        let audit_kept = AuditRetention {
            all: days("audit.days", raw.audit.days.unwrap_or(AUDIT_DAYS))?,
            own_changes: days(
                "audit.own_changes_days",
                raw.audit.own_changes_days.unwrap_or(OWN_CHANGES_DAYS),
            )?,
        };
        let (tenants, directories) =
            self.tenants(raw.teams, raw.directory, raw.notifications, raw.tenants)?;
        let pbxs = self.pbxs(raw.pbx)?;
        let outside = self.outside(raw.outside, raw.calendar, &self.data)?;
        Ok(Config {
            outside,
            data: self.data.clone(),
            listen,
            public_url,
            proxies: self.networks("http.proxies", &raw.http.proxies)?,
            open_id: raw
                .open_id_connect
                .map(|raw| self.open_id(raw))
                .transpose()?,
            api_key,
            secrets_key: raw.secrets.key_file.map(|file| folder.join(file)),
            audit_kept,
            tenants,
            directories,
            phones: raw.sip.map(|sip| self.sip(sip)).transpose()?,
            pbxs,
            secret_files: self.secret_files.take(),
        })
    }

    fn open_id(&self, raw: raw::RawOpenId) -> Result<OpenIdOptions, ConfigError> {
        let key = |name: &str| format!("open_id_connect.{name}");
        let issuer = self.issuer(&key("issuer"), raw.issuer)?;
        let secret = key("client_secret");
        let client_secret = self.secret(&secret, raw.client_secret, raw.client_secret_file)?;
        let usual = || ["openid", "email", "profile"].map(str::to_owned).into();
        let mut scopes: Vec<String> = raw.scopes.unwrap_or_else(usual);
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".into());
        }
        Ok(OpenIdOptions {
            name: raw.name.unwrap_or_else(|| "OpenID Connect".into()),
            issuer,
            tenants: raw.tenants,
            scopes,
            client_id: self.required(&key("client_id"), raw.client_id)?,
            client_secret: self.required_secret(&secret, client_secret)?,
            claim: raw.claim.unwrap_or_else(|| CLAIM.into()),
        })
    }

    /// Address of an OpenID Connect issuer, without a slash at the end.
    fn issuer(&self, key: &str, value: Option<String>) -> Result<String, ConfigError> {
        let issuer = self.required(key, value)?;
        let issuer = issuer.trim();
        self.url(key, Some(issuer.into()), "https://login.example.com")?;
        if issuer.contains(['?', '#', '{', '}']) {
            let problem = format!(
                "{issuer:?} holds a query, a fragment or a placeholder, which no issuer has; expected for example \"https://login.example.com/realms/main\""
            );
            return Err(self.error(key, problem));
        }
        let issuer = issuer.trim_end_matches('/');
        // Many administrators paste the address of the discovery document.
        let of_document = issuer.strip_suffix("/.well-known/openid-configuration");
        Ok(of_document
            .unwrap_or(issuer)
            .trim_end_matches('/')
            .to_owned())
    }

    fn required(&self, key: &str, value: Option<String>) -> Result<String, ConfigError> {
        value
            .filter(|value| !value.trim().is_empty())
            .ok_or_else(|| self.error(key, MISSING))
    }

    fn required_secret(
        &self,
        key: &str,
        value: Option<SecretString>,
    ) -> Result<SecretString, ConfigError> {
        value
            .filter(|value| !value.expose_secret().trim().is_empty())
            .ok_or_else(|| self.error(key, MISSING))
    }

    /// A value that becomes a segment of a URL path: letters, digits, `-`, `.`, `_`.
    fn segment(&self, key: &str, value: Option<String>) -> Result<String, ConfigError> {
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
    fn networks(&self, key: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
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

    fn url(&self, key: &str, value: Option<String>, default: &str) -> Result<String, ConfigError> {
        let value = value.unwrap_or_else(|| default.into());
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
    fn read_file(&self, file: &Path) -> std::io::Result<Vec<u8>> {
        if store::is_database_file(&self.data.join(DATABASE), file) {
            let problem = "belongs to the database; name the file that was meant";
            return Err(std::io::Error::other(problem));
        }
        std::fs::read(file)
    }

    /// A secret, either by value or from a file. Its value never appears in a message.
    fn secret(
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
        let file = self.path.parent().unwrap_or(Path::new(".")).join(file);
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
}

#[cfg(test)]
mod printed;
#[cfg(test)]
mod tests;
