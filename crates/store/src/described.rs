//! How a person is, for the audit log: what an import or a directory made of each is noted beside its sums.

use sqlx::{Row, Sqlite, Transaction};

use crate::{Change, StoreError, audit::note};

/// The person as JSON; `None`: there is none.
pub(crate) async fn described(
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

/// What became of a person, each as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How they were; `None`: they were not there.
    pub before: Option<String>,
    /// How they are.
    pub after: Option<String>,
}

/// Notes what became of a person, if anything did.
pub(crate) async fn note_difference(
    transaction: &mut Transaction<'_, Sqlite>,
    person: i64,
    before: Option<String>,
    change: &Change<'_>,
) -> Result<Option<Difference>, StoreError> {
    let after = described(transaction, person).await?;
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
        // Recorded once, with the sums of the whole.
        attempt: None,
    };
    note(transaction, &change).await?;
    Ok(Some(Difference { before, after }))
}
