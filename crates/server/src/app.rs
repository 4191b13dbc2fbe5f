//! Puts the server together: store, engine, Teams, telephone system, HTTP.

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
use phones::{
    ListenError, PhonesOptions,
    pbx::{Pbx, PbxOptions},
};
use presence::{Input, Timing};
use runtime::{
    clients::Connected, clock::Clock, clock_jump, commit_queue::SETTLE_MAX, context::Context,
    metrics::Metrics, people_index::PeopleIndex, retention::AuditRetention, vault::Vault,
};
use store::{DamageCheck, Store, StoreError};
use teams::{SweepNow, TeamsOptions, TeamsStart};
use tokio::{
    net::TcpListener,
    sync::{broadcast::error::RecvError, watch},
    task::{JoinHandle, JoinSet},
};
use web::{board::Demo, web_state::WebState};

use crate::http;

use parts::{follow_store, load_people, start_directories, start_engine, start_pbxs, start_phones};

/// What a server is made of.
#[derive(Debug)]
pub struct Options {
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// The opened store.
    pub store: Store,
    /// Whether it was found whole; if not yet, it is checked after the start.
    pub checked: DamageCheck,
    /// The time.
    pub clock: Clock,
    /// The tenants.
    pub tenants: Vec<TeamsOptions>,
    /// The people to take from the directories of tenants, by the names of these tenants.
    pub directories: BTreeMap<Arc<str>, DirectoryOptions>,
    /// The telephone system, if there is one.
    pub pbxs: Vec<PbxOptions>,
    /// How telephones are served, if they are.
    pub phones: Option<PhonesOptions>,
    /// The engine's times.
    pub timing: Timing,
    /// The address by which people open the pages; `None`: that where HTTP listens.
    pub public_url: Option<String>,
    /// Proxies before the server, whose word of who asks is taken.
    pub proxies: Vec<IpNet>,
    /// How people sign in with OpenID Connect, if they do.
    pub open_id: Option<OpenIdOptions>,
    /// The API key from the configuration.
    pub api_key: Option<graph::Secret>,
    /// Opens sealed secrets; without one there are no service accounts, and so no notifications.
    pub vault: Option<Arc<Vault>>,
    /// How long the audit log goes back.
    pub audit_kept: AuditRetention,
    /// Who examines the installation, if anybody can.
    pub doctor: Option<Doctor>,
    /// Who restores backups, if anybody can.
    pub restores: Option<Restores>,
    /// Which addresses and files that people enter are read.
    pub outside: OutsideOptions,
    /// Set in the demo only.
    pub demo: Option<Demo>,
}

