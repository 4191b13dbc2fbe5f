//! Import of people from a file or pasted text, with a preview. The server decodes the file, so that the page reads the
//! same files with and without scripts.

use api::body_limits::TABLE_MAX;
use api_types::import::{ColumnUse, ImportColumn, ImportTable, Imported};
use store::{decode_table, separator_name};

use super::work::{self, Changes};
use crate::pages::{
    Done, Outcome, Page,
    client::{JobAnswer, Refusal},
    components::{Block, Cell, Field, Form, Kind, Row, Table},
    page_context::{EnteredForm, PageContext},
};

const PEOPLE: &str = "/admin/people";
const IMPORT: &str = "/people/import";
const PREVIEW: &str = "/people/import?dry_run=true";

/// Query parameter with the number of skipped comments.
const COMMENTS: &str = "comments";

/// Header of a table, the default text of the form.
const HEADER: &str = "name,mail,UPN,extension,location";

/// The form for a file or pasted text.
pub(super) fn form(request: &PageContext) -> Form {
    multipart(request)
        .field(
            Field::new("file", request.say("import-file"), Kind::File)
                .help(request.say("import-file-help")),
        )
        .field(
            Field::new("csv", request.say("import-csv"), Kind::Area)
                .value(format!("{HEADER}\n"))
                .help(request.say("import-csv-help")),
        )
        .submit("dry_run", "yes", request.say("import-dry-run"))
        .submit("dry_run", "no", request.say("import-now"))
}

fn multipart(request: &PageContext) -> Form {
    Form {
        is_multipart: true,
        ..Form::new(request.words, "import", String::new())
    }
}

/// A table as text, with its origin.
struct InputTable {
    text: String,
    /// Encoding of the file; `None` for pasted text.
    encoding: Option<&'static str>,
    /// Field of the form.
    field: &'static str,
}

impl InputTable {
    /// The table: file, pasted text, or that of the preview.
    fn of(request: &PageContext, typed: &EnteredForm) -> Result<Self, Refusal> {
        let pasted = typed.one("csv");
        let is_pasted = ![HEADER, ""].contains(&pasted.trim());
        let Some(bytes) = typed.file("file") else {
            if !is_pasted {
                return Err(Refusal::of_field("file", request.say("import-neither")));
            }
            return Ok(Self {
                text: pasted.to_owned(),
                encoding: None,
                field: "csv",
            });
        };
        if is_pasted {
            return Err(Refusal::of_field("file", request.say("import-both")));
        }
        if bytes.len() > TABLE_MAX {
            let most = request.words.with("import-too-large", "count", TABLE_MAX);
            return Err(Refusal::of_field("file", most));
        }
        let decoded = decode_table(bytes, None);
        let decoded = decoded.map_err(|problem| Refusal::of_field("file", problem.to_string()))?;
        Ok(Self {
            text: decoded.text,
            encoding: Some(decoded.encoding),
            field: "file",
        })
    }

    /// A refusal beside the table's field.
    fn refused(&self, refusal: Refusal) -> Refusal {
        Refusal {
            field: refusal.field.map(|_| self.field.to_owned()),
            ..refusal
        }
    }
}

/// Previews the import or carries it out.
pub(super) async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
    let table_input = InputTable::of(request, typed)?;
    if typed.one("dry_run") == "no" {
        let begun = request
            .api
            .begin_text::<Imported>(IMPORT, table_input.text.clone())
            .await;
        return Ok(
            match begun.map_err(|refusal| table_input.refused(refusal))? {
                JobAnswer::Done(result) => done(&result),
                JobAnswer::UnderWay(id) => work::open(&id),
            }
            .into(),
        );
    }
    // The preview's answer is needed for the import itself.
    let preview = request
        .api
        .post_text(PREVIEW, table_input.text.clone())
        .await;
    let preview = preview.map_err(|refusal| table_input.refused(refusal))?;
    Ok(Outcome::Shown(Box::new(shown(
        request,
        table_input,
        &preview.json()?,
    ))))
}

