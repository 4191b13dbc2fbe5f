//! Configuration of a Teamsbox: address, clock, applications, people and knobs.

use std::net::{Ipv4Addr, SocketAddr};

use crate::{error::ControlError, knobs::Knobs, permissions::Permission, value::Device};

/// Default tenant id.
pub const DEFAULT_TENANT_ID: &str = "5f0c1a52-9d5b-4b0e-9a3e-7c1f20b6d001";
/// Client id of the default application.
pub const DEFAULT_CLIENT_ID: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
/// Client secret of the default application. It protects nothing: the emulator holds no real data.
pub const DEFAULT_CLIENT_SECRET: &str = "teamsbox-secret";

/// Default password of all people. It protects nothing either.
pub const DEFAULT_PASSWORD: &str = "teamsbox-password";
/// Verified domain of the first tenant.
pub const DEFAULT_DOMAIN: &str = "contoso.example";

/// Configuration of an emulator.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the listener; port 0 uses a free port.
    pub listen: SocketAddr,
    /// Real or manual time.
    pub clock: ClockMode,
    /// The tenant's GUID. Every tenant segment in a URL means this tenant.
    pub tenant_id: String,
    /// Registered applications.
    pub apps: Vec<App>,
    /// True if an application with an unknown client id registers itself with the secret of its first request.
    pub register_unknown_apps: bool,
    /// The people.
    pub users: Vec<NewUser>,
    /// Further host names for control plane and page, in addition to loopback and the bound address.
    pub allowed_hosts: Vec<String>,
    /// Choices of behaviour that Microsoft does not document.
    pub knobs: Knobs,
    /// Further tenants beside the first.
    pub further_tenants: Vec<NewTenant>,
    /// Start of a manual clock, in UTC milliseconds since 1970; `None` starts at the present.
    pub clock_start: Option<i64>,
    /// Serve TLS, with a certificate of an authority that is made for the run.
    pub tls: bool,
}

/// A tenant beside the first: people, applications and limits of its own.
#[derive(Debug, Clone, Default)]
pub struct NewTenant {
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Its verified domain, such as `fabrikam.example`.
    pub domain: String,
    /// Registered applications.
    pub apps: Vec<App>,
    /// The people.
    pub users: Vec<NewUser>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: ClockMode::Real,
            tenant_id: DEFAULT_TENANT_ID.to_owned(),
            apps: vec![App::default()],
            register_unknown_apps: true,
            users: Vec::new(),
            allowed_hosts: Vec::new(),
            knobs: Knobs::default(),
            further_tenants: Vec::new(),
            clock_start: None,
            tls: false,
        }
    }
}

/// The source of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockMode {
    /// The operating system's clock.
    Real,
    /// Calls of [`crate::Clock::advance`] or the control plane.
    Manual,
}

/// An application registration with admin consent for its roles.
#[derive(Clone)]
pub struct App {
    /// The client id, a GUID.
    pub client_id: String,
    /// The client secret; empty if there is none.
    pub client_secret: String,
    /// Application permissions, such as `Presence.ReadWrite.All`.
    pub roles: Vec<String>,
    /// Delegated permissions with consent, such as `Presence.Read`.
    pub scopes: Vec<String>,
    /// Certificates for client assertions: base64 of X.509, with or without PEM's markers.
    pub certificates: Vec<String>,
    /// Redirect URIs for authorization codes; any address is accepted if the list is empty.
    pub redirect_uris: Vec<String>,
}

impl App {
    /// The roles of the default registration and of applications that register themselves.
    #[must_use]
    pub fn default_roles() -> Vec<String> {
        vec![
            "Presence.ReadWrite.All".to_owned(),
            "User.Read.All".to_owned(),
        ]
    }
}

impl App {
    /// The delegated permissions of the default registration and of applications that register themselves: all emulated
    /// ones.
    #[must_use]
    pub fn default_scopes() -> Vec<String> {
        let delegated = Permission::ALL
            .iter()
            .filter(|permission| **permission != Permission::PresenceReadWriteAll);
        delegated
            .map(|permission| permission.name().to_owned())
            .collect()
    }
}

impl Default for App {
    fn default() -> Self {
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
            roles: Self::default_roles(),
            scopes: Self::default_scopes(),
            certificates: Vec::new(),
            redirect_uris: Vec::new(),
        }
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret stays out of logs.
        let mut debug = formatter.debug_struct("App");
        debug
            .field("client_id", &self.client_id)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// A person to create.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Object id; `None` for a random one.
    pub id: Option<String>,
    /// Display name.
    pub display_name: String,
    /// Sign-in name (UPN).
    pub user_principal_name: String,
    /// Clients that are signed in at once.
    pub clients: Vec<Device>,
}

/// The reason why a Teamsbox could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The listener could not be opened.
    #[error(
        "cannot listen on {address} ({source}): stop the program that uses it, or choose another port with --listen (port 0 takes a free one)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A setting is invalid.
    #[error("configuration: {0}")]
    Config(#[from] ControlError),
    /// The operating system returned no random numbers for keys and ids.
    #[error(
        "no signing key could be made ({0}): check that the operating system provides random bytes"
    )]
    Key(String),
    /// The TLS certificate could not be created.
    #[error("no certificate for TLS could be made ({0}): start without --tls")]
    Tls(String),
}

/// Sample people at contoso.example, each with a signed-in desktop client.
#[must_use]
pub fn sample_users() -> Vec<NewUser> {
    let people = [
        (
            "Anna Bauer",
            "anna.bauer",
            "a11ce000-0000-4000-8000-000000000001",
        ),
        (
            "Ben Okafor",
            "ben.okafor",
            "a11ce000-0000-4000-8000-000000000002",
        ),
        (
            "Chiara Rossi",
            "chiara.rossi",
            "a11ce000-0000-4000-8000-000000000003",
        ),
        (
            "David Nowak",
            "david.nowak",
            "a11ce000-0000-4000-8000-000000000004",
        ),
        (
            "Elif Yılmaz",
            "elif.yilmaz",
            "a11ce000-0000-4000-8000-000000000005",
        ),
        (
            "Farid Haddad",
            "farid.haddad",
            "a11ce000-0000-4000-8000-000000000006",
        ),
    ];
    let people = people.into_iter().map(|(display_name, name, id)| NewUser {
        id: Some(id.to_owned()),
        display_name: display_name.to_owned(),
        user_principal_name: format!("{name}@contoso.example"),
        clients: vec![Device::Desktop],
    });
    people.collect()
}
