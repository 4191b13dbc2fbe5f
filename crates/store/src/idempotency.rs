//! Requests with an idempotency key. The transaction of a change records its request, so that a repeated request is never
//! carried out twice. The answer is stored afterwards, so that the repeated request gets the same answer.

use presence::Timestamp;
use sqlx::{Row, Sqlite, Transaction};

use crate::{Store, StoreError};

/// An attempt at a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The idempotency key that the client sent.
    pub key: String,
    /// The caller. Different callers may use the same key.
    pub who: String,
    /// Fingerprint of the request. A different request with the same key is an error of the caller.
    pub fingerprint: String,
    /// Distinguishes this attempt from an earlier one with the same key. An attempt may commit several transactions.
    pub nonce: String,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// Body of the answer.
    pub body: String,
}

/// The recorded progress of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The change was committed, but no answer was stored.
    Done {
        /// Id of the thing that the request created; `None` if it created none.
        made: Option<String>,
    },
    /// The answer was stored.
    Answered(StoredAnswer),
}

/// A recorded request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Fingerprint of the request.
    pub fingerprint: String,
    /// The recorded progress.
    pub outcome: Outcome,
}

/// Records the request of a change, in the transaction of this change.
pub(crate) async fn record(
    transaction: &mut Transaction<'_, Sqlite>,
    attempt: Option<&Attempt>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(attempt) = attempt else {
        return Ok(());
    };
    // The row of the same attempt is no conflict: one attempt may commit several transactions.
    let recorded = sqlx::query(
        "INSERT INTO idempotency (key, who, fingerprint, attempt, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key, who) DO UPDATE SET attempt = excluded.attempt WHERE attempt = excluded.attempt",
    )
    .bind(&attempt.key)
    .bind(&attempt.who)
    .bind(&attempt.fingerprint)
    .bind(&attempt.nonce)
    .bind(at.milliseconds())
    .execute(&mut **transaction)
    .await?;
    if recorded.rows_affected() == 0 {
        let key = attempt.key.clone();
        return Err(StoreError::Repeated { key });
    }
    Ok(())
}

/// Records the id of the thing that a change creates, in the transaction of this change.
pub(crate) async fn record_made(
    transaction: &mut Transaction<'_, Sqlite>,
    attempt: Option<&Attempt>,
    id: impl ToString,
) -> Result<(), StoreError> {
    let Some(attempt) = attempt else {
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
    /// The recorded request of the caller `who` with a key; `None` if there is none.
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

    /// Stores the answer to a request. Returns false if another attempt has the key already; its row stays.
    ///
    /// A power failure can undo this, but not the record of the request, which is committed with its change.
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

    /// Deletes the requests from before a time; returns their number.
    ///
    /// # Errors
    /// The database refused; nothing was deleted.
    pub async fn forget_requests(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM idempotency WHERE at < ?1", before)
            .await
    }
}
