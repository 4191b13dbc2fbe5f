//! People as the tenant's directory has them: added, brought up to date, gone and back.

use std::collections::BTreeSet;

use presence::{PersonId, Timestamp};
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, Store, StoreError, Subject,
    difference::{described, note_difference},
    scopes::location_called,
    unique_fields::{MAIL, NOBODY, SIGN_IN_NAME, TEAMS_ACCOUNT, refuse_kept},
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

/// A change that was left out.
#[derive(Debug)]
pub struct RefusedChange {
    /// Its place among the changes.
    pub at: usize,
    /// A name or the account belongs to a person who keeps it.
    pub why: StoreError,
}

impl Store {
    /// Carries out the differences with a tenant's directory. They are one round: names that a person of the round loses, or
    /// that belong to people who are gone, are free, in whichever order the changes stand. A change that gives a person a
    /// name of somebody who keeps it is left out and returned; all others are carried out together. Whoever is new comes to
    /// the location of that name, which is made if it is missing and then names the tenant; without one to none.
    ///
    /// # Errors
    /// The database refused, or the location is another tenant's: nothing was written.
    pub async fn apply_directory(
        &self,
        changes: &[DirectoryChange],
        to: (&str, Option<&str>),
        change: &Change<'_>,
    ) -> Result<Vec<RefusedChange>, StoreError> {
        let mut kept: Vec<(usize, &DirectoryChange)> = changes.iter().enumerate().collect();
        let mut refused = Vec::new();
        // What a refused change would have freed is not free: without it others may be refused. Each pass leaves out one more
        // at least.
        while !kept.is_empty() {
            let mut transaction = self.change(change).await?;
            let found = carry_out(&mut transaction, &kept, to, change).await?;
            if found.is_empty() {
                transaction.commit().await?;
                break;
            }
            transaction.rollback().await?;
            let places: BTreeSet<usize> = found.iter().map(|refused| refused.at).collect();
            kept.retain(|(at, _)| !places.contains(at));
            refused.extend(found);
        }
        Ok(refused)
    }

    /// Those who were taken from a directory.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_of_directory(&self) -> Result<BTreeSet<PersonId>, StoreError> {
        let rows = sqlx::query("SELECT id FROM people WHERE from_directory = 1")
            .fetch_all(&self.database.pool)
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
        .fetch_all(&self.database.pool)
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

/// Carries out the changes; returns those that are refused.
async fn carry_out(
    transaction: &mut Transaction<'_, Sqlite>,
    changes: &[(usize, &DirectoryChange)],
    (tenant, location): (&str, Option<&str>),
    change: &Change<'_>,
) -> Result<Vec<RefusedChange>, StoreError> {
    let location = match location {
        Some(name) => Some(location_of_tenant(transaction, name, tenant).await?),
        None => None,
    };
    let mut named = Vec::new();
    for (at, entry) in changes {
        match entry {
            DirectoryChange::Add(person) => named.push((*at, None, person, None)),
            DirectoryChange::Update(id, person) => {
                let id = id.0.cast_signed();
                let before = described(transaction, id).await?;
                release(transaction, id, person).await?;
                named.push((*at, Some(id), person, before));
            }
            DirectoryChange::Gone(id) => leave(transaction, id.0.cast_signed(), change).await?,
        }
    }
    let mut refused = Vec::new();
    for (at, id, person, before) in named {
        match refuse_taken(transaction, id, person).await {
            Ok(()) => {}
            Err(why @ StoreError::Taken { .. }) => {
                refused.push(RefusedChange { at, why });
                continue;
            }
            Err(error) => return Err(error),
        }
        let id = match id {
            Some(id) => {
                update(transaction, id, person, tenant).await?;
                id
            }
            None => add(transaction, person, tenant, location.as_deref()).await?,
        };
        note_difference(transaction, id, before, change).await?;
    }
    Ok(refused)
}

/// Takes from a person the names that the directory gives them no longer.
async fn release(
    transaction: &mut Transaction<'_, Sqlite>,
    id: i64,
    person: &DirectoryPerson,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE people SET mail = iif(mail = ?2, mail, ''),
            user_principal_name = iif(user_principal_name = ?3, user_principal_name, '')
         WHERE id = ?1 AND (mail <> ?2 OR user_principal_name <> ?3)",
    )
    .bind(id)
    .bind(&person.mail)
    .bind(&person.user_principal_name)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn leave(
    transaction: &mut Transaction<'_, Sqlite>,
    id: i64,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    let before = described(transaction, id).await?;
    sqlx::query("UPDATE people SET gone_at = ?2 WHERE id = ?1 AND gone_at IS NULL")
        .bind(id)
        .bind(change.at.milliseconds())
        .execute(&mut **transaction)
        .await?;
    note_difference(transaction, id, before, change).await?;
    Ok(())
}

async fn update(
    transaction: &mut Transaction<'_, Sqlite>,
    id: i64,
    person: &DirectoryPerson,
    tenant: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE people SET name = ?2, mail = ?3, user_principal_name = ?4, teams_id = ?5, gone_at = NULL,
            teams_tenant = ?6
         WHERE id = ?1",
    )
    .bind(id)
    .bind(&person.name)
    .bind(&person.mail)
    .bind(&person.user_principal_name)
    .bind(&person.teams_id)
    .bind(tenant)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Adds a person; returns the id.
async fn add(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &DirectoryPerson,
    tenant: &str,
    location: Option<&str>,
) -> Result<i64, StoreError> {
    let added = sqlx::query(
        "INSERT INTO people (name, mail, user_principal_name, teams_id, from_directory, teams_tenant, location)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
    )
    .bind(&person.name)
    .bind(&person.mail)
    .bind(&person.user_principal_name)
    .bind(&person.teams_id)
    .bind(tenant)
    .bind(location)
    .execute(&mut **transaction)
    .await?;
    Ok(added.last_insert_rowid())
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
    Err(StoreError::conflict(Subject::Location, name, problem))
}

/// Names are one person's; two accounts of a directory may all the same have one mail address.
async fn refuse_taken(
    transaction: &mut Transaction<'_, Sqlite>,
    id: Option<i64>,
    person: &DirectoryPerson,
) -> Result<(), StoreError> {
    let id = id.unwrap_or(NOBODY);
    for (kind, value) in [
        (TEAMS_ACCOUNT, &person.teams_id),
        (SIGN_IN_NAME, &person.user_principal_name),
        (MAIL, &person.mail),
    ] {
        refuse_kept(transaction, kind, value, id).await?;
    }
    Ok(())
}
