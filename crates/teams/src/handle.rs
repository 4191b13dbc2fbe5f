//! The connections to all tenants: made before the engine, which has them as sinks, and started after it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use graph::GraphError;
use presence::{PersonId, TenantName};
use runtime::{
    clock::Clock,
    commit_queue::WriteSink,
    context::{self, Context},
    engine_task::Sink,
    health::{Health, Part, Trouble},
    people_index::PeopleIndex,
    vault::Vault,
};
use store::Store;
use tokio::task::JoinSet;

use super::{
    TeamsOptions, Tenant, attempts::Attempts, logins::InMemory, notifications::NotificationSender,
    pauses::Pauses, reads::Reads, staleness::StalenessLimit, sweep::SweepNow,
    tenant_clients::TenantClients, writes::TeamsWrites,
};

/// The connections to all tenants, as requests use them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TeamsHandle {
    pub(super) context: Context,
    /// Clients of the tenants.
    pub clients: TenantClients,
    /// Sign-ins of people who connect their Teams account.
    pub attempts: Attempts,
    /// Senders of Graph's notifications to the tasks of their tenants, by tenant.
    pub notifications: Arc<BTreeMap<TenantName, NotificationSender>>,
}

/// The connections to all tenants before the engine starts.
pub struct TeamsStart {
    tenants: Vec<TeamsOptions>,
    vault: Option<Arc<Vault>>,
    clients: TenantClients,
    reads: Reads,
    writes: TeamsWrites,
    staleness: Arc<StalenessLimit>,
}

impl TeamsStart {
    /// Prepares the connections: nothing is sent.
    ///
    /// # Errors
    /// The TLS library could not be set up.
    pub fn new(
        tenants: Vec<TeamsOptions>,
        vault: Option<Arc<Vault>>,
        (store, clock): (&Store, &Clock),
        directory: &PeopleIndex,
    ) -> Result<Self, GraphError> {
        let clients = TenantClients::new(&tenants, store, vault.as_ref(), clock)?;
        let names = clients.names();
        Ok(Self {
            reads: Reads::new(directory.clone(), &names),
            writes: TeamsWrites::new(directory.clone(), &names),
            staleness: Arc::new(StalenessLimit::new(&tenants)),
            clients,
            tenants,
            vault,
        })
    }

    /// The names of the tenants.
    pub fn names(&self) -> BTreeSet<TenantName> {
        self.clients.names().into_iter().collect()
    }

    /// The receivers of the engine's effects.
    pub fn sinks(&self, health: Health) -> Vec<Box<dyn Sink>> {
        vec![Box::new(self.reads.clone()), Box::new(Pauses::new(health))]
    }

    /// The receiver of durable writes.
    pub fn write_sink(&self) -> Arc<dyn WriteSink> {
        Arc::new(self.writes.clone())
    }

    /// The age up to which an answer of Teams is trusted.
    pub fn staleness_limit(&self) -> context::StalenessLimit {
        let staleness = self.staleness.clone();
        Arc::new(move |people| staleness.with(people))
    }

    /// A function that marks a person as watched for at most a time.
    pub fn on_watched(&self) -> Arc<dyn Fn(PersonId, Duration) + Send + Sync> {
        let reads = self.reads.clone();
        Arc::new(move |person, lasts| reads.mark_watched(person, lasts))
    }

    /// Starts the commit queue and the tasks of all tenants. Returns the handle for requests, and the sweeps of the tenants.
    pub async fn connect(
        self,
        context: &Context,
        tasks: &mut JoinSet<()>,
    ) -> (TeamsHandle, Vec<SweepNow>) {
        // Before the engine's writes: a newer one for the same account replaces the clear.
        self.writes
            .adopt_left_writes(&context.store, context.clock.now())
            .await;
        tasks.spawn(context.clone().commit());
        context.observe_people(self.clients.clone());
        context.check_tenants();
        let (mut sweeps, mut notifications) = (Vec::new(), BTreeMap::new());
        for options in self.tenants {
            let Some(client) = self.clients.get(&options.name).cloned() else {
                continue;
            };
            if let Some(logins) = &client.logins
                && let (_, Some(what)) = logins.refresh(InMemory::Keep).await
            {
                let remedy = "people whose login does not open sign in again".into();
                let trouble = Some(Trouble { what, remedy });
                context.health.report(&Part::Logins, trouble);
            }
            let name = options.name.clone();
            let reads = self.reads.of_tenant(&name);
            let limit = options.requests_per_30_seconds;
            let mut tenant = Tenant::new(client, limit, context.clone(), reads);
            let (sweep, wishes) = Tenant::sweeper();
            let receiving = options.notifications.map(|options| {
                let (sender, receiver) = NotificationSender::new();
                notifications.insert(name.clone(), sender);
                (options, receiver, tenant.changes())
            });
            let writes = self.writes.of_tenant(&name);
            tasks.spawn(writes.run(tenant.clone(), context.store.clone()));
            tasks.spawn(tenant.clone().link());
            tasks.spawn(tenant.clone().read_asked());
            tasks.spawn(tenant.clone().read_eventful());
            if let (Some((options, bodies, changes)), Some(vault)) = (receiving, self.vault.clone())
            {
                tasks.spawn(tenant.clone().listen(
                    options,
                    vault,
                    context.store.clone(),
                    sweep.clone(),
                    (bodies, changes),
                ));
            }
            tasks.spawn(tenant.sweep(wishes));
            sweeps.push(sweep);
        }
        let handle = TeamsHandle {
            context: context.clone(),
            clients: self.clients,
            attempts: Attempts::default(),
            notifications: Arc::new(notifications),
        };
        (handle, sweeps)
    }
}
