//! History of presence: JSON of each presence with its start, up to the configured retention.

use presence::{PersonId, Timestamp};
use serde_json::json;
use sqlx::Row;

use crate::{Store, StoreError, values::moment};

impl Store {
    /// Adds presences with their start. Of several presences of a person with the same start the last one stays.
    /// Presences of people who do not exist are ignored.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn add_history(
        &self,
        presences: &[(PersonId, Timestamp, String)],
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = presences
            .iter()
            .map(|(person, at, presence)| json!([person.0, at.milliseconds(), presence]))
            .collect();
        sqlx::query(
            "INSERT INTO history (person, at, presence)
             SELECT people.id, value ->> 1, value ->> 2 FROM json_each(?1) JOIN people ON people.id = value ->> 0
             WHERE true ON CONFLICT (person, at) DO UPDATE SET presence = excluded.presence",
        )
        .bind(serde_json::Value::Array(rows).to_string())
        .execute(&self.database.quick)
        .await?;
        Ok(())
    }

    /// A person's presences that began at `since` or later, the oldest first.
    ///
    /// # Errors
    /// The database refused.
    pub async fn history(
        &self,
        person: PersonId,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, presence FROM history WHERE person = ?1 AND at >= ?2 ORDER BY at",
        )
        .bind(person.0.cast_signed())
        .bind(since.milliseconds())
        .fetch_all(&self.database.pool)
        .await?;
        Ok(rows
            .iter()
            .map(|row| (moment(row, 0), row.get(1)))
            .collect())
    }

    /// The presences of all people that began at `since` or later, ordered by person and start.
    ///
    /// # Errors
    /// The database refused.
    pub async fn history_of_all(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(PersonId, Timestamp, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, presence, person FROM history WHERE at >= ?1 ORDER BY person, at",
        )
        .bind(since.milliseconds())
        .fetch_all(&self.database.pool)
        .await?;
        Ok(rows
            .iter()
            .map(|row| {
                let person = PersonId(row.get::<i64, _>(2).cast_unsigned());
                (person, moment(row, 0), row.get(1))
            })
            .collect())
    }

    /// Deletes presences that began before a time; returns their number.
    ///
    /// # Errors
    /// The database refused; nothing was deleted.
    pub async fn forget_history(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM history WHERE at < ?1", before)
            .await
    }
}
