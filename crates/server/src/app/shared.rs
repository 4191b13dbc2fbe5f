//! What request handlers share.

use std::{collections::BTreeMap, sync::Arc};

use ipnet::IpNet;
use presence::PersonId;
use tokio::sync::watch;

use crate::{
    access::Access,
    agents::{Agents, PairingCodes},
    api,
    board::Demo,
    calendars::Calendars,
    change_limit::ChangeLimit,
    context::Context,
    doctor::Doctor,
    entra::DirectorySync,
    jobs::Jobs,
    open_id,
    preconditions::OngoingChanges,
    restores::Restores,
    sign_in::WrongPasswords,
    sign_in_record::{Outcome, Record, SignIn, Way},
    store_health::StoreHealth,
    teams::{
        Attempts, NotificationReceiver, NotificationSender, Pauses, Reads, StalenessLimit,
        Surroundings, SweepNow, TeamsOptions, TeamsWrites, Tenant, TenantClients,
    },
    vault::Vault,
    work::Works,
    writer::Writer,
};

/// Beginning of an encrypted address.
const HTTPS: &str = "https://";

/// What request handlers share.
pub(crate) type Shared = Arc<SharedState>;

#[derive(Debug)]
pub(crate) struct SharedState {
    pub(super) context: Context,
    /// The connections to the tenants of Teams.
    pub(crate) teams: TeamsHandle,
    /// Synchronisations of people with the directories of tenants, by the names of these tenants.
    pub(crate) directory_syncs: BTreeMap<Arc<str>, DirectorySync>,
    /// Calendars of people.
    pub(crate) calendars: Calendars,
    /// Connected desktop agents.
    pub(crate) agents: Agents,
    pub(crate) access: Access,
    /// The changes that are under way, so that conditional and repeated ones are one step.
    pub(crate) ongoing_changes: OngoingChanges,
    /// Who examines the installation, if anybody can.
    pub(crate) doctor: Option<Doctor>,
    /// Who restores backups, if anybody can.
    pub(crate) restores: Option<Restores>,
    /// Held while that is done.
    pub(crate) examination: tokio::sync::Mutex<()>,
    /// The organisation's own sign-in, if there is one.
    pub(crate) open_id: Option<open_id::Provider>,
    /// Those who are signing in there.
    pub(crate) open_id_attempts: open_id::Attempts,
    /// Codes by which agents come to their secrets.
    pub(crate) codes: PairingCodes,
    /// Ids of events, as viewers see them.
    pub(crate) event_tokens: api::EventTokens,
    /// What administrators started that takes long.
    pub(crate) jobs: Jobs,
    /// How fast accounts and agents change things.
    pub(crate) change_limit: ChangeLimit,
    /// Wrong passwords at signing in.
    pub(crate) wrong_passwords: WrongPasswords,
    /// Grows whenever something that lets people in stops doing so.
    pub(crate) revoked: watch::Sender<u64>,
    /// Appointments of one person are stored and put in force one change at a time; people share a few locks.
    pub(super) appointment_changes: [tokio::sync::Mutex<()>; 64],
    pub(crate) stopping: watch::Receiver<bool>,
    /// Proxies before the server.
    pub(crate) proxies: Vec<IpNet>,
    /// The address by which people open the pages, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) demo: Option<Demo>,
}

impl std::ops::Deref for SharedState {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
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

    /// Whether people open the pages by https.
    pub(crate) fn is_https(&self) -> bool {
        let scheme = self.public_url.get(..HTTPS.len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTPS))
    }

    /// The last attribute of every cookie: `Secure` where the pages are opened by https.
    pub(crate) fn cookie_end(&self) -> &'static str {
        if self.is_https() { "; Secure" } else { "" }
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
    pub(crate) reads: Reads,
    /// The ways to the tenants.
    pub(crate) doors: TenantClients,
    /// Writes to them.
    pub(crate) teams_writes: TeamsWrites,
    /// People who are connecting their Teams account.
    pub(crate) attempts: Attempts,
    /// Grows when somebody may be in another tenant.
    places: Arc<watch::Sender<u64>>,
    /// Taking people from the directories of those tenants where that is wanted.
    pub(crate) directory_syncs: Arc<BTreeMap<Arc<str>, DirectorySync>>,
    /// Brings the people up to date with the store.
    pub(crate) people_changes: Arc<PeopleChanges>,
    /// Where Graph's notifications go in, by the tenants that shall tell of changes.
    pub(crate) notifications: Arc<BTreeMap<Arc<str>, NotificationSender>>,
    pub(crate) calendars: Calendars,
    /// Desktop agents that are connected.
    pub(crate) agents: Agents,
    pub(crate) events: Events,
    pub(crate) shard: Shard,
    pub(crate) writer: Writer,
    pub(crate) health: Health,
    pub(crate) store_health: StoreHealth,
    pub(crate) metrics: Arc<Metrics>,
    /// What is said of sign-ins.
    pub(crate) sign_ins: Arc<Record>,
    /// There is a telephone system, so that lines are watched.
    watches_lines: bool,
}

