//! Puts the server together: store, engine, Teams, telephone system, HTTP.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use presence::{Fact, Input, PersonId, PersonPolicy, PersonRecord, Timing};
use store::{Store, StoreError, StoredPerson};
use telephony::sip_connector::SipConnectorConfig;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    access::{Access, SecretError, new_link},
    board::Demo,
    calendars::{self, ReadNow},
    clients::{Clients, Connected},
    clock::Clock,
    directory::{Directory, Person},
    entra::{self, DirectorySync, PeopleFrom},
    events::Events,
    health::Health,
    history::recorder,
    http, imports,
    metrics::Metrics,
    organisation::Organisation,
    pbx::Pbx,
    shard::{self, Cause, Shard, Sinks},
    teams::{
        Inlet, NotificationOptions, Outlet, Reads, Surroundings, SweepNow, TeamsWrites, Tenant,
    },
    vault::Vault,
    writer::{self, Writer},
};

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
    /// Opens sealed secrets; without one there are no service accounts, and so no notifications.
    pub vault: Option<Arc<Vault>>,
    /// How long the audit log goes back.
    pub audit_kept: Duration,
    /// Set in the demo only.
    pub demo: Option<Demo>,
}

/// A tenant and its budget.
#[derive(Debug)]
pub struct TeamsOptions {
    /// Where it is and how to sign in.
    pub client: graph::ClientConfig,
    /// Requests per 30 seconds; `None`: no limit.
    pub requests_per_30_seconds: Option<u32>,
    /// How Graph tells of changes, if it shall.
    pub notifications: Option<NotificationOptions>,
    /// Whom to take from the tenant's directory, if anybody.
    pub people: Option<PeopleFrom>,
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
    core: Core,
    pub(crate) access: Access,
    /// Written by conditional and by repeatable requests, read by all other changes.
    pub(crate) edits: tokio::sync::RwLock<()>,
    /// Grows whenever something that lets people in stops doing so.
    pub(crate) revoked: watch::Sender<u64>,
    /// Appointments of one person are stored and put in force one change at a time; people share a few locks.
    appointment_changes: [tokio::sync::Mutex<()>; 64],
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) demo: Option<Demo>,
}

impl std::ops::Deref for SharedState {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl SharedState {
    /// Held while an appointment of the person changes, in the store and in the engine.
    pub(crate) async fn one_appointment_change(
        &self,
        person: PersonId,
    ) -> tokio::sync::MutexGuard<'_, ()> {
        let index = person.0 % self.appointment_changes.len() as u64;
        let lock = usize::try_from(index)
            .ok()
            .and_then(|at| self.appointment_changes.get(at));
        // The remainder is an index of the array.
        lock.unwrap_or(&self.appointment_changes[0]).lock().await
    }

    /// A key, an account, a session or a password opens nothing any more: whoever came in by one must come in again.
    pub(crate) fn revoke(&self) {
        self.revoked.send_modify(|revoked| *revoked += 1);
    }
}

/// What everything stands on. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) store: Store,
    /// Held while what is arranged changes in the store and in memory.
    pub(crate) settings_change: Arc<tokio::sync::Mutex<()>>,
    pub(crate) clock: Clock,
    pub(crate) directory: Directory,
    pub(crate) organisation: Organisation,
    pub(crate) clients: Clients,
    reads: Reads,
    pub(crate) directory_sync: DirectorySync,
    /// Told when the people have changed.
    pub(crate) people_changed: Arc<tokio::sync::Notify>,
    /// Where Graph's notifications go in.
    pub(crate) notifications: Inlet,
    pub(crate) calendars: ReadNow,
    pub(crate) events: Events,
    pub(crate) shard: Shard,
    pub(crate) writer: Writer,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    /// Graph shall tell of changes.
    pub(crate) takes_notifications: bool,
    /// There is a telephone system, so that lines are watched.
    watches_lines: bool,
}

/// What tasks hear, until they are started. Without a tenant nobody does.
struct Ends {
    wishes: entra::Inbox,
    bodies: Outlet,
}

