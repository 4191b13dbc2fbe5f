//! Changes of people from a tenant's Entra directory: added, updated, left, and returned.

use std::collections::BTreeSet;

use presence::{PersonId, TeamsUserId, TenantName, Timestamp};
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, ScopeId, Store, StoreError, Subject,
    difference::{describe, record_difference},
    scopes::location_called,
    unique_fields::{MAIL, NEW_PERSON, SIGN_IN_NAME, TEAMS_ACCOUNT, refuse_kept},
    values::number,
};

/// An account of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// Entra object id.
    pub teams_id: TeamsUserId,
    /// Display name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name (UPN).
    pub user_principal_name: String,
}

/// A person who has left a directory, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GonePerson {
    /// The person.
    pub id: PersonId,
    /// The account that was linked.
    pub teams_id: Option<TeamsUserId>,
    /// Display name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name (UPN), or empty.
    pub user_principal_name: String,
}

/// The tenant of a directory, and the location of the people who are added from it.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryTarget<'a> {
    /// The tenant.
    pub tenant: &'a TenantName,
    /// Name of the location. A missing one is created and bound to the tenant. `None`: new people have no location.
    pub location: Option<&'a str>,
}

/// A change of a person that the directory reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryChange {
    /// Adds a person.
    Add(DirectoryPerson),
    /// Updates the names of a person. A person who had left is back.
    Update(PersonId, DirectoryPerson),
    /// The account of a person was deleted.
    Gone(PersonId),
}

/// A change that was not applied.
#[derive(Debug)]
pub struct RefusedChange {
    /// Index among the changes.
    pub at: usize,
    /// The reason: another person keeps the name or the account.
    pub why: StoreError,
}

impl Store {
    /// Applies the changes of a tenant's directory in one transaction; returns the refused ones.
    ///
    /// The order of the changes does not matter: a name is free if its person loses it by another change, or has left
    /// the directory. A change is refused if it gives a person a name that another person keeps; all others are applied.
    ///
    /// # Errors
    /// The database refused, or the location belongs to another tenant. Nothing was written.
    pub async fn apply_directory(
        &self,
        changes: &[DirectoryChange],
        target: DirectoryTarget<'_>,
        change: &Change<'_>,
    ) -> Result<Vec<RefusedChange>, StoreError> {
        let mut kept: Vec<(usize, &DirectoryChange)> = changes.iter().enumerate().collect();
        let mut refused = Vec::new();
        // A refused change frees no name, so that other changes may be refused as well. Each pass refuses at least one
        // change, so that the loop ends.
        while !kept.is_empty() {
            let mut transaction = self.change(change).await?;
            let found = apply_changes(&mut transaction, &kept, target, change).await?;
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

    /// The people who were added from a directory.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_of_directory(&self) -> Result<BTreeSet<PersonId>, StoreError> {
        let rows = sqlx::query("SELECT id FROM people WHERE from_directory = 1")
            .fetch_all(&self.database.pool)
            .await?;
        Ok(rows.iter().map(|row| PersonId(number(row, 0))).collect())
    }

    /// The people of a tenant who have left its directory. The next comparison may find them again.
    ///
    /// # Errors
    /// The database refused.
    pub async fn gone_people(&self, tenant: &TenantName) -> Result<Vec<GonePerson>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, mail, user_principal_name, teams_id FROM people
             WHERE gone_at IS NOT NULL
               AND coalesce((SELECT tenant FROM scopes WHERE scopes.id = location), 'main') = ?1
             ORDER BY id",
        )
        .bind(tenant.as_str())
        .fetch_all(&self.database.pool)
        .await?;
        Ok(rows
            .iter()
            .map(|row| GonePerson {
                id: PersonId(number(row, 0)),
                name: row.get(1),
                mail: row.get(2),
                user_principal_name: row.get(3),
                teams_id: row.get::<Option<&str>, _>(4).map(TeamsUserId::new),
            })
            .collect())
    }

    /// Deletes the people who left the directory before a time; returns their number.
    ///
    /// # Errors
    /// The database refused; nothing was deleted.
    pub async fn forget_gone(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM people WHERE gone_at < ?1", before)
            .await
    }
}

