//! People who are imported while the server runs, by another process.

use std::{collections::HashSet, sync::Arc, time::Duration};

use presence::{Input, PersonId};

use crate::{app::Core, pbx::Pbx, teams::Freshness};

/// How often the store is asked whether people were imported.
const IMPORT_POLL: Duration = Duration::from_secs(2);

/// Notices people that another process imported.
pub(crate) async fn follow(
    core: Core,
    mut revision: u64,
    pbxs: Vec<Arc<Pbx>>,
    freshness: Freshness,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(IMPORT_POLL) => {}
            () = core.people_changed.notified() => {}
        }
        let Ok(now) = core.store.people_revision().await else {
            continue;
        };
        if now == revision {
            continue;
        }
        // What somebody changes meanwhile must not be overwritten by what was read before.
        let one_at_a_time = core.settings_change.lock().await;
        // Places first: an import may have made locations.
        if core.organisation.load(&core.store).await.is_err() {
            continue;
        }
        let Ok(people) = core.store.people(core.clock.now()).await else {
            continue;
        };
        revision = now;
        // Before they are here: the first sweep with them may take as long.
        let fresh = Input::ObservationFresh(freshness.with(people.len()));
        core.shard.input_and_wait(fresh).await;
        let there: HashSet<PersonId> = people.iter().map(|stored| stored.id).collect();
        for gone in core.directory.page(None, usize::MAX) {
            if !there.contains(&gone.id) {
                core.remove(gone.id).await;
            }
        }
        for stored in people {
            core.put(stored).await;
        }
        drop(one_at_a_time);
        core.look_for_movers();
        core.check_tenants();
        // Somebody may be elsewhere now, where viewers may see more or less.
        core.events.reset();
        for pbx in &pbxs {
            pbx.set_extensions(core.directory.extensions()).await;
        }
        tracing::info!(people = core.directory.len(), "the people have changed");
    }
}
