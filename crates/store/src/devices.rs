//! Devices: people's machines with a desktop agent. Name, operating system, and the hash of the agent's secret.

use std::fmt;

use presence::{PersonId, Timestamp};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    Change, SecretHash, Store, StoreError, Subject,
    values::{checked_name, commit_found, moment, person_id},
};

/// The most devices of one person.
pub const DEVICES_MAX: usize = 20;

/// Public id of a device: 16 hexadecimal digits, independent of its secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(String);

impl DeviceId {
    /// The id as the API writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A machine with a desktop agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Public id.
    pub id: DeviceId,
    /// The device's person.
    pub person: PersonId,
    /// Display name.
    pub name: String,
    /// Operating system: `linux`, `macos` or `windows`.
    pub system: String,
    /// Time at which the device was added.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "SELECT devices.id, person, devices.name, system, created_at FROM devices
     JOIN people ON people.id = person AND gone_at IS NULL";

impl Store {
    /// The device with this hash of its secret; `None` if there is none or its person has left the directory.
    ///
    /// # Errors
    /// The database refused.
    pub async fn device_by_hash(&self, hash: &SecretHash) -> Result<Option<Device>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE hash = ?1")))
            .bind(hash.as_slice())
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.as_ref().map(device))
    }

    /// The devices of a person, the oldest first.
    ///
    /// # Errors
    /// The database refused.
    pub async fn devices(&self, person: PersonId) -> Result<Vec<Device>, StoreError> {
        let select = format!("{COLUMNS} WHERE person = ?1 ORDER BY created_at, devices.id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(select))
            .bind(person.0.cast_signed())
            .fetch_all(&self.database.pool)
            .await?;
        Ok(rows.iter().map(device).collect())
    }

    /// Adds a device by the hash of its secret; returns its id.
    ///
    /// # Errors
    /// The name is empty or too long; the person has [`DEVICES_MAX`] devices already, or does not exist; the database
    /// refused.
    pub async fn add_device(
        &self,
        (person, hash): (PersonId, &SecretHash),
        name: &str,
        system: &str,
        change: &Change<'_>,
    ) -> Result<DeviceId, StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Device, name)?;
        let known = sqlx::query("SELECT count(*) FROM devices WHERE person = ?1")
            .bind(person.0.cast_signed())
            .fetch_one(&mut *transaction)
            .await?;
        if known.get::<i64, _>(0) >= DEVICES_MAX as i64 {
            let problem =
                format!("the person has {DEVICES_MAX} devices already; remove one of them first");
            return Err(StoreError::conflict(Subject::Device, name, problem));
        }
        let row = sqlx::query(
            "INSERT INTO devices (id, person, hash, name, system, created_at)
             SELECT lower(hex(randomblob(8))), id, ?2, ?3, ?4, ?5 FROM people WHERE id = ?1 AND gone_at IS NULL
             RETURNING id",
        )
        .bind(person.0.cast_signed())
        .bind(hash.as_slice())
        .bind(name)
        .bind(system)
        .bind(change.at.milliseconds())
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| StoreError::not_found(Subject::Person, person))?;
        transaction.commit().await?;
        Ok(DeviceId(row.get(0)))
    }

    /// Deletes a device of a person. Its secret is no longer accepted.
    ///
    /// # Errors
    /// The person has no such device; the database refused.
    pub async fn delete_device(
        &self,
        person: PersonId,
        id: &DeviceId,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM devices WHERE person = ?1 AND id = ?2")
            .bind(person.0.cast_signed())
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        commit_found(transaction, deleted.rows_affected(), Subject::Device, id).await
    }
}

fn device(row: &SqliteRow) -> Device {
    Device {
        id: DeviceId(row.get(0)),
        person: person_id(row, 1),
        name: row.get(2),
        system: row.get(3),
        created_at: moment(row, 4),
    }
}
