//! What every part of the server stands on: store, clock, people, engine, sinks.

use std::{sync::Arc, time::Duration};

use presence::{Fact, Input, PersonId, PersonPolicy, PersonRecord, Timing};
use store::{Store, StoreError, StoredPerson};
use telephony::sip_connector::SipConnectorConfig;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    access::Access,
    board::Demo,
    calendars::ReadNow,
    clients::Clients,
    clock::Clock,
    directory::{Directory, Person},
    entra::{self, DirectorySync},
    events::Events,
    health::Health,
    history::recorder,
    metrics::Metrics,
    organisation::Organisation,
    pbx::Pbx,
    shard::{self, Cause, Shard, Sinks},
    teams::{Inlet, Outlet, Reads, Surroundings, SweepNow, TeamsWrites, Tenant},
    vault::Vault,
    writer::Writer,
};

use super::{SETTLE_MAX, StartError, TeamsOptions};

/// What request handlers share.
pub(crate) type Shared = Arc<SharedState>;

#[derive(Debug)]
pub(crate) struct SharedState {
    pub(super) core: Core,
    pub(crate) access: Access,
    /// Written by conditional and by repeatable requests, read by all other changes.
    pub(crate) edits: tokio::sync::RwLock<()>,
    /// Grows whenever something that lets people in stops doing so.
    pub(crate) revoked: watch::Sender<u64>,
    /// Appointments of one person are stored and put in force one change at a time; people share a few locks.
    pub(super) appointment_changes: [tokio::sync::Mutex<()>; 64],
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
        let locks = &self.appointment_changes;
        locks[person.0 as usize % locks.len()].lock().await
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
    pub(super) reads: Reads,
    pub(crate) directory_sync: DirectorySync,
    /// Told when the people have changed.
    pub(crate) people_changed: Arc<tokio::sync::Notify>,
    /// Where Graph's notifications go in, if it shall tell of changes.
    pub(crate) notifications: Option<Inlet>,
    pub(crate) calendars: ReadNow,
    pub(crate) events: Events,
    pub(crate) shard: Shard,
    pub(crate) writer: Writer,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    /// There is a telephone system, so that lines are watched.
    watches_lines: bool,
}

/// What tasks hear, until they are started. Without a tenant nobody does.
pub(super) struct Ends {
    wishes: entra::Inbox,
    bodies: Outlet,
}

impl Core {
    /// Starts the engine and tells it what the store remembers.
    pub(super) async fn start(
        store: Store,
        clock: Clock,
        timing: Timing,
        (watches_lines, notified): (bool, bool),
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
            notifications: notified.then_some(notifications),
            people_changed: Arc::default(),
            calendars: ReadNow::default(),
            clock,
            events,
            shard,
            writer: Writer::default(),
            health: Health::default(),
            metrics,
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

    pub(super) async fn start_pbx(
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

    pub(super) fn start_teams(
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
