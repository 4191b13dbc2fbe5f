//! Matches rows of an import with stored people: by object id, then by sign-in name, then by mail address.

use std::collections::HashMap;

use presence::TeamsUserId;
use sqlx::{Row, Sqlite, Transaction};

use crate::{ImportPerson, Progress, StoreError};

/// A key for matching. The most reliable key comes first, in the same order as for accounts of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Entra object id, which never changes.
    ObjectId,
    /// Sign-in name.
    SignInName,
    /// Mail address.
    Mail,
}

impl By {
    const ALL: [Self; 3] = [Self::ObjectId, Self::SignInName, Self::Mail];
}

/// A stored person before the import.
#[derive(Clone, Debug)]
pub(super) struct StoredIdentity {
    pub(super) id: i64,
    name: String,
    pub(super) mail: String,
    pub(super) user_principal_name: String,
    pub(super) teams_id: Option<TeamsUserId>,
}

/// Result of matching a row.
#[derive(Clone, Debug)]
pub(super) enum RowMatch {
    None,
    Person(StoredIdentity),
    /// Another row with the same name matches this person by a more reliable key; with the problem.
    Doubtful(String),
}

/// Matches each row. A more reliable key of any row takes precedence over a less reliable one, as for a directory.
pub(super) async fn find_all(
    transaction: &mut Transaction<'_, Sqlite>,
    people: &[ImportPerson],
    progress: &Progress,
) -> Result<Vec<RowMatch>, StoreError> {
    let mut found = vec![RowMatch::None; people.len()];
    let mut claimed: HashMap<i64, &ImportPerson> = HashMap::new();
    for by in By::ALL {
        for (person, found) in people.iter().zip(&mut found) {
            progress.advance(0, people.len() as u64)?;
            let RowMatch::None = found else { continue };
            let Some(known) = find(transaction, person, by).await? else {
                continue;
            };
            match claimed.get(&known.id) {
                None => {
                    claimed.insert(known.id, person);
                    *found = RowMatch::Person(known);
                }
                // A row with another name is another person, who may take over values of this one.
                Some(first) if is_named(person, &first.name) || is_named(person, &known.name) => {
                    *found = RowMatch::Doubtful(same_person(person, first, &known));
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

/// The problem of a row that matches the same person as another row.
fn same_person(person: &ImportPerson, first: &ImportPerson, known: &StoredIdentity) -> String {
    let place = match first.line {
        Some(line) => format!("line {line}"),
        None => first.name.clone(),
    };
    format!(
        "it is the same person as {place}, who has the UPN {:?} and the mail {:?} now; give both rows the UPN and the mail of their person, so that {} is found as one person",
        known.user_principal_name, known.mail, person.name
    )
}

/// The person who has a key of the row. The conditions `<> ''` let SQLite use the partial indexes; without them each
/// lookup would scan all people.
async fn find(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &ImportPerson,
    by: By,
) -> Result<Option<StoredIdentity>, StoreError> {
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
    let known = row.map(|row| StoredIdentity {
        id: row.get(0),
        name: row.get(1),
        mail: row.get(2),
        user_principal_name: row.get(3),
        teams_id: row.get::<Option<&str>, _>(4).map(TeamsUserId::new),
    });
    // Different sign-in names are different people, even with the same mail address.
    let is_other = |known: &StoredIdentity| {
        by == By::Mail
            && !person.user_principal_name.is_empty()
            && !known.user_principal_name.is_empty()
    };
    Ok(known.filter(|known| !is_other(known)))
}
