//! The parts of the server that sources, sinks and requests share: store, clock, people, organisation, engine, events; and the
//! commands that change people in all of them.

mod commands;
mod people_changes;

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use people_changes::PeopleChanges;
use presence::{Extension, PersonId, TenantName, Timing};
use store::{Store, StoreError};
use tokio::{
    sync::{broadcast, watch},
    task::JoinSet,
};

use crate::{
    clients::Clients,
    clock::Clock,
    commit_queue::{CommitQueue, WriteSink},
    engine_handle::{EngineHandle, Inbox},
    engine_task::{self, Sink, Sinks},
    events::Events,
    health::Health,
    metrics::Metrics,
    organisation::Organisation,
    people_index::{PeopleIndex, Person},
    sign_in_record::{Outcome, Record, SignIn, Way},
    store_health::StoreHealth,
};

/// Changes of policies that a listener may be behind before it must take all as changed.
const POLICY_CHANGES_MAX: usize = 4_096;

/// Age up to which an answer of Teams is trusted, by the number of people: a sweep takes longer with more of them.
pub type StalenessLimit = Arc<dyn Fn(usize) -> Duration + Send + Sync>;

/// A follower of changes of people, outside this module.
pub trait PeopleObserver: Send + Sync {
    /// Some extensions have owners now and had none, or the reverse. Completes when the follower has applied the change.
    fn extensions_changed(
        &self,
        _added: Vec<Extension>,
        _removed: Vec<Extension>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// The person, as given, has another Teams account now. Completes when the login of the old account is forgotten.
    fn account_left(&self, _person: Arc<Person>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// The running state that sources, sinks and requests share. A clone counts 19 references up: 0.7 µs, or 1.5 µs while another core
/// does the same. An HTTP request makes one (`State<Context>`), which is little beside the request.
#[derive(Clone, Debug)]
pub struct Context {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Names, lines and Teams accounts of the people.
    pub people: PeopleIndex,
    /// Scopes, settings, profiles and relationships.
    pub organisation: Organisation,
    /// The presence of the people, and its changes.
    pub events: Events,
    /// The engine's queue of inputs.
    pub engine: EngineHandle,
    /// The queue of records and writes.
    pub commits: CommitQueue,
    /// Open pages and clients.
    pub clients: Clients,
    /// Problems, warnings and work in progress.
    pub health: Health,
    /// Refusals of the database.
    pub store_health: StoreHealth,
    /// The server's metrics.
    pub metrics: Arc<Metrics>,
    /// Log, audit rows and metrics of sign-ins.
    pub sign_ins: Arc<Record>,
    /// Held while settings, people or accounts change in the store and in memory.
    pub settings_lock: Arc<tokio::sync::Mutex<()>>,
    /// The changes of people that were read from the store.
    people_changes: Arc<PeopleChanges>,
    /// Followers of changes of people.
    observers: Observers,
    /// Changes of single people's policies: [`Organisation::changes`] has changes of many at once.
    policies: broadcast::Sender<PersonId>,
    /// Grows when a person may have come to another tenant.
    tenant_moves: Arc<watch::Sender<u64>>,
    /// Names of the configured tenants.
    tenants: Arc<BTreeSet<TenantName>>,
    /// Whether a PBX is configured, so that lines are watched.
    watches_lines: bool,
}

#[derive(Clone, Default)]
struct Observers(Arc<RwLock<Vec<Arc<dyn PeopleObserver>>>>);

impl fmt::Debug for Observers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Observers").finish_non_exhaustive()
    }
}

/// The parts from which a [`Context`] is made.
pub struct ContextOptions {
    /// The opened store.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The index of people, empty, as the sinks have it.
    pub people: PeopleIndex,
    /// Problems and warnings, as the sinks report them.
    pub health: Health,
    /// The server's metrics.
    pub metrics: Arc<Metrics>,
    /// Periods and limits of the engine.
    pub timing: Timing,
    /// Age up to which an answer of Teams is trusted.
    pub staleness_limit: StalenessLimit,
    /// Names of the configured tenants.
    pub tenants: BTreeSet<TenantName>,
    /// Whether a PBX is configured, so that lines are watched.
    pub watches_lines: bool,
    /// Writes to Teams, after their records are durable.
    pub writes: Arc<dyn WriteSink>,
    /// Receivers of the engine's effects.
    pub sinks: Vec<Box<dyn Sink>>,
}

impl Context {
    /// Makes the parts and starts the engine, without people: [`Self::load_people`] adds them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(
        options: ContextOptions,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, StoreError> {
        let ContextOptions {
            store,
            clock,
            people,
            health,
            metrics,
            timing,
            staleness_limit,
            tenants,
            watches_lines,
            writes,
            sinks,
        } = options;
        // Before people are read: people who are imported in between are read twice, rather than never.
        let revision = store.people_revision().await?;
        // Greater than any revision of an earlier run, so that a client's memory of that run is recognised.
        let first_revision = clock.now().milliseconds().unsigned_abs();
        let organisation = Organisation::default();
        let (engine, inbox) = EngineHandle::new();
        let context = Self {
            events: Events::new(metrics.clone(), first_revision, organisation.clone()),
            clients: Clients::new(engine.clone(), clock.clone()),
            commits: CommitQueue::new(writes),
            people_changes: Arc::new(PeopleChanges::new(revision, staleness_limit)),
            store,
            clock,
            people,
            organisation,
            engine,
            health,
            store_health: StoreHealth::default(),
            metrics,
            sign_ins: Arc::default(),
            settings_lock: Arc::default(),
            observers: Observers::default(),
            policies: broadcast::Sender::new(POLICY_CHANGES_MAX),
            tenant_moves: Arc::new(watch::Sender::new(0)),
            tenants: Arc::new(tenants),
            watches_lines,
        };
        context.organisation.load(&context.store).await?;
        context.run_engine(inbox, timing, sinks, tasks);
        tasks.spawn(context.clients.clone().run());
        Ok(context)
    }

