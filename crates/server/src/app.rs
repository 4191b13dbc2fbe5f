//! Puts the server together: store, engine, Teams, telephone system, HTTP.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use presence::{Input, MyProfiles, Settings, Timing};
use store::{Store, StoreError};
use telephony::sip_connector::SipConnectorConfig;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    access::{Access, SecretError, new_link},
    board::Demo,
    clock::Clock,
    directory::{Directory, Person},
    events::Events,
    health::Health,
    http,
    metrics::Metrics,
    pbx::Pbx,
    shard::{self, Cause, Shard, Sinks},
    teams::{Surroundings, SweepNow, TeamsWrites, Tenant},
    writer::Writer,
};

/// How often the store is asked whether people were imported.
const IMPORT_POLL: Duration = Duration::from_secs(2);
/// How long [`App::settle`] waits for writes that cannot be sent.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// What a server is made of.
#[derive(Debug)]
pub struct Options {
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// The opened store.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The tenant, if there is one.
    pub teams: Option<TeamsOptions>,
    /// The telephone system, if there is one.
    pub pbx: Option<SipConnectorConfig>,
    /// The engine's times.
    pub timing: Timing,
    /// The API key from the configuration.
    pub api_key: Option<graph::Secret>,
    /// Set in the demo only.
    pub demo: Option<Demo>,
}

/// A tenant and its budget.
#[derive(Clone, Debug)]
pub struct TeamsOptions {
    /// Where it is and how to sign in.
    pub client: graph::ClientConfig,
    /// Requests per 30 seconds; `None`: no limit.
    pub requests_per_30_seconds: Option<u32>,
}

/// The server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not ours to take.
    #[error(
        "cannot listen on {address}: {cause}; stop the program that uses it or set another address (http.listen, or --port)"
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
    /// The client of Graph could not be made.
    #[error(transparent)]
    Graph(#[from] graph::GraphError),
    /// The telephone system's configuration cannot work.
    #[error("cannot use the telephone system {name}: {cause}")]
    Pbx {
        /// Its name.
        name: String,
        /// Why not.
        cause: String,
    },
}

/// What request handlers share.
pub(crate) type Shared = Arc<SharedState>;

#[derive(Debug)]
pub(crate) struct SharedState {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) directory: Directory,
    pub(crate) events: Events,
    pub(crate) shard: Shard,
    pub(crate) writer: Writer,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) access: Access,
    pub(crate) settings_change: tokio::sync::Mutex<()>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) demo: Option<Demo>,
}

