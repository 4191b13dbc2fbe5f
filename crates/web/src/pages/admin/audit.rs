//! Audit log as sentences, filtered by author, kind, target and date; also as CSV. An import is one entry with its people.

mod sentence;

use api::problem::Problem;
use api_types::audit::{AuditPage, AuditRow};
use askama::Template;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use jiff::civil::Date;
use presence::Timestamp;
use runtime::{
    audit::{DEMO_ARRANGED, DIRECTORY_RUN},
    clock::rfc3339,
};
use sentence::sentence;
use store::AuditFilter;

use crate::{
    pages::{
        Page, PageHandler,
        client::{Refusal, part},
        components::{Block, Choice, FilterField, FilterKind, Link, RefusedForm},
        page_context::PageContext,
    },
    texts::Texts,
};

const HERE: &str = "/admin/audit";
/// Parameters of the query that filter.
const FILTERS: [&str; 5] = ["who", "what", "target", "from", "to"];
/// Kinds to choose from: prefix, and the key of the text.
const KINDS: [(&str, &str); 13] = [
    ("", "audit-filter-all"),
    ("person.", "audit-filter-people"),
    ("people.import", "audit-filter-import"),
    ("directory.", "audit-filter-directory"),
    ("scope.", "audit-filter-scopes"),
    ("settings.", "audit-filter-settings"),
    ("template.", "audit-filter-templates"),
    ("workgroup.", "audit-filter-workgroups"),
    ("programs.", "audit-filter-programs"),
    ("account.", "audit-filter-accounts"),
    ("api_key.", "audit-filter-keys"),
    ("backup.", "audit-filter-backups"),
    ("session.", "audit-filter-sessions"),
];
/// Entries of a page.
const ENTRIES: usize = 40;
/// Rows per call of the API, and calls for one page: an import of 10,000 people has a row for each.
const ROWS: usize = 200;
const CALLS_MAX: usize = 60;
/// People of an import that are named.
const NAMED_MAX: usize = 50;
/// Largest number of exported rows, the newest.
const EXPORT_MAX: u32 = 50_000;
/// Rows per query of an export.
const BLOCK: u32 = 1_000;

/// The page of the audit log.
pub(super) struct Audit;

impl PageHandler for Audit {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let filter = api_filter(request)?;
        let (groups, next) = entries(request, &filter, ENTRIES).await?;
        let entries = groups.into_iter().map(|group| Entry::of(request, group));
        let list = List {
            words: request.words,
            entries: entries.collect(),
        };
        let list = list.render();
        let list = list.map_err(|error| Problem::unavailable(&error.to_string()))?;
        let kept = page_filter(request);
        let link = |to: String, key: &str| Link::new(to, request.say(key));
        let mut links = vec![link(
            format!("{HERE}.csv?{}", kept.trim_start_matches('&')),
            "audit-export",
        )];
        if let Some(next) = next {
            links.push(link(format!("{HERE}?cursor={next}{kept}"), "list-after"));
        }
        Ok(Page::new(request, request.say("nav-audit"))
            .text(request.say("audit-intro"))
            .add(Block::Filter(fields(request)))
            .add(Block::Rendered(list))
            .add(Block::Links(request.say("list-pages"), links)))
    }
}

/// The newest entries as sentences, for the home page. Sign-ins are no changes.
pub(super) async fn recent(
    request: &PageContext,
    count: usize,
) -> Result<Vec<(String, String)>, Refusal> {
    let (groups, _) = entries(request, "", 4 * count).await?;
    let is_change = |group: &&Group| !group.row.what.starts_with("session.") && !group.row.own;
    let changes = groups.iter().filter(is_change).take(count);
    let changes = changes.map(|group| {
        let said = sentence(request, &group.row, group.parts.len());
        (said, group.row.at.clone())
    });
    Ok(changes.collect())
}

/// A row of the log with the rows that belong to it.
struct Group {
    row: AuditRow,
    parts: Vec<AuditRow>,
}

/// The list of the page.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
struct List {
    words: Texts,
    entries: Vec<Entry>,
}

/// An entry of the list.
#[derive(Debug)]
struct Entry {
    row: AuditRow,
    sentence: String,
    /// Sentences of the rows that belong to the entry.
    parts: Vec<String>,
    /// Number of further rows.
    more: usize,
}

impl Entry {
    fn of(request: &PageContext, Group { row, parts }: Group) -> Self {
        let sentence = sentence(request, &row, parts.len());
        let named = parts.iter().take(NAMED_MAX);
        Self {
            sentence,
            parts: named.map(|part| self::sentence(request, part, 0)).collect(),
            more: parts.len().saturating_sub(NAMED_MAX),
            row,
        }
    }
}

/// Whether `row` is a part of `whole`, an import or a directory run: one transaction has one time and one author. The steps
/// that arrange the demo are one entry.
fn is_part_of(row: &AuditRow, whole: &AuditRow) -> bool {
    let is_part = match whole.what.as_str() {
        "people.import" | DIRECTORY_RUN => row.what.starts_with("person."),
        DEMO_ARRANGED => row.what == DEMO_ARRANGED,
        _ => false,
    };
    is_part && row.at == whole.at && row.who == whole.who
}

