//! Commits of the engine's records: any number in one transaction, with one statement for each kind.

use std::collections::BTreeMap;

use presence::{Choice, PersonId, Record, Slot, SlotRecord, TeamsCall};
use serde_json::json;

use crate::{Change, Durability, Store, StoreError, audit::insert_row, database::IMMEDIATE};

/// Records, grouped by kind. Of several records about the same thing the last one is written.
#[derive(Default)]
struct Batch<'a> {
    slots: BTreeMap<(PersonId, Slot), Option<SlotRecord>>,
    calls: BTreeMap<PersonId, Option<TeamsCall>>,
    choices: BTreeMap<PersonId, Option<&'a Choice>>,
}

impl Store {
    /// Commits records, all or none. Records about people who no longer exist are ignored.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn commit(
        &self,
        records: impl IntoIterator<Item = &Record>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        self.commit_with_changes(records, &[], durability).await
    }

    /// [`Self::commit`] with rows of the audit log in the same transaction.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn commit_with_changes(
        &self,
        records: impl IntoIterator<Item = &Record>,
        changes: &[Change<'_>],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for record in records {
            match record {
                Record::Slot {
                    person,
                    slot,
                    record,
                } => {
                    batch.slots.insert((*person, *slot), *record);
                }
                Record::TeamsCall { person, call } => {
                    batch.calls.insert(*person, *call);
                }
                Record::Choice { person, choice } => {
                    batch.choices.insert(*person, choice.as_ref());
                }
            }
        }
        let statements = batch.statements();
        let pool = match durability {
            Durability::Process => &self.database.quick,
            Durability::Power => &self.database.pool,
        };
        let mut transaction = pool.begin_with(IMMEDIATE).await?;
        for (statement, rows) in statements {
            sqlx::query(statement)
                .bind(serde_json::Value::Array(rows).to_string())
                .execute(&mut *transaction)
                .await?;
        }
        for change in changes {
            insert_row(&mut transaction, change).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

type Statement = (&'static str, Vec<serde_json::Value>);

impl Batch<'_> {
    fn statements(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        let own = self.slots.iter().map(|((person, slot), own)| {
            let key = json!({"person": person.0, "slot": slot.name()});
            (key, own.as_ref().map(own_row))
        });
        split(own, UPSERT_OWN, DELETE_OWN, &mut statements);
        let calls = self.calls.iter().map(|(person, call)| {
            let row = call.map(|call| {
                json!({"since": call.since.milliseconds(), "confirmed_at": call.confirmed_at.milliseconds()})
            });
            (json!({"person": person.0}), row)
        });
        split(calls, UPSERT_CALL, DELETE_CALL, &mut statements);
        let choices = self.choices.iter().map(|(person, choice)| {
            let row = choice.map(|choice| {
                json!({
                    "profile": &*choice.profile,
                    "since": choice.since.milliseconds(),
                    "until": choice.until.map(|until| until.milliseconds()),
                })
            });
            (json!({"person": person.0}), row)
        });
        split(choices, UPSERT_CHOICE, DELETE_CHOICE, &mut statements);
        statements
    }
}

fn own_row(own: &SlotRecord) -> serde_json::Value {
    json!({
        "written_at": own.written_at.milliseconds(),
        "expires_at": own.expires_at.milliseconds(),
        "acknowledged": i64::from(own.acknowledged),
        "cleared_at": own.cleared_at.map(|at| at.milliseconds()),
        "yielded": own.released.map(|reason| reason.name()),
    })
}

/// Adds the statements that write and delete rows. A row to write is `{"key": …, "row": …}`; a row to delete is its key.
fn split(
    rows: impl Iterator<Item = (serde_json::Value, Option<serde_json::Value>)>,
    upsert: &'static str,
    delete: &'static str,
    statements: &mut Vec<Statement>,
) {
    let (mut kept, mut deleted) = (Vec::new(), Vec::new());
    for (key, row) in rows {
        match row {
            Some(row) => kept.push(json!({"key": key, "row": row})),
            None => deleted.push(key),
        }
    }
    statements.extend(
        [(upsert, kept), (delete, deleted)]
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty()),
    );
}

// The joins with `people` skip records about people who were deleted since.

const UPSERT_OWN: &str = "
INSERT INTO teams_writes (person, slot, written_at, expires_at, acknowledged, cleared_at, yielded)
SELECT people.id, value ->> '$.key.slot', value ->> '$.row.written_at', value ->> '$.row.expires_at',
       value ->> '$.row.acknowledged', value ->> '$.row.cleared_at', value ->> '$.row.yielded'
FROM json_each(?1) JOIN people ON people.id = value ->> '$.key.person'
WHERE true
ON CONFLICT (person, slot) DO UPDATE SET
    written_at = excluded.written_at, expires_at = excluded.expires_at, acknowledged = excluded.acknowledged,
    cleared_at = excluded.cleared_at, yielded = excluded.yielded";

const DELETE_OWN: &str = "
DELETE FROM teams_writes WHERE (person, slot) IN
    (SELECT value ->> '$.person', value ->> '$.slot' FROM json_each(?1))";

const UPSERT_CALL: &str = "
INSERT INTO teams_calls (person, since, confirmed_at)
SELECT people.id, value ->> '$.row.since', value ->> '$.row.confirmed_at'
FROM json_each(?1) JOIN people ON people.id = value ->> '$.key.person'
WHERE true
ON CONFLICT (person) DO UPDATE SET since = excluded.since, confirmed_at = excluded.confirmed_at";

const DELETE_CALL: &str =
    "DELETE FROM teams_calls WHERE person IN (SELECT value ->> '$.person' FROM json_each(?1))";

const UPSERT_CHOICE: &str = "
INSERT INTO choices (person, profile, since, until)
SELECT people.id, value ->> '$.row.profile', value ->> '$.row.since', value ->> '$.row.until'
FROM json_each(?1) JOIN people ON people.id = value ->> '$.key.person'
WHERE true
ON CONFLICT (person) DO UPDATE SET
    profile = excluded.profile, since = excluded.since, until = excluded.until";

const DELETE_CHOICE: &str =
    "DELETE FROM choices WHERE person IN (SELECT value ->> '$.person' FROM json_each(?1))";