    fn run_engine(
        &self,
        inbox: Inbox,
        timing: Timing,
        others: Vec<Box<dyn Sink>>,
        tasks: &mut JoinSet<()>,
    ) {
        let sinks = Sinks {
            events: self.events.clone(),
            commits: self.commits.clone(),
            others,
            metrics: self.metrics.clone(),
        };
        tasks.spawn(engine_task::run(inbox, timing, self.clock.clone(), sinks));
    }

    /// Commits the engine's records and hands its writes on, until the server ends.
    pub async fn commit(self) {
        let store = (self.store, self.store_health);
        self.commits.run(store, self.engine, self.health).await;
    }

    /// Registers a follower of changes of people, for as long as the server runs.
    pub fn observe_people(&self, observer: impl PeopleObserver + 'static) {
        let observers = self.observers.0.write();
        let mut observers = observers.unwrap_or_else(PoisonError::into_inner);
        observers.push(Arc::new(observer));
    }

    fn observers(&self) -> Vec<Arc<dyn PeopleObserver>> {
        let observers = self.observers.0.read();
        observers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes of single people's policies from now on. [`Organisation::changes`] has changes of many at once.
    pub fn policy_changes(&self) -> broadcast::Receiver<PersonId> {
        self.policies.subscribe()
    }

    fn policy_changed(&self, person: PersonId) {
        // Without a listener there is no agent to refresh.
        let _ = self.policies.send(person);
    }

    /// Whether a tenant of this name is configured.
    pub fn has_tenant(&self, name: &TenantName) -> bool {
        self.tenants.contains(name)
    }

    /// Grows whenever a person may have come to another tenant.
    pub fn tenant_moves(&self) -> watch::Receiver<u64> {
        self.tenant_moves.subscribe()
    }

    /// Records a sign-in or a refusal in the log, the audit log and the metrics.
    pub async fn record_sign_in(&self, way: Way, outcome: Outcome, from: IpAddr, name: &str) {
        let sign_in = SignIn {
            way,
            outcome,
            address: from,
            name,
        };
        let sinks = (&self.store, &self.clock, &*self.metrics);
        self.sign_ins.record(sinks, sign_in).await;
    }
}
