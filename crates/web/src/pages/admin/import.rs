//! Import of people from a file or pasted text, with a preview. The server decodes the file, so that the page reads the
//! same files with and without scripts.

use api::body_limits::TABLE_MAX;
use serde_json::Value;
use store::{decode_table, separator_name};

use super::work;
use crate::pages::{
    Done, Outcome, Page,
    client::{JobAnswer, Refusal},
    components::{Block, Cell, Field, Form, Kind, Row, Table, text},
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
            .begin_text::<Value>(IMPORT, table_input.text.clone())
            .await;
        return Ok(
            match begun.map_err(|refusal| table_input.refused(refusal))? {
                JobAnswer::Done(result) => done(&result),
                JobAnswer::UnderWay(id) => work::look(&id),
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

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// Opens the page of people after the import.
fn done(result: &Value) -> Done {
    let skipped = number(result.get("table").unwrap_or(&Value::Null), "comments");
    let to = match skipped {
        0 => PEOPLE.to_owned(),
        skipped => format!("{PEOPLE}?{COMMENTS}={skipped}"),
    };
    let nobody = number(result, "added") + number(result, "updated") == 0;
    let said = if nobody {
        "imported-nobody"
    } else {
        "imported"
    };
    Done::new(to, said)
}

/// The message about comments that the last import skipped; empty if none.
pub(super) fn skipped(request: &PageContext) -> String {
    let skipped = request.query(COMMENTS).filter(|_| request.is_get);
    let skipped: u64 = skipped
        .and_then(|skipped| skipped.parse().ok())
        .unwrap_or(0);
    comments(request, skipped)
}

/// The message about skipped comments; empty if none.
pub(super) fn comments(request: &PageContext, count: u64) -> String {
    match count {
        0 => String::new(),
        count => request.words.with("import-comments", "count", count),
    }
}

/// The preview: format of the table, effect of each row, and the import button.
fn shown(request: &PageContext, table_input: InputTable, preview: &Value) -> Page {
    let conflicts = number(preview, "conflicts");
    let table = preview.get("table").unwrap_or(&Value::Null);
    let mut page = Page::new(request, request.say("import-heading"))
        .text(request.say("import-dry-run-about"))
        .text(read_as(request, table_input.encoding, preview))
        .text(comments(request, number(table, "comments")));
    for warning in list(preview, "warnings").filter_map(Value::as_str) {
        page = page.add(Block::Alert(warning.to_owned()));
    }
    if conflicts > 0 {
        page = page.add(Block::Alert(request.words.with(
            "import-conflicts",
            "count",
            conflicts,
        )));
    }
    let counts = [
        ("import-added", number(preview, "added")),
        (
            "import-changed",
            number(preview, "updated").saturating_sub(number(preview, "unchanged")),
        ),
        ("import-unchanged", number(preview, "unchanged")),
    ];
    let counts = counts.map(|(key, count)| request.words.with(key, "count", count));
    page = page
        .table(columns(request, preview))
        .text(missing(request, preview))
        .text(counts.join(" · "))
        .table(work::deeds(request, preview, "difference"));
    if conflicts > 0 {
        return page;
    }
    let form = multipart(request).hidden("csv", table_input.text).submit(
        "dry_run",
        "no",
        request.say("import-now"),
    );
    page.form(form, None)
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Encoding and separator.
fn read_as(request: &PageContext, encoding: Option<&'static str>, preview: &Value) -> String {
    let table = preview.get("table").unwrap_or(&Value::Null);
    let separator = text(table, "separator").chars().next();
    let key = match separator {
        Some(',') => "separator-comma",
        Some(';') => "separator-semicolon",
        Some('\t') => "separator-tab",
        Some(_) | None => "separator-other",
    };
    let name = separator.map(separator_name).unwrap_or_default();
    let separator = request.words.with(key, "value", name);
    match encoding {
        Some(encoding) => format!(
            "{} {separator}",
            request.words.with("import-encoding", "value", encoding)
        ),
        None => separator,
    }
}

/// Use of each column.
fn columns(request: &PageContext, preview: &Value) -> Table {
    let table = preview.get("table").unwrap_or(&Value::Null);
    let row = |column: &Value| {
        let used_for = text(column, "used_for");
        let meaning = match used_for {
            "" => "column-ignored".to_owned(),
            used_for => format!("column-{}", used_for.to_lowercase()),
        };
        Row {
            key: text(column, "title").to_owned(),
            cells: vec![
                Cell::Code(text(column, "title").to_owned()),
                Cell::Mark(!used_for.is_empty(), request.say(&meaning)),
            ],
        }
    };
    Table {
        id: "columns",
        caption: request.say("import-columns"),
        head: ["column-title", "column-use"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: list(table, "columns").map(row).collect(),
        empty: String::new(),
        order: None,
    }
}

/// Known columns that the table lacks.
fn missing(request: &PageContext, preview: &Value) -> String {
    let table = preview.get("table").unwrap_or(&Value::Null);
    let titles: Vec<&str> = list(table, "missing").filter_map(Value::as_str).collect();
    match titles.is_empty() {
        true => String::new(),
        false => request
            .words
            .with("import-missing", "value", titles.join(", ")),
    }
}
