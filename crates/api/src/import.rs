//! Import of people from a table, and its preview.

use std::{collections::HashSet, sync::Arc};

use api_types::{
    import::{ColumnUse, Import, ImportColumn, ImportEffect, ImportTable, Imported, ImportedRow},
    work::{Work, WorkKind},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use runtime::{
    audit::{Administration, Entry},
    context::Context,
    organisation::ORGANISATION,
    people_index::PeopleIndex,
};
use serde::Deserialize;
use serde_json::json;
use store::{
    Column, ImportChange, ImportConflict, ImportPerson, ImportSummary, PeopleTable, Progress,
    read_people_csv,
};

use super::{
    Json, Query,
    audit::new_entry,
    work::{Prefer, answer},
};
use crate::{caller::Caller, jobs::Jobs, problem::Problem};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// Whether the import is only previewed, for all kinds of bodies.
    #[serde(default)]
    dry_run: bool,
}

/// A table: text within JSON, or the bytes of a file.
#[derive(Debug)]
pub(crate) struct UploadedTable {
    bytes: Bytes,
    /// The charset of `Content-Type`.
    charset: Option<String>,
    dry_run: bool,
}

impl<S: Send + Sync> FromRequest<S> for UploadedTable {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Query::<ImportQuery>(query) = Query::of(request.uri())?;
        let (kind, charset) = content_type(request.headers());
        if kind == "application/json" || kind.ends_with("+json") {
            let Json(Import { csv, dry_run }) = Json::from_request(request, state).await?;
            return Ok(Self {
                bytes: csv.into(),
                charset: None,
                dry_run: dry_run || query.dry_run,
            });
        }
        if kind.starts_with("multipart/") {
            return Err(Problem::malformed(
                "send the file itself as the body, as `curl --data-binary @people.csv` does, and no form",
            ));
        }
        let bytes = Bytes::from_request(request, state).await;
        Ok(Self {
            bytes: bytes.map_err(|rejection| Problem::malformed(rejection.body_text()))?,
            charset,
            dry_run: query.dry_run,
        })
    }
}

/// The media type in lower case, without parameters, and the charset.
fn content_type(headers: &HeaderMap) -> (String, Option<String>) {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_owned())
    });
    (kind, charset)
}

fn changed_row(ImportChange { line, difference }: ImportChange) -> ImportedRow {
    ImportedRow {
        line,
        what: if difference.is_new() {
            ImportEffect::Added
        } else {
            ImportEffect::Updated
        },
        name: difference.name(),
        difference: difference.changes(),
    }
}

fn conflicting_row(conflict: ImportConflict) -> ImportedRow {
    ImportedRow {
        line: conflict.line,
        what: ImportEffect::Conflict,
        name: conflict.name,
        difference: conflict.problem,
    }
}

fn column_use(used_for: store::ColumnUse) -> ColumnUse {
    match used_for {
        store::ColumnUse::Name => ColumnUse::Name,
        store::ColumnUse::Mail => ColumnUse::Mail,
        store::ColumnUse::SignInName => ColumnUse::SignInName,
        store::ColumnUse::Extension => ColumnUse::Extension,
        store::ColumnUse::ObjectId => ColumnUse::ObjectId,
        store::ColumnUse::Location => ColumnUse::Location,
    }
}

fn table_body(table: &PeopleTable) -> ImportTable {
    let column = |column: &Column| ImportColumn {
        title: column.title.clone(),
        used_for: column.used_for.map(column_use),
    };
    ImportTable {
        encoding: table.encoding.to_owned(),
        separator: table.separator,
        columns: table.columns.iter().map(column).collect(),
        missing: table
            .missing_columns()
            .into_iter()
            .map(column_use)
            .collect(),
        comments: table.comments,
    }
}