/// Up to `count` entries that match the filter of the API, and the cursor of those after them.
async fn entries(
    request: &PageContext,
    filter: &str,
    count: usize,
) -> Result<(Vec<Group>, Option<String>), Refusal> {
    let mut groups: Vec<Group> = Vec::new();
    let mut cursor = request.query("cursor").map(str::to_owned);
    for _ in 0..CALLS_MAX {
        let from = cursor.as_deref().map(|id| format!("&cursor={}", part(id)));
        let path = format!("/audit?limit={ROWS}{filter}{}", from.unwrap_or_default());
        let AuditPage { items, next } = request.api.get(&path).await?;
        for row in items {
            let id = row.id.clone();
            let is_full = groups.len() == count;
            match groups.last_mut() {
                Some(group) if is_part_of(&row, &group.row) => group.parts.push(row),
                _ if is_full => return Ok((groups, cursor)),
                _ => groups.push(Group {
                    row,
                    parts: Vec::new(),
                }),
            }
            cursor = Some(id);
        }
        if next.is_none() {
            return Ok((groups, None));
        }
    }
    Ok((groups, cursor))
}

/// The fields of the filter.
fn fields(request: &PageContext) -> Vec<FilterField> {
    let kinds = KINDS.map(|(prefix, key)| Choice::new(prefix, request.say(key)));
    let given = request.query("what").unwrap_or_default();
    let mut kinds = kinds.to_vec();
    if !kinds.iter().any(|kind| kind.value == given) {
        kinds.push(Choice::new(given, given));
    }
    let field = |name: &'static str, kind| FilterField {
        name,
        label: request.say(&format!("audit-filter-{name}")),
        value: request.query(name).unwrap_or_default().to_owned(),
        kind,
    };
    vec![
        field("who", FilterKind::Text),
        field("what", FilterKind::Choice(kinds)),
        field("from", FilterKind::Date),
        field("to", FilterKind::Date),
    ]
}

/// The filter as query of this page.
fn page_filter(request: &PageContext) -> String {
    let given = FILTERS
        .iter()
        .filter_map(|name| Some((name, request.query(name)?)));
    given
        .map(|(name, value)| format!("&{name}={}", part(value)))
        .collect()
}

/// The filter as query of the API.
fn api_filter(request: &PageContext) -> Result<String, Refusal> {
    let AuditFilter {
        who,
        what,
        target,
        from,
        to,
    } = filter(request)?;
    let times = [("from", from), ("to", to)].map(|(name, time)| (name, time.map(rfc3339)));
    let texts = [("who", who), ("what", what), ("target", target)];
    let given = texts
        .into_iter()
        .chain(times)
        .filter_map(|(name, value)| Some((name, value?)));
    Ok(given
        .map(|(name, value)| format!("&{name}={}", part(&value)))
        .collect())
}

/// The filter of the address. Dates are days of the reader's zone, the last included.
fn filter(request: &PageContext) -> Result<AuditFilter, Refusal> {
    let given = |name: &str| request.query(name).map(str::to_owned);
    let day = |name: &str| -> Result<Option<Date>, Refusal> {
        let text = request.query(name).map(str::parse::<Date>).transpose();
        text.map_err(|error| Refusal::of_field(name, error.to_string()))
    };
    let begin = |date: Date| -> Option<Timestamp> {
        let begin = date.to_zoned(request.zone.clone()).ok()?;
        Some(Timestamp::from_milliseconds(
            begin.timestamp().as_millisecond(),
        ))
    };
    Ok(AuditFilter {
        who: given("who"),
        what: given("what"),
        target: given("target"),
        from: day("from")?.and_then(begin),
        to: day("to")?
            .and_then(|date| date.tomorrow().ok())
            .and_then(begin),
    })
}

/// `GET /admin/audit.csv`: the newest rows that match the filter, from the store: an answer of the API has at most 16 MiB, and a
/// row may hold a table with 10,000 programs.
pub(super) async fn export(request: PageContext) -> Result<Response, Refusal> {
    request.require_system_administrator()?;
    let filter = filter(&request)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Problem::unavailable(&error.to_string());
    let head = ["at", "who", "what", "target", "before", "after"];
    writer.write_record(head).map_err(failed)?;
    let mut cursor = None;
    for _ in 0..EXPORT_MAX / BLOCK {
        let rows = request.context.store.audit(cursor, BLOCK, &filter).await;
        let rows = rows.map_err(Problem::from)?;
        for row in &rows {
            let value = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
            let record = [
                rfc3339(row.at),
                harmless(&row.who),
                harmless(&row.what),
                harmless(&row.target),
                value(&row.before),
                value(&row.after),
            ];
            writer.write_record(record).map_err(failed)?;
        }
        cursor = rows.last().map(|row| row.id);
        if rows.len() < BLOCK as usize {
            break;
        }
    }
    let text = writer
        .into_inner()
        .map_err(|error| Problem::unavailable(&error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}

/// A value that spreadsheets do not interpret as a formula (OWASP, CSV injection).
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_one_entry_with_its_people() {
        let row = |what: &str, at: &str, who: &str| AuditRow {
            id: String::new(),
            at: at.to_owned(),
            who: who.to_owned(),
            what: what.to_owned(),
            target: String::new(),
            before: None,
            after: None,
            own: false,
        };
        let import = row("people.import", "10:00", "Farid");
        assert!(is_part_of(&row("person.add", "10:00", "Farid"), &import));
        for other in [
            row("person.add", "10:01", "Farid"),
            row("person.add", "10:00", "Anna"),
            row("scope.add", "10:00", "Farid"),
        ] {
            assert!(!is_part_of(&other, &import), "{other:?}");
        }
        let single = row("person.add", "10:00", "Farid");
        assert!(!is_part_of(&row("person.add", "10:00", "Farid"), &single));
    }

    #[test]
    fn what_somebody_called_themselves_is_no_formula() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("+49 30 1"), "'+49 30 1");
        assert_eq!(harmless("Anna"), "Anna");
    }
}