impl Core {
    /// Starts the engine and tells it what the store remembers.
    async fn start(
        store: Store,
        clock: Clock,
        timing: Timing,
        watches_lines: bool,
        tasks: &mut JoinSet<()>,
    ) -> Result<(Self, Ends), StoreError> {
        let metrics = Arc::new(Metrics::default());
        // Greater than any revision of an earlier run, so that a client's memory of that run is recognised.
        let first_revision = clock.now().milliseconds().unsigned_abs();
        let events = Events::new(metrics.clone(), first_revision);
        let (shard, inbox) = Shard::new();
        let (directory_sync, wishes) = DirectorySync::new();
        let (notifications, bodies) = Inlet::new();
        let core = Self {
            store,
            settings_change: Arc::default(),
            directory: Directory::default(),
            organisation: Organisation::default(),
            clients: Clients::new(shard.clone(), clock.clone()),
            reads: Reads::default(),
            directory_sync,
            notifications,
            people_changed: Arc::default(),
            calendars: ReadNow::default(),
            clock,
            events,
            shard,
            writer: Writer::default(),
            health: Health::default(),
            metrics,
            takes_notifications: false,
            watches_lines,
        };
        core.organisation.load(&core.store).await?;
        let sinks = Sinks {
            events: core.events.clone(),
            writer: core.writer.clone(),
            reads: core.reads.clone(),
            metrics: core.metrics.clone(),
        };
        tasks.spawn(shard::run(inbox, timing, core.clock.clone(), sinks));
        tasks.spawn(core.clients.clone().run());
        tasks.spawn(recorder::run(core.clone()));
        for stored in core.store.people(core.clock.now()).await? {
            core.put(stored).await;
        }
        // Only now it is known who is where, and so whose scope keeps a history.
        recorder::recall(&core).await?;
        Ok((core, Ends { wishes, bodies }))
    }

    /// Takes a person in, or what changed about one.
    pub(crate) async fn put(&self, stored: StoredPerson) {
        let known = self.directory.person(stored.id).is_some();
        self.directory.put(Person::from(&stored));
        let policy = self.organisation.put_person(&stored);
        // Without a telephone system nobody watches lines, and none must be waited for.
        let lines = if self.watches_lines {
            stored.record.lines
        } else {
            Vec::new()
        };
        let linked = stored.record.linked;
        let input = if known {
            Input::Person(stored.id, Fact::Changed { lines, linked })
        } else {
            let record = PersonRecord {
                lines,
                appointments: stored.appointments,
                ..stored.record
            };
            Input::AddPerson(stored.id, Box::new(record), policy.clone())
        };
        self.shard.input(input, Cause::Other).await;
        if known {
            let input = Input::Person(stored.id, Fact::Policy(policy));
            self.shard.input(input, Cause::Other).await;
        }
    }

