//! Puts the server together: store, engine, Teams, PBXs, HTTP.

mod parts;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use api::{
    ApiOptions, ApiState,
    access::{SecretError, new_link},
    installation_check::Doctor,
    open_id::{OpenIdConnect, OpenIdOptions, Provider},
    restores::Restores,
};
use connections::{Connections, Limits};
use directory::DirectoryOptions;
use gateway::{
    agents::Agents,
    calendars::{self, Calendars},
    external_fetch::OutsideOptions,
};
use ipnet::IpNet;
use parts::{follow_store, load_people, start_directories, start_engine, start_pbxs, start_phones};
use phones::{
    ListenError, PhonesOptions,
    pbx::{Pbx, PbxOptions},
};
use presence::{Input, TenantName, Timing};
use runtime::{
    clients::Connected, clock::Clock, clock_jump, commit_queue::SETTLE_MAX, context::Context,
    events::ListenFrom, metrics::Metrics, people_index::PeopleIndex, retention::AuditRetention,
    vault::Vault,
};
use secrecy::{ExposeSecret, SecretString};
use store::{DamageCheck, Store, StoreError};
use teams::{SweepNow, TeamsOptions, TeamsStart};
use tokio::{
    net::TcpListener,
    sync::{broadcast::error::RecvError, watch},
    task::{JoinHandle, JoinSet},
};
use web::{demo::Demo, web_state::WebState};

use crate::http;

/// Parts and settings of a server.
#[derive(Debug)]
pub struct Options {
    /// Listening address of HTTP.
    pub listen: SocketAddr,
    /// The opened store.
    pub store: Store,
    /// State of the damage check at opening; a check that is still due runs after the start.
    pub checked: DamageCheck,
    /// Source of the current time.
    pub clock: Clock,
    /// The tenants.
    pub tenants: Vec<TeamsOptions>,
    /// Import settings of people from Entra, by the names of the tenants.
    pub directories: BTreeMap<TenantName, DirectoryOptions>,
    /// The PBXs.
    pub pbxs: Vec<PbxOptions>,
    /// Settings of the presence server for phones; `None`: no phones are served.
    pub phones: Option<PhonesOptions>,
    /// Delays and timeouts of the engine.
    pub timing: Timing,
    /// Base address of the pages in links; `None`: the listening address of HTTP.
    pub public_url: Option<String>,
    /// Reverse proxies, trusted to name the client in `X-Forwarded-For`.
    pub proxies: Vec<IpNet>,
    /// Settings of sign-in with OpenID Connect; `None`: not offered.
    pub open_id: Option<OpenIdOptions>,
    /// The API key from the configuration.
    pub api_key: Option<SecretString>,
    /// Opens sealed secrets; `None`: no service accounts, and so no change notifications.
    pub vault: Option<Arc<Vault>>,
    /// Retention of the audit log.
    pub audit_kept: AuditRetention,
    /// Checks the installation; `None`: not offered.
    pub doctor: Option<Doctor>,
    /// Restores backups; `None`: not offered.
    pub restores: Option<Restores>,
    /// Addresses and files that the server reads when a person enters them.
    pub outside: OutsideOptions,
    /// Set in the demo only.
    pub demo: Option<Demo>,
}

impl Options {
    /// A server without tenants and PBXs, on a free port of loopback, that keeps the audit log for a day: for demos,
    /// measurements and tests, which override single fields.
    pub fn alone(store: Store, clock: Clock) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            store,
            checked: DamageCheck::Passed,
            clock,
            tenants: Vec::new(),
            directories: BTreeMap::new(),
            pbxs: Vec::new(),
            phones: None,
            timing: Timing::default(),
            public_url: None,
            proxies: Vec::new(),
            open_id: None,
            api_key: None,
            vault: None,
            audit_kept: AuditRetention {
                all: DAY,
                own_changes: DAY,
            },
            doctor: None,
            restores: None,
            outside: OutsideOptions::default(),
            demo: None,
        }
    }
}

