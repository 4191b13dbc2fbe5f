//! Who is there: import, place in the tree of scopes, the link to Teams, deletion.

use presence::PersonId;
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, IMMEDIATE, ImportPerson, Progress, Store, StoreError,
    audit::note,
    described::{Difference, described, note_difference},
    idempotency::record_made,
    owners::{EXTENSION, MAIL, NOBODY, SIGN_IN_NAME, TEAMS_ACCOUNT, refuse_owned},
    scopes::location_called,
    values::commit_found,
};

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// People who were new.
    pub added: usize,
    /// People who existed already.
    pub updated: usize,
    /// What became different, in the order of the import. Who was as they are is not here.
    pub differences: Vec<Difference>,
}

/// What changes about a person. `None`: it stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// The name people see.
    pub name: Option<String>,
    /// Mail address, or empty.
    pub mail: Option<String>,
    /// Sign-in name at Microsoft, or empty.
    pub user_principal_name: Option<String>,
    /// All extensions.
    pub extensions: Option<Vec<String>>,
}

impl Store {
    /// Adds people or brings them up to date, all or none. Somebody is found again by sign-in name, else by mail; their
    /// lines become exactly those given. A location is found by its name, or made; without one people stay where they
    /// are.
    ///
    /// # Errors
    /// An extension belongs to somebody else; the database refused. Nothing was written.
    pub async fn import(
        &self,
        people: &[ImportPerson],
        change: &Change<'_>,
    ) -> Result<ImportSummary, StoreError> {
        self.import_watched(people, change, &Progress::default())
            .await
    }

