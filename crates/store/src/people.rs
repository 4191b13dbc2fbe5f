//! People: read at a start, imported, linked to Teams.

use std::collections::BTreeMap;

use presence::{
    Choice, LineId, MyProfiles, OwnRecord, PersonId, PersonRecord, Slot, TeamsCall, Timestamp,
    YieldReason,
};
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};

use crate::{IMMEDIATE, ImportPerson, Store, StoreError};

/// A person as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPerson {
    /// The person's number, never reused.
    pub id: PersonId,
    /// The name people see.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name at Microsoft, or empty.
    pub user_principal_name: String,
    /// Entra object id, once found.
    pub teams_id: Option<String>,
    /// Telephone lines with their extensions.
    pub lines: Vec<(LineId, String)>,
    /// What the engine is to know.
    pub record: PersonRecord,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// People who were new.
    pub added: usize,
    /// People who existed already.
    pub updated: usize,
}

fn timestamp(row: &SqliteRow, column: &str) -> Timestamp {
    Timestamp::from_milliseconds(row.get(column))
}

fn optional_timestamp(row: &SqliteRow, column: &str) -> Option<Timestamp> {
    row.get::<Option<i64>, _>(column)
        .map(Timestamp::from_milliseconds)
}

fn person_of(row: &SqliteRow, column: &str) -> PersonId {
    PersonId(row.get::<i64, _>(column).unsigned_abs())
}

impl Store {
    /// Everybody, with what outlived the last run. A choice of a profile that no longer exists, or that has ended, is
    /// left out.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people(
        &self,
        profiles: &MyProfiles,
        now: Timestamp,
    ) -> Result<Vec<StoredPerson>, StoreError> {
        let mut people = BTreeMap::new();
        for row in sqlx::query("SELECT id, name, mail, user_principal_name, teams_id FROM people")
            .fetch_all(&self.pool)
            .await?
        {
            let id = person_of(&row, "id");
            let teams_id: Option<String> = row.get("teams_id");
            let record = PersonRecord {
                linked: teams_id.is_some(),
                ..PersonRecord::default()
            };
            let person = StoredPerson {
                id,
                name: row.get("name"),
                mail: row.get("mail"),
                user_principal_name: row.get("user_principal_name"),
                teams_id,
                lines: Vec::new(),
                record,
            };
            people.insert(id, person);
        }
        for row in sqlx::query("SELECT id, person, extension FROM lines ORDER BY id")
            .fetch_all(&self.pool)
            .await?
        {
            if let Some(person) = people.get_mut(&person_of(&row, "person")) {
                let line = LineId(row.get::<i64, _>("id").unsigned_abs());
                person.lines.push((line, row.get("extension")));
                person.record.lines.push(line);
            }
        }
        for row in sqlx::query("SELECT * FROM choices")
            .fetch_all(&self.pool)
            .await?
        {
            if let Some(person) = people.get_mut(&person_of(&row, "person")) {
                let until = optional_timestamp(&row, "until").filter(|until| *until <= now);
                let profile = profiles.named(row.get("profile")).cloned();
                person.record.choice = profile.filter(|_| until.is_none()).map(|profile| Choice {
                    profile,
                    since: timestamp(&row, "since"),
                    until: optional_timestamp(&row, "until"),
                });
            }
        }
        for row in sqlx::query("SELECT * FROM teams_calls")
            .fetch_all(&self.pool)
            .await?
        {
            if let Some(person) = people.get_mut(&person_of(&row, "person")) {
                person.record.teams_call = Some(TeamsCall {
                    since: timestamp(&row, "since"),
                    confirmed_at: timestamp(&row, "confirmed_at"),
                });
            }
        }
        for row in sqlx::query("SELECT * FROM teams_writes")
            .fetch_all(&self.pool)
            .await?
        {
            if let Some(person) = people.get_mut(&person_of(&row, "person")) {
                let slot = Slot::ALL
                    .into_iter()
                    .find(|slot| slot.name() == row.get::<&str, _>("slot"));
                if let Some(own) = slot.and_then(|slot| person.record.own.get_mut(slot as usize)) {
                    *own = Some(own_record(&row));
                }
            }
        }
        Ok(people.into_values().collect())
    }

    /// Adds people or brings them up to date, all or none. Somebody is found again by sign-in name, else by mail; their
    /// lines become exactly those given.
    ///
    /// # Errors
    /// An extension belongs to somebody else; the database refused. Nothing was written.
    pub async fn import(&self, people: &[ImportPerson]) -> Result<ImportSummary, StoreError> {
        let mut summary = ImportSummary::default();
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        for person in people {
            let found = sqlx::query(
                "SELECT id FROM people WHERE (user_principal_name = ?1 AND ?1 <> '')
                 OR (mail = ?2 AND ?2 <> '' AND (?1 = '' OR user_principal_name = ''))
                 ORDER BY user_principal_name = ?1 DESC LIMIT 1",
            )
            .bind(&person.user_principal_name)
            .bind(&person.mail)
            .fetch_optional(&mut *transaction)
            .await?;
            refuse_shared_mail(&mut transaction, person).await?;
            let id: i64 = match found {
                Some(row) => {
                    summary.updated += 1;
                    row.get(0)
                }
                None => {
                    summary.added += 1;
                    sqlx::query(
                        "INSERT INTO people (name, mail, user_principal_name) VALUES ('', '', '')",
                    )
                    .execute(&mut *transaction)
                    .await?
                    .last_insert_rowid()
                }
            };
            sqlx::query(
                "UPDATE people SET name = ?2, mail = ?3, user_principal_name = ?4 WHERE id = ?1",
            )
            .bind(id)
            .bind(&person.name)
            .bind(&person.mail)
            .bind(&person.user_principal_name)
            .execute(&mut *transaction)
            .await?;
            if let Some(teams_id) = &person.teams_id {
                set_teams_id(&mut transaction, id, teams_id).await?;
            }
            set_lines(&mut transaction, id, &person.extensions).await?;
        }
        sqlx::query(
            "INSERT INTO settings (scope, name, value) VALUES ('organisation', 'people.revision', '1')
             ON CONFLICT (scope, name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(summary)
    }

    /// How many people there are.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_count(&self) -> Result<usize, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM people")
            .fetch_one(&self.pool)
            .await?;
        Ok(usize::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    /// A number that grows with each import, so that a running server notices one by another process.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_revision(&self) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT value FROM settings WHERE scope = 'organisation' AND name = 'people.revision'",
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row
            .and_then(|row| row.get::<&str, _>(0).parse().ok())
            .unwrap_or(0))
    }

    /// Links a person to a Teams account by its object id.
    ///
    /// # Errors
    /// Another person is linked to it; the database refused.
    pub async fn link_teams(&self, person: PersonId, teams_id: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        set_teams_id(&mut transaction, person.0.cast_signed(), teams_id).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Two people with sign-in names of their own are two people, even if they name the same mail address.
async fn refuse_shared_mail(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &ImportPerson,
) -> Result<(), StoreError> {
    let owner = sqlx::query(
        "SELECT name FROM people WHERE mail = ?2 AND ?2 <> '' AND ?1 <> ''
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
            value: person.mail.clone(),
            owner: owner.get(0),
        }),
    }
}

