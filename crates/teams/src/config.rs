//! The sections of tenants: `[teams]` with `[notifications]`, and any number of `[[tenants]]` with these as their own
//! sections.

use std::path::PathBuf;

use presence::TenantName;
use runtime::config::{ConfigError, ConfigReader};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{NotificationOptions, SignIn, TeamsOptions};

/// Default limit of requests in 30 seconds: the lower of the two limits that Microsoft documents for presence.
const REQUESTS_PER_30_SECONDS: u32 = 1_500;
/// Address for Graph's change notifications in the example of a message.
const NOTIFICATIONS: &str = "https://offhook.example.com/teams/notifications";

/// Prefixes of one tenant's keys, each with a dot at the end.
#[derive(Debug)]
pub struct TenantKeys {
    /// Of the keys of `[teams]`.
    pub teams: String,
    /// Of the keys of `[directory]`.
    pub directory: String,
    /// Of the keys of `[notifications]`.
    pub notifications: String,
}

/// The section `[teams]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamsSection {
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
}

/// A section `[[tenants]]`: the keys of `[teams]`, a name, and sections of its own, of which `D` is declared by another crate.
/// Its keys are listed again, because serde cannot refuse unknown keys of a flattened table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSection<D> {
    name: Option<String>,
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
    directory: D,
    notifications: Option<NotificationsSection>,
}

impl<D> TenantSection<D> {
    /// The name, the keys that it has in common with `[teams]`, and its sections.
    pub fn split(
        self,
    ) -> (
        Option<String>,
        TeamsSection,
        Option<NotificationsSection>,
        D,
    ) {
        let teams = TeamsSection {
            tenant: self.tenant,
            client_id: self.client_id,
            sign_in: self.sign_in,
            client_secret: self.client_secret,
            client_secret_file: self.client_secret_file,
            login_url: self.login_url,
            graph_url: self.graph_url,
            cloud: self.cloud,
            certificate_file: self.certificate_file,
            private_key_file: self.private_key_file,
            requests_per_30_seconds: self.requests_per_30_seconds,
        };
        (self.name, teams, self.notifications, self.directory)
    }
}

/// The section `[notifications]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationsSection {
    url: Option<String>,
    certificate_file: Option<PathBuf>,
    private_key_file: Option<PathBuf>,
    old_certificate_file: Option<PathBuf>,
    old_private_key_file: Option<PathBuf>,
}

/// The options of a tenant.
///
/// # Errors
/// The first invalid value.
pub fn tenant(
    reader: &ConfigReader<'_>,
    keys: &TenantKeys,
    name: TenantName,
    mut raw: TeamsSection,
    notifications: Option<NotificationsSection>,
) -> Result<TeamsOptions, ConfigError> {
    let key = |name: &str| format!("{}{name}", keys.teams);
    let cloud: graph::Cloud = match raw.cloud.as_deref() {
        None => graph::Cloud::Global,
        Some(name) => name
            .parse()
            .map_err(|error: graph::UnknownCloud| reader.error(&key("cloud"), error.to_string()))?,
    };
    if !cloud.has_presence() {
        let problem = format!("Microsoft offers no presence in the cloud {cloud}");
        return Err(reader.error(&key("cloud"), problem));
    }
    let sign_in = match raw.sign_in.as_deref() {
        None | Some("application") => SignIn::Application,
        Some("people") => SignIn::People,
        Some(other) => {
            let problem = format!("{other:?} is neither \"application\" nor \"people\"");
            return Err(reader.error(&key("sign_in"), problem));
        }
    };
    let credential = credential(reader, &keys.teams, sign_in, &mut raw)?;
    let client = graph::ClientConfig {
        login: reader.url(&key("login_url"), raw.login_url.take(), cloud.login())?,
        graph: reader.url(&key("graph_url"), raw.graph_url.take(), cloud.graph())?,
        tenant: reader.segment(&key("tenant"), raw.tenant.take())?,
        client_id: reader.segment(&key("client_id"), raw.client_id.take())?,
        credential,
    };
    let limit = raw
        .requests_per_30_seconds
        .unwrap_or(REQUESTS_PER_30_SECONDS);
    if limit < 30 {
        let problem = format!("{limit} is too few to do anything in time; expected 30 to 10000");
        return Err(reader.error(&key("requests_per_30_seconds"), problem));
    }
    let by_people = sign_in == SignIn::People;
    let notifications = match notifications {
        Some(_) if !cloud.has_notifications() => {
            let problem = format!(
                "Microsoft offers no notifications of presence in the cloud {cloud}; leave the section out"
            );
            return Err(reader.error(&format!("{}url", keys.notifications), problem));
        }
        Some(_) if by_people => {
            let problem = "needs sign_in = \"application\"; leave the section out";
            return Err(reader.error(&format!("{}url", keys.notifications), problem));
        }
        Some(raw) => Some(notification_options(reader, &keys.notifications, raw)?),
        None => None,
    };
    Ok(TeamsOptions {
        name,
        sign_in,
        client,
        requests_per_30_seconds: Some(limit),
        notifications,
    })
}

fn keyed_certificate(
    reader: &ConfigReader<'_>,
    keys: &str,
    certificate: PathBuf,
    private_key: Option<PathBuf>,
) -> Result<graph::KeyedCertificate, ConfigError> {
    let (public, private) = reader.keyed(keys, certificate, private_key)?;
    graph::KeyedCertificate::from_pem(&public, &private)
        .map_err(|error| reader.error(&format!("{keys}certificate_file"), error.to_string()))
}

fn notification_options(
    reader: &ConfigReader<'_>,
    keys: &str,
    raw: NotificationsSection,
) -> Result<NotificationOptions, ConfigError> {
    let key = format!("{keys}url");
    let url = reader.required(&key, raw.url)?;
    let url = reader.url(&key, Some(url), NOTIFICATIONS)?;
    let certificate = raw.certificate_file.ok_or_else(|| {
        reader.error(
            &format!("{keys}certificate_file"),
            "is missing: Graph encrypts for it",
        )
    })?;
    let old = raw.old_certificate_file.map(|old| {
        keyed_certificate(
            reader,
            &format!("{keys}old_"),
            old,
            raw.old_private_key_file,
        )
    });
    Ok(NotificationOptions {
        url,
        certificate: keyed_certificate(reader, keys, certificate, raw.private_key_file)?,
        old_certificate: old.transpose()?,
    })
}

/// The credential of the application: a secret or a certificate; `None` if people sign in themselves.
fn credential(
    reader: &ConfigReader<'_>,
    keys: &str,
    sign_in: SignIn,
    raw: &mut TeamsSection,
) -> Result<graph::Credential, ConfigError> {
    let secret_key = format!("{keys}client_secret");
    let secret = reader.secret(
        &secret_key,
        raw.client_secret.take(),
        raw.client_secret_file.take(),
    )?;
    match (
        secret,
        raw.certificate_file.take(),
        raw.private_key_file.take(),
    ) {
        (Some(_), Some(_), _) => Err(reader.error(
            &format!("{keys}certificate_file"),
            "is given together with a client secret; give one of them",
        )),
        (Some(secret), None, _) if !secret.expose_secret().trim().is_empty() => {
            Ok(graph::Credential::secret(secret))
        }
        (None, Some(certificate), private_key) => {
            keyed_certificate(reader, keys, certificate, private_key)
                .map(graph::Credential::Certificate)
        }
        (None, None, None) if sign_in == SignIn::People => Ok(graph::Credential::Public),
        _ => {
            let problem = "is missing or empty; give client_secret_file, or certificate_file with private_key_file";
            Err(reader.error(&secret_key, problem))
        }
    }
}
