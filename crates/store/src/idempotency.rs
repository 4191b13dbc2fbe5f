//! Answers that were given to requests with an idempotency key, so that the same request sent again is answered the
//! same and not done twice.

use presence::Timestamp;
use sqlx::Row;

use crate::{Store, StoreError};

/// An answer that was given, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Of the request; another one under the same key is a mistake of the caller.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// The answer's body.
    pub body: String,
}

impl Store {
    /// The answer that `who` got under a key.
    ///
    /// # Errors
    /// The database refused.
    pub async fn idempotent(
        &self,
        key: &str,
        who: &str,
    ) -> Result<Option<StoredAnswer>, StoreError> {
        let row = sqlx::query(
            "SELECT fingerprint, status, body FROM idempotency WHERE key = ?1 AND who = ?2",
        )
        .bind(key)
        .bind(who)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| StoredAnswer {
            fingerprint: row.get(0),
            status: u16::try_from(row.get::<i64, _>(1)).unwrap_or_default(),
            body: row.get(2),
        }))
    }

    /// Keeps an answer. False if there is one under that key already; that one stays.
    ///
    /// # Errors
    /// The database refused.
    pub async fn remember_idempotent(
        &self,
        key: &str,
        who: &str,
        answer: &StoredAnswer,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO idempotency (key, who, fingerprint, status, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )
        .bind(key)
        .bind(who)
        .bind(&answer.fingerprint)
        .bind(answer.status)
        .bind(&answer.body)
        .bind(at.milliseconds())
        .execute(&self.pool)
        .await?;
        Ok(added.rows_affected() > 0)
    }

    /// Drops answers from before a moment; tells how many.
    ///
    /// # Errors
    /// The database refused; nothing was dropped.
    pub async fn forget_idempotent(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM idempotency WHERE at < ?1", before)
            .await
    }
}