/// Applies the changes; returns the refused ones.
async fn apply_changes(
    transaction: &mut Transaction<'_, Sqlite>,
    changes: &[(usize, &DirectoryChange)],
    DirectoryTarget { tenant, location }: DirectoryTarget<'_>,
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
                let before = describe(transaction, id).await?;
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
            None => add(transaction, person, tenant, location.as_ref()).await?,
        };
        record_difference(transaction, id, before, change).await?;
    }
    Ok(refused)
}

/// Clears the names of a person that differ in the directory, so that other people can take them.
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
    let before = describe(transaction, id).await?;
    sqlx::query("UPDATE people SET gone_at = ?2 WHERE id = ?1 AND gone_at IS NULL")
        .bind(id)
        .bind(change.at.milliseconds())
        .execute(&mut **transaction)
        .await?;
    record_difference(transaction, id, before, change).await?;
    Ok(())
}

async fn update(
    transaction: &mut Transaction<'_, Sqlite>,
    id: i64,
    person: &DirectoryPerson,
    tenant: &TenantName,
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
    .bind(person.teams_id.as_str())
    .bind(tenant.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Adds a person; returns the id.
async fn add(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &DirectoryPerson,
    tenant: &TenantName,
    location: Option<&ScopeId>,
) -> Result<i64, StoreError> {
    let added = sqlx::query(
        "INSERT INTO people (name, mail, user_principal_name, teams_id, from_directory, teams_tenant, location)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
    )
    .bind(&person.name)
    .bind(&person.mail)
    .bind(&person.user_principal_name)
    .bind(person.teams_id.as_str())
    .bind(tenant.as_str())
    .bind(location.map(ScopeId::as_str))
    .execute(&mut **transaction)
    .await?;
    Ok(added.last_insert_rowid())
}

/// The id of the location called `name`, created if it is missing. It must belong to the tenant.
async fn location_of_tenant(
    transaction: &mut Transaction<'_, Sqlite>,
    name: &str,
    tenant: &TenantName,
) -> Result<ScopeId, StoreError> {
    let id = location_called(transaction, name).await?;
    // A location without a tenant and without people is treated as a new one.
    sqlx::query(
        "UPDATE scopes SET tenant = ?2
         WHERE id = ?1 AND tenant IS NULL AND NOT EXISTS (SELECT 1 FROM people WHERE location = ?1)",
    )
    .bind(id.as_str())
    .bind(tenant.as_str())
    .execute(&mut **transaction)
    .await?;
    let row = sqlx::query("SELECT coalesce(tenant, 'main') FROM scopes WHERE id = ?1")
        .bind(id.as_str())
        .fetch_one(&mut **transaction)
        .await?;
    let named: &str = row.get(0);
    if named == tenant.as_str() {
        return Ok(id);
    }
    let problem = format!(
        "it belongs to the tenant {named}; assign it to the tenant {tenant}, or choose another location for the people of that tenant"
    );
    Err(StoreError::conflict(Subject::Location, name, problem))
}

/// Refuses an account with an object id, sign-in name or mail address of another person. Two accounts of a directory can
/// have the same mail address.
async fn refuse_taken(
    transaction: &mut Transaction<'_, Sqlite>,
    id: Option<i64>,
    person: &DirectoryPerson,
) -> Result<(), StoreError> {
    let id = id.unwrap_or(NEW_PERSON);
    for (kind, value) in [
        (TEAMS_ACCOUNT, person.teams_id.as_str()),
        (SIGN_IN_NAME, person.user_principal_name.as_str()),
        (MAIL, person.mail.as_str()),
    ] {
        refuse_kept(transaction, kind, value, id).await?;
    }
    Ok(())
}
