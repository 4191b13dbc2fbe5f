//! People as the tenant's directory has them: added, brought up to date, gone and back.

use std::collections::BTreeSet;

use presence::{PersonId, Timestamp};
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, Store, StoreError,
    described::{described, note_difference},
    owners::{MAIL, NOBODY, SIGN_IN_NAME, TEAMS_ACCOUNT, refuse_owned},
    scopes::location_called,
    values::number,
};

/// What a directory says of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// Object id.
    pub teams_id: String,
    /// The name people see.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name.
    pub user_principal_name: String,
}

/// One difference to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryChange {
    /// Somebody new.
    Add(DirectoryPerson),
    /// Somebody who is known has these names now; whoever was gone is back.
    Update(PersonId, DirectoryPerson),
    /// Somebody's account is gone.
    Gone(PersonId),
}

impl Store {
    /// Carries out the differences with a tenant's directory, all or none. Whoever is new comes to the location of that
    /// name, which is made if it is missing and then names the tenant; without one to none.
    ///
    /// # Errors
    /// A name or account is somebody else's; the database refused.
    pub async fn apply_directory(
        &self,
        changes: &[DirectoryChange],
        (tenant, location): (&str, Option<&str>),
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let location = match location {
            Some(name) => Some(location_of_tenant(&mut transaction, name, tenant).await?),
            None => None,
        };
        for entry in changes {
            match entry {
                DirectoryChange::Add(person) => {
                    refuse_taken(&mut transaction, None, person).await?;
                    let added = sqlx::query(
                        "INSERT INTO people (name, mail, user_principal_name, teams_id, from_directory, teams_tenant, location)
                         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
                    )
                    .bind(&person.name)
                    .bind(&person.mail)
                    .bind(&person.user_principal_name)
                    .bind(&person.teams_id)
                    .bind(tenant)
                    .bind(&location)
                    .execute(&mut *transaction)
                    .await?;
                    let id = added.last_insert_rowid();
                    note_difference(&mut transaction, id, None, change).await?;
                }
                DirectoryChange::Update(id, person) => {
                    refuse_taken(&mut transaction, Some(*id), person).await?;
                    let before = described(&mut transaction, id.0.cast_signed()).await?;
                    sqlx::query(
                        "UPDATE people SET name = ?2, mail = ?3, user_principal_name = ?4, teams_id = ?5, gone_at = NULL,
                            teams_tenant = ?6
                         WHERE id = ?1",
                    )
                    .bind(id.0.cast_signed())
                    .bind(&person.name)
                    .bind(&person.mail)
                    .bind(&person.user_principal_name)
                    .bind(&person.teams_id)
                    .bind(tenant)
                    .execute(&mut *transaction)
                    .await?;
                    note_difference(&mut transaction, id.0.cast_signed(), before, change).await?;
                }
                DirectoryChange::Gone(id) => {
                    let before = described(&mut transaction, id.0.cast_signed()).await?;
                    sqlx::query("UPDATE people SET gone_at = ?2 WHERE id = ?1 AND gone_at IS NULL")
                        .bind(id.0.cast_signed())
                        .bind(change.at.milliseconds())
                        .execute(&mut *transaction)
                        .await?;
                    note_difference(&mut transaction, id.0.cast_signed(), before, change).await?;
                }
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Those who were taken from a directory.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_of_directory(&self) -> Result<BTreeSet<PersonId>, StoreError> {
        let rows = sqlx::query("SELECT id FROM people WHERE from_directory = 1")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(|row| PersonId(number(row, 0))).collect())
    }

    /// People of a tenant who are gone, for whoever compares with its directory: they may be back.
    ///
    /// # Errors
    /// The database refused.
    pub async fn gone_people(
        &self,
        tenant: &str,
    ) -> Result<Vec<(PersonId, DirectoryPerson)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, mail, user_principal_name, teams_id FROM people
             WHERE gone_at IS NOT NULL
               AND coalesce((SELECT tenant FROM scopes WHERE scopes.id = location), 'main') = ?1
             ORDER BY id",
        )
        .bind(tenant)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .iter()
            .map(|row| {
                let person = DirectoryPerson {
                    name: row.get(1),
                    mail: row.get(2),
                    user_principal_name: row.get(3),
                    teams_id: row.get::<Option<String>, _>(4).unwrap_or_default(),
                };
                (PersonId(number(row, 0)), person)
            })
            .collect())
    }

    /// Deletes those who have been gone since before a moment; tells how many.
    ///
    /// # Errors
    /// The database refused; nobody was deleted.
    pub async fn forget_gone(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM people WHERE gone_at < ?1", before)
            .await
    }
}

/// The location called `name`, which must name the tenant; a new one does.
async fn location_of_tenant(
    transaction: &mut Transaction<'_, Sqlite>,
    name: &str,
    tenant: &str,
) -> Result<String, StoreError> {
    let id = location_called(transaction, name).await?;
    // A location that names none, and has nobody, is as good as new.
    sqlx::query(
        "UPDATE scopes SET tenant = ?2
         WHERE id = ?1 AND tenant IS NULL AND NOT EXISTS (SELECT 1 FROM people WHERE location = ?1)",
    )
    .bind(&id)
    .bind(tenant)
    .execute(&mut **transaction)
    .await?;
    let row = sqlx::query("SELECT coalesce(tenant, 'main') FROM scopes WHERE id = ?1")
        .bind(&id)
        .fetch_one(&mut **transaction)
        .await?;
    let named: &str = row.get(0);
    if named == tenant {
        return Ok(id);
    }
    let problem = format!(
        "it belongs to the tenant {named}; let it name the tenant {tenant}, or take another location for the people of that tenant"
    );
    Err(StoreError::conflict("location", name, problem))
}

/// Names are one person's; two accounts of a directory may all the same have one mail address.
async fn refuse_taken(
    transaction: &mut Transaction<'_, Sqlite>,
    id: Option<PersonId>,
    person: &DirectoryPerson,
) -> Result<(), StoreError> {
    let id = id.map_or(NOBODY, |id| id.0.cast_signed());
    for (kind, value) in [
        (TEAMS_ACCOUNT, &person.teams_id),
        (SIGN_IN_NAME, &person.user_principal_name),
        (MAIL, &person.mail),
    ] {
        refuse_owned(transaction, kind, value, id).await?;
    }
    Ok(())
}