/// What the tasks of the tenants hear, until they are started.
pub(super) struct Ends {
    wishes: BTreeMap<Arc<str>, entra::Inbox>,
    bodies: BTreeMap<Arc<str>, NotificationReceiver>,
}

impl Core {
    /// Says that a sign-in succeeded or was refused: in the log, the audit log and as a metric.
    pub(crate) async fn note_sign_in(&self, way: Way, outcome: Outcome, from: IpAddr, name: &str) {
        let sign_in = SignIn {
            way,
            outcome,
            address: from,
            name,
        };
        let sinks = (&self.store, &self.clock, &*self.metrics);
        self.sign_ins.note(sinks, sign_in).await;
    }

    /// Starts the engine and tells it what the store remembers.
    pub(super) async fn start(
        store: Store,
        clock: Clock,
        (timing, staleness): (Timing, StalenessLimit),
        watches_lines: bool,
        (tenants, directories, vault): (
            &[TeamsOptions],
            &BTreeMap<Arc<str>, DirectoryOptions>,
            Option<&Arc<Vault>>,
        ),
        calendars: Calendars,
        tasks: &mut JoinSet<()>,
    ) -> Result<(Self, Ends), StartError> {
        // Before people are read: who is imported in between is read again, rather than never.
        let revision = store.people_revision().await?;
        let doors = TenantClients::new(tenants, &store, vault, &clock)?;
        let names = doors.names();
        let metrics = Arc::new(Metrics::default());
        // Greater than any revision of an earlier run, so that a client's memory of that run is recognised.
        let first_revision = clock.now().milliseconds().unsigned_abs();
        let organisation = Organisation::default();
        let events = Events::new(metrics.clone(), first_revision, organisation.clone());
        let (shard, inbox) = Shard::new();
        let (mut directory_syncs, mut wishes) = (BTreeMap::new(), BTreeMap::new());
        let (mut notifications, mut bodies) = (BTreeMap::new(), BTreeMap::new());
        for tenant in tenants {
            if directories.contains_key(&tenant.name) {
                let (sync, inbox) = DirectorySync::new();
                directory_syncs.insert(tenant.name.clone(), sync);
                wishes.insert(tenant.name.clone(), inbox);
            }
            if tenant.notifications.is_some() {
                let (sender, receiver) = NotificationSender::new();
                notifications.insert(tenant.name.clone(), sender);
                bodies.insert(tenant.name.clone(), receiver);
            }
        }
        let directory = Directory::default();
        let core = Self {
            store,
            settings_change: Arc::default(),
            reads: Reads::new(directory.clone(), &names),
            teams_writes: TeamsWrites::new(directory.clone(), &names),
            doors,
            attempts: Attempts::default(),
            places: Arc::new(watch::Sender::new(0)),
            directory,
            organisation,
            clients: Clients::new(shard.clone(), clock.clone()),
            directory_syncs: Arc::new(directory_syncs),
            notifications: Arc::new(notifications),
            people_changes: Arc::new(PeopleChanges::new(revision, staleness)),
            calendars,
            agents: Agents::default(),
            clock,
            events,
            shard,
            writer: Writer::default(),
            health: Health::default(),
            store_health: StoreHealth::default(),
            metrics,
            sign_ins: Arc::default(),
            watches_lines,
        };
        core.organisation.load(&core.store).await?;
        phones::name_unusable_targets(&core.store).await?;
        let sinks = Sinks {
            events: core.events.clone(),
            writer: core.writer.clone(),
            reads: core.reads.clone(),
            pauses: Pauses::new(core.health.clone()),
            metrics: core.metrics.clone(),
        };
        tasks.spawn(shard::run(inbox, timing, core.clock.clone(), sinks));
        tasks.spawn(core.clients.clone().run());
        tasks.spawn(core.agents.clone().run(core.clone()));
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
        let (id, now) = (stored.id, self.clock.now());
        let before = self.directory.person(id);
        self.directory.put(Person::from(&stored));
        let (policy, place_before) = self.organisation.put_person(&stored);
        // Without a telephone system nobody watches lines, and none must be waited for.
        let lines = if self.watches_lines {
            stored.record.lines
        } else {
            Vec::new()
        };
        let linked = stored.record.linked;
        let Some(before) = before else {
            let record = PersonRecord {
                lines,
                appointments: stored.appointments,
                ..stored.record
            };
            let input = Input::AddPerson(id, Box::new(record), policy);
            return self.shard.input(input, Cause::Other).await;
        };
        // That there is no account is not concluded from what was read: one may have been found meanwhile.
        let linked = linked.then_some(Fact::LinkedTeams);
        let facts = [Fact::Lines(lines), Fact::Policy(policy)];
        let inputs = facts.into_iter().chain(linked);
        let inputs = inputs.map(|fact| Input::Person(id, fact)).collect();
        self.shard.inputs(inputs, Cause::Other).await;
        self.agents.refresh(id);
        if self.directory.person(id).is_some_and(|now| *now != *before) {
            self.events.person_changed(id, now);
        }
        let place = self.organisation.read(|tables| tables.place(id));
        if place != place_before {
            self.place_changed(id, place_before);
        }
    }

