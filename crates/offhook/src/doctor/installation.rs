//! Checks of the installation itself: configuration, files, database, people, running server.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use api_types::readiness::{Readiness, Warning};
use presence::{SettingsGroup, SyncMode, TenantName, Timestamp, setting_keys};
use reqwest::Client;
use runtime::values;
use server::config::{Config, ConfigError};
use store::{Store, StoreError, StoredPerson, StoredScope};
use teams::LoginsOf;

use super::{Fault, Place, Report};
use crate::installation;

/// Contents of the database for later checks; empty if it cannot be opened.
#[derive(Default)]
pub(super) struct DatabaseContents {
    pub(super) people: Vec<StoredPerson>,
    scopes: Vec<StoredScope>,
    /// Names of sealed secrets.
    secrets: Vec<String>,
}

/// Part of the contents that belongs to one tenant.
pub(super) struct OfTenant<'a> {
    /// People with the tenant at their location.
    pub(super) people: Vec<&'a StoredPerson>,
    /// Number of service accounts that are signed in.
    pub(super) service_accounts: usize,
    /// Number of stored logins of people.
    pub(super) logins: usize,
}

impl DatabaseContents {
    /// Contents that belong to one tenant.
    pub(super) fn of_tenant(&self, tenant: &TenantName) -> OfTenant<'_> {
        let named = |person: &&StoredPerson| {
            let location = self
                .scopes
                .iter()
                .find(|scope| Some(&scope.id) == person.location.as_ref());
            let named = location.and_then(|location| location.tenant.as_ref());
            named.unwrap_or(TenantName::main()) == tenant
        };
        let count = |kind: LoginsOf| {
            let prefix = kind.prefix(tenant);
            let names = self.secrets.iter();
            names.filter(|name| name.starts_with(&prefix)).count()
        };
        OfTenant {
            people: self.people.iter().filter(named).collect(),
            service_accounts: count(LoginsOf::ServiceAccounts),
            logins: count(LoginsOf::People),
        }
    }
}

/// Checks everything that needs no network, and the server if it runs. `None` if later checks are impossible.
pub(super) async fn check(
    report: &mut Report,
    path: &Path,
    place: Place<'_>,
) -> Option<(Config, DatabaseContents)> {
    const CHECK: &str = "configuration";
    let config = match installation::configuration(path) {
        Ok(config) => config,
        Err(error) => {
            let fault = match error.downcast_ref() {
                Some(ConfigError::Unreadable { .. }) => Fault::ConfigurationMissing,
                _ => Fault::ConfigurationWrong,
            };
            report.fail(CHECK, fault, error.to_string());
            return None;
        }
    };
    report.fine(CHECK, format!("{} can be used", path.display()));
    secrets(report, &config);
    let kept = database(report, &config, place).await;
    server(report, &config, place).await;
    Some((config, kept))
}

fn secrets(report: &mut Report, config: &Config) {
    let open: Vec<String> = config
        .secret_files
        .iter()
        .filter(|path| {
            let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
            mode.is_ok_and(|mode| mode & 0o077 != 0)
        })
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        return;
    }
    report.warn("secrets", Fault::SecretReadable, open.join(", "));
}

/// Open database, and the results of the checks that need it open.
struct Opened {
    kept: DatabaseContents,
    /// True if any scope or person has a mode that synchronises.
    syncs: bool,
    /// Success if the key opens every sealed secret.
    key: anyhow::Result<()>,
    /// Path of the database.
    path: PathBuf,
}

async fn open_and_read(config: &Config, place: Place<'_>) -> anyhow::Result<Opened> {
    match place {
        Place::Server(store) => read(config, store).await,
        Place::CommandLine => {
            let store = installation::open(config).await?;
            let opened = read(config, &store).await;
            store.database().close().await;
            opened
        }
    }
}

async fn read(config: &Config, store: &Store) -> anyhow::Result<Opened> {
    store.database().check().await?;
    let key = sealed(config, store).await;
    let kept = DatabaseContents {
        people: store.people(now()).await?,
        scopes: store.scopes().await?,
        secrets: store
            .database()
            .sealed_secrets()
            .await?
            .into_iter()
            .map(|secret| secret.name)
            .collect(),
    };
    let syncs = modes(store).await?;
    let path = store.database().file().to_owned();
    Ok(Opened {
        kept,
        syncs,
        key,
        path,
    })
}

