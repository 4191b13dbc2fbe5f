//! A simulated telephone system: real SIP on loopback, calls by method.
//!
//! It answers SUBSCRIBE for the dialog event with digest, over UDP and TCP, and sends NOTIFYs with
//! dialog-info documents as its calls change. Used by the demo, by benchmarks and by tests; it
//! carries no media and makes no calls of its own.

mod calls;
mod desk;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sip::agent::{Agent, Package, Settings};
use sip::digest::{Algorithm, Credentials, Verifier};
use sip::ids::Ids;

use crate::Password;
use crate::sip_server::{self, Sockets, Wake};
use crate::tls::Identity;
pub use calls::CallId;
use calls::Calls;

/// Most subscriptions that are kept.
const SUBSCRIPTIONS_MAX: usize = 1_000_000;

/// A telephone system to be simulated.
#[derive(Clone, Debug)]
pub struct SimulatedPbxConfig {
    /// Where to listen, UDP and TCP; port 0 picks one.
    pub listen: SocketAddr,
    /// Its domain and digest realm.
    pub domain: String,
    /// The account that may watch.
    pub username: String,
    /// Its password.
    pub password: Password,
    /// Its extensions.
    pub extensions: Vec<Arc<str>>,
    /// It listens for TLS too, at a port that it picks, and shows this.
    pub identity: Option<Identity>,
}

/// Why the simulated system did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be used.
    #[error(
        "the simulated telephone system cannot listen on {address}: {source}; choose another port"
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

/// Why a call was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Neither party is an extension of this system.
    #[error("neither {from} nor {to} is an extension of the simulated telephone system")]
    UnknownExtension {
        /// The caller.
        from: String,
        /// The callee.
        to: String,
    },
}

/// What the owner's methods and the task share.
struct Shared {
    calls: Mutex<Calls>,
    changed: Wake,
    silent: AtomicBool,
    forget: AtomicBool,
    failed_logins: AtomicU32,
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        // Nothing panics while holding it; and if it did, the calls would still be usable.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulated telephone system. Dropping it ends it at once.
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
    /// The address is in use or not ours.
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
            password: config.password.reveal().to_owned(),
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
        let desk = desk::Desk::new(agent, verifier, account, Arc::clone(&shared));
        let wake = shared.changed.clone();
        let task = tokio::spawn(sip_server::serve(desk, sockets, wake));
        Ok(Self {
            address,
            tls_address,
            shared,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for TLS, if it does.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// `from` calls `to`, and it rings; one of the two may be an outside number.
    ///
    /// # Errors
    /// Neither of the two is an extension here.
    pub fn ring(&self, from: &str, to: &str) -> Result<CallId, CallError> {
        let call = self.shared.calls().ring(from, to);
        self.shared.changed.wake();
        call.ok_or_else(|| CallError::UnknownExtension {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }

    /// The callee answers. False if there is no such call.
    pub fn answer(&self, call: CallId) -> bool {
        self.change(|calls| calls.answer(call))
    }

    /// One party puts the call on hold. False if there is no such call or party.
    pub fn hold(&self, call: CallId, by: &str) -> bool {
        self.change(|calls| calls.set_held(call, by, true))
    }

    /// The party that held the call takes it back. False if there is no such call or party.
    pub fn resume(&self, call: CallId, by: &str) -> bool {
        self.change(|calls| calls.set_held(call, by, false))
    }

    /// The call ends, answered or not. False if there is no such call.
    pub fn hang_up(&self, call: CallId) -> bool {
        self.change(|calls| calls.hang_up(call))
    }

    /// For tests: forgets all subscriptions without a word, as a restart does.
    pub fn drop_all_subscriptions(&self) {
        self.shared.forget.store(true, Ordering::Release);
        self.shared.changed.wake();
    }

    /// For tests: neither hears nor says anything while `silent`.
    pub fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Release);
    }

    /// For tests: requests so far with a wrong user name or password.
    pub fn failed_logins(&self) -> u32 {
        self.shared.failed_logins.load(Ordering::Acquire)
    }

    /// For tests: sends this instead of the extension's document, until `None`.
    pub fn replace_document(&self, extension: &str, document: Option<Vec<u8>>) {
        self.change(|calls| calls.replace_document(extension, document));
    }

    /// Ends at once, without a word to the subscribers; the port is free afterwards.
    pub async fn stop(mut self) {
        self.task.abort();
        // The task's end is what frees the sockets.
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