    /// A person is at another place, where viewers may see more or less of them, and which may be another tenant's.
    pub(crate) fn place_changed(&self, person: PersonId, before: Place) {
        let visibility = VisibilityBefore::Place(before);
        self.events
            .visibility_changed(person, visibility, self.clock.now());
        self.look_for_movers();
    }

    /// Changes something about one person's settings, profiles or place, and applies what follows for that person.
    pub(crate) async fn update_person(&self, person: PersonId, change: impl FnOnce(&mut Tables)) {
        let policy = self.organisation.update_person(person, change);
        let policy = policy.map(|policy| (person, policy));
        self.put_in_force(policy.into_iter().collect()).await;
        self.agents.refresh(person);
    }

    /// Ends what the engine does for people, and waits until what Offhook wrote to Teams for them is taken back, at most for a
    /// moment: it ends there by itself.
    pub(crate) async fn retire(&self, people: &[PersonId]) {
        let inputs = people.iter().map(|person| Input::RemovePerson(*person));
        self.shard.inputs(inputs.collect(), Cause::Other).await;
        self.shard.input_and_wait(Input::Tick).await;
        let written = async {
            // The way to Teams needs the account of a person until the last write is on it.
            while !self.writer.is_idle() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(SETTLE_MAX, written).await;
    }

    /// Forgets a person whom the engine has no more.
    pub(crate) fn forget(&self, person: PersonId) {
        self.directory.remove(person);
        self.organisation.remove_person(person);
        self.events.remove(person, self.clock.now());
    }

    /// A person has no Teams account any more. What Offhook wrote there is taken back first.
    pub(crate) async fn unlink(&self, person: &Person) -> Result<(), StoreError> {
        let unlinked = || Input::Person(person.id, Fact::UnlinkedTeams);
        self.shard.input_and_wait(unlinked()).await;
        // No other change waits for this: their lock is taken afterwards.
        self.taken_back().await;
        let _one_at_a_time = self.settings_change.lock().await;
        // People who were read from the store meanwhile came with this account.
        self.shard.input_and_wait(unlinked()).await;
        self.store.unlink_teams(person.id).await?;
        self.directory.forget_teams_id(person.id);
        // Another tenant may have an account for them.
        self.look_for_movers();
        Ok(())
    }

    /// Somebody may have come to another tenant: each looks again who is its.
    pub(crate) fn look_for_movers(&self) {
        self.places.send_modify(|places| *places += 1);
    }

    /// Tells of locations that name a tenant which is not configured.
    pub(crate) fn check_tenants(&self) {
        let unknown: Vec<String> = self.organisation.read(|tables| {
            let named = tables.scopes.values();
            named
                .filter_map(|scope| Some((scope, scope.tenant.as_deref()?)))
                .filter(|(_, tenant)| self.doors.get(tenant).is_none())
                .map(|(scope, tenant)| format!("{} names {tenant}", scope.id))
                .collect()
        });
        let trouble = (!unknown.is_empty()).then(|| Trouble {
            what: format!(
                "locations name tenants that are not configured: {}",
                unknown.join(", ")
            ),
            remedy: "add the tenant to the configuration, or name another (PATCH /api/v1/scopes/{scope})".into(),
        });
        self.health.report("tenants", trouble);
    }

    /// Puts in force what holds for people now, and lets every viewer look again.
    pub(crate) async fn put_in_force(&self, changed: Vec<(PersonId, Arc<PersonPolicy>)>) {
        let inputs = changed
            .into_iter()
            .map(|(person, policy)| Input::Person(person, Fact::Policy(policy)));
        self.shard.inputs(inputs.collect(), Cause::Other).await;
        self.shard.input_and_wait(Input::Tick).await;
    }

    pub(super) async fn start_pbxs(
        &self,
        options: Vec<PbxOptions>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Vec<Arc<Pbx>>, StartError> {
        let mut pbxs = Vec::new();
        for (options, share) in PbxOptions::shared(options) {
            let name = options.connector.name.clone();
            let domain = options.connector.domain.clone();
            let (directory, shard) = (self.directory.clone(), self.shard.clone());
            let pbx = Pbx::start(
                options.connector,
                share,
                directory,
                shard,
                self.health.clone(),
                self.clock.clone(),
                tasks,
            )
            .await;
            let pbx = Arc::new(pbx.map_err(|cause| StartError::Pbx { name, cause })?);
            if let Some(level) = options.publish {
                let publishing = Publishing { domain, level };
                tasks.spawn(publish(self.clone(), pbx.clone(), publishing));
            }
            pbxs.push(pbx);
        }
        Ok(pbxs)
    }

    pub(super) async fn start_teams(
        &self,
        tenants: Vec<TeamsOptions>,
        mut directories: BTreeMap<Arc<str>, DirectoryOptions>,
        vault: Option<Arc<Vault>>,
        mut ends: Ends,
        tasks: &mut JoinSet<()>,
    ) -> Vec<SweepNow> {
        // Before the engine's writes: a newer one for the same account replaces the clear.
        self.teams_writes
            .adopt_left_writes(&self.store, self.clock.now())
            .await;
        tasks.spawn(self.writer.clone().run(
            (self.store.clone(), self.store_health.clone()),
            self.shard.clone(),
            self.teams_writes.clone(),
            self.health.clone(),
        ));
        self.check_tenants();
        let mut sweeps = Vec::new();
        for options in tenants {
            let Some(door) = self.doors.get(&options.name).cloned() else {
                continue;
            };
            if let Some(logins) = &door.logins
                && let (_, Some(what)) = logins.look(false).await
            {
                let remedy = "people whose login does not open sign in again".into();
                self.health
                    .report("teams logins", Some(Trouble { what, remedy }));
            }
            let name = options.name.clone();
            if let (Some(from), Some(wishes)) =
                (directories.remove(&name), ends.wishes.remove(&name))
            {
                tasks.spawn(entra::run(
                    self.clone(),
                    (door.client.clone(), name.clone()),
                    from,
                    wishes,
                ));
            }
            let surroundings = Surroundings {
                clock: self.clock.clone(),
                directory: self.directory.clone(),
                organisation: self.organisation.clone(),
                shard: self.shard.clone(),
                health: self.health.clone(),
                metrics: self.metrics.clone(),
                reads: self.reads.of_tenant(&name),
            };
            let mut tenant = Tenant::new(door, options.requests_per_30_seconds, surroundings);
            let (sweep, wishes) = Tenant::sweeper();
            let changes = options
                .notifications
                .is_some()
                .then(|| tenant.tell_changes());
            let writes = self.teams_writes.of_tenant(&name);
            tasks.spawn(writes.run(tenant.clone(), self.store.clone()));
            tasks.spawn(tenant.clone().link(self.clone(), self.places.subscribe()));
            tasks.spawn(tenant.clone().read_asked());
            tasks.spawn(tenant.clone().read_eventful());
            if let (Some(options), Some(vault), Some(bodies), Some(changes)) = (
                options.notifications,
                vault.clone(),
                ends.bodies.remove(&name),
                changes,
            ) {
                tasks.spawn(tenant.clone().listen(
                    options,
                    vault,
                    self.store.clone(),
                    sweep.clone(),
                    (bodies, changes),
                ));
            }
            tasks.spawn(tenant.sweep(wishes));
            sweeps.push(sweep);
        }
        sweeps
    }
}