/// A running server. Dropping it ends it; [`App::stop`] ends it in order.
pub struct App {
    shared: Shared,
    address: SocketAddr,
    sweep: Option<SweepNow>,
    writes: TeamsWrites,
    pbx: Option<Arc<Pbx>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    http: JoinSet<()>,
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
            clock,
            teams,
            pbx,
            timing,
            api_key,
            demo,
        } = options;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|cause| StartError::Listen {
                address: listen,
                cause,
            })?;
        let address = listener.local_addr().map_err(|cause| StartError::Listen {
            address: listen,
            cause,
        })?;
        let (stop, stopping) = watch::channel(false);
        let metrics = Arc::new(Metrics::default());
        let events = Events::new(metrics.clone());
        let (writer, health, directory) =
            (Writer::default(), Health::default(), Directory::default());
        let (shard, inbox) = Shard::new();
        let mut tasks = JoinSet::new();

        let mode = store.organisation_mode().await?;
        let settings = Settings {
            mode,
            profiles: MyProfiles::default(),
            timing,
        };
        let sinks = Sinks {
            events: events.clone(),
            writer: writer.clone(),
            metrics: metrics.clone(),
        };
        tasks.spawn(shard::run(inbox, settings, clock.clone(), sinks));
        let revision = store.people_revision().await?;
        for stored in store.people(&MyProfiles::default(), clock.now()).await? {
            directory.put(Person::from(&stored));
            shard
                .input(
                    Input::AddPerson(stored.id, Box::new(stored.record)),
                    Cause::Other,
                )
                .await;
        }

        // Lines first: a call that an adopted write belongs to should be known before Teams is read.
        let pbx = match pbx {
            None => None,
            Some(config) => {
                let name = config.name.clone();
                let surroundings = (
                    directory.clone(),
                    shard.clone(),
                    health.clone(),
                    clock.clone(),
                );
                let (directory, shard, health, clock) = surroundings;
                let pbx = Pbx::start(config, directory, shard, health, clock).await;
                Some(Arc::new(
                    pbx.map_err(|cause| StartError::Pbx { name, cause })?,
                ))
            }
        };
        let writes = TeamsWrites::new(directory.clone(), teams.is_some().then(|| clock.clone()));
        tasks.spawn(writer.clone().run(
            store.clone(),
            shard.clone(),
            writes.clone(),
            health.clone(),
        ));
        let mut sweep = None;
        if let Some(TeamsOptions {
            client,
            requests_per_30_seconds,
        }) = teams
        {
            let surroundings = Surroundings {
                clock: clock.clone(),
                directory: directory.clone(),
                shard: shard.clone(),
                health: health.clone(),
                metrics: metrics.clone(),
            };
            let client = graph::Client::new(client)?;
            let tenant = Tenant::new(client, requests_per_30_seconds, surroundings);
            let (sweep_now, wishes) = Tenant::sweeper();
            sweep = Some(sweep_now);
            tasks.spawn(writes.clone().run(tenant.clone()));
            tasks.spawn(tenant.clone().link(store.clone()));
            tasks.spawn(tenant.sweep(wishes));
        }
        tasks.spawn(follow_imports(
            store.clone(),
            revision,
            directory.clone(),
            shard.clone(),
            pbx.clone(),
            clock.clone(),
        ));

        let access = Access::new(
            store.clone(),
            clock.clone(),
            api_key.as_ref().map(graph::Secret::reveal),
        );
        let shared = Arc::new(SharedState {
            store,
            clock,
            directory,
            events,
            shard,
            writer,
            health,
            metrics,
            access,
            settings_change: tokio::sync::Mutex::default(),
            stopping: stopping.clone(),
            demo,
        });
        let mut http = JoinSet::new();
        http.spawn(http::serve(listener, shared.clone(), stopping));
        Ok(Self {
            shared,
            address,
            sweep,
            writes,
            pbx,
            stop,
            tasks,
            http,
        })
    }

    /// Where HTTP listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new one-time link that opens the board.
    ///
    /// # Errors
    /// No random numbers, or the store refused.
    pub async fn new_link(&self) -> Result<String, SecretError> {
        let path = new_link(&self.shared.store, &self.shared.clock).await?;
        Ok(format!("http://{}{path}", self.address))
    }

    /// The figures.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.shared.metrics.clone()
    }

    /// Whether nothing is wrong.
    pub fn is_ready(&self) -> bool {
        self.shared.health.is_ready()
    }

    /// Returns when every person's sources have spoken, so that nobody's presence is stale.
    pub async fn everybody_observed(&self) {
        let stale =
            |presence: &presence::Presence| presence.confidence == presence::Confidence::Stale;
        loop {
            let (_, presences) = self.shared.events.all();
            if presences.len() == self.shared.directory.len() && !presences.values().any(stale) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets every source speak and every sink finish at the clock's present time. For clocks that are driven by hand:
    /// after each step everything has happened that would have happened meanwhile.
    pub async fn settle(&self) {
        self.shared.shard.input_and_wait(Input::Tick).await;
        if let Some(sweep) = &self.sweep {
            sweep.sweep().await;
        }
        self.shared.shard.input_and_wait(Input::Tick).await;
        let quiet = async {
            // The two queues hand work on to each other, so both must be seen empty in one look.
            while !(self.shared.writer.is_idle() && self.writes.is_idle()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::time::timeout(SETTLE_MAX, quiet).await;
    }

    /// Asks the telephone system for every line's state anew.
    pub async fn reconcile_lines(&self) {
        if let Some(pbx) = &self.pbx {
            pbx.reconcile().await;
        }
    }

    /// Ends in order: streams, requests, subscriptions, store.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(SETTLE_MAX, async {
            while self.http.join_next().await.is_some() {}
        })
        .await;
        self.tasks.shutdown().await;
        if let Some(pbx) = self.pbx.and_then(Arc::into_inner) {
            pbx.stop().await;
        }
        self.shared.store.clone().close().await;
    }
}

/// Notices people that another process imported.
async fn follow_imports(
    store: Store,
    mut revision: u64,
    directory: Directory,
    shard: Shard,
    pbx: Option<Arc<Pbx>>,
    clock: Clock,
) {
    loop {
        tokio::time::sleep(IMPORT_POLL).await;
        let Ok(now) = store.people_revision().await else {
            continue;
        };
        if now == revision {
            continue;
        }
        let Ok(people) = store.people(&MyProfiles::default(), clock.now()).await else {
            continue;
        };
        revision = now;
        for stored in people {
            let person = Person::from(&stored);
            let known = directory.person(stored.id);
            directory.put(person);
            let input = match known {
                None => Input::AddPerson(stored.id, Box::new(stored.record)),
                Some(_) => Input::UpdatePerson {
                    person: stored.id,
                    lines: stored.record.lines,
                    linked: stored.record.linked,
                },
            };
            shard.input(input, Cause::Other).await;
        }
        if let Some(pbx) = &pbx {
            pbx.set_extensions(directory.extensions()).await;
        }
        tracing::info!(people = directory.len(), "people were imported");
    }
}
