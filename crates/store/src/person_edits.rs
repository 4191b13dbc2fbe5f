//! Changes of single people: adding, changing, deleting, location and configuration group, the link to a Teams account.

use presence::{Extension, PersonId, TeamsUserId, TenantName};
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, ImportPerson, NamedAccount, ScopeId, ScopeKind, Store, StoreError, Subject,
    database::IMMEDIATE,
    idempotency::record_made,
    teams_account_names::set_account_names,
    unique_fields::{EXTENSION, MAIL, NEW_PERSON, SIGN_IN_NAME, TEAMS_ACCOUNT, refuse_owned},
    values::commit_found,
};

/// A change of a person. A field that is `None` stays unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// Display name.
    pub name: Option<String>,
    /// Mail address, or empty.
    pub mail: Option<String>,
    /// Sign-in name (UPN), or empty.
    pub user_principal_name: Option<String>,
    /// Extensions, which replace the present ones.
    pub extensions: Option<Vec<Extension>>,
}

impl Store {
    /// The number of people. People who have left the directory do not count.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_count(&self) -> Result<usize, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM people WHERE gone_at IS NULL")
            .fetch_one(&self.database.pool)
            .await?;
        Ok(usize::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    /// Links a person to a Teams account of a tenant.
    ///
    /// # Errors
    /// Another person is linked to it; the database refused.
    pub async fn link_teams(
        &self,
        person: PersonId,
        teams_id: &TeamsUserId,
        tenant: &TenantName,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        let person = person.0.cast_signed();
        set_teams_id(&mut transaction, person, teams_id, Some(tenant)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Links a person to a Teams account of a tenant, with the account's names and the audit row.
    ///
    /// # Errors
    /// Another person is linked to it; the database refused. Nothing was written.
    pub async fn link_named_account(
        &self,
        person: PersonId,
        account: &NamedAccount,
        tenant: &TenantName,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let (number, id) = (person.0.cast_signed(), &account.object_id);
        set_teams_id(&mut transaction, number, id, Some(tenant)).await?;
        set_account_names(&mut *transaction, person, account).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Checks that a person can be linked to a Teams account.
    ///
    /// # Errors
    /// Another person is linked to it; the database refused.
    pub async fn may_link_teams(
        &self,
        person: PersonId,
        teams_id: &TeamsUserId,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.pool.begin().await?;
        refuse_owned(
            &mut transaction,
            TEAMS_ACCOUNT,
            teams_id.as_str(),
            person.0.cast_signed(),
        )
        .await
    }

    /// Unlinks a person from the Teams account, with the audit row of the change if it has one. The caller clears Offhook's
    /// writes there first; a write becomes a [`crate::LeftWrite`] until Microsoft confirms that it is cleared.
    ///
    /// # Errors
    /// The database refused.
    pub async fn unlink_teams(
        &self,
        person: PersonId,
        change: Option<&Change<'_>>,
    ) -> Result<(), StoreError> {
        let mut transaction = match change {
            Some(change) => self.change(change).await?,
            None => self.database.pool.begin_with(IMMEDIATE).await?,
        };
        let person = person.0.cast_signed();
        sqlx::query("UPDATE people SET teams_id = NULL, teams_tenant = 'main' WHERE id = ?1")
            .bind(person)
            .execute(&mut *transaction)
            .await?;
        forget_writes(&mut transaction, person).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes the records of writes to an account that is no longer the person's. The caller clears the writes first.
    ///
    /// # Errors
    /// The database refused.
    pub async fn forget_teams_writes(&self, person: PersonId) -> Result<(), StoreError> {
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        forget_writes(&mut transaction, person.0.cast_signed()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Sets a person's location and configuration group; `None` clears them.
    ///
    /// # Errors
    /// The person, location or group does not exist; the group belongs to another location; the database refused.
    pub async fn set_membership(
        &self,
        person: PersonId,
        location: Option<&ScopeId>,
        group: Option<&ScopeId>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        for (id, kind) in [(location, ScopeKind::Location), (group, ScopeKind::Group)] {
            let Some(id) = id else { continue };
            let found = sqlx::query("SELECT parent FROM scopes WHERE id = ?1 AND kind = ?2")
                .bind(id.as_str())
                .bind(kind.name())
                .fetch_optional(&mut *transaction)
                .await?
                .ok_or_else(|| StoreError::not_found(kind.subject(), id))?;
            let parent: &str = found.get(0);
            if kind == ScopeKind::Group && location.map(ScopeId::as_str) != Some(parent) {
                let problem =
                    format!("it belongs to the location {parent}; place the person there");
                return Err(StoreError::conflict(Subject::Group, id, problem));
            }
        }
        let placed =
            sqlx::query("UPDATE people SET location = ?2, configuration_group = ?3 WHERE id = ?1")
                .bind(person.0.cast_signed())
                .bind(location.map(ScopeId::as_str))
                .bind(group.map(ScopeId::as_str))
                .execute(&mut *transaction)
                .await?;
        commit_found(transaction, placed.rows_affected(), Subject::Person, person).await
    }

    /// Adds a person; returns the number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another person has the sign-in name, the mail address or an extension; the database
    /// refused. Nothing was written.
    pub async fn add_person(
        &self,
        person: &ImportPerson,
        change: &Change<'_>,
    ) -> Result<PersonId, StoreError> {
        let mut transaction = self.change(change).await?;
        let names = [&person.user_principal_name, &person.mail];
        refuse_names(&mut transaction, names.map(Some), NEW_PERSON).await?;
        let added = sqlx::query(
            "INSERT INTO people (name, mail, user_principal_name) VALUES (?1, ?2, ?3) RETURNING id",
        )
        .bind(&person.name)
        .bind(&person.mail)
        .bind(&person.user_principal_name)
        .fetch_one(&mut *transaction)
        .await?;
        let id: i64 = added.get(0);
        set_lines(&mut transaction, id, &person.extensions).await?;
        record_made(&mut transaction, change.attempt, id).await?;
        transaction.commit().await?;
        Ok(PersonId(id.cast_unsigned()))
    }

    /// Changes a person. Fields that are `None` keep their stored value, even if it changed since the caller read it.
    ///
    /// # Errors
    /// The person does not exist; another person has the sign-in name, the mail address or an extension; the database
    /// refused. Nothing was written.
    pub async fn change_person(
        &self,
        id: PersonId,
        person: &PersonChange,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let number = id.0.cast_signed();
        let names = [&person.user_principal_name, &person.mail];
        refuse_names(&mut transaction, names.map(Option::as_ref), number).await?;
        let changed = sqlx::query(
            "UPDATE people SET name = coalesce(?1, name), mail = coalesce(?2, mail),
                user_principal_name = coalesce(?3, user_principal_name)
             WHERE id = ?4 AND gone_at IS NULL",
        )
        .bind(&person.name)
        .bind(&person.mail)
        .bind(&person.user_principal_name)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::not_found(Subject::Person, id));
        }
        if let Some(extensions) = &person.extensions {
            set_lines(&mut transaction, number, extensions).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a person with all data: lines, chosen profile, profiles, appointments, relationships, accounts, history. The
    /// caller clears Offhook's writes to Teams first; a write becomes a [`crate::LeftWrite`] until Microsoft confirms that
    /// it is cleared.
    ///
    /// # Errors
    /// There is no such person; the database refused.
    pub async fn delete_person(
        &self,
        person: PersonId,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM people WHERE id = ?1")
            .bind(person.0.cast_signed())
            .execute(&mut *transaction)
            .await?;
        commit_found(
            transaction,
            deleted.rows_affected(),
            Subject::Person,
            person,
        )
        .await
    }
}

/// Refuses a sign-in name or a mail address of a person other than `person`.
async fn refuse_names(
    transaction: &mut Transaction<'_, Sqlite>,
    [sign_in_name, mail]: [Option<&String>; 2],
    person: i64,
) -> Result<(), StoreError> {
    for (kind, value) in [(SIGN_IN_NAME, sign_in_name), (MAIL, mail)] {
        if let Some(value) = value {
            refuse_owned(transaction, kind, value, person).await?;
        }
    }
    Ok(())
}

/// Deletes the records about a person's Teams account, which is no longer linked.
pub(crate) async fn forget_writes(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM teams_writes WHERE person = ?1",
        "DELETE FROM teams_calls WHERE person = ?1",
        "DELETE FROM teams_account_names WHERE person = ?1",
    ] {
        sqlx::query(statement)
            .bind(person)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// Links a person to a Teams account. Without `tenant` the account is in the tenant of the person's location.
pub(crate) async fn set_teams_id(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    teams_id: &TeamsUserId,
    tenant: Option<&TenantName>,
) -> Result<(), StoreError> {
    refuse_owned(transaction, TEAMS_ACCOUNT, teams_id.as_str(), person).await?;
    sqlx::query(
        "UPDATE people SET teams_id = ?2, teams_tenant =
            coalesce(?3, (SELECT tenant FROM scopes WHERE scopes.id = location), 'main')
         WHERE id = ?1",
    )
    .bind(person)
    .bind(teams_id.as_str())
    .bind(tenant.map(TenantName::as_str))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Replaces the extensions of a person.
async fn set_lines(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    extensions: &[Extension],
) -> Result<(), StoreError> {
    drop_other_lines(transaction, person, extensions).await?;
    add_lines(transaction, person, extensions).await
}

/// Removes all extensions of a person but these.
pub(crate) async fn drop_other_lines(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    extensions: &[Extension],
) -> Result<(), StoreError> {
    let wanted: Vec<&str> = extensions.iter().map(|extension| &**extension).collect();
    let wanted = serde_json::json!(wanted).to_string();
    sqlx::query("DELETE FROM lines WHERE person = ?1 AND extension NOT IN (SELECT value FROM json_each(?2))")
        .bind(person)
        .bind(&wanted)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Adds extensions to a person.
pub(crate) async fn add_lines(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    extensions: &[Extension],
) -> Result<(), StoreError> {
    for extension in extensions {
        // People who have left the directory lose the extension.
        sqlx::query(
            "DELETE FROM lines WHERE extension = ?1
             AND person IN (SELECT id FROM people WHERE gone_at IS NOT NULL AND id <> ?2)",
        )
        .bind(&**extension)
        .bind(person)
        .execute(&mut **transaction)
        .await?;
        refuse_owned(transaction, EXTENSION, extension, person).await?;
        sqlx::query("INSERT OR IGNORE INTO lines (person, extension) VALUES (?1, ?2)")
            .bind(person)
            .bind(&**extension)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
