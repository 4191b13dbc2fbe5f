//! Left writes: writes of Offhook to Teams accounts that are no longer linked to the person. Triggers on `people` add the
//! rows.

use presence::{PersonId, Slot, TeamsUserId, TenantName, Timestamp};
use sqlx::Row;

use crate::{Store, StoreError, values::number};

/// A write that may still be in force at a Teams account, and is to be cleared there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftWrite {
    /// Tenant of the account.
    pub tenant: TenantName,
    /// The account.
    pub account: TeamsUserId,
    /// The written slot.
    pub slot: Slot,
    /// The person who had the account. The person may be deleted.
    pub person: PersonId,
    /// Time of the write.
    pub written_at: Timestamp,
    /// The person who has the account now, if any.
    pub owner: Owner,
}

/// The present use of the account of a left write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// No person has the account.
    Nobody,
    /// A person has the account, and Offhook has not written to the slot for this person.
    Person,
    /// A person has the account, and a write for this person has replaced the left one.
    Writer,
}

impl Store {
    /// The left writes that are still in force, ordered by account. Deletes the expired ones.
    ///
    /// # Errors
    /// The database refused.
    pub async fn left_writes(&self, now: Timestamp) -> Result<Vec<LeftWrite>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant, account, left_writes.slot, left_writes.person, left_writes.written_at, left_writes.expires_at,
                people.id IS NOT NULL, teams_writes.person IS NOT NULL
             FROM left_writes
             LEFT JOIN people ON teams_id = account AND teams_tenant = tenant AND gone_at IS NULL
             LEFT JOIN teams_writes ON teams_writes.person = people.id AND teams_writes.slot = left_writes.slot
             ORDER BY tenant, account, left_writes.slot",
        )
        .fetch_all(&self.database.pool)
        .await?;
        let is_in_force =
            |row: &&sqlx::sqlite::SqliteRow| row.get::<i64, _>(5) > now.milliseconds();
        let writes = rows.iter().filter(is_in_force).filter_map(|row| {
            let slot: &str = row.get(2);
            Some(LeftWrite {
                tenant: TenantName::new(row.get(0)),
                account: TeamsUserId::new(row.get(1)),
                slot: Slot::ALL.into_iter().find(|known| known.name() == slot)?,
                person: PersonId(number(row, 3)),
                written_at: Timestamp::from_milliseconds(row.get(4)),
                owner: match (row.get(6), row.get(7)) {
                    (false, _) => Owner::Nobody,
                    (true, false) => Owner::Person,
                    (true, true) => Owner::Writer,
                },
            })
        });
        let writes: Vec<_> = writes.collect();
        if writes.len() < rows.len() {
            sqlx::query("DELETE FROM left_writes WHERE expires_at <= ?1")
                .bind(now.milliseconds())
                .execute(&self.database.pool)
                .await?;
        }
        Ok(writes)
    }

    /// Deletes a left write, after Microsoft has confirmed that it is cleared, or after a person's own write has replaced
    /// it. A later left write of the same slot stays.
    ///
    /// # Errors
    /// The database refused.
    pub async fn forget_left_write(&self, write: &LeftWrite) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM left_writes WHERE tenant = ?1 AND account = ?2 AND slot = ?3 AND written_at = ?4",
        )
        .bind(write.tenant.as_str())
        .bind(write.account.as_str())
        .bind(write.slot.name())
        .bind(write.written_at.milliseconds())
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }
}
