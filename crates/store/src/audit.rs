//! The audit log: actor, action, target, and the state before and after each change. A change and its row are committed
//! in one transaction.

use presence::Timestamp;
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};

use crate::{Attempt, Store, StoreError, database::IMMEDIATE, idempotency::record};

/// The kind of a change, which determines the recorded details and the retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// A change of the organisation: recorded in full.
    Administration,
    /// A change of a person's own data by the person or an assistant: recorded without the states before and after, and
    /// deleted earlier.
    Own,
}

/// A change, as the audit log records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Time of the change.
    pub at: Timestamp,
    /// The actor: an account, an API key, or the command line.
    pub who: &'a str,
    /// The action, as `thing.verb`, for example `template.update`.
    pub what: &'a str,
    /// The changed thing: its id or name.
    pub target: &'a str,
    /// State before the change, as JSON.
    pub before: Option<String>,
    /// State after the change, as JSON.
    pub after: Option<String>,
    /// The kind of the change.
    pub concern: Concern,
    /// The request that makes the change, if it has an idempotency key.
    pub attempt: Option<&'a Attempt>,
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Number of the row, ascending with time.
    pub id: i64,
    /// Time of the change.
    pub at: Timestamp,
    /// The actor.
    pub who: String,
    /// The action.
    pub what: String,
    /// The changed thing: its id or name.
    pub target: String,
    /// State before the change, as JSON.
    pub before: Option<String>,
    /// State after the change, as JSON.
    pub after: Option<String>,
    /// The kind of the change.
    pub concern: Concern,
}

/// A selection of rows of the audit log. A field that is `None` matches every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The actor, compared exactly.
    pub who: Option<String>,
    /// A prefix of the action.
    pub what: Option<String>,
    /// The target, compared exactly.
    pub target: Option<String>,
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The time before which the rows were written.
    pub to: Option<Timestamp>,
}

/// Adds the row of a change, and the record of the request that makes the change.
pub(crate) async fn insert_row(
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
    record(transaction, change.attempt, change.at).await
}

impl Store {
    /// Begins a durable change with its audit row. If a later statement fails, the row is rolled back too.
    pub(crate) async fn change(
        &self,
        change: &Change<'_>,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.database.require_in_place().await?;
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        insert_row(&mut transaction, change).await?;
        Ok(transaction)
    }

    /// Records an event that changes nothing else in the database: a backup, a sign-in, a confirmed clock.
    ///
    /// # Errors
    /// The database refused.
    pub async fn record_change(&self, change: &Change<'_>) -> Result<(), StoreError> {
        Ok(self.change(change).await?.commit().await?)
    }

    /// Up to `limit` rows of the audit log, newest first. With `after_id` the page begins after that row.
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

    /// Deletes the rows from before a time; returns their number.
    ///
    /// # Errors
    /// The database refused; nothing was deleted.
    pub async fn forget_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM audit WHERE at < ?1", before).await
    }

    /// Deletes the rows about people's own changes from before a time; returns their number.
    ///
    /// # Errors
    /// The database refused; nothing was deleted.
    pub async fn forget_own_changes(&self, before: Timestamp) -> Result<u64, StoreError> {
        // Failed sign-ins of strangers add rows as well: they are deleted as early as people's own changes.
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