async fn database(report: &mut Report, config: &Config, place: Place<'_>) -> DatabaseContents {
    const CHECK: &str = "database";
    let opened = open_and_read(config, place).await;
    let Opened {
        kept,
        syncs,
        key,
        path,
    } = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let fault = match error.downcast_ref() {
                Some(StoreError::Migrate { .. }) => Fault::DatabaseNewer,
                Some(StoreError::Open { .. }) => Fault::DataUnwritable,
                Some(_) => Fault::DatabaseDamaged,
                None => Fault::DataUnwritable,
            };
            report.fail(CHECK, fault, error.to_string());
            return DatabaseContents::default();
        }
    };
    if let Err(error) = key {
        report.fail("secrets", Fault::SecretsKey, error.to_string());
    }
    if kept.people.is_empty() {
        report.warn(
            "people",
            Fault::NobodyImported,
            format!("nobody in {}", path.display()),
        );
        return kept;
    }
    report.fine(
        CHECK,
        format!("{}: {} people", path.display(), kept.people.len()),
    );
    if !syncs {
        report.warn(
            setting_keys::SYNC_MODE.name,
            Fault::NothingCrosses,
            "no scope and no person has another mode than \"none\"",
        );
    }
    kept
}

/// Checks that the key opens every sealed secret. Without secrets any key is right.
async fn sealed(config: &Config, store: &Store) -> anyhow::Result<()> {
    let secrets = store.database().sealed_secrets().await?;
    if secrets.is_empty() && config.secrets_key.is_none() {
        return Ok(());
    }
    let vault = installation::vault(config)?;
    for secret in secrets {
        vault.open(&secret)?;
    }
    Ok(())
}

/// True if any scope or person has a mode that synchronises.
async fn modes(store: &Store) -> Result<bool, StoreError> {
    let scopes = store.all_settings().await?;
    let own = store.all_personal_settings().await?;
    let scopes = scopes.into_iter().map(|(_, page, json)| (page, json));
    let own = own.into_iter().map(|(_, page, json)| (page, json));
    Ok(scopes.chain(own).any(|(page, json)| {
        page == SettingsGroup::Teams.name()
            && values::stored(SettingsGroup::Teams, &json).get(setting_keys::SYNC_MODE)
                != SyncMode::None
    }))
}

fn now() -> Timestamp {
    runtime::clock::Clock::system().now()
}

/// Reports the health of a running server, or another program that occupies its port.
async fn server(report: &mut Report, config: &Config, place: Place<'_>) {
    const CHECK: &str = "server";
    let runs = match place {
        Place::Server(_) => true,
        Place::CommandLine => matches!(installation::lock(config), Ok(None)),
    };
    let url = format!("http://{}/readyz", config.listen);
    let mut request = Client::new().get(&url).timeout(super::CONNECT);
    let session = match (runs, place) {
        (false, _) => None,
        (true, Place::Server(store)) => installation::session_in(store).await.ok(),
        (true, Place::CommandLine) => installation::session(config).await.ok(),
    };
    if let Some(session) = session {
        request = request.header(reqwest::header::COOKIE, session);
    }
    let answer = request.send().await;
    match (runs, answer) {
        (false, Err(_)) => report.skip(CHECK, "is not running; `offhook serve` starts it"),
        (false, Ok(_)) => {
            let what = format!(
                "something that is not this installation answers at {}",
                config.listen
            );
            report.fail(CHECK, Fault::PortTaken, what);
        }
        (true, Err(error)) => {
            let what = format!("runs, but does not answer at {}: {error}", config.listen);
            report.fail(CHECK, Fault::ServerTrouble, what);
        }
        (true, Ok(answer)) => {
            let body: Readiness = answer.json().await.unwrap_or_default();
            for Warning { part, what, remedy } in body.warnings.unwrap_or_default() {
                report.warn(
                    CHECK,
                    Fault::ServerWarning,
                    format!("{part}: {what} ({remedy})"),
                );
            }
            if body.ready {
                report.fine(CHECK, format!("runs at {} and is well", config.listen));
                return;
            }
            let parts = body.parts.unwrap_or_default().into_iter();
            let troubled: Vec<String> = parts
                .filter(|part| !part.ready)
                .map(|part| {
                    let (what, remedy) = (part.what.unwrap_or_default(), part.remedy);
                    format!("{}: {what} ({})", part.part, remedy.unwrap_or_default())
                })
                .collect();
            let what = if troubled.is_empty() {
                "runs, but reports a problem; its log has the details".to_owned()
            } else {
                troubled.join("; ")
            };
            report.fail(CHECK, Fault::ServerTrouble, what);
        }
    }
}
