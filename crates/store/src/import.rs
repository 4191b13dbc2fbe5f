//! Import of people from a table, in one transaction. The order of the rows does not matter: a value that one row takes
//! from a person is free for another row.

mod matching;

use matching::{RowMatch, StoredIdentity, find_all};
use presence::TeamsUserId;
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, ImportPerson, Progress, Store, StoreError, Subject,
    audit::insert_row,
    database::IMMEDIATE,
    difference::{Difference, describe, record_difference},
    idempotency::record,
    person_edits::{add_lines, drop_other_lines, forget_writes, set_teams_id},
    scopes::location_called,
    unique_fields::{MAIL, NEW_PERSON, SIGN_IN_NAME, refuse_kept},
};

/// Result of an import or of its preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Number of new people.
    pub added: usize,
    /// Number of people who existed before, changed or not.
    pub updated: usize,
    /// Number of people who existed before and did not change.
    pub unchanged: usize,
    /// The changes of people, in the order of the rows. Unchanged people have none.
    pub differences: Vec<ImportChange>,
    /// Rows that contradict stored people. An import with a conflict changes nothing.
    pub conflicts: Vec<ImportConflict>,
}

/// The change of a person by an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportChange {
    /// Line of the table; `None` if the person does not come from a table.
    pub line: Option<u64>,
    /// The difference.
    pub difference: Difference,
}

/// A row that contradicts the stored people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportConflict {
    /// Line of the table; `None` if the person does not come from a table.
    pub line: Option<u64>,
    /// The person's name in the row.
    pub name: String,
    /// The problem and its remedy.
    pub problem: String,
}

/// The most conflicts that the error of an import names. A preview lists all.
const CONFLICTS_NAMED: usize = 5;

impl Store {
    /// Adds or updates people, all or none. A person is matched by object id, then by sign-in name, then by mail address.
    /// The extensions of the row replace those of the person. A location is found by its name, or created; without one the
    /// person's location stays.
    ///
    /// # Errors
    /// A value belongs to another person who keeps it; the database refused. Nothing was written.
    pub async fn import(
        &self,
        people: &[ImportPerson],
        change: &Change<'_>,
    ) -> Result<ImportSummary, StoreError> {
        self.import_watched(people, change, &Progress::default())
            .await
    }

    /// [`Self::import`] with progress, which can be cancelled.
    ///
    /// # Errors
    /// As of [`Self::import`]; [`StoreError::Cancelled`].
    pub async fn import_watched(
        &self,
        people: &[ImportPerson],
        change: &Change<'_>,
        progress: &Progress,
    ) -> Result<ImportSummary, StoreError> {
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        let summary = import_rows(&mut transaction, people, change, progress).await?;
        match refusal(&summary.conflicts) {
            Some(refusal) => Err(refusal),
            None => {
                transaction.commit().await?;
                Ok(summary)
            }
        }
    }

    /// The result that [`Self::import`] would have, with all conflicts. Writes nothing.
    ///
    /// # Errors
    /// The database refused; [`StoreError::Cancelled`].
    pub async fn preview_import(
        &self,
        people: &[ImportPerson],
        change: &Change<'_>,
        progress: &Progress,
    ) -> Result<ImportSummary, StoreError> {
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        let summary = import_rows(&mut transaction, people, change, progress).await;
        transaction.rollback().await?;
        summary
    }
}

/// The error of an import with conflicts, which names the first ones; `None` without conflicts.
fn refusal(conflicts: &[ImportConflict]) -> Option<StoreError> {
    let (first, others) = conflicts.split_first()?;
    let mut problem = first.problem.clone();
    for other in others.iter().take(CONFLICTS_NAMED - 1) {
        let (subject, value) = other.place();
        problem += &format!("; {subject} {value}: {}", other.problem);
    }
    if let Some(more) = conflicts
        .len()
        .checked_sub(CONFLICTS_NAMED)
        .filter(|more| *more > 0)
    {
        problem += &format!("; and {more} more, which a dry run lists");
    }
    let (subject, value) = first.place();
    Some(StoreError::conflict(subject, value, problem))
}

impl ImportConflict {
    fn new(person: &ImportPerson, problem: String) -> Self {
        Self {
            line: person.line,
            name: person.name.clone(),
            problem,
        }
    }

    /// The conflict of a row with a value of another person.
    fn taken(person: &ImportPerson, taken: &StoreError) -> Self {
        let problem = format!("{taken}, or correct the row");
        // The extension may be in a further row of the same person.
        let given = person.extensions.iter().zip(&person.extension_lines);
        let mut given = given.filter(|(extension, _)| {
            matches!(taken, StoreError::Taken { value, .. } if **value == ***extension)
        });
        let line = given.next().map(|(_, line)| *line);
        Self {
            line: line.or(person.line),
            ..Self::new(person, problem)
        }
    }

    /// The row, named by its line, or by the person without a table.
    fn place(&self) -> (Subject, String) {
        match self.line {
            Some(line) => (Subject::ImportLine, line.to_string()),
            None => (Subject::Person, self.name.clone()),
        }
    }
}

/// The action for a row.
#[derive(Debug)]
enum Plan {
    Add,
    /// Updates a person who loses no value.
    Keep(i64),
    /// Updates a person who has lost a value already; with the person's state before that.
    Released(i64, Option<String>),
    /// Refuses a row that contradicts an earlier one; with the problem.
    Refused(String),
}