impl Options {
    /// A server with neither tenants nor telephone systems, on a free port of loopback, that keeps the audit log for a day: for
    /// demos, measurements and tests, which name what differs.
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

/// The server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not ours to take.
    #[error(
        "cannot listen on {address}: {}",
        cannot_listen(*address, cause, "http.listen, or --port")
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: std::io::Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The port for telephones is taken, or not ours to take.
    #[error(
        "cannot listen for phones on {address}: {}",
        cannot_listen(*address, cause, "sip.listen, sip.tls_listen or sip.websocket_listen")
    )]
    Sip {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: std::io::Error,
    },
    /// No random numbers.
    #[error("the operating system gives no random numbers: {0}; check /dev/urandom")]
    Random(#[from] getrandom::Error),
    /// The client of Graph could not be made.
    #[error(transparent)]
    Graph(#[from] graph::GraphError),
    /// The client of the organisation's own sign-in could not be made.
    #[error("cannot prepare signing in with OpenID Connect: {0}")]
    OpenId(reqwest::Error),
    /// The client for calendars could not be made.
    #[error("cannot prepare reading calendars: {0}")]
    Calendars(reqwest::Error),
    /// The telephone system's configuration cannot work.
    #[error("cannot use the telephone system {name}: {cause}")]
    Pbx {
        /// Its name.
        name: String,
        /// Why not.
        cause: String,
    },
}

impl From<ListenError> for StartError {
    fn from(ListenError { address, cause }: ListenError) -> Self {
        Self::Sip { address, cause }
    }
}

/// A running server. Dropping it ends it; [`App::stop`] ends it in order.
pub struct App {
    context: Context,
    address: SocketAddr,
    sip_address: Option<SocketAddr>,
    sweeps: Vec<SweepNow>,
    pbxs: Vec<Arc<Pbx>>,
    stop: watch::Sender<bool>,
    /// Set when a part of the server ended though nobody asked it to.
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
    /// Starts a server. Neither Teams nor the telephone system need be reachable.
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
        // Lines first: a call that an adopted write belongs to should be known before Teams is read.
        let pbxs = start_pbxs(&context, pbxs, &mut tasks).await?;
        let watch = teams.watch();
        let sip_address = start_phones(&context, phones, watch, limits.sip, &mut tasks).await?;
        let (teams, sweeps) = teams.connect(&context, &mut tasks).await;
        let directory_syncs = start_directories(&context, &teams, directories, &mut tasks);
        follow_store(&context, checked, audit_kept, &mut tasks);
        tasks.spawn(calendars::run(context.clone(), calendars.clone()));

        let api = ApiState::new(ApiOptions {
            context: context.clone(),
            api_key: api_key.as_ref().map(graph::Secret::reveal),
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

    /// Where HTTP listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where telephones are served.
    pub fn sip_address(&self) -> Option<SocketAddr> {
        self.sip_address
    }

    /// A new one-time link that opens the board.
    ///
    /// # Errors
    /// No random numbers, or the store refused.
    pub async fn new_link(&self) -> Result<String, SecretError> {
        let path = new_link(&self.context.store, None, &self.context.clock).await?;
        Ok(format!("http://{}{path}", self.address))
    }

    /// Connects a client of everybody who is known: people of a demo have no browsers of their own. They are gone when
    /// dropped.
    pub async fn connect_everybody(&self) -> Vec<Connected> {
        let mut connected = Vec::new();
        for person in self.context.people.page(None, usize::MAX) {
            connected.push(self.context.clients.connect(person.id).await);
        }
        connected
    }

    /// Returns when a part of the server has ended though nobody asked it to: better all ends than half goes on.
    pub async fn failed(&self) {
        let mut failed = self.failed.clone();
        // A supervisor that is gone has failed too.
        let _ = failed.wait_for(|failed| *failed).await;
    }

    /// The figures.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.context.metrics.clone()
    }

    /// Returns when every person's sources have spoken, so that nobody's presence is stale.
    pub async fn everybody_observed(&self) {
        let stale =
            |presence: &presence::Presence| presence.confidence == presence::Confidence::Stale;
        let mut changes = self.context.events.listen(None).receiver;
        loop {
            let (_, presences) = self.context.events.all();
            if presences.len() == self.context.people.count() && !presences.values().any(stale) {
                return;
            }
            // One look is enough for all changes that have come.
            let change = changes.recv().await;
            while changes.try_recv().is_ok() {}
            if matches!(change, Err(RecvError::Closed)) {
                return;
            }
        }
    }

    /// Lets every source speak and every sink finish at the clock's present time. For clocks that are driven by hand:
    /// after each step everything has happened that would have happened meanwhile.
    pub async fn settle(&self) {
        self.context.clients.renew().await;
        self.context.engine.input_and_wait(Input::Tick).await;
        // Teams may keep us waiting: time goes on all the same, as it does for everybody.
        let sweeps = self.sweeps.iter().map(SweepNow::sweep);
        let _ = tokio::time::timeout(SETTLE_MAX, futures_util::future::join_all(sweeps)).await;
        self.context.engine.input_and_wait(Input::Tick).await;
        self.context.commits.settled().await;
    }

    /// Asks the telephone system for every line's state anew.
    pub async fn reconcile_lines(&self) {
        futures_util::future::join_all(self.pbxs.iter().map(|pbx| pbx.reconcile())).await;
    }

    /// Ends in order: streams, requests, subscriptions, store.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(SETTLE_MAX, async {
            while self.http.join_next().await.is_some() {}
        })
        .await;
        // A supervisor that panicked has ended everything already.
        let _ = self.supervisor.await;
        let pbxs = self.pbxs.into_iter().filter_map(Arc::into_inner);
        futures_util::future::join_all(pbxs.map(Pbx::stop)).await;
        let now = self.context.clock.now();
        if let Err(error) =
            clock_jump::look(self.context.store.database(), &self.context.health, now).await
        {
            tracing::warn!(%error, "the last known time could not be stored");
        }
        self.context.store.database().close().await;
    }
}

/// Serves HTTP until `stopping`.
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

/// Listens, and tells where.
/// Why an address cannot be listened on, and what to do.
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

/// Watches over the server's tasks: none of them ends by itself.
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
