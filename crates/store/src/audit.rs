//! The audit log: who changed what, and how it was before. A change and its row are committed together or not at all.

use presence::Timestamp;
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};

use crate::{Attempt, Store, StoreError, database::IMMEDIATE, idempotency::record};

/// Whose affair a change is. It decides how much of it the audit log records, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The organisation's: recorded in full.
    Administration,
    /// A person's own, made by the person or an assistant: recorded without what was before and after, and dropped earlier.
    Own,
}

/// What the audit log is told about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// When.
    pub at: Timestamp,
    /// Who made it: an account, an API key, the command line.
    pub who: &'a str,
    /// What was done, as `thing.deed`, for example `template.update`.
    pub what: &'a str,
    /// To what.
    pub target: &'a str,
    /// How it was, as JSON.
    pub before: Option<String>,
    /// How it is now, as JSON.
    pub after: Option<String>,
    /// Whose affair it is.
    pub concern: Concern,
    /// The request that makes the change, where it carries an idempotency key.
    pub attempt: Option<&'a Attempt>,
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number; later rows have higher ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What was done.
    pub what: String,
    /// To what.
    pub target: String,
    /// How it was, as JSON.
    pub before: Option<String>,
    /// How it was afterwards, as JSON.
    pub after: Option<String>,
    /// Whose affair it was.
    pub concern: Concern,
}

/// Which rows of the audit log are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Made by exactly this one.
    pub who: Option<String>,
    /// `what` begins with this.
    pub what: Option<String>,
    /// Done to exactly this.
    pub target: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// Adds a row, and records the request that makes the change.
pub(crate) async fn note(
    transaction: &mut Transaction<'_, Sqlite>,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    let (before, after) = match change.concern {
        Concern::Administration => (change.before.as_deref(), change.after.as_deref()),
        Concern::Own => (None, None),
    };
    sqlx::query(
        "INSERT INTO audit (at, who, what, target, before, after, own) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(change.at.milliseconds())
    .bind(change.who)
    .bind(change.what)
    .bind(change.target)
    .bind(before)
    .bind(after)
    .bind(change.concern == Concern::Own)
    .execute(&mut **transaction)
    .await?;
    record(transaction, change).await
}

impl Store {
    /// Begins a durable change by noting it: whatever fails afterwards takes the note with it.
    pub(crate) async fn change(
        &self,
        change: &Change<'_>,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.database.require_in_place().await?;
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        note(&mut transaction, change).await?;
        Ok(transaction)
    }

    /// Notes what changes nothing in the store itself: an import, a backup, a sign-in.
    ///
    /// # Errors
    /// The database refused.
    pub async fn record_change(&self, change: &Change<'_>) -> Result<(), StoreError> {
        Ok(self.change(change).await?.commit().await?)
    }

    /// Up to `limit` rows of the audit log, newest first; with `after_id` only those that follow that row in this
    /// order.
    ///
    /// # Errors
    /// The database refused.
    pub async fn audit(
        &self,
        after_id: Option<i64>,
        limit: u32,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, at, who, what, target, before, after, own FROM audit
             WHERE id < coalesce(?1, 9223372036854775807)
               AND (?3 IS NULL OR who = ?3)
               AND (?4 IS NULL OR substr(what, 1, length(?4)) = ?4)
               AND (?5 IS NULL OR target = ?5)
               AND (?6 IS NULL OR at >= ?6)
               AND (?7 IS NULL OR at < ?7)
             ORDER BY id DESC LIMIT ?2",
        )
        .bind(after_id)
        .bind(limit)
        .bind(&filter.who)
        .bind(&filter.what)
        .bind(&filter.target)
        .bind(filter.from.map(Timestamp::milliseconds))
        .bind(filter.to.map(Timestamp::milliseconds))
        .fetch_all(&self.database.pool)
        .await?;
        Ok(rows.iter().map(audit_row).collect())
    }

    /// Drops rows from before a moment; tells how many.
    ///
    /// # Errors
    /// The database refused; nothing was dropped.
    pub async fn forget_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM audit WHERE at < ?1", before).await
    }

    /// Drops rows about people's own changes from before a moment; returns how many.
    ///
    /// # Errors
    /// The database refused; nothing was dropped.
    pub async fn forget_own_changes(&self, before: Timestamp) -> Result<u64, StoreError> {
        // Strangers make rows of sign-ins, too: they are kept no longer than what people do.
        let statement = "DELETE FROM audit WHERE at < ?1 AND (own = 1 OR what GLOB 'session.*')";
        self.forget(statement, before).await
    }

    pub(crate) async fn forget(
        &self,
        statement: &'static str,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let gone = sqlx::query(statement)
            .bind(before.milliseconds())
            .execute(&self.database.quick)
            .await?;
        Ok(gone.rows_affected())
    }
}

fn audit_row(row: &SqliteRow) -> AuditRow {
    AuditRow {
        id: row.get(0),
        at: Timestamp::from_milliseconds(row.get(1)),
        who: row.get(2),
        what: row.get(3),
        target: row.get(4),
        before: row.get(5),
        after: row.get(6),
        concern: if row.get(7) {
            Concern::Own
        } else {
            Concern::Administration
        },
    }
}