async fn import_rows(
    transaction: &mut Transaction<'_, Sqlite>,
    people: &[ImportPerson],
    change: &Change<'_>,
    progress: &Progress,
) -> Result<ImportSummary, StoreError> {
    let mut summary = ImportSummary::default();
    let total = people.len() as u64;
    let plans = plan(transaction, people, progress).await?;
    for ((done, person), plan) in (0..).zip(people).zip(plans) {
        progress.advance(done, total)?;
        let (id, before) = match plan {
            Plan::Refused(problem) => {
                summary.conflicts.push(ImportConflict::new(person, problem));
                continue;
            }
            Plan::Add => (None, None),
            Plan::Keep(id) => (Some(id), describe(transaction, id).await?),
            Plan::Released(id, before) => (Some(id), before),
        };
        let count = match id {
            None => &mut summary.added,
            Some(_) => &mut summary.updated,
        };
        let id = match write_person(transaction, id, person).await {
            Ok(id) => {
                *count += 1;
                id
            }
            Err(taken @ StoreError::Taken { .. }) => {
                summary
                    .conflicts
                    .push(ImportConflict::taken(person, &taken));
                continue;
            }
            Err(error) => return Err(error),
        };
        match record_difference(transaction, id, before, change).await? {
            None => summary.unchanged += 1,
            Some(difference) => {
                let line = person.line;
                summary.differences.push(ImportChange { line, difference });
            }
        }
    }
    if summary.differences.is_empty() {
        // An import without a difference adds no audit row, but its request is recorded.
        record(transaction, change.attempt, change.at).await?;
    } else {
        let counts = serde_json::json!({"added": summary.added, "updated": summary.updated});
        let change = Change {
            after: Some(counts.to_string()),
            ..change.clone()
        };
        insert_row(transaction, &change).await?;
    }
    progress.advance(total, total)?;
    Ok(summary)
}

/// Matches the rows with the stored people, then removes from these people the values that their rows lack.
async fn plan(
    transaction: &mut Transaction<'_, Sqlite>,
    people: &[ImportPerson],
    progress: &Progress,
) -> Result<Vec<Plan>, StoreError> {
    // All rows are matched first: otherwise a row would become a new person if an earlier row has removed its key.
    let found = find_all(transaction, people, progress).await?;
    let mut plans = Vec::with_capacity(people.len());
    for (person, found) in people.iter().zip(found) {
        progress.advance(0, people.len() as u64)?;
        plans.push(match found {
            RowMatch::None => Plan::Add,
            RowMatch::Person(known) => release(transaction, person, known).await?,
            RowMatch::Doubtful(problem) => Plan::Refused(problem),
        });
    }
    Ok(plans)
}

/// Removes from a person the extensions, names and account that the row lacks or changes.
async fn release(
    transaction: &mut Transaction<'_, Sqlite>,
    person: &ImportPerson,
    known: StoredIdentity,
) -> Result<Plan, StoreError> {
    let id = known.id;
    let lines = sqlx::query("SELECT extension FROM lines WHERE person = ?1")
        .bind(id)
        .fetch_all(&mut **transaction)
        .await?;
    let loses_line = lines.iter().any(|line| {
        let extension: &str = line.get(0);
        !person
            .extensions
            .iter()
            .any(|wanted| **wanted == *extension)
    });
    let differs = |before: &str, now: &str| !before.is_empty() && !before.eq_ignore_ascii_case(now);
    let loses_mail = differs(&known.mail, &person.mail);
    let loses_name = differs(&known.user_principal_name, &person.user_principal_name);
    let account = known.teams_id.as_ref().zip(person.account());
    let loses_account = account.is_some_and(|(before, now)| *before != now);
    if !(loses_line || loses_mail || loses_name || loses_account) {
        return Ok(Plan::Keep(id));
    }
    let before = describe(transaction, id).await?;
    if loses_line {
        drop_other_lines(transaction, id, &person.extensions).await?;
    }
    if loses_mail || loses_name || loses_account {
        sqlx::query(
            "UPDATE people SET mail = iif(?2, '', mail), user_principal_name = iif(?3, '', user_principal_name),
                teams_id = iif(?4, NULL, teams_id)
             WHERE id = ?1",
        )
        .bind(id)
        .bind(loses_mail)
        .bind(loses_name)
        .bind(loses_account)
        .execute(&mut **transaction)
        .await?;
    }
    if loses_account {
        forget_writes(transaction, id).await?;
    }
    Ok(Plan::Released(id, before))
}

/// Adds or updates the person of a row; returns the id.
///
/// # Errors
/// [`StoreError::Taken`] if a value belongs to another person who keeps it.
async fn write_person(
    transaction: &mut Transaction<'_, Sqlite>,
    id: Option<i64>,
    person: &ImportPerson,
) -> Result<i64, StoreError> {
    let owner = id.unwrap_or(NEW_PERSON);
    refuse_kept(transaction, MAIL, &person.mail, owner).await?;
    let name = &person.user_principal_name;
    refuse_kept(transaction, SIGN_IN_NAME, name, owner).await?;
    let row = sqlx::query(
        "INSERT INTO people (id, name, mail, user_principal_name) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET name = ?2, mail = ?3, user_principal_name = ?4, gone_at = NULL
         RETURNING id, teams_id",
    )
    .bind(id)
    .bind(&person.name)
    .bind(&person.mail)
    .bind(&person.user_principal_name)
    .fetch_one(&mut **transaction)
    .await?;
    let (id, linked): (i64, Option<&str>) = (row.get(0), row.get(1));
    let linked = linked.map(TeamsUserId::new);
    if let Some(location) = &person.location {
        move_to(transaction, id, location).await?;
    }
    // An unchanged account keeps its tenant.
    if let Some(account) = person.account()
        && linked.as_ref() != Some(&account)
    {
        set_teams_id(transaction, id, &account, None).await?;
    }
    add_lines(transaction, id, &person.extensions).await?;
    Ok(id)
}

/// Moves a person to the location called `location`. The configuration group is cleared if it belongs to another location.
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
    .bind(location.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
