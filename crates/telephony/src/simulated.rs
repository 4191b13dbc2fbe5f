//! A simulated PBX: real SIP on loopback, calls by method.
//!
//! It answers SUBSCRIBE for the dialog event with digest authentication, over UDP, TCP and TLS, and sends NOTIFYs with
//! dialog-info documents as its calls change. Used by the demo, benchmarks and tests; it carries no media and makes no calls
//! of its own.

mod calls;
mod server;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use calls::Calls;
pub use calls::{CallId, PhoneCall};
use secrecy::SecretString;
use sip::{
    agent::{Agent, Package, Settings},
    digest::{Algorithm, Credentials, Verifier},
    ids::Ids,
};

use crate::{
    sip_server::{self, Sockets, Wake},
    tls::Identity,
};

/// Most subscriptions; beyond that the PBX answers 503.
const SUBSCRIPTIONS_MAX: usize = 1_000_000;

/// Configuration of a simulated PBX.
#[derive(Clone, Debug)]
pub struct SimulatedPbxConfig {
    /// Local address for UDP and TCP; port 0 picks a free port.
    pub listen: SocketAddr,
    /// Domain and digest realm of the PBX.
    pub domain: String,
    /// User name of the account that may watch.
    pub username: String,
    /// Password of that account.
    pub password: SecretString,
    /// Extensions of the PBX.
    pub extensions: Vec<Arc<str>>,
    /// Certificate for TLS, at a port that the PBX picks; `None`: no TLS.
    pub identity: Option<Identity>,
}

/// An error that keeps the simulated PBX from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The local address cannot be used.
    #[error("the simulated phone system cannot listen on {address}: {source}; choose another port")]
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

/// An error that prevents a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Neither party is an extension of this system.
    #[error("neither {from} nor {to} is an extension of the simulated phone system")]
    UnknownExtension {
        /// The caller.
        from: String,
        /// The callee.
        to: String,
    },
}

/// State shared by [`SimulatedPbx`] and its task.
struct Shared {
    calls: Mutex<Calls>,
    changed: Wake,
    silent: AtomicBool,
    forget: AtomicBool,
    failed_logins: AtomicU32,
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        // No code panics while it holds the lock, and the calls would still be usable.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulated PBX. Dropping it ends it at once.
pub struct SimulatedPbx {
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl std::fmt::Debug for SimulatedPbx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedPbx")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl SimulatedPbx {
    /// Starts listening.
    ///
    /// # Errors
    /// The address is in use or does not belong to this machine.
    pub async fn start(config: SimulatedPbxConfig) -> Result<Self, StartError> {
        let random = |e: getrandom::Error| StartError::Random(e.to_string());
        let (mut seed, mut key) = ([0; 32], [0; 32]);
        getrandom::fill(&mut seed).map_err(random)?;
        getrandom::fill(&mut key).map_err(random)?;
        let bound = |source| StartError::Bind {
            address: config.listen,
            source,
        };
        let mut sockets = Sockets::bind(config.listen).await.map_err(bound)?;
        let address = sockets.address().map_err(bound)?;
        let mut tls_address = None;
        if let Some(identity) = config.identity {
            let any = SocketAddr::new(address.ip(), 0);
            tls_address = Some(sockets.add_tls(any, identity).await.map_err(bound)?);
        }
        let account = Credentials {
            username: config.username,
            password: config.password.clone(),
        };
        let settings = Settings {
            packages: vec![Package::Dialog],
            address: address.to_string(),
            tls_address: tls_address.map(|address| address.to_string()),
            websocket_address: None,
            min_expires: 60,
            max_expires: 3600,
            max_publication: 3600,
            subscriptions_max: SUBSCRIPTIONS_MAX,
            subscriptions_per_source_max: SUBSCRIPTIONS_MAX,
            publications_max: 0,
        };
        let verifier = Verifier::new(config.domain.clone(), vec![Algorithm::Md5], key);
        let shared = Arc::new(Shared {
            calls: Mutex::new(Calls::new(config.domain, config.extensions)),
            changed: Wake::default(),
            silent: AtomicBool::new(false),
            forget: AtomicBool::new(false),
            failed_logins: AtomicU32::new(0),
        });
        let agent = Agent::new(settings, Ids::new(seed));
        let server = server::PbxServer::new(agent, verifier, account, Arc::clone(&shared));
        let wake = shared.changed.clone();
        let task = tokio::spawn(sip_server::serve(server, sockets, wake));
        Ok(Self {
            address,
            tls_address,
            shared,
            task,
        })
    }

    /// Local address of UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Local address of TLS; `None` without TLS.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// Starts a call from `from` to `to`, which rings; one of the two may be an outside number.
    ///
    /// # Errors
    /// Neither of the two is an extension of the PBX.
    pub fn ring(&self, from: &str, to: &str) -> Result<CallId, CallError> {
        let call = self.shared.calls().ring(from, to);
        self.shared.changed.wake();
        call.ok_or_else(|| CallError::UnknownExtension {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }

    /// The present calls of an extension, the oldest first.
    pub fn calls_of(&self, extension: &str) -> Vec<PhoneCall> {
        self.shared.calls().of(extension)
    }

    /// Answers the call for the callee. Returns false if the call does not exist.
    pub fn answer(&self, call: CallId) -> bool {
        self.change(|calls| calls.answer(call))
    }

    /// Puts the call on hold for the party `by`. Returns false if the call or the party does not exist.
    pub fn hold(&self, call: CallId, by: &str) -> bool {
        self.change(|calls| calls.set_held(call, by, true))
    }

    /// Resumes the call that the party `by` held. Returns false if the call or the party does not exist.
    pub fn resume(&self, call: CallId, by: &str) -> bool {
        self.change(|calls| calls.set_held(call, by, false))
    }

    /// Ends the call, answered or not. Returns false if the call does not exist.
    pub fn hang_up(&self, call: CallId) -> bool {
        self.change(|calls| calls.hang_up(call))
    }

    /// For tests: forgets all subscriptions without a message, as a restart does.
    pub fn drop_all_subscriptions(&self) {
        self.shared.forget.store(true, Ordering::Release);
        self.shared.changed.wake();
    }

    /// For tests: drops all incoming and outgoing messages while `silent`.
    pub fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Release);
    }

    /// For tests: number of requests with a wrong user name or password.
    pub fn failed_logins(&self) -> u32 {
        self.shared.failed_logins.load(Ordering::Acquire)
    }

    /// For tests: sends this document instead of the extension's own, until `None`.
    pub fn replace_document(&self, extension: &str, document: Option<Vec<u8>>) {
        self.change(|calls| calls.replace_document(extension, document));
    }

    /// Ends at once, without a message to the subscribers; the port is free afterwards.
    pub async fn stop(mut self) {
        self.task.abort();
        // The end of the task frees the sockets.
        let _ = (&mut self.task).await;
    }

    fn change(&self, change: impl FnOnce(&mut Calls) -> bool) -> bool {
        let done = change(&mut self.shared.calls());
        self.shared.changed.wake();
        done
    }
}

impl Drop for SimulatedPbx {
    fn drop(&mut self) {
        self.task.abort();
    }
}
