//! Keeps the history on disk of those whose scope says so, and drops what nobody needs any more.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::{PersonId, SettingsGroup, Timestamp};
use store::StoreError;
use tokio::sync::broadcast::error::RecvError;

use super::{KEPT, stored};
use crate::{
    clock_jump::{self, Deletion},
    context::Context,
    events::Event,
    organisation::Tables,
};

/// What is shown reaches the disk within this time; what a crash may lose.
const PAUSE: Duration = Duration::from_millis(500);
/// How often old things are dropped.
const TIDY: Duration = Duration::from_secs(3600);
/// How often the last known time is stored.
const CLOCK_INTERVAL: Duration = Duration::from_secs(600);
/// How long appointments that are over are kept: nobody sees them any more.
const APPOINTMENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long answers to requests with an `Idempotency-Key` are kept: longer than any client keeps trying.
const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// How long people are kept whose account is gone: as long as Entra keeps a deleted account.
const GONE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long the rows of the audit log are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditKept {
    /// All.
    pub all: Duration,
    /// Those of what people change of their own.
    pub own_changes: Duration,
}

/// Whether anybody's changes may be kept on disk: no scope says so by default.
fn keeps_any(context: &Context) -> bool {
    context.organisation.read(|tables| {
        let mut said = tables.individual();
        said.any(|(_, page, _)| page == SettingsGroup::Presence)
    })
}

/// Whether the person's changes are kept on disk.
fn keeps(context: &Context, person: PersonId) -> bool {
    let resolved = |tables: &Tables| {
        tables
            .resolve(person, SettingsGroup::Presence)
            .flag("history")
    };
    keeps_any(context) && context.organisation.read(resolved)
}

/// Brings back what was kept.
pub(crate) async fn recall(context: &Context) -> Result<(), StoreError> {
    let since = context.clock.now() - KEPT;
    let mut past: BTreeMap<PersonId, Vec<_>> = BTreeMap::new();
    for (person, at, text) in context.store.history_of_all(since).await? {
        if let Some(presence) = stored::from_json(&text) {
            past.entry(person).or_default().push((at, presence));
        }
    }
    for (person, changes) in past {
        if keeps(context, person) {
            context.events.remember(person, changes);
        }
    }
    Ok(())
}

/// Writes down what is shown, for ever.
pub(crate) async fn run(context: Context) {
    let mut receiver = context.events.listen(None).receiver;
    loop {
        let mut events: Vec<Arc<Event>> = match receiver.recv().await {
            Ok(event) => vec![event],
            Err(RecvError::Lagged(_)) if !keeps_any(&context) => continue,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(
                    missed,
                    "changes came faster than they could be written down"
                );
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        tokio::time::sleep(PAUSE).await;
        while let Ok(event) = receiver.try_recv() {
            events.push(event);
        }
        let rows: Vec<_> = events
            .iter()
            .filter_map(|event| Some((event.at, event.presence()?)))
            .filter(|(_, change)| keeps(&context, change.person))
            // One row for one visible state, as in memory. That something happened which is not remembered is not kept either.
            .filter(|(at, change)| context.events.begins_row(change.person, *at))
            .map(|(at, change)| {
                let now = context.organisation.remembered(change.person, &change.now);
                (change.person, at, stored::to_json(&now))
            })
            .collect();
        if !rows.is_empty()
            && let Err(error) = context.store.add_history(&rows).await
        {
            tracing::warn!(%error, "the history could not be written down");
        }
    }
}

/// Drops what is too old, for ever, unless the clock is in question.
pub(crate) async fn tidy(context: Context, kept: AuditKept) {
    let mut tidy_at = context.clock.now();
    loop {
        let now = context.clock.now();
        let dropped = async {
            if clock_jump::look(context.store.database(), &context.health, now).await?
                == Deletion::Allowed
                && now >= tidy_at
            {
                drop_old(&context, now, kept).await?;
                tidy_at = now + TIDY;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = dropped.await {
            tracing::warn!(%error, "what is too old could not be dropped from the database");
        }
        // A clock that was set back must not stop the tidying for as long as it was ahead.
        tidy_at = tidy_at.min(now + TIDY);
        context.clock.sleep_until(Some(now + CLOCK_INTERVAL)).await;
    }
}

async fn drop_old(context: &Context, now: Timestamp, kept: AuditKept) -> Result<(), StoreError> {
    context.store.forget_history(now - KEPT).await?;
    context
        .store
        .forget_appointments(now - APPOINTMENTS_KEPT)
        .await?;
    context.store.forget_requests(now - ANSWERS_KEPT).await?;
    context.store.forget_gone(now - GONE_KEPT).await?;
    context
        .store
        .forget_own_changes(now - kept.own_changes)
        .await?;
    context.store.forget_audit(now - kept.all).await?;
    Ok(())
}
