//! Which person a row of an import is: by object id, else by sign-in name, else by mail.

use std::collections::HashMap;

use sqlx::{Row, Sqlite, Transaction};

use crate::{ImportPerson, Progress, StoreError};

/// By what a row finds a person, the surest first, as an account of the directory does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Object id: it never changes at Microsoft.
    ObjectId,
    /// Sign-in name.
    SignInName,
    /// Mail.
    Mail,
}

impl By {
    const ALL: [Self; 3] = [Self::ObjectId, Self::SignInName, Self::Mail];
}

/// A person as the database has them before the import.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: i64,
    name: String,
    pub(super) mail: String,
    pub(super) user_principal_name: String,
    pub(super) teams_id: Option<String>,
}

/// The person whom a row finds.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Nobody,
    Known(Known),
    /// Another row is this person by a surer key, and both have one name.
    Doubtful(String),
}

/// Finds the person of each row. A surer key of one row goes before a less sure one of another, as in the directory.
pub(super) async fn find_all(
    transaction: &mut Transaction<'_, Sqlite>,
    people: &[ImportPerson],
    progress: &Progress,
) -> Result<Vec<Found>, StoreError> {
    let mut found = vec![Found::Nobody; people.len()];
    let mut claimed: HashMap<i64, &ImportPerson> = HashMap::new();
    for by in By::ALL {
        for (person, found) in people.iter().zip(&mut found) {
            progress.advance(0, people.len() as u64)?;
            let Found::Nobody = found else { continue };
            let Some(known) = find(transaction, person, by).await? else {
                continue;
            };
            match claimed.get(&known.id) {
                None => {
                    claimed.insert(known.id, person);
                    *found = Found::Known(known);
                }
                // Otherwise the row is another person, who may take over what this one gives up.
                Some(first) if is_named(person, &first.name) || is_named(person, &known.name) => {
                    *found = Found::Doubtful(same_person(person, first, &known));
                }
                Some(_) => {}
            }
        }
    }
    Ok(found)
}

fn is_named(person: &ImportPerson, name: &str) -> bool {
    person.name.to_lowercase() == name.to_lowercase()
}

/// The problem of a row with the same person as another row.
fn same_person(person: &ImportPerson, first: &ImportPerson, known: &Known) -> String {
    let place = match first.line {
        Some(line) => format!("line {line}"),
        None => first.name.clone(),
    };
    format!(
        "it is the same person as {place}, who has the UPN {:?} and the mail {:?} now; give both rows the UPN and the mail of their person, so that {} is found as one person",
        known.user_principal_name, known.mail, person.name
    )
}

/// The person who has a key of the row. The terms that look idle let the database use its partial indexes: without them
/// each person is a walk over all.
async fn find(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &ImportPerson,
    by: By,
) -> Result<Option<Known>, StoreError> {
    let (statement, value) = match by {
        By::ObjectId => (
            "SELECT id, name, mail, user_principal_name, teams_id FROM people WHERE teams_id = ?1",
            person.teams_id.as_deref().unwrap_or_default(),
        ),
        By::SignInName => (
            "SELECT id, name, mail, user_principal_name, teams_id FROM people
             WHERE user_principal_name = ?1 AND user_principal_name <> ''",
            &*person.user_principal_name,
        ),
        By::Mail => (
            "SELECT id, name, mail, user_principal_name, teams_id FROM people WHERE mail = ?1 AND mail <> ''",
            &*person.mail,
        ),
    };
    if value.is_empty() {
        return Ok(None);
    }
    let row = sqlx::query(statement)
        .bind(value)
        .fetch_optional(&mut **transaction)
        .await?;
    let known = row.map(|row| Known {
        id: row.get(0),
        name: row.get(1),
        mail: row.get(2),
        user_principal_name: row.get(3),
        teams_id: row.get(4),
    });
    // Two sign-in names are two people, whatever their mail.
    let is_other = |known: &Known| {
        by == By::Mail
            && !person.user_principal_name.is_empty()
            && !known.user_principal_name.is_empty()
    };
    Ok(known.filter(|known| !is_other(known)))
}
