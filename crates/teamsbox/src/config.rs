//! How a Teamsbox is set up: address, clock, applications, users and knobs.

use std::net::{Ipv4Addr, SocketAddr};

use crate::error::ControlError;
use crate::knobs::Knobs;
use crate::permissions::Permission;
use crate::value::Device;

/// The tenant id used unless another is configured.
pub const DEFAULT_TENANT_ID: &str = "5f0c1a52-9d5b-4b0e-9a3e-7c1f20b6d001";
/// The client id of the application that is registered from the start.
pub const DEFAULT_CLIENT_ID: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
/// The secret of the application that is registered from the start. It protects nothing: the emulator holds no data.
pub const DEFAULT_CLIENT_SECRET: &str = "teamsbox-secret";

/// The password of everybody until another is set. It protects nothing either.
pub const DEFAULT_PASSWORD: &str = "teamsbox-password";
/// The verified domain of the first tenant.
pub const DEFAULT_DOMAIN: &str = "contoso.example";

/// Everything there is to choose before the start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Real or manual time.
    pub clock: ClockMode,
    /// The tenant's GUID. Every tenant segment in a URL means this tenant.
    pub tenant_id: String,
    /// Registered applications.
    pub apps: Vec<App>,
    /// Whether an unknown client id with a secret registers itself on first use.
    pub register_unknown_apps: bool,
    /// The people.
    pub users: Vec<NewUser>,
    /// Host names, besides loopback and the bound address, under which control plane and page may be reached.
    pub allowed_hosts: Vec<String>,
    /// Behaviour that Microsoft does not document.
    pub knobs: Knobs,
    /// Further tenants beside the first.
    pub further_tenants: Vec<NewTenant>,
    /// Where a manual clock starts, in UTC milliseconds since 1970; the present if left out.
    pub clock_start: Option<i64>,
    /// Serve TLS with a certificate of an own authority.
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

/// Where time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockMode {
    /// The operating system.
    Real,
    /// Whoever calls [`crate::Clock::advance`] or the control plane.
    Manual,
}

/// An application registration with admin consent for its roles.
#[derive(Clone)]
pub struct App {
    /// The client id, a GUID.
    pub client_id: String,
    /// The client secret; empty for none.
    pub client_secret: String,
    /// Application permissions, such as `Presence.ReadWrite.All`.
    pub roles: Vec<String>,
    /// Delegated permissions that were consented to, such as `Presence.Read`.
    pub scopes: Vec<String>,
    /// Certificates for client assertions: base64 of X.509, with or without PEM's markers.
    pub certificates: Vec<String>,
    /// Addresses to which codes may be sent; any if none are listed.
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
    /// The delegated permissions of the default registration and of applications that register themselves: all that
    /// are emulated.
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
    /// Object id; a random one if left out.
    pub id: Option<String>,
    /// Name for people.
    pub display_name: String,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Clients that are signed in from the start.
    pub clients: Vec<Device>,
}

/// Why a Teamsbox could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} ({source}): stop the program that uses it, or choose another port with --listen (port 0 takes a free one)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A setting makes no sense.
    #[error("configuration: {0}")]
    Config(#[from] ControlError),
    /// The operating system gave no randomness for keys and ids.
    #[error(
        "no signing key could be made ({0}): check that the operating system provides random bytes"
    )]
    Key(String),
    /// The certificate for TLS could not be made.
    #[error("no certificate for TLS could be made ({0}): start without --tls")]
    Tls(String),
}

/// A few people at contoso.example with a desktop client signed in, for trying things out.
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