/// Adds people from a table or updates them, all or none; a dry run previews the import. The body is the file (encoding and
/// separator are detected), or JSON with its text.
#[utoipa::path(
    post,
    path = "/people/import",
    tag = "People",
    params(ImportQuery),
    request_body(content(
        (Import = "application/json"),
        (String = "text/csv"),
        (String = "application/octet-stream"),
    )),
    responses(
        (status = OK, description = "The result.", body = Imported),
        (status = ACCEPTED, description = "A job was started (`Prefer: respond-async`).", body = Work),
    ),
)]
pub async fn import(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    caller: Caller,
    prefer: Prefer,
    sent: UploadedTable,
) -> Result<Response, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let dry_run = sent.dry_run;
    let table = read_people_csv(&sent.bytes, sent.charset.as_deref());
    let table = table.map_err(|problem| Problem::invalid("csv", problem.to_string()))?;
    let entry = new_entry(&context.clock, &caller, Administration::PeopleImport, "API");
    let progress = Arc::new(Progress::default());
    let (doing, watched) = (context.clone(), progress.clone());
    let work = async move {
        let summary = bring_in(&doing, &table.people, (&entry, dry_run), &watched).await?;
        let warnings = misleading(&doing.people, &table.people);
        Ok(json!(imported(summary, &table, dry_run, warnings)))
    };
    answer(
        (&jobs, &context.clock),
        (&caller, prefer),
        WorkKind::Import,
        (progress, StatusCode::OK),
        work,
    )
    .await
}

fn imported(
    summary: ImportSummary,
    table: &PeopleTable,
    dry_run: bool,
    warnings: Vec<String>,
) -> Imported {
    let conflicts = summary.conflicts.len();
    let refused = summary.conflicts.into_iter().map(conflicting_row);
    let done = summary.differences.into_iter().map(changed_row);
    Imported {
        dry_run,
        added: summary.added,
        updated: summary.updated,
        unchanged: summary.unchanged,
        conflicts,
        // Conflicts first: a page shows the beginning.
        items: refused.chain(done).collect(),
        warnings,
        table: table_body(table),
    }
}

/// Warnings about names that look like an address or extension of another person, in the table or among the existing
/// people.
fn misleading(directory: &PeopleIndex, people: &[ImportPerson]) -> Vec<String> {
    let texts = |person: &ImportPerson| -> Vec<String> {
        let addresses = [&person.mail, &person.user_principal_name].into_iter();
        let extensions = person.extensions.iter().map(|extension| &**extension);
        let texts = addresses.map(String::as_str).chain(extensions);
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
    context: &Context,
    people: &[ImportPerson],
    (entry, dry_run): (&Entry, bool),
    progress: &Progress,
) -> Result<ImportSummary, Problem> {
    let noted = entry.change();
    if dry_run {
        let summary = context
            .store
            .preview_import(people, &noted, progress)
            .await?;
        return Ok(summary);
    }
    let summary = context
        .store
        .import_watched(people, &noted, progress)
        .await?;
    context.apply_people().await;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(
        uri: &str,
        kind: Option<&str>,
        body: &'static str,
    ) -> Result<UploadedTable, Problem> {
        let mut request = Request::builder().uri(uri);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        UploadedTable::from_request(request.body(body.into()).unwrap(), &()).await
    }

    #[tokio::test]
    async fn a_table_is_taken_as_json_and_as_the_file_itself() {
        let import = "/people/import";
        let table = sent(
            import,
            Some("application/json; charset=utf-8"),
            r#"{"csv":"a"}"#,
        )
        .await;
        let table = table.unwrap();
        assert_eq!((&*table.bytes, table.dry_run), (&b"a"[..], false));
        let path = format!("{import}?dry_run=true");
        for kind in ["application/json", "application/merge+json"] {
            let table = sent(&path, Some(kind), r#"{"csv":"a","dry_run":false}"#).await;
            assert!(table.unwrap().dry_run, "{kind}");
        }
        for kind in [
            None,
            Some("text/csv"),
            Some("application/x-www-form-urlencoded"),
            Some("nonsense"),
        ] {
            let table = sent(&path, kind, "a=b").await.unwrap();
            assert_eq!(
                (&*table.bytes, table.charset, table.dry_run),
                (&b"a=b"[..], None, true)
            );
        }
        let kind = Some("Text/CSV; header=present; Charset=\"windows-1250\"");
        let table = sent(import, kind, "a").await.unwrap();
        assert_eq!(
            (table.charset.as_deref(), table.dry_run),
            (Some("windows-1250"), false)
        );
        // Neither a form nor a misspelt parameter changes anything.
        assert!(
            sent(import, Some("multipart/form-data; boundary=x"), "--x--")
                .await
                .is_err()
        );
        for query in ["dryRun=true", "dry_run", "dry_run=yes"] {
            assert!(
                sent(&format!("{import}?{query}"), None, "a").await.is_err(),
                "{query}"
            );
        }
    }
}
