//! Stores the presence of people in scopes with a history, and reads it at the start.

mod stored;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::{PersonId, SettingsGroup, setting_keys};
use store::StoreError;
use tokio::sync::broadcast::error::RecvError;

use crate::{
    context::Context,
    events::{Event, ListenFrom},
    history::KEPT,
    organisation::Snapshot,
};

/// Time in which changes are collected for one transaction. A crash loses no more.
const COLLECTION_TIME: Duration = Duration::from_millis(500);

/// Whether any scope keeps a history: by default, none does.
fn keeps_any(context: &Context) -> bool {
    context.organisation.read(|snapshot| {
        let mut individual = snapshot.all_overrides();
        individual.any(|(_, page, _)| page == SettingsGroup::Presence)
    })
}

/// Whether the person's scope keeps a history.
fn keeps(context: &Context, person: PersonId) -> bool {
    let resolved = |snapshot: &Snapshot| {
        snapshot
            .resolve(person, SettingsGroup::Presence)
            .get(setting_keys::KEEP_HISTORY)
    };
    keeps_any(context) && context.organisation.read(resolved)
}

/// Reads the stored history of the last 24 hours into memory.
///
/// # Errors
/// The store cannot be read.
pub async fn restore(context: &Context) -> Result<(), StoreError> {
    let since = context.clock.now() - KEPT;
    let mut past: BTreeMap<PersonId, Vec<_>> = BTreeMap::new();
    for (person, at, text) in context.store.history_of_all(since).await? {
        if let Some(presence) = stored::from_json(&text) {
            past.entry(person).or_default().push((at, presence));
        }
    }
    for (person, changes) in past {
        if keeps(context, person) {
            context.events.restore_history(person, changes);
        }
    }
    Ok(())
}

/// Stores changes of presence, until the server ends.
pub async fn run(context: Context) {
    let mut receiver = context.events.listen(ListenFrom::Now).receiver;
    loop {
        let mut events: Vec<Arc<Event>> = match receiver.recv().await {
            Ok(event) => vec![event],
            Err(RecvError::Lagged(_)) if !keeps_any(&context) => continue,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(
                    missed,
                    "the history misses changes: they came faster than they could be stored"
                );
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        tokio::time::sleep(COLLECTION_TIME).await;
        while let Ok(event) = receiver.try_recv() {
            events.push(event);
        }
        let rows: Vec<_> = events
            .iter()
            .filter_map(|event| Some((event.at, event.presence()?)))
            .filter(|(_, change)| keeps(&context, change.person))
            // One row for one visible state, as in memory: a change that the settings hide leaves no row.
            .filter(|(at, change)| context.events.is_start_of_history_row(change.person, *at))
            .map(|(at, change)| {
                let now = context.organisation.presence_for_history(change.person, &change.now);
                (change.person, at, stored::to_json(&now))
            })
            .collect();
        if !rows.is_empty()
            && let Err(error) = context.store.add_history(&rows).await
        {
            tracing::warn!(%error, "changes could not be added to the history; check the data folder");
        }
    }
}
