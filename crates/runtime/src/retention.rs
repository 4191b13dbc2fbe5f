//! Deletes rows of the database at the end of their retention.

use std::time::Duration;

use presence::Timestamp;
use store::StoreError;

use crate::{
    clock_jump::{self, Deletion},
    context::Context,
    history::KEPT,
};

/// Interval at which rows are deleted.
const DELETION_INTERVAL: Duration = Duration::from_secs(3600);
/// Interval at which the last known time is stored.
const CLOCK_INTERVAL: Duration = Duration::from_secs(600);
/// Retention of appointments that are over: no page shows them any more.
const APPOINTMENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Retention of answers to requests with an `Idempotency-Key`: longer than any client keeps trying.
const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Retention of people with a deleted account: as long as Entra keeps that account.
const GONE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Retention of the rows of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRetention {
    /// Of all rows.
    pub all: Duration,
    /// Of rows about people's own changes: profiles, appointments, relationships, devices.
    pub own_changes: Duration,
}

/// Deletes old rows, until the server ends. Deletes none while the clock may be wrong.
pub async fn enforce(context: Context, audit: AuditRetention) {
    let mut delete_at = context.clock.now();
    loop {
        let now = context.clock.now();
        let deleted = async {
            if clock_jump::check(context.store.database(), &context.health, now).await?
                == Deletion::Allowed
                && now >= delete_at
            {
                delete_old(&context, now, audit).await?;
                delete_at = now + DELETION_INTERVAL;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = deleted.await {
            tracing::warn!(%error, "rows of the database whose retention is over could not be deleted; trying again in 10 minutes");
        }
        // A clock that was set back must not stop deletion for as long as it was ahead.
        delete_at = delete_at.min(now + DELETION_INTERVAL);
        context.clock.sleep_until(Some(now + CLOCK_INTERVAL)).await;
    }
}

async fn delete_old(
    context: &Context,
    now: Timestamp,
    audit: AuditRetention,
) -> Result<(), StoreError> {
    context.store.forget_history(now - KEPT).await?;
    context
        .store
        .forget_appointments(now - APPOINTMENTS_KEPT)
        .await?;
    context.store.forget_requests(now - ANSWERS_KEPT).await?;
    context.store.forget_gone(now - GONE_KEPT).await?;
    context
        .store
        .forget_own_changes(now - audit.own_changes)
        .await?;
    context.store.forget_audit(now - audit.all).await?;
    Ok(())
}
