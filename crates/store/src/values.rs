//! Conversions between values and columns that several tables share, and common checks.

use presence::{
    Forwarding, ForwardingError, Origin, PersonId, Profile, Relationship, Status, Target, Timestamp,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction, sqlite::SqliteRow};

use crate::{ScopeId, StoreError, Subject};

/// The form in which names are compared: trimmed and in lower case.
pub(crate) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Checks a display name; returns it trimmed.
pub(crate) fn checked_name(subject: Subject, name: &str) -> Result<&str, StoreError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(StoreError::conflict(
            subject,
            "without a name",
            "the name is empty; give it one",
        ));
    }
    // Names appear in lists and in addresses of pages.
    if name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(StoreError::conflict(
            subject,
            "with this name",
            "the name has more than 200 bytes or control characters; give it a shorter one in one line",
        ));
    }
    Ok(name)
}

/// The most bytes of a name.
const NAME_MAX: usize = 200;

pub(crate) fn moment(row: &SqliteRow, column: usize) -> Timestamp {
    Timestamp::from_milliseconds(row.get(column))
}

pub(crate) fn number(row: &SqliteRow, column: usize) -> u64 {
    row.get::<i64, _>(column).unsigned_abs()
}

pub(crate) fn person_id(row: &SqliteRow, column: usize) -> PersonId {
    PersonId(number(row, column))
}

/// The error of a word that this version does not know: the database was changed by hand.
fn unknown_word(subject: Subject, word: &str) -> StoreError {
    StoreError::conflict(
        subject,
        word,
        "this version does not know it; restore a backup or use the version that wrote it",
    )
}

pub(crate) fn status(name: &str) -> Result<Status, StoreError> {
    [
        Status::Available,
        Status::BeRightBack,
        Status::Busy,
        Status::DoNotDisturb,
        Status::Absent,
        Status::Offline,
    ]
    .into_iter()
    .find(|status| status.name() == name)
    .ok_or_else(|| unknown_word(Subject::Status, name))
}

pub(crate) fn level(name: &str) -> Result<Relationship, StoreError> {
    Relationship::from_name(name).ok_or_else(|| unknown_word(Subject::Relationship, name))
}

/// Parses the result of `json_array` or `json_group_array`. For many rows this is several times faster than reading each
/// column of each row.
pub(crate) fn decoded<T: DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json)
        .map_err(|error| StoreError::Database(sqlx::Error::Decode(error.into())))
}

/// The columns of a profile, in the order of [`ProfileRow`].
pub(crate) const PROFILE: &str = "json_array(name, status, forwarding, target, text)";

/// Name, status, forwarding, target, text.
pub(crate) type ProfileRow = (String, String, String, Option<String>, Option<String>);

/// An active profile from the columns [`PROFILE`].
pub(crate) fn profile(
    (name, given, kind, target, text): ProfileRow,
    origin: Origin,
) -> Result<Profile, StoreError> {
    Ok(Profile {
        name: name.into(),
        status: status(&given)?,
        forwarding: match Forwarding::from_names(&kind, target.as_deref()) {
            Ok(forwarding) => forwarding,
            // Versions before 0.2 accepted any text as target. Such a profile is loaded without forwarding. The text stays
            // in the database until the profile is changed; `Store::unusable_targets` names it.
            Err(ForwardingError::Target(_)) => Forwarding::Off,
            Err(ForwardingError::Kind) => return Err(unknown_word(Subject::CallForwarding, &kind)),
        },
        text: text.map(Into::into),
        origin,
        active: true,
    })
}

/// A profile as JSON, for the statements that write profiles.
pub(crate) fn profile_json(profile: &Profile, name: &str) -> String {
    let target = profile.forwarding.target().map(Target::name);
    json!({
        "key": key(name),
        "name": name,
        "status": profile.status.name(),
        "forwarding": profile.forwarding.kind(),
        "target": target,
        "text": profile.text.as_deref(),
    })
    .to_string()
}

/// Refuses people who do not exist.
pub(crate) async fn require_people(
    connection: &mut SqliteConnection,
    people: &[PersonId],
) -> Result<(), StoreError> {
    let numbers: Vec<u64> = people.iter().map(|person| person.0).collect();
    let missing = sqlx::query(
        "SELECT value FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM people WHERE id = value) LIMIT 1",
    )
    .bind(json!(numbers).to_string())
    .fetch_optional(connection)
    .await?;
    match missing {
        None => Ok(()),
        Some(row) => Err(StoreError::not_found(Subject::Person, number(&row, 0))),
    }
}

/// Refuses scopes that do not exist.
pub(crate) async fn require_scopes(
    connection: &mut SqliteConnection,
    scopes: &[&ScopeId],
) -> Result<(), StoreError> {
    let missing = sqlx::query(
        "SELECT value FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM scopes WHERE id = value) LIMIT 1",
    )
    .bind(json!(scopes).to_string())
    .fetch_optional(connection)
    .await?;
    match missing {
        None => Ok(()),
        Some(row) => Err(StoreError::not_found(Subject::Scope, row.get::<&str, _>(0))),
    }
}

/// Commits a change of one row; refuses it if `rows` is 0.
pub(crate) async fn commit_found(
    transaction: Transaction<'static, Sqlite>,
    rows: u64,
    subject: Subject,
    value: impl ToString,
) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::not_found(subject, value));
    }
    Ok(transaction.commit().await?)
}

/// `present` in a new order: `wanted` first, then the others in their present order.
pub(crate) fn arranged(
    subject: Subject,
    present: Vec<String>,
    wanted: &[String],
) -> Result<Vec<String>, StoreError> {
    let mut left = present.clone();
    let mut order = Vec::with_capacity(present.len());
    for name in wanted {
        let key = key(name);
        match left.iter().position(|other| *other == key) {
            Some(index) => order.push(left.remove(index)),
            None if present.contains(&key) => return Err(named_twice(subject, name)),
            None => return Err(StoreError::not_found(subject, name)),
        }
    }
    order.append(&mut left);
    Ok(order)
}

pub(crate) fn named_twice(subject: Subject, name: &str) -> StoreError {
    StoreError::conflict(subject, name, "the order names it twice; name it once")
}
