//! How a Teamsbox is set up: address, clock, applications, users and knobs.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::error::ControlError;
use crate::value::{Device, IdleSpelling};

/// The tenant id used unless another is configured.
pub const DEFAULT_TENANT_ID: &str = "5f0c1a52-9d5b-4b0e-9a3e-7c1f20b6d001";
/// The client id of the application that is registered from the start.
pub const DEFAULT_CLIENT_ID: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
/// The secret of the application that is registered from the start. It protects nothing: the emulator holds no data.
pub const DEFAULT_CLIENT_SECRET: &str = "teamsbox-secret";

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
    /// The client secret.
    pub client_secret: String,
    /// Application permissions, such as `Presence.ReadWrite.All`.
    pub roles: Vec<String>,
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

impl Default for App {
    fn default() -> Self {
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
            roles: Self::default_roles(),
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

/// Behaviour that Microsoft does not document, with the defaults that fit what the field reports.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// How the first stage of the fade is spelled.
    pub idle_spelling: IdleSpelling,
    /// How long a client's session outlives its sign-out.
    pub sign_out_grace: Duration,
    /// Whether bulk reads carry `sequenceNumber`, which the documented sample leaves out.
    pub bulk_sequence_number: bool,
    /// How long access tokens live.
    pub token_lifetime: Duration,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            idle_spelling: IdleSpelling::default(),
            sign_out_grace: Duration::from_secs(180),
            bulk_sequence_number: false,
            token_lifetime: Duration::from_secs(3_599),
        }
    }
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
