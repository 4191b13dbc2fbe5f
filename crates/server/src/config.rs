//! `offhook.toml` and its environment: reads, checks and converts them to the options of the server's parts. Opens no
//! database and binds no port; an error names file, line, key and the expected value.

mod raw;
mod tenant;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use api::open_id::{self, OpenIdOptions};
use directory::DirectoryOptions;
use gateway::external_fetch::OutsideOptions;
use ipnet::IpNet;
use phones::{PhonesOptions, pbx::PbxOptions};
use presence::TenantName;
use raw::{ARRAYS_OF_TABLES, Raw};
pub use runtime::config::{ConfigError, Environment};
use runtime::{
    config::ConfigReader,
    retention::{self, AuditRetention},
};
use secrecy::{ExposeSecret, SecretString};
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
    /// Format of the log.
    pub log: LogFormat,
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

/// Format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object on a line for each event.
    Json,
}

const PORT: u16 = 8_200;

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
        let data = |raw: &Raw| raw.data.clone();
        let (raw, reader) = ConfigReader::parse(path, text, environment, &ARRAYS_OF_TABLES, data)?;
        config(&reader, raw)
    }

    /// Path of the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        runtime::config::database(&self.data)
    }
}

fn config(reader: &ConfigReader<'_>, raw: Raw) -> Result<Config, ConfigError> {
    let listen = match raw.http.listen {
        None => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
        Some(listen) => listen.parse().map_err(|_| {
            let problem = format!(
                "{listen:?} is no address with a port; expected for example 127.0.0.1:8200"
            );
            reader.error("http.listen", problem)
        })?,
    };
    let public_url = match raw.http.public_url {
        None => None,
        url => Some(reader.url("http.public_url", url, "https://offhook.example.com")?),
    };
    let api_key = reader.secret(
        "access.api_key",
        raw.access.api_key,
        raw.access.api_key_file,
    )?;
    if api_key
        .as_ref()
        .is_some_and(|key| key.expose_secret().len() < 20)
    {
        let problem = "is shorter than 20 characters; leave it out to have a strong one made at the first start";
        return Err(reader.error("access.api_key", problem));
    }
    let audit_kept = retention::audit(reader, &raw.audit)?;
    let log = match raw.log.format.as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => {
            let problem = format!("{other:?} is no format; expected text or json");
            return Err(reader.error("log.format", problem));
        }
    };
    let (tenants, directories) = tenant::tenants(
        reader,
        raw.teams,
        raw.directory,
        raw.notifications,
        raw.tenants,
    )?;
    let pbxs = phones::config::pbxs(reader, raw.pbx)?;
    let outside = gateway::config::outside(reader, raw.outside, raw.calendar)?;
    Ok(Config {
        outside,
        data: reader.data().to_owned(),
        listen,
        log,
        public_url,
        proxies: reader.networks("http.proxies", &raw.http.proxies)?,
        open_id: raw
            .open_id_connect
            .map(|raw| open_id::options(reader, raw))
            .transpose()?,
        api_key,
        secrets_key: raw.secrets.key_file.map(|file| reader.beside(&file)),
        audit_kept,
        tenants,
        directories,
        phones: raw
            .sip
            .map(|sip| phones::config::presence_server(reader, sip))
            .transpose()?,
        pbxs,
        secret_files: reader.secret_files(),
    })
}

#[cfg(test)]
mod printed;
#[cfg(test)]
mod tests;
