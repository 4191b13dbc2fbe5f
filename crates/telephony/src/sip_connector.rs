//! The SIP connector: watches the extensions of one telephone system (RFC 4235, RFC 6665).
//!
//! One task owns one socket or connection and one subscription per extension. Everything that
//! decides is pure and lives in `lines` (subscriptions, pace), `publications` (what is published there) and `probe` (is the system there);
//! `task` moves bytes and time. A telephone system that cannot be reached is no error: the task
//! keeps trying, and everything heals by itself.

mod gate;
mod lines;
mod link;
mod long_calls;
mod probe;
mod publications;
mod reconnect;
mod registrations;
mod scout;
mod stopping;
mod targets;
mod task;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use presence::LineState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::Password;
use crate::tls::Trust;
#[cfg(feature = "fuzzing")]
pub use lines::random_notifier::play as play_random_notifier;
pub use registrations::unregistered_extensions;
pub use sip::software::Software;
pub use targets::host_and_port;

/// How the telephone system is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One connection, opened by us.
    Tcp,
    /// The same, encrypted.
    Tls,
}

/// One telephone system and our account there.
#[derive(Clone, Debug)]
pub struct SipConnectorConfig {
    /// What people call it, for logs.
    pub name: String,
    /// Where it is, the preferred first: `host:port`, or a name alone, of which the DNS says the rest (RFC 3263). While one
    /// does not answer, the next is used.
    pub servers: Vec<String>,
    /// How it is reached; `None`: as the DNS says, else by datagrams.
    pub transport: Option<Transport>,
    /// Whose certificates are believed; `None`: those of this machine's authorities.
    pub trust: Option<Trust>,
    /// Who is asked about names without a port; `None`: this machine's own name servers.
    pub name_server: Option<SocketAddr>,
    /// The domain of its addresses: extension 1001 is `sip:1001@domain`.
    pub domain: String,
    /// The account that may watch extensions; also the user in From.
    pub username: String,
    /// Its password.
    pub password: Password,
    /// The addresses of lists (RFC 4662) on which all its extensions are, such as `sip:blf@pbx.example`: one subscription to
    /// each does for all. Empty: each extension is subscribed to.
    pub lists: Vec<String>,
    /// The local address, if the system's own choice does not do.
    pub bind: Option<SocketAddr>,
}

/// News about one extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineEvent {
    /// The line is in this state. Sent for every NOTIFY and every renewal, also without a change.
    State {
        /// Which line.
        extension: Arc<str>,
        /// What it is doing.
        state: LineState,
        /// The number or name of the other party, if the system tells it.
        party: Option<Arc<str>>,
        /// How long this is valid without renewal.
        lease: Duration,
        /// When it arrived.
        received: Instant,
    },
    /// What was said about the line can no longer be trusted.
    Stale {
        /// Which line.
        extension: Arc<str>,
    },
}

/// What the PBX shall send to the watchers of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// For BLF keys (RFC 4235).
    pub dialog: Arc<[u8]>,
    /// For displays (RFC 3863).
    pub presence: Arc<[u8]>,
}

impl Documents {
    fn of(&self, package: sip::agent::Package) -> Arc<[u8]> {
        match package {
            sip::agent::Package::Dialog => Arc::clone(&self.dialog),
            sip::agent::Package::Presence => Arc::clone(&self.presence),
        }
    }
}

/// A publication about an extension (RFC 3903).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publication {
    /// Replaces the documents before and is renewed until the next publication.
    Current {
        /// The documents in force from now on.
        documents: Documents,
        /// The documents that end the publication. The connector publishes them itself when it stops.
        closing: Documents,
    },
    /// Ends an earlier publication with these documents, which then expire. Without an earlier one nothing is sent.
    Closing(Documents),
}

/// How many lines are listed in [`Health::line_trouble`]: enough to see a pattern.
pub const LINE_TROUBLE_MAX: usize = 100;

/// How the connector is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The telephone system answers.
    pub reachable: bool,
    /// Extensions to be watched.
    pub lines: usize,
    /// Extensions whose state is known.
    pub active: usize,
    /// Extensions of which neither a state nor a trouble is known yet.
    pub pending: usize,
    /// The software that the system names in its answers.
    pub software: Software,
    /// Extensions that have been in a call for 4 hours without a change, the first [`LINE_TROUBLE_MAX`] of them.
    pub long_calls: Vec<Arc<str>>,
    /// What is wrong with the system as a whole.
    pub trouble: Option<Trouble>,
    /// Why the system refuses the account, if that is the trouble.
    pub login_fault: Option<LoginFault>,
    /// What is wrong with single extensions, the first [`LINE_TROUBLE_MAX`] of them.
    pub line_trouble: BTreeMap<Arc<str>, Trouble>,
    /// Those of [`Self::line_trouble`] whose state is known all the same: a part of a document was not understood.
    pub partly_understood: BTreeSet<Arc<str>>,
}

/// Why a phone system refuses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFault {
    /// It rejected the responses to its challenges: user name or password are wrong.
    WrongCredentials,
    /// Anything else: a challenge that cannot be answered, none at all, or 403 after a login.
    Other,
}

