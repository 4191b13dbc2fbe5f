//! The boundary of a phone system: every protocol implements [`PhoneSystem`] and reports in the types of this module.
//!
//! A phone system runs as one task with three channels: commands from the owner, line events to the owner, and the latest
//! [`Health`]. [`ConnectorHandle`] is the owner's end of them, the same for every protocol.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use presence::LineChange;
pub use sip::software::Software;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

/// A phone system to be watched: its configuration, and how its task is started.
pub trait PhoneSystem {
    /// The administrator's name for the phone system, unique in the configuration; for logs and health.
    fn name(&self) -> &str;

    /// The domain of the phone system's addresses: extension 1001 is `sip:1001@domain`.
    fn domain(&self) -> &str;

    /// Hosts, with or without a port, in the order of preference.
    fn servers(&self) -> &[String];

    /// Starts the task that watches the extensions. A phone system that cannot be reached is no error but trouble in
    /// [`Health`]; the task tries again for as long as it runs.
    ///
    /// # Errors
    /// [`StartError`]: the configuration can never work on this machine.
    fn spawn(
        &self,
        extensions: Vec<Arc<str>>,
        channels: TaskChannels,
    ) -> Result<JoinHandle<()>, StartError>;

    /// The extensions without a registered phone. A protocol without this information returns none.
    ///
    /// # Errors
    /// In words: the phone system cannot be reached.
    fn unregistered_extensions<'a>(
        &'a self,
        _extensions: &'a [Arc<str>],
    ) -> UnregisteredExtensions<'a> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The future of [`PhoneSystem::unregistered_extensions`].
pub type UnregisteredExtensions<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Arc<str>>, String>> + Send + 'a>>;

/// Splits a configured server into host, and port if it has one. An IPv6 address stands in brackets.
pub fn host_and_port(server: &str) -> (&str, Option<&str>) {
    match server.rsplit_once(':') {
        Some((host, port)) if !server.ends_with(']') => (host, Some(port)),
        _ => (server, None),
    }
}

/// A change or confirmation of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineEvent {
    /// The extension of the line.
    pub extension: Arc<str>,
    /// The state of the line from now on. Sent for every NOTIFY and every renewal, also without a change.
    pub change: LineChange,
    /// When the phone system's message arrived, or when the connector lost the state.
    pub received: Instant,
}

/// Documents that the phone system shall send to the watchers of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// For BLF keys: dialog-info (RFC 4235).
    pub dialog: Arc<[u8]>,
    /// For displays: PIDF (RFC 3863).
    pub presence: Arc<[u8]>,
}

/// A publication about an extension into the phone system's own presence server.
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

/// Most extensions listed in [`Health::line_trouble`] and [`Health::long_calls`]: enough to see a pattern.
pub const LINE_TROUBLE_MAX: usize = 100;

/// The state of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether the phone system answers.
    pub reachable: bool,
    /// Number of watched extensions.
    pub lines: usize,
    /// Number of extensions with a known state.
    pub active: usize,
    /// Number of extensions with neither a state nor trouble yet.
    pub pending: usize,
    /// The software that the phone system names in its answers.
    pub software: Software,
    /// Extensions in a call for 4 hours without a change, the longest call first, at most [`LINE_TROUBLE_MAX`].
    pub long_calls: Vec<Arc<str>>,
    /// Trouble of the phone system as a whole.
    pub trouble: Option<Trouble>,
    /// The reason for which the phone system refuses the account; `None` if the trouble is another.
    pub login_fault: Option<LoginFault>,
    /// Trouble of single extensions, at most [`LINE_TROUBLE_MAX`].
    pub line_trouble: BTreeMap<Arc<str>, Trouble>,
    /// The extensions of [`Self::line_trouble`] with a known state, although a part of their document was not understood.
    pub partly_understood: BTreeSet<Arc<str>>,
}

/// The reason for which a phone system refuses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFault {
    /// The phone system rejected the responses to its challenges: user name or password are wrong.
    WrongCredentials,
    /// A challenge that cannot be answered, no challenge at all, or 403 after a login.
    Other,
}

/// A fault and its remedy, in words for an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The fault, with the names of the extension, account and phone system.
    pub what: String,
    /// The remedy.
    pub remedy: String,
}

