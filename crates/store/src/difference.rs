//! Changes of single people by an import or a directory, for the audit log.

use serde_json::{Map, Value};
use sqlx::{Row, Sqlite, Transaction};

use crate::{Change, StoreError, audit::insert_row};

/// The audited fields of a person as JSON; `None` if the person does not exist.
pub(crate) async fn describe(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(
        "SELECT json_object(
            'name', name, 'mail', mail, 'userPrincipalName', user_principal_name, 'teamsAccount', teams_id,
            'location', location, 'gone', json(iif(gone_at IS NULL, 'false', 'true')),
            'lines', (SELECT json_group_array(extension)
                      FROM (SELECT extension FROM lines WHERE person = ?1 ORDER BY extension)))
         FROM people WHERE id = ?1",
    )
    .bind(person)
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(row.map(|row| row.get(0)))
}

/// A person's audited fields before and after a change, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// State before the change; `None` for a new person.
    pub before: Option<String>,
    /// State after the change.
    pub after: Option<String>,
}

impl Difference {
    /// Returns true if the change added the person.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// The person's name.
    pub fn name(&self) -> String {
        let after = read(self.after.as_deref());
        let name = after.get("name").and_then(Value::as_str);
        name.unwrap_or_default().to_owned()
    }

    /// The changed fields, as `field: before → after; …`.
    pub fn changes(&self) -> String {
        let (before, after) = (read(self.before.as_deref()), read(self.after.as_deref()));
        let mut changes: Vec<String> = after
            .iter()
            .filter(|(key, now)| before.get(*key) != Some(now))
            .filter_map(
                |(key, now)| match (before.get(key).map(written), written(now)) {
                    (None, now) if now.is_empty() => None,
                    (None, now) => Some(format!("{key}: {now}")),
                    (Some(before), now) => Some(format!("{key}: {before} → {now}")),
                },
            )
            .collect();
        changes.sort();
        changes.join("; ")
    }
}

fn read(text: Option<&str>) -> Map<String, Value> {
    serde_json::from_str(text.unwrap_or_default()).unwrap_or_default()
}

/// A JSON value as plain text.
fn written(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(written).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Adds the audit row of a person's change; returns `None` if nothing changed.
pub(crate) async fn record_difference(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    before: Option<String>,
    change: &Change<'_>,
) -> Result<Option<Difference>, StoreError> {
    let after = describe(transaction, person).await?;
    if before == after {
        return Ok(None);
    }
    let what = match before {
        None => "person.add",
        Some(_) => "person.change",
    };
    let change = Change {
        at: change.at,
        who: change.who,
        what,
        target: &person.to_string(),
        before: before.clone(),
        after: after.clone(),
        concern: change.concern,
        // The audit row of the whole import or directory run records the request.
        attempt: None,
    };
    insert_row(transaction, &change).await?;
    Ok(Some(Difference { before, after }))
}

#[cfg(test)]
mod tests {
    use super::Difference;

    #[test]
    fn a_difference_names_only_what_is_different() {
        let difference = |before: Option<&str>, after: &str| {
            let before = before.map(str::to_owned);
            let after = Some(after.to_owned());
            let difference = Difference { before, after };
            (difference.is_new(), difference.name(), difference.changes())
        };
        let anna = r#"{"name":"Anna","mail":"a@b.example","location":null,"lines":["1","2"],"gone":false}"#;
        let all = "lines: 1, 2; mail: a@b.example; name: Anna";
        assert_eq!(difference(None, anna), (true, "Anna".into(), all.into()));
        let before =
            r#"{"name":"Anna","mail":"a@b.example","location":null,"lines":["1"],"gone":false}"#;
        assert_eq!(
            difference(Some(before), anna),
            (false, "Anna".into(), "lines: 1 → 1, 2".into())
        );
    }
}