async fn set_teams_id(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    teams_id: &str,
) -> Result<(), StoreError> {
    let owner = sqlx::query("SELECT name FROM people WHERE teams_id = ?1 AND id <> ?2")
        .bind(teams_id)
        .bind(person)
        .fetch_optional(&mut **transaction)
        .await?;
    if let Some(owner) = owner {
        let (value, owner) = (teams_id.to_owned(), owner.get(0));
        return Err(StoreError::Taken {
            what: "the Teams account",
            value,
            owner,
        });
    }
    sqlx::query("UPDATE people SET teams_id = ?2 WHERE id = ?1")
        .bind(person)
        .bind(teams_id)
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
        let owner = sqlx::query(
            "SELECT people.name FROM lines JOIN people ON people.id = person WHERE extension = ?1 AND person <> ?2",
        )
        .bind(extension)
        .bind(person)
        .fetch_optional(&mut **transaction)
        .await?;
        if let Some(owner) = owner {
            let (value, owner) = (extension.clone(), owner.get(0));
            return Err(StoreError::Taken {
                what: "extension",
                value,
                owner,
            });
        }
        sqlx::query("INSERT OR IGNORE INTO lines (person, extension) VALUES (?1, ?2)")
            .bind(person)
            .bind(extension)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn own_record(row: &SqliteRow) -> OwnRecord {
    let yielded: Option<&str> = row.get("yielded");
    OwnRecord {
        written_at: timestamp(row, "written_at"),
        expires_at: timestamp(row, "expires_at"),
        acknowledged: row.get::<i64, _>("acknowledged") != 0,
        cleared_at: optional_timestamp(row, "cleared_at"),
        yielded: YieldReason::ALL
            .into_iter()
            .find(|reason| Some(reason.name()) == yielded),
    }
}
