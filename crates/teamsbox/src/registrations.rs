//! Application registrations: who may fetch tokens, with which secret and which roles.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use crate::config::App;
use crate::error::ControlError;
use crate::guid::Guid;

/// Registrations at most, those that registered themselves included.
const REGISTRATIONS_MAX: usize = 1_000;

/// A registered application.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    /// Client id in lower case.
    pub(crate) client_id: Arc<str>,
    /// Object id of its service principal.
    pub(crate) object_id: Box<str>,
    /// Application permissions.
    pub(crate) roles: Arc<[String]>,
    /// Hash of the secret: of equal length for all secrets, so that comparing tells nothing.
    secret: [u8; 32],
}

/// All applications of the tenant.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    apps: HashMap<Guid, Registration>,
    /// Whether strangers register themselves.
    open: bool,
}

/// Why an application gets no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not registered, and not about to be.
    UnknownApp,
    /// The secret is not the registered one.
    WrongSecret,
}

impl Registrations {
    /// Registers the configured applications.
    ///
    /// # Errors
    /// When a client id is no GUID, occurs twice, or has no secret.
    pub(crate) fn new(apps: &[App], open: bool) -> Result<Self, ControlError> {
        let mut registrations = Self {
            apps: HashMap::new(),
            open,
        };
        for app in apps {
            let Ok(guid) = app.client_id.parse() else {
                let remedy = "give a GUID such as 22553876-f5ab-4529-bffb-cfe50aa89f87";
                return Err(ControlError::invalid(
                    "client_id",
                    &app.client_id,
                    "is not a GUID",
                    remedy,
                ));
            };
            if app.client_secret.is_empty() {
                return Err(ControlError::invalid(
                    "client_secret",
                    "",
                    "is empty",
                    "give the application a secret",
                ));
            }
            let registration = Registration::new(guid, &app.client_secret, app.roles.clone());
            if registrations.apps.insert(guid, registration).is_some() {
                return Err(ControlError::invalid(
                    "client_id",
                    &app.client_id,
                    "is registered twice",
                    "remove one",
                ));
            }
        }
        Ok(registrations)
    }

    /// Checks an application's secret; registers an unknown application if the tenant is open to that.
    pub(crate) fn authenticate(
        &mut self,
        client_id: &str,
        secret: &str,
    ) -> Result<Registration, Refusal> {
        let guid: Guid = client_id.parse().map_err(|_| Refusal::UnknownApp)?;
        if let Some(app) = self.apps.get(&guid) {
            let matches = bool::from(app.secret.ct_eq(&hash(secret)));
            return if matches {
                Ok(app.clone())
            } else {
                Err(Refusal::WrongSecret)
            };
        }
        if !self.open || secret.is_empty() || self.apps.len() >= REGISTRATIONS_MAX {
            return Err(Refusal::UnknownApp);
        }
        let app = Registration::new(guid, secret, App::default_roles());
        tracing::info!(client_id = %guid, "an unknown application registered itself with the secret it came with");
        self.apps.insert(guid, app.clone());
        Ok(app)
    }
}

impl Registration {
    fn new(guid: Guid, secret: &str, roles: Vec<String>) -> Self {
        let client_id = guid.to_string();
        // The service principal's id follows from the client id, so that it stays the same over restarts.
        let mut object_id = String::with_capacity(36);
        for (position, byte) in hash(&client_id).iter().take(16).enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                object_id.push('-');
            }
            object_id.push_str(&format!("{byte:02x}"));
        }
        Self {
            object_id: object_id.into(),
            client_id: client_id.into(),
            roles: roles.into(),
            secret: hash(secret),
        }
    }
}

fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = "AAAAAAAA-0000-4000-8000-000000000001";

    #[test]
    fn the_first_secret_of_a_stranger_is_the_one_to_keep() {
        let mut open = Registrations::new(&[App::default()], true).unwrap();
        assert!(open.authenticate(OTHER, "one").is_ok());
        assert_eq!(
            open.authenticate(&OTHER.to_lowercase(), "two").unwrap_err(),
            Refusal::WrongSecret
        );
        assert!(open.authenticate(OTHER, "one").is_ok());
        assert_eq!(
            open.authenticate("not-a-guid", "one").unwrap_err(),
            Refusal::UnknownApp
        );
    }

    #[test]
    fn a_closed_tenant_knows_only_its_own() {
        let mut closed = Registrations::new(&[App::default()], false).unwrap();
        assert_eq!(
            closed.authenticate(OTHER, "one").unwrap_err(),
            Refusal::UnknownApp
        );
        let app = closed
            .authenticate(crate::DEFAULT_CLIENT_ID, crate::DEFAULT_CLIENT_SECRET)
            .unwrap();
        assert!(app.object_id.parse::<Guid>().is_ok());
    }
}