    /// [`Self::import`] for somebody who watches and may cancel.
    ///
    /// # Errors
    /// As there, and it was cancelled.
    pub async fn import_watched(
        &self,
        people: &[ImportPerson],
        change: &Change<'_>,
        progress: &Progress,
    ) -> Result<ImportSummary, StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        let summary = bring_in(&mut transaction, people, change, progress).await?;
        transaction.commit().await?;
        Ok(summary)
    }

    /// What [`Self::import`] would do. Nothing is written.
    ///
    /// # Errors
    /// As there.
    pub async fn rehearse_import(
        &self,
        people: &[ImportPerson],
        change: &Change<'_>,
        progress: &Progress,
    ) -> Result<ImportSummary, StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        let summary = bring_in(&mut transaction, people, change, progress).await;
        transaction.rollback().await?;
        summary
    }

    /// How many people there are.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_count(&self) -> Result<usize, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM people WHERE gone_at IS NULL")
            .fetch_one(&self.pool)
            .await?;
        Ok(usize::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    /// Links a person to a Teams account by its object id, in a tenant.
    ///
    /// # Errors
    /// Another person is linked to it; the database refused.
    pub async fn link_teams(
        &self,
        person: PersonId,
        teams_id: &str,
        tenant: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        let person = person.0.cast_signed();
        set_teams_id(&mut transaction, person, teams_id, Some(tenant)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether a person may be linked to a Teams account.
    ///
    /// # Errors
    /// Another person is linked to it; the database refused.
    pub async fn may_link_teams(&self, person: PersonId, teams_id: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        refuse_owned(
            &mut transaction,
            TEAMS_ACCOUNT,
            teams_id,
            person.0.cast_signed(),
        )
        .await
    }

    /// A person has no Teams account any more. What Offhook wrote there is forgotten too: the caller has it taken back
    /// first.
    ///
    /// # Errors
    /// The database refused.
    pub async fn unlink_teams(&self, person: PersonId) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        for statement in [
            "UPDATE people SET teams_id = NULL, teams_tenant = 'main' WHERE id = ?1",
            "DELETE FROM teams_writes WHERE person = ?1",
            "DELETE FROM teams_calls WHERE person = ?1",
            "DELETE FROM teams_account_names WHERE person = ?1",
        ] {
            sqlx::query(statement)
                .bind(person.0.cast_signed())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Puts a person into a location and one of its configuration groups, or into none.
    ///
    /// # Errors
    /// There is no such person, location or group; the group belongs to another location; the database refused.
    pub async fn place(
        &self,
        person: PersonId,
        location: Option<&str>,
        group: Option<&str>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        for (id, kind) in [(location, "location"), (group, "group")] {
            let Some(id) = id else { continue };
            let found = sqlx::query("SELECT parent FROM scopes WHERE id = ?1 AND kind = ?2")
                .bind(id)
                .bind(kind)
                .fetch_optional(&mut *transaction)
                .await?
                .ok_or_else(|| StoreError::not_found(kind, id))?;
            let parent: &str = found.get(0);
            if kind == "group" && location != Some(parent) {
                let problem =
                    format!("it belongs to the location {parent}; place the person there");
                return Err(StoreError::conflict("configuration group", id, problem));
            }
        }
        let placed =
            sqlx::query("UPDATE people SET location = ?2, configuration_group = ?3 WHERE id = ?1")
                .bind(person.0.cast_signed())
                .bind(location)
                .bind(group)
                .execute(&mut *transaction)
                .await?;
        commit_found(transaction, placed.rows_affected(), "person", person).await
    }

    /// Adds a person who is not there yet; their number.
    ///
    /// # Errors
    /// Somebody has the sign-in name, the mail address or an extension; the database refused. Nothing was written.
    pub async fn add_person(
        &self,
        person: &ImportPerson,
        change: &Change<'_>,
    ) -> Result<PersonId, StoreError> {
        let mut transaction = self.change(change).await?;
        let names = [&person.user_principal_name, &person.mail];
        refuse_names(&mut transaction, names.map(Some), NOBODY).await?;
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
        record_made(&mut transaction, change, id).await?;
        transaction.commit().await?;
        Ok(PersonId(id.cast_unsigned()))
    }

    /// Changes a person. Fields that are not named stay as they are in the database, whatever the caller knows of them.
    ///
    /// # Errors
    /// There is no such person; another person has the sign-in name, the mail address or an extension; the database
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
            return Err(StoreError::not_found("person", id));
        }
        if let Some(extensions) = &person.extensions {
            set_lines(&mut transaction, number, extensions).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a person with everything that is theirs: lines, choice, profiles, appointments, relationships, accounts,
    /// history. What Offhook wrote to Teams for them is forgotten too: the caller has it taken back first.
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
        commit_found(transaction, deleted.rows_affected(), "person", person).await
    }
}

/// Refuses a sign-in name and a mail address that somebody other than `person` has.
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

async fn bring_in(
    transaction: &mut Transaction<'_, Sqlite>,
    people: &[ImportPerson],
    change: &Change<'_>,
    progress: &Progress,
) -> Result<ImportSummary, StoreError> {
    let mut summary = ImportSummary::default();
    let total = people.len() as u64;
    for (done, person) in (0..).zip(people) {
        progress.reached(done, total)?;
        let found = find(transaction, person).await?;
        refuse_shared_mail(transaction, person).await?;
        let before = match found {
            Some(id) => {
                summary.updated += 1;
                described(transaction, id).await?
            }
            None => {
                summary.added += 1;
                None
            }
        };
        let id: i64 = sqlx::query(
            "INSERT INTO people (id, name, mail, user_principal_name) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET name = ?2, mail = ?3, user_principal_name = ?4, gone_at = NULL
             RETURNING id",
        )
        .bind(found)
        .bind(&person.name)
        .bind(&person.mail)
        .bind(&person.user_principal_name)
        .fetch_one(&mut **transaction)
        .await?
        .get(0);
        if let Some(location) = &person.location {
            move_to(transaction, id, location).await?;
        }
        if let Some(teams_id) = &person.teams_id {
            set_teams_id(transaction, id, teams_id, None).await?;
        }
        set_lines(transaction, id, &person.extensions).await?;
        let difference = note_difference(transaction, id, before, change).await?;
        summary.differences.extend(difference);
    }
    let counts = serde_json::json!({"added": summary.added, "updated": summary.updated});
    let change = Change {
        after: Some(counts.to_string()),
        ..change.clone()
    };
    note(transaction, &change).await?;
    progress.reached(total, total)?;
    Ok(summary)
}

/// Somebody who is there already, by sign-in name, else by mail. The terms that look idle let the database use its partial
/// indexes: without them each person is a walk over all.
async fn find(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &ImportPerson,
) -> Result<Option<i64>, StoreError> {
    let by_sign_in_name = sqlx::query(
        "SELECT id FROM people WHERE user_principal_name = ?1 AND user_principal_name <> ''",
    )
    .bind(&person.user_principal_name)
    .fetch_optional(&mut **transaction)
    .await?;
    if let Some(row) = by_sign_in_name {
        return Ok(Some(row.get(0)));
    }
    let by_mail = sqlx::query(
        "SELECT id FROM people WHERE mail = ?2 AND mail <> '' AND (?1 = '' OR user_principal_name = '')",
    )
    .bind(&person.user_principal_name)
    .bind(&person.mail)
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(by_mail.map(|row| row.get(0)))
}

/// Moves somebody to the location of that name; out of the configuration group too, if it is one of another location.
async fn move_to(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    location: &str,
) -> Result<(), StoreError> {
    let location = location_called(transaction, location).await?;
    sqlx::query(
        "UPDATE people SET location = ?2, configuration_group =
            (SELECT id FROM scopes WHERE id = configuration_group AND parent = ?2)
         WHERE id = ?1 AND location IS NOT ?2",
    )
    .bind(person)
    .bind(location)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Two people with sign-in names of their own are two people, even if they name the same mail address.
async fn refuse_shared_mail(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &ImportPerson,
) -> Result<(), StoreError> {
    let owner = sqlx::query(
        "SELECT name FROM people WHERE mail = ?2 AND mail <> '' AND ?1 <> ''
         AND user_principal_name <> '' AND user_principal_name <> ?1",
    )
    .bind(&person.user_principal_name)
    .bind(&person.mail)
    .fetch_optional(&mut **transaction)
    .await?;
    match owner {
        None => Ok(()),
        Some(owner) => Err(StoreError::Taken {
            what: "the mail address",
            field: "mail",
            value: person.mail.clone(),
            owner: owner.get(0),
        }),
    }
}

/// Without a tenant it is that of the person's location.
async fn set_teams_id(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    teams_id: &str,
    tenant: Option<&str>,
) -> Result<(), StoreError> {
    refuse_owned(transaction, TEAMS_ACCOUNT, teams_id, person).await?;
    sqlx::query(
        "UPDATE people SET teams_id = ?2, teams_tenant =
            coalesce(?3, (SELECT tenant FROM scopes WHERE scopes.id = location), 'main')
         WHERE id = ?1",
    )
    .bind(person)
    .bind(teams_id)
    .bind(tenant)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn set_lines(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    extensions: &[String],
) -> Result<(), StoreError> {
    let wanted = serde_json::json!(extensions).to_string();
    sqlx::query("DELETE FROM lines WHERE person = ?1 AND extension NOT IN (SELECT value FROM json_each(?2))")
        .bind(person)
        .bind(&wanted)
        .execute(&mut **transaction)
        .await?;
    for extension in extensions {
        // Whoever is gone has no claim to a number.
        sqlx::query(
            "DELETE FROM lines WHERE extension = ?1
             AND person IN (SELECT id FROM people WHERE gone_at IS NOT NULL AND id <> ?2)",
        )
        .bind(extension)
        .bind(person)
        .execute(&mut **transaction)
        .await?;
        refuse_owned(transaction, EXTENSION, extension, person).await?;
        sqlx::query("INSERT OR IGNORE INTO lines (person, extension) VALUES (?1, ?2)")
            .bind(person)
            .bind(extension)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
