//! The last time that the server trusted its clock, to detect a clock that jumps.

use presence::Timestamp;
use sqlx::Row;

use crate::{Database, StoreError};

impl Database {
    /// The last trusted time; `None` if none was stored.
    ///
    /// # Errors
    /// The database refused.
    pub async fn last_known_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT last_known FROM clock")
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| Timestamp::from_milliseconds(row.get(0))))
    }

    /// Replaces the last trusted time. An earlier time is accepted.
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_last_known_time(&self, time: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO clock (id, last_known) VALUES (1, ?1)
             ON CONFLICT (id) DO UPDATE SET last_known = excluded.last_known",
        )
        .bind(time.milliseconds())
        .execute(&self.quick)
        .await?;
        Ok(())
    }
}
