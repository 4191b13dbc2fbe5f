//! Many people at once from a table: what it would do, and doing it.

use std::{collections::HashSet, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{Difference, ImportPerson, ImportSummary, Progress, read_people_csv};
use utoipa::ToSchema;

use super::{
    Json,
    audit::{Administration, Entry},
    work::{Prefer, WorkBody, answer},
};
use crate::{
    app::{Shared, SharedState},
    caller::Caller,
    directory::Directory,
    organisation::ORGANISATION,
    problem::Problem,
};

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Import)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportBody {
    /// The table: its first line names the columns `name`, `mail`, `UPN`, `extension`, and perhaps `location` and
    /// `objectId`.
    csv: String,
    /// Whether it is only told what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What an import did or would do. Who is as they were is counted, but not listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Imported)]
pub(crate) struct ImportedBody {
    dry_run: bool,
    /// People who were new.
    added: usize,
    /// People who were there.
    updated: usize,
    items: Vec<DeedBody>,
    /// Names that could be taken for an address or an extension of another person, and what to do about them.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportDeed)]
struct DeedBody {
    /// `added` or `updated`.
    what: &'static str,
    name: String,
    /// What is different, as `field: before → after`.
    difference: String,
}

impl From<Difference> for DeedBody {
    fn from(difference: Difference) -> Self {
        let read = |text: Option<String>| -> Map<String, Value> {
            let text = text.unwrap_or_default();
            serde_json::from_str(&text).unwrap_or_default()
        };
        let is_new = difference.before.is_none();
        let (before, after) = (read(difference.before), read(difference.after));
        let name = after.get("name").and_then(Value::as_str);
        let mut differences: Vec<String> = after
            .iter()
            .filter(|(key, now)| before.get(*key) != Some(now))
            .filter_map(|(key, now)| match (before.get(key).map(said), said(now)) {
                (None, now) if now.is_empty() => None,
                (None, now) => Some(format!("{key}: {now}")),
                (Some(before), now) => Some(format!("{key}: {before} → {now}")),
            })
            .collect();
        differences.sort();
        Self {
            what: if is_new { "added" } else { "updated" },
            name: name.unwrap_or_default().to_owned(),
            difference: differences.join("; "),
        }
    }
}

/// A value as somebody would write it.
fn said(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(said).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Adds people from a table or brings them up to date, all or none; a dry run only tells what would be done.
#[utoipa::path(
    post,
    path = "/people/import",
    tag = "People",
    responses(
        (status = OK, description = "What was done.", body = ImportedBody),
        (status = ACCEPTED, description = "It is under way, where `Prefer: respond-async` was said.", body = WorkBody),
    ),
)]
pub(crate) async fn import(
    State(shared): State<Shared>,
    caller: Caller,
    prefer: Prefer,
    Json(wish): Json<ImportBody>,
) -> Result<Response, Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    let people = read_people_csv(wish.csv.as_bytes());
    let people = people.map_err(|problem| Problem::invalid("csv", problem.to_string()))?;
    let entry = Entry::new(&shared, &caller, Administration::PeopleImport, "API");
    let progress = Arc::new(Progress::default());
    let (doing, watched) = (shared.clone(), progress.clone());
    let work = async move {
        let summary = bring_in(&doing, &people, (&entry, wish.dry_run), &watched).await?;
        Ok(json!(ImportedBody {
            dry_run: wish.dry_run,
            added: summary.added,
            updated: summary.updated,
            items: summary
                .differences
                .into_iter()
                .map(DeedBody::from)
                .collect(),
            warnings: misleading(&doing.directory, &people),
        }))
    };
    answer(
        &shared,
        (&caller, prefer),
        "import",
        (progress, StatusCode::OK),
        work,
    )
    .await
}

/// What is to be said of names that read like an address or an extension of another person: of the table or known before.
fn misleading(directory: &Directory, people: &[ImportPerson]) -> Vec<String> {
    let texts = |person: &ImportPerson| -> Vec<String> {
        let addresses = [&person.mail, &person.user_principal_name].into_iter();
        let texts = addresses.chain(&person.extensions);
        texts.map(|text| text.trim().to_lowercase()).collect()
    };
    let known = directory.people(|_| true);
    let known = known.iter().flat_map(|person| {
        let addresses = [&person.mail, &person.user_principal_name].into_iter();
        let addresses = addresses.map(|text| text.to_lowercase());
        addresses.chain(person.lines.iter().map(|(_, line)| line.to_lowercase()))
    });
    let taken: HashSet<String> = people.iter().flat_map(texts).chain(known).collect();
    let is_misleading = |person: &&ImportPerson| {
        let name = person.name.trim().to_lowercase();
        name.contains('@') || (taken.contains(&name) && !texts(person).contains(&name))
    };
    let misleading = people.iter().filter(is_misleading);
    misleading
        .map(|person| {
            format!(
                "the name {:?} reads like an address or an extension of another person; write the name that people see",
                person.name
            )
        })
        .collect()
}

async fn bring_in(
    shared: &SharedState,
    people: &[ImportPerson],
    (entry, dry_run): (&Entry, bool),
    progress: &Progress,
) -> Result<ImportSummary, Problem> {
    let noted = entry.change();
    if dry_run {
        let summary = shared
            .store
            .rehearse_import(people, &noted, progress)
            .await?;
        return Ok(summary);
    }
    let summary = shared
        .store
        .import_watched(people, &noted, progress)
        .await?;
    shared.apply_people().await;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_tells_only_what_is_different() {
        let difference = |before: Option<&str>, after: &str| {
            let before = before.map(str::to_owned);
            let after = Some(after.to_owned());
            let deed = DeedBody::from(Difference { before, after });
            (deed.what, deed.name, deed.difference)
        };
        let anna = r#"{"name":"Anna","mail":"a@b.example","location":null,"lines":["1","2"],"gone":false}"#;
        assert_eq!(
            difference(None, anna),
            (
                "added",
                "Anna".into(),
                "lines: 1, 2; mail: a@b.example; name: Anna".into()
            )
        );
        let before =
            r#"{"name":"Anna","mail":"a@b.example","location":null,"lines":["1"],"gone":false}"#;
        assert_eq!(
            difference(Some(before), anna),
            ("updated", "Anna".into(), "lines: 1 → 1, 2".into())
        );
    }
}