    /// Takes a person out. What Offhook wrote to Teams for them is taken back first.
    pub(crate) async fn remove(&self, person: PersonId) {
        self.shard.input_and_wait(Input::RemovePerson(person)).await;
        let written = async {
            // The way to Teams needs the person's account until the last write is on it.
            while !self.writer.is_idle() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(SETTLE_MAX, written).await;
        self.directory.remove(person);
        self.organisation.remove_person(person);
        self.events.forget(person);
    }

    /// Puts in force what holds for people now, and lets every viewer look again.
    pub(crate) async fn put_in_force(&self, changed: Vec<(PersonId, Arc<PersonPolicy>)>) {
        let inputs = changed
            .into_iter()
            .map(|(person, policy)| Input::Person(person, Fact::Policy(policy)));
        self.shard.inputs(inputs.collect(), Cause::Other).await;
        self.shard.input_and_wait(Input::Tick).await;
    }

    async fn start_pbx(
        &self,
        config: Option<SipConnectorConfig>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Option<Arc<Pbx>>, StartError> {
        let Some(config) = config else {
            return Ok(None);
        };
        let name = config.name.clone();
        let (directory, shard) = (self.directory.clone(), self.shard.clone());
        let pbx = Pbx::start(
            config,
            directory,
            shard,
            self.health.clone(),
            self.clock.clone(),
            tasks,
        )
        .await;
        Ok(Some(Arc::new(
            pbx.map_err(|cause| StartError::Pbx { name, cause })?,
        )))
    }

    fn start_teams(
        &self,
        teams: Option<TeamsOptions>,
        vault: Option<Arc<Vault>>,
        ends: Ends,
        tasks: &mut JoinSet<()>,
    ) -> Result<(Option<SweepNow>, TeamsWrites), graph::GraphError> {
        let writes = TeamsWrites::new(self.directory.clone(), teams.is_some());
        let (shard, health) = (self.shard.clone(), self.health.clone());
        tasks.spawn(self.writer.clone().run(
            self.store.clone(),
            shard.clone(),
            writes.clone(),
            health.clone(),
        ));
        let Some(TeamsOptions {
            client,
            requests_per_30_seconds,
            notifications,
            people,
        }) = teams
        else {
            return Ok((None, writes));
        };
        let surroundings = Surroundings {
            clock: self.clock.clone(),
            directory: self.directory.clone(),
            organisation: self.organisation.clone(),
            shard,
            health,
            metrics: self.metrics.clone(),
        };
        let client = Arc::new(graph::Client::new(client)?);
        if let Some(from) = people {
            tasks.spawn(entra::run(self.clone(), client.clone(), from, ends.wishes));
        }
        let tenant = Tenant::new(client, requests_per_30_seconds, surroundings);
        let (sweep, wishes) = Tenant::sweeper();
        tasks.spawn(writes.clone().run(tenant.clone()));
        tasks.spawn(tenant.clone().link(self.store.clone()));
        tasks.spawn(tenant.clone().read_asked(self.reads.clone()));
        tasks.spawn(tenant.clone().read_eventful(self.reads.clone()));
        if let (Some(options), Some(vault)) = (notifications, vault) {
            tasks.spawn(tenant.clone().listen(
                options,
                vault,
                self.store.clone(),
                self.reads.clone(),
                sweep.clone(),
                ends.bodies,
            ));
        }
        tasks.spawn(tenant.sweep(wishes));
        Ok((Some(sweep), writes))
    }
}

/// A running server. Dropping it ends it; [`App::stop`] ends it in order.
pub struct App {
    shared: Shared,
    address: SocketAddr,
    sweep: Option<SweepNow>,
    writes: TeamsWrites,
    pbx: Option<Arc<Pbx>>,
    stop: watch::Sender<bool>,
    /// Set when a part of the server ended though nobody asked it to.
    failed: watch::Receiver<bool>,
    supervisor: JoinHandle<()>,
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
            vault,
            audit_kept,
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
        let mut tasks = JoinSet::new();
        tasks.spawn(writer::checkpoint(store.clone()));
        // Before people are read: whoever is imported meanwhile is noticed then.
        let revision = store.people_revision().await?;
        let timing = Timing {
            observation_fresh: timing
                .observation_fresh
                .max(sweep_rhythm(&store, teams.as_ref()).await? * 3),
            ..timing
        };
        let (mut core, ends) = Core::start(store, clock, timing, pbx.is_some(), &mut tasks).await?;
        core.takes_notifications = teams
            .as_ref()
            .is_some_and(|teams| teams.notifications.is_some());
        // Lines first: a call that an adopted write belongs to should be known before Teams is read.
        let pbx = core.start_pbx(pbx, &mut tasks).await?;
        let (sweep, writes) = core.start_teams(teams, vault, ends, &mut tasks)?;
        tasks.spawn(calendars::run(core.clone(), core.calendars.clone()));
        tasks.spawn(recorder::tidy(core.clone(), audit_kept));
        tasks.spawn(imports::follow(core.clone(), revision, pbx.clone()));

        let key = api_key.as_ref().map(graph::Secret::reveal);
        let access = Access::new(core.store.clone(), core.clock.clone(), key);
        let shared = Arc::new(SharedState {
            access,
            edits: tokio::sync::RwLock::default(),
            revoked: watch::Sender::new(0),
            appointment_changes: [const { tokio::sync::Mutex::const_new(()) }; 64],
            stopping: stopping.clone(),
            demo,
            core,
        });
        let (fail, failed) = watch::channel(false);
        let supervisor = tokio::spawn(supervise(tasks, fail, stopping.clone()));
        let mut http = JoinSet::new();
        http.spawn(http::serve(listener, shared.clone(), stopping));
        Ok(Self {
            shared,
            address,
            sweep,
            writes,
            pbx,
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

    /// A new one-time link that opens the board.
    ///
    /// # Errors
    /// No random numbers, or the store refused.
    pub async fn new_link(&self) -> Result<String, SecretError> {
        let path = new_link(&self.shared.store, None, &self.shared.clock).await?;
        Ok(format!("http://{}{path}", self.address))
    }

    /// Connects a client of everybody who is known: people of a demo have no browsers of their own. They are gone when
    /// dropped.
    pub async fn connect_everybody(&self) -> Vec<Connected> {
        let mut connected = Vec::new();
        for person in self.shared.directory.page(None, usize::MAX) {
            connected.push(self.shared.clients.connect(person.id).await);
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
        self.shared.metrics.clone()
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
        self.shared.clients.renew().await;
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
        // A supervisor that panicked has ended everything already.
        let _ = self.supervisor.await;
        if let Some(pbx) = self.pbx.and_then(Arc::into_inner) {
            pbx.stop().await;
        }
        self.shared.store.clone().close().await;
    }
}

/// How long a sweep over everybody takes; an observation is fresh for three.
async fn sweep_rhythm(store: &Store, teams: Option<&TeamsOptions>) -> Result<Duration, StoreError> {
    let limit = teams.and_then(|teams| teams.requests_per_30_seconds);
    Ok(graph::rhythm(store.people_count().await?, limit))
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