/// A configuration that can never work, so that no task was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A server is neither `host:port` nor a host name.
    #[error(
        "server {0:?} is neither host:port nor a name; write for example \"pbx.example.com:5060\""
    )]
    Server(String),
    /// The list of servers is empty.
    #[error("no server is named; write for example \"pbx.example.com:5060\"")]
    NoServer,
    /// Certificates cannot be checked: the machine's certificate authorities cannot be read.
    #[error("TLS cannot be used: {0}")]
    Trust(String),
    /// A value cannot stand in a SIP address.
    #[error(
        "{field} {value:?} is empty or contains characters that a SIP address cannot have; use letters, digits, dots and hyphens"
    )]
    Name {
        /// The setting.
        field: &'static str,
        /// The setting's value.
        value: String,
    },
    /// The local address cannot be used.
    #[error(
        "cannot listen on {address}: {source}; use an address of this machine and a free port, or none at all"
    )]
    Bind {
        /// The local address.
        address: SocketAddr,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
}

/// How long [`ConnectorHandle::refresh_all`] waits for the slowest line.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest wait for the end of a task, which takes 5 s at most; the margin is for a busy machine.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);

/// Commands that may wait for the task. Senders wait for room; no command is lost.
const COMMANDS_MAX: usize = 16;

/// A command to the task of a phone system.
#[derive(Debug)]
pub enum Command {
    /// Watches and unwatches extensions; the others stay as they are.
    Change {
        /// Extensions to watch from now on.
        watch: Vec<Arc<str>>,
        /// Extensions to watch no longer.
        unwatch: Vec<Arc<str>>,
    },
    /// Publishes about an extension. A protocol without publications ignores the command.
    Publish(Arc<str>, Publication),
    /// Reads the state of every line again, then answers.
    RefreshAll(oneshot::Sender<()>),
    /// Ends publications and subscriptions, then the task: within 5 s.
    Stop,
}

/// The task's ends of the channels between a phone system and its owner.
#[derive(Debug)]
pub struct TaskChannels {
    /// Commands of the owner. A closed channel ends the task.
    pub commands: mpsc::Receiver<Command>,
    /// Line events for the owner. The task keeps the latest event of each line while the channel is full.
    pub events: mpsc::Sender<LineEvent>,
    /// The latest health, sent at every change.
    pub health: watch::Sender<Health>,
}

/// A running connector. Dropping it ends its task without unsubscribing.
#[derive(Debug)]
pub struct ConnectorHandle {
    commands: mpsc::Sender<Command>,
    health: watch::Receiver<Health>,
    task: JoinHandle<()>,
}

impl ConnectorHandle {
    /// Starts the task of a phone system, which sends the events of its lines to `events`. Must be called in a Tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]: the configuration can never work on this machine.
    pub fn start(
        system: &dyn PhoneSystem,
        extensions: Vec<Arc<str>>,
        events: mpsc::Sender<LineEvent>,
    ) -> Result<Self, StartError> {
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let (health_sender, health) = watch::channel(Health {
            lines: extensions.len(),
            pending: extensions.len(),
            ..Health::default()
        });
        let channels = TaskChannels {
            commands: received,
            events,
            health: health_sender,
        };
        let task = system.spawn(extensions, channels)?;
        Ok(Self {
            commands,
            health,
            task,
        })
    }

    /// Watches and unwatches extensions; the others stay as they are. A watched extension goes on being watched.
    pub async fn change_extensions(&self, watch: Vec<Arc<str>>, unwatch: Vec<Arc<str>>) {
        let change = Command::Change { watch, unwatch };
        // Sending fails only when the task has ended, and then there is nothing to watch with.
        let _ = self.commands.send(change).await;
    }

    /// Publishes about an extension into the phone system's own presence server (RFC 3903), and renews the publication.
    pub async fn publish(&self, extension: Arc<str>, publication: Publication) {
        let publish = Command::Publish(extension, publication);
        // Sending fails only when the task has ended.
        let _ = self.commands.send(publish).await;
    }

    /// Reads the state of every line again. Returns when each line has had a fresh state, or after 2 s.
    pub async fn refresh_all(&self) {
        let (done, finished) = oneshot::channel();
        if self.commands.send(Command::RefreshAll(done)).await.is_ok() {
            let _ = tokio::time::timeout(REFRESH_TIMEOUT, finished).await;
        }
    }

    /// The connector's health, now and at every change.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Ends every publication with its closing documents, unsubscribes from all extensions and ends the task. Waits for the
    /// answers: as long as one comes within a second, and 5 s at most.
    pub async fn stop(mut self) {
        let _ = self.commands.send(Command::Stop).await;
        let _ = tokio::time::timeout(STOP_TIMEOUT, &mut self.task).await;
    }
}

impl Drop for ConnectorHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}