/// Reason why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port of HTTP is taken, or this user may not listen on it.
    #[error(
        "cannot listen on {address}: {}",
        cannot_listen(*address, cause, "http.listen, or --port")
    )]
    Listen {
        /// The address from the configuration.
        address: SocketAddr,
        /// Error of the operating system.
        cause: std::io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port for phones is taken, or this user may not listen on it.
    #[error(
        "cannot listen for phones on {address}: {}",
        cannot_listen(*address, cause, "sip.listen, sip.tls_listen or sip.websocket_listen")
    )]
    Sip {
        /// The address from the configuration.
        address: SocketAddr,
        /// Error of the operating system.
        cause: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}; check /dev/urandom")]
    Random(#[from] getrandom::Error),
    /// The Graph client could not be created.
    #[error(transparent)]
    Graph(#[from] graph::GraphError),
    /// The HTTP client for OpenID Connect could not be created.
    #[error("cannot prepare signing in with OpenID Connect: {0}")]
    OpenId(reqwest::Error),
    /// The HTTP client for calendars could not be created.
    #[error("cannot prepare reading calendars: {0}")]
    Calendars(reqwest::Error),
    /// The configuration of a PBX cannot work.
    #[error("cannot use the PBX {name}: {cause}")]
    Pbx {
        /// Name of the PBX.
        name: String,
        /// Reason, for the administrator.
        cause: String,
    },
}

impl From<ListenError> for StartError {
    fn from(ListenError { address, cause }: ListenError) -> Self {
        Self::Sip { address, cause }
    }
}

/// A running server. Dropping it aborts the server; [`App::stop`] shuts it down in order.
pub struct App {
    context: Context,
    address: SocketAddr,
    sip_address: Option<SocketAddr>,
    sweeps: Vec<SweepNow>,
    pbxs: Vec<Arc<Pbx>>,
    stop: watch::Sender<bool>,
    /// True as soon as a task of the server has ended unexpectedly.
    failed: watch::Receiver<bool>,
    supervisor: JoinHandle<()>,
    http: JoinSet<()>,
}

/// The clients for calendars and for the OpenID provider.
fn http_clients(
    outside: OutsideOptions,
    open_id: Option<OpenIdOptions>,
) -> Result<(Calendars, Option<Provider>), StartError> {
    let calendars = Calendars::new(outside).map_err(StartError::Calendars)?;
    let open_id = open_id.map(Provider::new).transpose();
    Ok((calendars, open_id.map_err(StartError::OpenId)?))
}

impl App {
    /// Starts a server. Neither Teams nor a PBX need be reachable.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options {
            listen,
            store,
            checked,
            clock,
            tenants,
            directories,
            pbxs,
            phones,
            timing,
            public_url,
            proxies,
            open_id,
            api_key,
            vault,
            audit_kept,
            doctor,
            restores,
            outside,
            demo,
        } = options;
        let (calendars, open_id) = http_clients(outside, open_id)?;
        let limits = Limits::new(connections::raise_descriptor_limit());
        let (listener, address) = bind(listen)?;
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let people = PeopleIndex::default();
        let teams = TeamsStart::new(tenants, vault, (&store, &clock), &people)?;
        let (watches_lines, parts) = (!pbxs.is_empty(), (store, clock, people));
        let context = start_engine(parts, timing, watches_lines, &teams, &mut tasks).await?;
        let agents = Agents::default();
        tasks.spawn(agents.clone().run(context.clone()));
        load_people(&context, &mut tasks).await?;
        // Lines before Teams: an adopted write finds its call already known.
        let pbxs = start_pbxs(&context, pbxs, &mut tasks).await?;
        let watch = teams.on_watched();
        let sip_address = start_phones(&context, phones, watch, limits.sip, &mut tasks).await?;
        let (teams, sweeps) = teams.connect(&context, &mut tasks).await;
        let directory_syncs = start_directories(&context, &teams, directories, &mut tasks);
        follow_store(&context, checked, audit_kept, &mut tasks);
        tasks.spawn(calendars::run(context.clone(), calendars.clone()));

        let api = ApiState::new(ApiOptions {
            context: context.clone(),
            api_key: api_key.as_ref().map(ExposeSecret::expose_secret),
            public_url: public_url.unwrap_or_else(|| format!("http://{address}")),
            stopping: stopping.clone(),
            doctor,
            restores,
            proxies,
            teams,
            directory_syncs,
            calendars,
            agents,
        })?;
        let web = WebState {
            api,
            open_id: open_id.map(|provider| Arc::new(OpenIdConnect::new(provider))),
            demo: demo.map(Arc::new),
        };
        let (fail, failed) = watch::channel(false);
        let supervisor = tokio::spawn(supervise(tasks, fail, stopping.clone()));
        let http = serve_http(listener, (&context, web), limits, stopping);
        Ok(Self {
            context,
            address,
            sip_address,
            sweeps,
            pbxs,
            stop,
            failed,
            supervisor,
            http,
        })
    }

    /// Listening address of HTTP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listening address for phones.
    pub fn sip_address(&self) -> Option<SocketAddr> {
        self.sip_address
    }

    /// Creates a one-time link that opens the board.
    ///
    /// # Errors
    /// No random numbers, or the store failed.
    pub async fn new_link(&self) -> Result<String, SecretError> {
        let path = new_link(&self.context.store, None, &self.context.clock).await?;
        Ok(format!("http://{}{path}", self.address))
    }

    /// Connects a client for every known person: people of a demo have no browsers of their own. Dropping the clients
    /// disconnects them.
    pub async fn connect_everybody(&self) -> Vec<Connected> {
        let mut connected = Vec::new();
        for person in self.context.people.page(None, usize::MAX) {
            connected.push(self.context.clients.connect(person.id).await);
        }
        connected
    }

    /// Returns when a task of the server has ended unexpectedly: the process should then exit rather than go on
    /// incomplete.
    pub async fn failed(&self) {
        let mut failed = self.failed.clone();
        // The channel closes when the supervisor ends, which is a failure too.
        let _ = failed.wait_for(|failed| *failed).await;
    }

    /// The metrics.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.context.metrics.clone()
    }

    /// Returns when every source has reported every person, so that no presence is stale.
    pub async fn everybody_observed(&self) {
        let Context { events, people, .. } = &self.context;
        let mut changes = events.listen(ListenFrom::Now).receiver;
        while !events.have_observed(people.count()) {
            if matches!(changes.recv().await, Err(RecvError::Closed)) {
                return;
            }
        }
    }

    /// Polls every source and completes every write due at the clock's current time. For manual clocks: call it after
    /// each step of the clock.
    pub async fn settle(&self) {
        self.context.clients.renew().await;
        self.context.engine.input_and_wait(Input::Tick).await;
        // A slow Graph must not stop a manual clock.
        let sweeps = self.sweeps.iter().map(SweepNow::sweep);
        let _ = tokio::time::timeout(SETTLE_MAX, futures_util::future::join_all(sweeps)).await;
        self.context.engine.input_and_wait(Input::Tick).await;
        self.context.commits.wait_until_idle().await;
    }

    /// Requests the current state of every line from the PBXs.
    pub async fn reconcile_lines(&self) {
        futures_util::future::join_all(self.pbxs.iter().map(|pbx| pbx.reconcile())).await;
    }

    /// Shuts down in order: streams, requests, subscriptions, store.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(SETTLE_MAX, async {
            while self.http.join_next().await.is_some() {}
        })
        .await;
        // If the supervisor panicked, all tasks have ended already.
        let _ = self.supervisor.await;
        let pbxs = self.pbxs.into_iter().filter_map(Arc::into_inner);
        futures_util::future::join_all(pbxs.map(Pbx::stop)).await;
        let now = self.context.clock.now();
        if let Err(error) =
            clock_jump::check(self.context.store.database(), &self.context.health, now).await
        {
            tracing::warn!(%error, "the last known time could not be stored");
        }
        self.context.store.database().close().await;
    }
}

