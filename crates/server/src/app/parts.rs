//! Starts the parts of the server: engine, people, PBXs, phones, imports from Entra, maintenance of the database.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use directory::{DirectoryOptions, DirectorySync};
use phones::{
    OnWatched, PhonesOptions, Publishing,
    pbx::{Pbx, PbxOptions},
    publish,
};
use presence::{TenantName, Timing};
use runtime::{
    clock::Clock,
    commit_queue,
    context::{Context, ContextOptions},
    health::Health,
    history_recorder,
    people_index::PeopleIndex,
    retention::{self, AuditRetention},
};
use store::{DamageCheck, Store};
use teams::{TeamsHandle, TeamsStart};
use tokio::task::JoinSet;

use super::StartError;

/// Creates the parts that all others share, and starts the engine.
pub(super) async fn start_engine(
    (store, clock, people): (Store, Clock, PeopleIndex),
    timing: Timing,
    watches_lines: bool,
    teams: &TeamsStart,
    tasks: &mut JoinSet<()>,
) -> Result<Context, StartError> {
    tasks.spawn(commit_queue::checkpoint(store.database().clone()));
    let staleness_limit = teams.staleness_limit();
    let count = store.people_count().await?;
    let timing = Timing {
        observation_fresh: staleness_limit(count).max(timing.observation_fresh),
        ..timing
    };
    phones::name_unusable_targets(&store).await?;
    let health = Health::new(clock.clone());
    let options = ContextOptions {
        store,
        clock,
        people,
        sinks: teams.sinks(health.clone()),
        health,
        metrics: Arc::default(),
        timing,
        staleness_limit,
        tenants: teams.names(),
        watches_lines,
        writes: teams.write_sink(),
    };
    Ok(Context::start(options, tasks).await?)
}

/// Connects to the PBXs.
pub(super) async fn start_pbxs(
    context: &Context,
    options: Vec<PbxOptions>,
    tasks: &mut JoinSet<()>,
) -> Result<Vec<Arc<Pbx>>, StartError> {
    let mut pbxs = Vec::new();
    for (options, share) in PbxOptions::shared(options) {
        let name = options.connector.name().to_owned();
        let domain = options.connector.domain().to_owned();
        let pbx = Pbx::start(
            options.connector,
            share,
            context.people.clone(),
            context.engine.clone(),
            context.health.clone(),
            tasks,
        )
        .await;
        let pbx = Arc::new(pbx.map_err(|cause| StartError::Pbx { name, cause })?);
        context.observe_people(pbx.extension_watch());
        if let Some(level) = options.publish {
            let publishing = Publishing { domain, level };
            tasks.spawn(publish(context.clone(), pbx.clone(), publishing));
        }
        pbxs.push(pbx);
    }
    Ok(pbxs)
}

/// Starts the import of people from Entra.
pub(super) fn start_directories(
    context: &Context,
    teams: &TeamsHandle,
    directories: BTreeMap<TenantName, DirectoryOptions>,
    tasks: &mut JoinSet<()>,
) -> BTreeMap<TenantName, DirectorySync> {
    let mut syncs = BTreeMap::new();
    for (name, options) in directories {
        let Some(tenant) = teams.clients.get(&name) else {
            continue;
        };
        let (sync, inbox) = DirectorySync::new();
        tasks.spawn(directory::run(
            context.clone(),
            tenant.client.clone(),
            name.clone(),
            options,
            inbox,
        ));
        syncs.insert(name, sync);
    }
    syncs
}

/// Adds the people of the store to the engine, and their history.
pub(super) async fn load_people(
    context: &Context,
    tasks: &mut JoinSet<()>,
) -> Result<(), StartError> {
    tasks.spawn(history_recorder::run(context.clone()));
    context.load_people().await?;
    // After the people, because their memberships decide which of them have a history.
    Ok(history_recorder::restore(context).await?)
}

/// Starts the presence server for phones, if one is configured; returns its address.
pub(super) async fn start_phones(
    context: &Context,
    options: Option<PhonesOptions>,
    watch: OnWatched,
    connections_max: usize,
    tasks: &mut JoinSet<()>,
) -> Result<Option<SocketAddr>, StartError> {
    let Some(options) = options else {
        return Ok(None);
    };
    let started = phones::start(context, options, watch, connections_max, tasks);
    Ok(Some(started.await?))
}

/// Starts the tasks that check the database, delete its expired rows, and apply changes by other processes.
pub(super) fn follow_store(
    context: &Context,
    checked: DamageCheck,
    audit: AuditRetention,
    tasks: &mut JoinSet<()>,
) {
    let (database, health) = (context.store.database().clone(), context.health.clone());
    tasks.spawn(context.store_health.clone().run(database, checked, health));
    tasks.spawn(retention::enforce(context.clone(), audit));
    tasks.spawn(context.clone().follow_people());
}