/// Opens the page of people after the import.
fn done(imported: &Imported) -> Done {
    let to = match imported.table.comments {
        0 => PEOPLE.to_owned(),
        skipped => format!("{PEOPLE}?{COMMENTS}={skipped}"),
    };
    let (added, updated) = (imported.added as u64, imported.updated as u64);
    match (added, updated) {
        (0, 0) => Done::new(to, "imported-nobody"),
        (added, 0) => Done::new(to, "people-added").count(added),
        (0, updated) => Done::new(to, "people-changed").count(updated),
        (added, updated) => Done::new(to, "people-imported").count(added + updated),
    }
}

/// The message about comments that the last import skipped; empty if none.
pub(super) fn skipped(request: &PageContext) -> String {
    let skipped = request.query(COMMENTS).filter(|_| request.is_get);
    let skipped: usize = skipped
        .and_then(|skipped| skipped.parse().ok())
        .unwrap_or(0);
    comments(request, skipped)
}

/// The message about skipped comments; empty if none.
pub(super) fn comments(request: &PageContext, count: usize) -> String {
    match count {
        0 => String::new(),
        count => request.words.with("import-comments", "count", count),
    }
}

/// The preview: format of the table, effect of each row, and the import button.
fn shown(request: &PageContext, table_input: InputTable, preview: &Imported) -> Page {
    let table = &preview.table;
    let mut page = Page::new(request, request.say("import-heading"))
        .text(request.say("import-dry-run-about"))
        .text(read_as(request, table_input.encoding, table.separator))
        .text(comments(request, table.comments));
    for warning in &preview.warnings {
        page = page.add(Block::Alert(warning.clone()));
    }
    if preview.conflicts > 0 {
        page = page.add(Block::Alert(request.words.with(
            "import-conflicts",
            "count",
            preview.conflicts,
        )));
    }
    let changed = preview.updated.saturating_sub(preview.unchanged);
    let counts = [
        ("import-added", preview.added),
        ("import-changed", changed),
        ("import-unchanged", preview.unchanged),
    ];
    let counts = counts.map(|(key, count)| request.words.with(key, "count", count));
    page = page
        .table(columns(request, &table.columns))
        .text(missing(request, table))
        .text(counts.join(" · "))
        .table(Changes::from(preview).table(request));
    if preview.conflicts > 0 {
        return page;
    }
    let form = multipart(request).hidden("csv", table_input.text).submit(
        "dry_run",
        "no",
        request.say("import-now"),
    );
    page.form(form, None)
}

/// Encoding and separator.
fn read_as(request: &PageContext, encoding: Option<&'static str>, separator: char) -> String {
    let key = match separator {
        ',' => "separator-comma",
        ';' => "separator-semicolon",
        '\t' => "separator-tab",
        _ => "separator-other",
    };
    let separator = request.words.with(key, "value", separator_name(separator));
    match encoding {
        Some(encoding) => format!(
            "{} {separator}",
            request.words.with("import-encoding", "value", encoding)
        ),
        None => separator,
    }
}

/// Use of each column.
fn columns(request: &PageContext, columns: &[ImportColumn]) -> Table {
    let row = |column: &ImportColumn| {
        let meaning = match column.used_for {
            None => "column-ignored".to_owned(),
            Some(used_for) => format!("column-{}", used_for.name().to_lowercase()),
        };
        Row {
            key: column.title.clone(),
            cells: vec![
                Cell::Code(column.title.clone()),
                Cell::Mark(column.used_for.is_some(), request.say(&meaning)),
            ],
        }
    };
    Table {
        id: "columns",
        caption: request.say("import-columns"),
        head: ["column-title", "column-use"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: columns.iter().map(row).collect(),
        empty: String::new(),
        order: None,
    }
}

/// Known columns that the table lacks.
fn missing(request: &PageContext, table: &ImportTable) -> String {
    let titles = table.missing.iter().copied().map(ColumnUse::name);
    let titles: Vec<&str> = titles.collect();
    match titles.is_empty() {
        true => String::new(),
        false => request
            .words
            .with("import-missing", "value", titles.join(", ")),
    }
}
