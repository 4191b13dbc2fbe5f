//! Deletes rows of the database at the end of their retention.

use std::time::Duration;

use presence::Timestamp;
use serde::Deserialize;
use store::StoreError;

use crate::{
    clock_jump::{self, Deletion},
    config::{ConfigError, ConfigReader},
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

/// Default retention of the audit log: two years, which many audits ask for.
const AUDIT_DAYS: u64 = 730;
/// Default retention of changes that people make to their own settings.
const OWN_CHANGES_DAYS: u64 = 30;

/// Retention of the rows of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRetention {
    /// Of all rows.
    pub all: Duration,
    /// Of rows about people's own changes: profiles, appointments, relationships, devices.
    pub own_changes: Duration,
}

/// The section `[audit]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSection {
    days: Option<u64>,
    own_changes_days: Option<u64>,
}

/// The retention of the section.
///
/// # Errors
/// The first number of days out of range.
pub fn audit(
    reader: &ConfigReader<'_>,
    section: &AuditSection,
) -> Result<AuditRetention, ConfigError> {
    let days = |key, days: u64| match days {
        1..=36_500 => Ok(Duration::from_secs(days * 24 * 3600)),
        _ => {
            let problem = format!("{days} is out of range; expected 1 to 36500 days");
            Err(reader.error(key, problem))
        }
    };
    Ok(AuditRetention {
        all: days("audit.days", section.days.unwrap_or(AUDIT_DAYS))?,
        own_changes: days(
            "audit.own_changes_days",
            section.own_changes_days.unwrap_or(OWN_CHANGES_DAYS),
        )?,
    })
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
