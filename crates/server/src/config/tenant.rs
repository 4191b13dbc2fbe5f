//! The tenants: `[teams]` with `[directory]` and `[notifications]`, and any number of `[[tenants]]` with these as their
//! own sections.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use directory::{DirectoryOptions, PeopleFrom};
use presence::TenantName;
use secrecy::ExposeSecret;
use teams::{NotificationOptions, SignIn, TeamsOptions};

use super::{
    Check, ConfigError,
    raw::{RawDirectory, RawNotifications, RawTeams, RawTenant},
};

/// Default limit of requests in 30 seconds: the lower of the two limits that Microsoft documents for presence.
const REQUESTS_PER_30_SECONDS: u32 = 1_500;
/// Address for Graph's change notifications in the example of a message.
const NOTIFICATIONS: &str = "https://offhook.example.com/teams/notifications";

/// Prefixes of one tenant's keys, for messages.
struct Keys {
    teams: String,
    directory: String,
    notifications: String,
}

/// Import settings, by the names of the tenants.
type Directories = BTreeMap<TenantName, DirectoryOptions>;

impl Check<'_> {
    /// All tenants; the tenant of `[teams]` comes first.
    pub(super) fn tenants(
        &self,
        teams: Option<RawTeams>,
        directory: RawDirectory,
        notifications: Option<RawNotifications>,
        further: Vec<RawTenant>,
    ) -> Result<(Vec<TeamsOptions>, Directories), ConfigError> {
        let mut tenants = Vec::new();
        let mut directories = Directories::new();
        if let Some(teams) = teams {
            let keys = Keys {
                teams: "teams.".into(),
                directory: "directory.".into(),
                notifications: "notifications.".into(),
            };
            let name = TenantName::main().clone();
            let (tenant, directory) = self.tenant(&keys, name, teams, directory, notifications)?;
            directories.extend(directory.map(|directory| (tenant.name.clone(), directory)));
            tenants.push(tenant);
        }
        let mut names: Vec<TenantName> = Vec::new();
        for (at, mut raw) in further.into_iter().enumerate() {
            let keys = Keys {
                teams: format!("tenants.{at}."),
                directory: format!("tenants.{at}.directory."),
                notifications: format!("tenants.{at}.notifications."),
            };
            let key = format!("{}name", keys.teams);
            let name = TenantName::new(&self.segment(&key, raw.name.take())?);
            let taken = match names.iter().position(|other| *other == name) {
                Some(other) => Some(format!(
                    "is in {} too",
                    self.place(&format!("tenants.{other}.name"))
                )),
                None if name.is_main() => Some("is the name of [teams]".to_owned()),
                None => None,
            };
            if let Some(taken) = taken {
                let problem = format!("{:?} {taken}; take another", name.as_str());
                return Err(self.error(&key, problem));
            }
            names.push(name.clone());
            let (teams, directory) = (raw.teams(), std::mem::take(&mut raw.directory));
            let (tenant, directory) =
                self.tenant(&keys, name, teams, directory, raw.notifications)?;
            directories.extend(directory.map(|directory| (tenant.name.clone(), directory)));
            tenants.push(tenant);
        }
        Ok((tenants, directories))
    }

    fn tenant(
        &self,
        keys: &Keys,
        name: TenantName,
        mut raw: RawTeams,
        directory: RawDirectory,
        notifications: Option<RawNotifications>,
    ) -> Result<(TeamsOptions, Option<DirectoryOptions>), ConfigError> {
        let key = |name: &str| format!("{}{name}", keys.teams);
        let cloud: graph::Cloud = match raw.cloud.as_deref() {
            None => graph::Cloud::Global,
            Some(name) => name.parse().map_err(|error: graph::UnknownCloud| {
                self.error(&key("cloud"), error.to_string())
            })?,
        };
        if !cloud.has_presence() {
            let problem = format!("Microsoft offers no presence in the cloud {cloud}");
            return Err(self.error(&key("cloud"), problem));
        }
        let sign_in = match raw.sign_in.as_deref() {
            None | Some("application") => SignIn::Application,
            Some("people") => SignIn::People,
            Some(other) => {
                let problem = format!("{other:?} is neither \"application\" nor \"people\"");
                return Err(self.error(&key("sign_in"), problem));
            }
        };
        let credential = self.credential(&keys.teams, sign_in, &mut raw)?;
        let client = graph::ClientConfig {
            login: self.url(&key("login_url"), raw.login_url.take(), cloud.login())?,
            graph: self.url(&key("graph_url"), raw.graph_url.take(), cloud.graph())?,
            tenant: self.segment(&key("tenant"), raw.tenant.take())?,
            client_id: self.segment(&key("client_id"), raw.client_id.take())?,
            credential,
        };
        let limit = raw
            .requests_per_30_seconds
            .unwrap_or(REQUESTS_PER_30_SECONDS);
        if limit < 30 {
            let problem =
                format!("{limit} is too few to do anything in time; expected 30 to 10000");
            return Err(self.error(&key("requests_per_30_seconds"), problem));
        }
        let by_people = sign_in == SignIn::People;
        let notifications = match notifications {
            Some(_) if !cloud.has_notifications() => {
                let problem = format!(
                    "Microsoft offers no notifications of presence in the cloud {cloud}; leave the section out"
                );
                return Err(self.error(&format!("{}url", keys.notifications), problem));
            }
            Some(_) if by_people => {
                let problem = "needs sign_in = \"application\"; leave the section out";
                return Err(self.error(&format!("{}url", keys.notifications), problem));
            }
            Some(raw) => Some(self.notifications(&keys.notifications, raw)?),
            None => None,
        };
        let directory = self.directory(&keys.directory, directory)?;
        if by_people && directory.is_some() {
            let problem = "people can be taken from Entra only with sign_in = \"application\"";
            return Err(self.error(&format!("{}entra", keys.directory), problem));
        }
        let options = TeamsOptions {
            name: name.as_str().into(),
            sign_in,
            client,
            requests_per_30_seconds: Some(limit),
            notifications,
        };
        Ok((options, directory))
    }

    fn directory(
        &self,
        keys: &str,
        raw: RawDirectory,
    ) -> Result<Option<DirectoryOptions>, ConfigError> {
        let key = |name: &str| format!("{keys}{name}");
        if !raw.entra.unwrap_or(false) {
            for (name, given) in [("group", &raw.group), ("location", &raw.location)] {
                if given.is_some() {
                    let problem = format!(
                        "selects people of Entra or their location, but {} is not true",
                        key("entra")
                    );
                    return Err(self.error(&key(name), problem));
                }
            }
            return Ok(None);
        }
        let from = match raw.group {
            None => PeopleFrom::Everybody,
            group => PeopleFrom::Group(self.segment(&key("group"), group)?),
        };
        let location = raw.location.filter(|name| !name.trim().is_empty());
        if location.is_none() && keys.starts_with("tenants.") {
            let problem = "is missing: people of a further tenant need a location, which names it";
            return Err(self.error(&key("location"), problem));
        }
        Ok(Some(DirectoryOptions { from, location }))
    }

    /// A certificate with its private key, both PEM; one file may hold both.
    pub(super) fn keyed(
        &self,
        keys: &str,
        certificate: PathBuf,
        private_key: Option<PathBuf>,
    ) -> Result<(Vec<u8>, Vec<u8>), ConfigError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let private_key = private_key.unwrap_or_else(|| certificate.clone());
        let read = |key: &str, file: &Path| {
            let file = folder.join(file);
            self.read_file(&file)
                .map_err(|error| self.error(key, format!("{}: {error}", file.display())))
        };
        let public = read(&format!("{keys}certificate_file"), &certificate)?;
        let private = read(&format!("{keys}private_key_file"), &private_key)?;
        self.secret_files
            .borrow_mut()
            .push(folder.join(private_key));
        Ok((public, private))
    }

    fn certificate(
        &self,
        keys: &str,
        certificate: PathBuf,
        private_key: Option<PathBuf>,
    ) -> Result<graph::KeyedCertificate, ConfigError> {
        let (public, private) = self.keyed(keys, certificate, private_key)?;
        graph::KeyedCertificate::from_pem(&public, &private)
            .map_err(|error| self.error(&format!("{keys}certificate_file"), error.to_string()))
    }

    fn notifications(
        &self,
        keys: &str,
        raw: RawNotifications,
    ) -> Result<NotificationOptions, ConfigError> {
        let key = format!("{keys}url");
        let url = self.required(&key, raw.url)?;
        let url = self.url(&key, Some(url), NOTIFICATIONS)?;
        let certificate = raw.certificate_file.ok_or_else(|| {
            self.error(
                &format!("{keys}certificate_file"),
                "is missing: Graph encrypts for it",
            )
        })?;
        let old = raw
            .old_certificate_file
            .map(|old| self.certificate(&format!("{keys}old_"), old, raw.old_private_key_file));
        Ok(NotificationOptions {
            url,
            certificate: self.certificate(keys, certificate, raw.private_key_file)?,
            old_certificate: old.transpose()?,
        })
    }

    /// The credential of the application: a secret or a certificate; `None` if people sign in themselves.
    fn credential(
        &self,
        keys: &str,
        sign_in: SignIn,
        raw: &mut RawTeams,
    ) -> Result<graph::Credential, ConfigError> {
        let secret_key = format!("{keys}client_secret");
        let secret = self.secret(
            &secret_key,
            raw.client_secret.take(),
            raw.client_secret_file.take(),
        )?;
        match (
            secret,
            raw.certificate_file.take(),
            raw.private_key_file.take(),
        ) {
            (Some(_), Some(_), _) => Err(self.error(
                &format!("{keys}certificate_file"),
                "is given together with a client secret; give one of them",
            )),
            (Some(secret), None, _) if !secret.expose_secret().trim().is_empty() => {
                Ok(graph::Credential::secret(secret))
            }
            (None, Some(certificate), private_key) => self
                .certificate(keys, certificate, private_key)
                .map(graph::Credential::Certificate),
            (None, None, None) if sign_in == SignIn::People => Ok(graph::Credential::Public),
            _ => {
                let problem = "is missing or empty; give client_secret_file, or certificate_file with private_key_file";
                Err(self.error(&secret_key, problem))
            }
        }
    }
}
