//! The configuration file as parsed, and the messages for what cannot be parsed.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, places::Places};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) data: Option<PathBuf>,
    #[serde(default)]
    pub(super) http: RawHttp,
    #[serde(default)]
    pub(super) access: RawAccess,
    #[serde(default)]
    pub(super) audit: RawAudit,
    #[serde(default)]
    pub(super) secrets: RawSecrets,
    pub(super) teams: Option<RawTeams>,
    #[serde(default)]
    pub(super) directory: RawDirectory,
    pub(super) notifications: Option<RawNotifications>,
    #[serde(default)]
    pub(super) tenants: Vec<RawTenant>,
    pub(super) open_id_connect: Option<RawOpenId>,
    pub(super) sip: Option<RawSip>,
    #[serde(default)]
    pub(super) outside: RawOutside,
    #[serde(default)]
    pub(super) calendar: RawCalendar,
    #[serde(default)]
    pub(super) pbx: Vec<RawPbx>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    pub(super) listen: Option<String>,
    pub(super) public_url: Option<String>,
    #[serde(default)]
    pub(super) proxies: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutside {
    #[serde(default)]
    pub(super) allow: Vec<String>,
    pub(super) proxy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    pub(super) folder: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccess {
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOpenId {
    pub(super) name: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<SecretString>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) claim: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    #[serde(default)]
    pub(super) tenants: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    pub(super) days: Option<u64>,
    pub(super) own_changes_days: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecrets {
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTeams {
    pub(super) tenant: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) sign_in: Option<String>,
    pub(super) client_secret: Option<SecretString>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) login_url: Option<String>,
    pub(super) graph_url: Option<String>,
    pub(super) cloud: Option<String>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) private_key_file: Option<PathBuf>,
    pub(super) requests_per_30_seconds: Option<u32>,
}

/// A further tenant: the keys of `[teams]`, a name, and sections of its own. Listed again, because serde cannot refuse
/// unknown keys of a flattened table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    pub(super) name: Option<String>,
    tenant: Option<String>,
    client_id: Option<String>,
    sign_in: Option<String>,
    client_secret: Option<SecretString>,
    client_secret_file: Option<PathBuf>,
    login_url: Option<String>,
    graph_url: Option<String>,
    cloud: Option<String>,
    certificate_file: Option<PathBuf>,
    private_key_file: Option<PathBuf>,
    requests_per_30_seconds: Option<u32>,
    #[serde(default)]
    pub(super) directory: RawDirectory,
    pub(super) notifications: Option<RawNotifications>,
}

impl RawTenant {
    /// The keys that it has in common with `[teams]`.
    pub(super) fn teams(&mut self) -> RawTeams {
        RawTeams {
            tenant: self.tenant.take(),
            client_id: self.client_id.take(),
            sign_in: self.sign_in.take(),
            client_secret: self.client_secret.take(),
            client_secret_file: self.client_secret_file.take(),
            login_url: self.login_url.take(),
            graph_url: self.graph_url.take(),
            cloud: self.cloud.take(),
            certificate_file: self.certificate_file.take(),
            private_key_file: self.private_key_file.take(),
            requests_per_30_seconds: self.requests_per_30_seconds,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotifications {
    pub(super) url: Option<String>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) private_key_file: Option<PathBuf>,
    pub(super) old_certificate_file: Option<PathBuf>,
    pub(super) old_private_key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDirectory {
    pub(super) entra: Option<bool>,
    pub(super) group: Option<String>,
    pub(super) location: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSip {
    pub(super) listen: Option<String>,
    pub(super) tls_listen: Option<String>,
    pub(super) websocket_listen: Option<String>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) private_key_file: Option<PathBuf>,
    pub(super) address: Option<String>,
    pub(super) domain: Option<String>,
    #[serde(default)]
    pub(super) trusted: Vec<String>,
    pub(super) others: Option<String>,
    pub(super) algorithms: Option<OneOrMany>,
    #[serde(default)]
    pub(super) account: Vec<RawSipAccount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSipAccount {
    pub(super) username: Option<String>,
    pub(super) extension: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) password_file: Option<String>,
    pub(super) algorithms: Option<OneOrMany>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPbx {
    pub(super) name: Option<String>,
    pub(super) server: Option<OneOrMany>,
    pub(super) transport: Option<String>,
    pub(super) authority_file: Option<PathBuf>,
    pub(super) list: Option<OneOrMany>,
    #[serde(default)]
    pub(super) extensions: Vec<String>,
    pub(super) domain: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) bind: Option<String>,
    pub(super) publish: Option<String>,
}

/// One text, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text in quotes, or a list of such texts"
)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Keys that may be arrays of tables.
const ARRAYS_OF_TABLES: [&str; 3] = ["pbx", "sip.account", "tenants"];

/// Converts a parser error to a message with line and key.
pub(super) fn explain(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let places = Places::new(text);
    let (line, key) = (places.line_at(at), places.key_at(at));
    let is_single_table =
        ARRAYS_OF_TABLES.contains(&&*key) && error.message().contains("type: map");
    let table = key.clone();
    let key = if key.is_empty() {
        key
    } else {
        format!("{key}: ")
    };
    let is_secret = ["secret", "password", "api_key"]
        .iter()
        .any(|word| key.contains(word));
    // The parser's message quotes the value, which may be a secret.
    let problem = match error.message() {
        message if is_secret && message.starts_with("invalid") => {
            "expected text in quotes".to_owned()
        }
        _ if is_single_table => {
            format!("there may be several of these; write [[{table}]], with two brackets each")
        }
        message => message.to_owned(),
    };
    ConfigError::Line {
        path: path.into(),
        line,
        key,
        problem,
    }
}