/// Serves HTTP until `stopping` is true.
fn serve_http(
    listener: TcpListener,
    (context, web): (&Context, WebState),
    limits: Limits,
    stopping: watch::Receiver<bool>,
) -> JoinSet<()> {
    let connections = Connections::new(limits, context.health.clone(), context.metrics.clone());
    let proxies = web.api.parts().proxies.0.to_vec();
    let router = http::router(web);
    let mut http = JoinSet::new();
    http.spawn(connections::serve(
        listener,
        router,
        connections,
        proxies,
        stopping,
    ));
    http
}

/// Reason why an address cannot be listened on, with the remedy; `keys` are the settings that change the address.
fn cannot_listen(address: SocketAddr, cause: &std::io::Error, keys: &str) -> String {
    match cause.kind() {
        std::io::ErrorKind::AddrNotAvailable => format!(
            "{} is no address of this machine; set one that it has ({keys})",
            address.ip()
        ),
        _ => format!("{cause}; stop the program that uses it or set another address ({keys})"),
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |cause| StartError::Listen { address, cause };
    let listener = connections::listen(address).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Supervises the server's tasks, none of which ends in normal operation: if one does, ends the others and sets `fail`.
async fn supervise(
    mut tasks: JoinSet<()>,
    fail: watch::Sender<bool>,
    mut stopping: watch::Receiver<bool>,
) {
    tokio::select! {
        ended = tasks.join_next() => {
            tracing::error!(?ended, "a part of the server ended; this is a defect, please report it");
            fail.send_replace(true);
        }
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    tasks.shutdown().await;
}