/// Something that does not work, in words for an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What happened, with the names of all involved.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// Why a connector was not started: only what no waiting can mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A server is neither `host:port` nor a name.
    #[error(
        "server {0:?} is neither host:port nor a name; write for example \"pbx.example.com:5060\""
    )]
    Server(String),
    /// There is none.
    #[error("no server is named; write for example \"pbx.example.com:5060\"")]
    NoServer,
    /// Nobody's certificate can be checked.
    #[error("TLS cannot be used: {0}")]
    Trust(String),
    /// A name cannot stand in a SIP address.
    #[error(
        "{field} {value:?} is empty or contains characters that a SIP address cannot have; use letters, digits, dots and hyphens"
    )]
    Name {
        /// Which setting.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// The local address cannot be used.
    #[error(
        "cannot listen on {address}: {source}; use an address of this machine and a free port, or none at all"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
}

/// How long [`SipConnector::refresh_all`] waits for the slowest line.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(2);

/// Orders that may wait for the task; each waits for room, none is lost.
const COMMANDS_MAX: usize = 16;

enum Command {
    Change {
        watch: Vec<Arc<str>>,
        unwatch: Vec<Arc<str>>,
    },
    Publish(Arc<str>, Publication),
    RefreshAll(oneshot::Sender<()>),
    Stop,
}

/// A running connector. Dropping it ends its task without unsubscribing.
#[derive(Debug)]
pub struct SipConnector {
    commands: mpsc::Sender<Command>,
    health: watch::Receiver<Health>,
    task: tokio::task::JoinHandle<()>,
}

impl SipConnector {
    /// Starts watching. An unreachable system is no error, see [`Self::health`].
    ///
    /// # Errors
    /// [`StartError`]: the configuration can never work on this machine.
    pub async fn start(
        mut config: SipConnectorConfig,
        extensions: Vec<Arc<str>>,
        events: mpsc::Sender<LineEvent>,
    ) -> Result<Self, StartError> {
        check(&config)?;
        if config.trust.is_none()
            && !matches!(config.transport, Some(Transport::Udp | Transport::Tcp))
        {
            match Trust::system() {
                Ok(trust) => config.trust = Some(trust),
                Err(why) if config.transport.is_some() => return Err(StartError::Trust(why)),
                // Needed only if the DNS says so.
                Err(_) => {}
            }
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| StartError::Random(e.to_string()))?;
        let udp = link::bind(&config)
            .map_err(|(address, source)| StartError::Bind { address, source })?;
        let (commands, orders) = mpsc::channel(COMMANDS_MAX);
        let (health_sender, health) = watch::channel(Health {
            lines: extensions.len(),
            pending: extensions.len(),
            ..Health::default()
        });
        let task = task::Task::new(config, seed, udp, events, health_sender);
        let task = tokio::spawn(task.run(extensions, orders));
        Ok(Self {
            commands,
            health,
            task,
        })
    }

    /// Watches some extensions from now on, and others no longer; those that are not named stay as they are. One that is
    /// watched already goes on being watched.
    pub async fn change_extensions(&self, watch: Vec<Arc<str>>, unwatch: Vec<Arc<str>>) {
        let change = Command::Change { watch, unwatch };
        // Sending fails only when the task has ended, and then there is nothing to watch with.
        let _ = self.commands.send(change).await;
    }

    /// Publishes this about an extension into the system's own presence server (RFC 3903), and keeps it there.
    pub async fn publish(&self, extension: Arc<str>, publication: Publication) {
        let publish = Command::Publish(extension, publication);
        // As above.
        let _ = self.commands.send(publish).await;
    }

    /// Renews every subscription now. Returns when each has had a NOTIFY after it, or after 2 s.
    pub async fn refresh_all(&self) {
        let (done, finished) = oneshot::channel();
        if self.commands.send(Command::RefreshAll(done)).await.is_ok() {
            let _ = tokio::time::timeout(REFRESH_TIMEOUT, finished).await;
        }
    }

    /// How the connector is, now and at every change.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Ends every publication with its last document, unsubscribes everything and ends. Waits for the answers: as long as
    /// one comes within a second, and 5 s at most.
    pub async fn stop(mut self) {
        let _ = self.commands.send(Command::Stop).await;
        // The task itself ends by then; the margin is for a busy machine.
        let patience = stopping::LONGEST + stopping::SILENCE;
        let _ = tokio::time::timeout(patience, &mut self.task).await;
    }
}

impl Drop for SipConnector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn check(config: &SipConnectorConfig) -> Result<(), StartError> {
    if config.servers.is_empty() {
        return Err(StartError::NoServer);
    }
    for server in &config.servers {
        let (host, port) = host_and_port(server);
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        if host.is_empty() || host.contains(char::is_whitespace) || !port.is_none_or(is_port) {
            return Err(StartError::Server(server.clone()));
        }
    }
    let is_domain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if config.domain.is_empty() || !config.domain.chars().all(is_domain) {
        return Err(StartError::Name {
            field: "domain",
            value: config.domain.clone(),
        });
    }
    for list in &config.lists {
        let is_address = sip::uri::user(list).is_some();
        if !is_address
            || list
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || c == '>')
        {
            return Err(StartError::Name {
                field: "list",
                value: list.clone(),
            });
        }
    }
    if config.username.is_empty()
        || config
            .username
            .chars()
            .any(|c| c.is_control() || c.is_whitespace())
    {
        return Err(StartError::Name {
            field: "username",
            value: config.username.clone(),
        });
    }
    Ok(())
}

/// The user part of a SIP address, with everything escaped that may not stand there (RFC 3261 §25.1).
fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
