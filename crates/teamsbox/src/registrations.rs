//! Registrations of applications: client id, secret, certificates, permissions and redirect URIs.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use crate::{certificate::Certificate, config::App, error::ControlError, guid::Guid};

/// The most registrations, including applications that registered themselves.
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
    /// Delegated permissions with consent.
    pub(crate) scopes: Arc<[String]>,
    /// Redirect URIs for authorization codes; any address is accepted if the list is empty.
    pub(crate) redirect_uris: Arc<[String]>,
    /// Certificates for client assertions.
    pub(crate) certificates: Arc<[Certificate]>,
    /// Hash of the secret. All hashes have the same length, so that the comparison takes constant time. Public clients have
    /// none.
    secret: Option<[u8; 32]>,
}

/// All applications of the tenant.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    apps: HashMap<Guid, Registration>,
    /// True if unknown applications register themselves.
    open: bool,
}

/// The reason why an application gets no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The application is not registered and cannot register itself.
    UnknownApp,
    /// The secret is not the registered one.
    WrongSecret,
}

impl Registrations {
    /// Registers the configured applications.
    ///
    /// # Errors
    /// A client id is not a GUID or occurs twice, or a certificate cannot be read.
    pub(crate) fn new(apps: &[App], open: bool) -> Result<Self, ControlError> {
        let mut registrations = Self {
            apps: HashMap::new(),
            open,
        };
        for app in apps {
            if registrations.put(app)? {
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

    /// Registers an application or replaces its registration; returns true if there was one.
    ///
    /// # Errors
    /// The client id is not a GUID, a certificate cannot be read, or there are too many applications.
    pub(crate) fn put(&mut self, app: &App) -> Result<bool, ControlError> {
        let Ok(guid) = app.client_id.parse::<Guid>() else {
            let remedy = "give a GUID such as 22553876-f5ab-4529-bffb-cfe50aa89f87";
            return Err(ControlError::invalid(
                "client_id",
                &app.client_id,
                "is not a GUID",
                remedy,
            ));
        };
        let certificates = app.certificates.iter().map(|text| {
            Certificate::parse(text).map_err(|unusable| {
                let remedy = "give the base64 of an X.509 certificate with an RSA key";
                ControlError::invalid("certificates", text, &unusable.to_string(), remedy)
            })
        });
        let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
        if self.apps.len() >= REGISTRATIONS_MAX && !self.apps.contains_key(&guid) {
            let remedy = "remove some, or start another tenant";
            return Err(ControlError::invalid(
                "client_id",
                &app.client_id,
                "exceeds the limit",
                remedy,
            ));
        }
        let registration = Registration {
            certificates: certificates.into(),
            scopes: app.scopes.clone().into(),
            redirect_uris: app.redirect_uris.clone().into(),
            ..Registration::new(guid, &app.client_secret, app.roles.clone())
        };
        Ok(self.apps.insert(guid, registration).is_some())
    }

    /// Finds an application that needs no secret; registers an unknown one if the tenant allows it.
    pub(crate) fn find(&mut self, client_id: &str) -> Result<Registration, Refusal> {
        let guid: Guid = client_id.parse().map_err(|_| Refusal::UnknownApp)?;
        match self.apps.get(&guid) {
            Some(app) => Ok(app.clone()),
            None => self.admit(guid, ""),
        }
    }

    /// Checks an application's secret; registers an unknown application if the tenant allows it.
    pub(crate) fn authenticate(
        &mut self,
        client_id: &str,
        secret: &str,
    ) -> Result<Registration, Refusal> {
        let guid: Guid = client_id.parse().map_err(|_| Refusal::UnknownApp)?;
        let Some(app) = self.apps.get_mut(&guid) else {
            if secret.is_empty() {
                return Err(Refusal::UnknownApp);
            }
            return self.admit(guid, secret);
        };
        // An application without a secret gets the first secret that it sends.
        if app.secret.is_none() && app.certificates.is_empty() && self.open && !secret.is_empty() {
            app.secret = Some(hash(secret));
        }
        let matches = app
            .secret
            .is_some_and(|own| bool::from(own.ct_eq(&hash(secret))));
        if matches {
            Ok(app.clone())
        } else {
            Err(Refusal::WrongSecret)
        }
    }

    fn admit(&mut self, guid: Guid, secret: &str) -> Result<Registration, Refusal> {
        if !self.open || self.apps.len() >= REGISTRATIONS_MAX {
            return Err(Refusal::UnknownApp);
        }
        let app = Registration::new(guid, secret, App::default_roles());
        tracing::info!(client_id = %guid, "an unknown application registered itself with the secret it came with");
        self.apps.insert(guid, app.clone());
        Ok(app)
    }

    /// All client ids with their roles and scopes.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Registration> {
        self.apps.values()
    }
}

impl Registration {
    /// Returns true if the application has to authenticate when it redeems codes and refresh tokens.
    pub(crate) fn is_confidential(&self) -> bool {
        self.secret.is_some() || !self.certificates.is_empty()
    }

    fn new(guid: Guid, secret: &str, roles: Vec<String>) -> Self {
        let client_id = guid.to_string();
        // The service principal's id is derived from the client id, so that it is the same after a restart.
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
            scopes: App::default_scopes().into(),
            redirect_uris: Arc::default(),
            certificates: Arc::default(),
            secret: (!secret.is_empty()).then(|| hash(secret)),
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
