//! Requests with an idempotency key. That a request was carried out is committed in the transaction of its change, so that
//! the same request sent again is never carried out twice; its answer follows, so that it is answered the same.

use presence::Timestamp;
use sqlx::{Row, Sqlite, Transaction};

use crate::{Change, Store, StoreError};

/// One attempt at a request that carries an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The key, as the client sent it.
    pub key: String,
    /// The caller; two callers may use the same key.
    pub who: String,
    /// Of the request; another request under the same key is a mistake of the caller.
    pub fingerprint: String,
    /// Distinguishes this attempt from an earlier one with the same key: one request may commit several transactions.
    pub nonce: String,
}

/// An answer that was given to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// The answer's body.
    pub body: String,
}

/// How far a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its change was committed, and the answer was not stored.
    Done {
        /// The id of the thing that the request made, where it made one.
        made: Option<String>,
    },
    /// It was answered.
    Answered(StoredAnswer),
}

/// A request that was carried out under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Of the request.
    pub fingerprint: String,
    /// How far it came.
    pub outcome: Outcome,
}

/// Records in the transaction of a change that its request is carried out.
pub(crate) async fn record(
    transaction: &mut Transaction<'_, Sqlite>,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    let Some(attempt) = change.attempt else {
        return Ok(());
    };
    // The row of this very attempt is no conflict: one request may commit several transactions.
    let recorded = sqlx::query(
        "INSERT INTO idempotency (key, who, fingerprint, attempt, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key, who) DO UPDATE SET attempt = excluded.attempt WHERE attempt = excluded.attempt",
    )
    .bind(&attempt.key)
    .bind(&attempt.who)
    .bind(&attempt.fingerprint)
    .bind(&attempt.nonce)
    .bind(change.at.milliseconds())
    .execute(&mut **transaction)
    .await?;
    if recorded.rows_affected() == 0 {
        let key = attempt.key.clone();
        return Err(StoreError::Repeated { key });
    }
    Ok(())
}

/// Records in the transaction of a change the id of the thing that it makes.
pub(crate) async fn record_made(
    transaction: &mut Transaction<'_, Sqlite>,
    change: &Change<'_>,
    id: impl ToString,
) -> Result<(), StoreError> {
    let Some(attempt) = change.attempt else {
        return Ok(());
    };
    sqlx::query("UPDATE idempotency SET made = ?4 WHERE key = ?1 AND who = ?2 AND attempt = ?3")
        .bind(&attempt.key)
        .bind(&attempt.who)
        .bind(&attempt.nonce)
        .bind(id.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl Store {
    /// The request that `who` made under a key.
    ///
    /// # Errors
    /// The database refused.
    pub async fn stored_request(
        &self,
        key: &str,
        who: &str,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let row = sqlx::query(
            "SELECT fingerprint, status, body, made FROM idempotency WHERE key = ?1 AND who = ?2",
        )
        .bind(key)
        .bind(who)
        .fetch_optional(&self.database.pool)
        .await?;
        Ok(row.map(|row| {
            let status: Option<i64> = row.get(1);
            let status = status.and_then(|status| u16::try_from(status).ok());
            let body: Option<String> = row.get(2);
            StoredRequest {
                fingerprint: row.get(0),
                outcome: match (status, body) {
                    (Some(status), Some(body)) => Outcome::Answered(StoredAnswer { status, body }),
                    (_, _) => Outcome::Done { made: row.get(3) },
                },
            }
        }))
    }

    /// Stores the answer to a request. Returns false if another attempt has that key already; its row stays.
    ///
    /// A power failure may lose the answer; that the request was carried out is committed with its change.
    ///
    /// # Errors
    /// The database refused.
    pub async fn store_answer(
        &self,
        attempt: &Attempt,
        answer: &StoredAnswer,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let stored = sqlx::query(
            "INSERT INTO idempotency (key, who, fingerprint, attempt, at, status, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (key, who) DO UPDATE SET status = excluded.status, body = excluded.body
             WHERE attempt = excluded.attempt",
        )
        .bind(&attempt.key)
        .bind(&attempt.who)
        .bind(&attempt.fingerprint)
        .bind(&attempt.nonce)
        .bind(at.milliseconds())
        .bind(answer.status)
        .bind(&answer.body)
        .execute(&self.database.quick)
        .await?;
        Ok(stored.rows_affected() > 0)
    }

    /// Drops requests from before a moment; returns how many.
    ///
    /// # Errors
    /// The database refused; nothing was dropped.
    pub async fn forget_requests(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM idempotency WHERE at < ?1", before)
            .await
    }
}
