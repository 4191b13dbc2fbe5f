//! PresenceServer phones: everybody's presence for telephones that watch it (busy lamps, PIDF), and where calls go, over SIP.
//!
//! A telephone, or the telephone system for it, subscribes to an extension here; what it is told has passed the same filter as
//! everything that leaves the server. A telephone system that asks with an INVITE before it lets a call ring is answered by
//! the profile in force.

mod documents;
mod lists;
mod presence_server;
mod publications;
mod publishing;
mod routing;
mod sender;
mod untrusted;
mod watcher_policy;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ipnet::IpNet;
use presence::{PersonId, Relationship};
use sip::digest::{Algorithm, Credentials};
use telephony::{
    sip_server::{Sockets, Wake, serve},
    tls::Identity,
};
use tokio::task::JoinSet;

use crate::{
    context::Context,
    events::{Change, Event, Reset},
};

pub(crate) use publishing::{Publishing, publish};
pub(crate) use routing::{forwarded_to, name_unusable_targets, origin, route};

/// How telephones are served.
#[derive(Clone, Debug)]
pub struct PhonesOptions {
    /// Where to listen, UDP and TCP.
    pub listen: SocketAddr,
    /// Where to listen for TLS too, and the certificate.
    pub tls: Option<(SocketAddr, Identity)>,
    /// Where to listen for browsers (RFC 7118) too, encrypted if there is a certificate.
    pub websocket: Option<(SocketAddr, Option<Identity>)>,
    /// Host and port by which telephones reach us; `None`: where we listen.
    pub address: Option<String>,
    /// The domain of the telephone system: extension 1001 is `sip:1001@domain`. Also the realm of passwords.
    pub domain: String,
    /// Whoever asks from there is believed about who it is, and needs no password: the telephone system.
    pub trusted: Vec<IpNet>,
    /// How much those may see who ask and are nobody's extension, such as a telephone in the lobby.
    pub others: Relationship,
    /// The algorithms that phones may sign in with, in the order in which they are offered. `None`: MD5, then SHA-256, and only
    /// MD5 to browsers. Clients that know one only take the first offer; SIP.js takes the last, and knows MD5.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Phones with a password of their own.
    pub accounts: Vec<PhoneAccount>,
}

/// The account of a phone.
#[derive(Clone, Debug)]
pub struct PhoneAccount {
    /// The authentication name, which only this account has, and the password.
    pub credentials: Credentials,
    /// The phone watches as this extension, and sees what its person may see.
    pub extension: String,
    /// Instead of [`PhonesOptions::algorithms`].
    pub algorithms: Option<Vec<Algorithm>>,
}

/// How telephones reach us, as they are told.
#[derive(Debug, PartialEq, Eq)]
struct ContactAddresses {
    plain: String,
    tls: Option<String>,
    websocket: Option<String>,
}

impl ContactAddresses {
    /// From where we listen: the host is always the one that is configured, the ports are those of the sockets.
    fn new(
        options: &PhonesOptions,
        plain: SocketAddr,
        tls: Option<SocketAddr>,
        websocket: Option<SocketAddr>,
    ) -> Self {
        let configured = options.address.as_deref();
        let host = configured.map(|address| match address.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => address,
        });
        let other = |listens: SocketAddr| match host {
            Some(host) => format!("{host}:{}", listens.port()),
            None => listens.to_string(),
        };
        Self {
            plain: configured.map_or_else(|| plain.to_string(), str::to_owned),
            tls: tls.map(other),
            websocket: websocket.map(other),
        }
    }
}

/// The changes that phones have not been sent yet.
#[derive(Debug, Default)]
struct Changes {
    people: Mutex<BTreeMap<PersonId, Concern>>,
    /// Names or lines changed, or a person was added or deleted: lists have other members.
    lists: AtomicBool,
    /// Many viewers may see more or less of many people than before.
    everybody: AtomicBool,
    wake: Wake,
}

/// What watchers of a person must be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Concern {
    /// Another document of the same class.
    Document,
    /// The document of another class: the watcher may see more or less than before.
    Class,
}

impl Changes {
    fn note(&self, event: &Event) {
        match &event.change {
            Change::Presence(change) => {
                if change.previous.is_none() {
                    self.lists.store(true, Ordering::Release);
                }
                self.note_person(change.person, Concern::Document);
            }
            Change::Person(person) | Change::Removed(person) => {
                self.lists.store(true, Ordering::Release);
                self.note_person(*person, Concern::Document);
            }
            Change::Visibility(owner, _) => self.note_person(*owner, Concern::Class),
            Change::Reset(Reset::Among(people)) => {
                self.lists.store(true, Ordering::Release);
                for person in &**people {
                    self.note_person(*person, Concern::Class);
                }
                self.wake.wake();
            }
            Change::Reset(Reset::Everyone) => {
                self.everybody.store(true, Ordering::Release);
                self.wake.wake();
            }
        }
    }

    fn note_person(&self, person: PersonId, concern: Concern) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        match people.get_mut(&person) {
            Some(noted) => *noted = concern.max(*noted),
            None => {
                people.insert(person, concern);
                self.wake.wake();
            }
        }
    }

    /// Some of the people who changed; they are taken off the list.
    fn take(&self, limit: usize) -> Vec<(PersonId, Concern)> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| people.pop_first())
            .take(limit)
            .collect()
    }
}

/// Called with a person who is watched, and the longest time until the watcher renews that.
pub(crate) type OnWatched = Arc<dyn Fn(PersonId, Duration) + Send + Sync>;

/// The address for phones cannot be listened on.
#[derive(Debug)]
pub(crate) struct ListenError {
    /// The address.
    pub(crate) address: SocketAddr,
    /// The reason.
    pub(crate) cause: std::io::Error,
}

/// Begins to serve telephones; where it listens.
pub(crate) async fn start(
    context: &Context,
    (options, watched): (PhonesOptions, OnWatched),
    connections_max: usize,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, ListenError> {
    let refused = |cause| ListenError {
        address: options.listen,
        cause,
    };
    let mut sockets = Sockets::bind(options.listen).await.map_err(refused)?;
    sockets.limit_connections(connections_max);
    let address = sockets.address().map_err(refused)?;
    let refused_at = |address| move |cause| ListenError { address, cause };
    let (mut tls, mut websocket) = (None, None);
    if let Some((listen, identity)) = &options.tls {
        let added = sockets.add_tls(*listen, identity.clone()).await;
        tls = Some(added.map_err(refused_at(*listen))?);
    }
    if let Some((listen, identity)) = &options.websocket {
        let added = sockets.add_websocket(*listen, identity.clone()).await;
        websocket = Some(added.map_err(refused_at(*listen))?);
    }
    for account in &options.accounts {
        if context.directory.by_extension(&account.extension).is_none() {
            let (username, extension) = (&account.credentials.username, &account.extension);
            tracing::warn!(%username, %extension, "the extension of a [[sip.account]] is nobody's: its phone sees what sip.others allows; give it to a person, or correct it");
        }
    }
    let addresses = ContactAddresses::new(&options, address, tls, websocket);
    let changes = Arc::new(Changes::default());
    let mut secrets = [[0; 32]; 2];
    for secret in &mut secrets {
        getrandom::fill(secret)
            .map_err(|error| refused(std::io::Error::other(error.to_string())))?;
    }
    let server = presence_server::PresenceServer::new(
        core.clone(),
        options,
        addresses,
        secrets,
        changes.clone(),
    );
    tasks.spawn(serve(server, sockets, changes.wake.clone()));
    core.events.observe(move |event| changes.note(event));
    Ok(address)
}
