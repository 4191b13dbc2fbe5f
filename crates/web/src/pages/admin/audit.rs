//! Audit log, filtered by author, kind and target; also as CSV.

use api::problem::Problem;
use api_types::audit::{AuditPage, AuditRow};
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use runtime::clock::rfc3339;
use serde_json::Value;
use store::AuditFilter;

use crate::pages::{
    Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Cell, FilterField, Link, RefusedForm, Row, Table},
    page_context::PageContext,
};

const HERE: &str = "/admin/audit";
/// Fields of the filter.
const FILTERS: [&str; 3] = ["who", "what", "target"];
/// Largest number of exported rows, the newest.
const EXPORT_MAX: u32 = 50_000;
/// Rows per query of an export.
const BLOCK: u32 = 1_000;

/// The page of the audit log.
pub(super) struct Audit;

impl PageHandler for Audit {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let filter = filter_query(request);
        let cursor = request
            .query("cursor")
            .map(|cursor| format!("&cursor={}", part(cursor)));
        let path = format!("/audit?limit=100{filter}{}", cursor.unwrap_or_default());
        let AuditPage { items, next } = request.api.get(&path).await?;
        let link = |to: String, key: &str| Link::new(to, request.say(key));
        let mut links = vec![link(
            format!("{HERE}.csv?{}", filter.trim_start_matches('&')),
            "audit-export",
        )];
        if let Some(next) = next {
            links.push(link(format!("{HERE}?cursor={next}{filter}"), "list-after"));
        }
        let fields = FILTERS.map(|name| FilterField {
            name,
            label: request.say(&format!("audit-{name}")),
            value: request.query(name).unwrap_or_default().to_owned(),
        });
        Ok(Page::new(request, request.say("nav-audit"))
            .text(request.say("audit-about"))
            .add(Block::Filter(fields.to_vec()))
            .table(table(request, &items))
            .add(Block::Links(request.say("list-pages"), links)))
    }
}

/// The filter, as query of the API and of this page.
fn filter_query(request: &PageContext) -> String {
    let given = FILTERS
        .iter()
        .filter_map(|name| Some((name, request.query(name)?)));
    given
        .map(|(name, value)| format!("&{name}={}", part(value)))
        .collect()
}

fn table(request: &PageContext, rows: &[AuditRow]) -> Table {
    let row = |row: &AuditRow| {
        let value = |value: &Option<Value>| match value {
            _ if row.own => Cell::Text(request.say("audit-not-recorded")),
            None => Cell::Text(String::new()),
            Some(value) => Cell::Code(value.to_string()),
        };
        Row {
            key: row.id.clone(),
            cells: vec![
                Cell::Time(row.at.clone()),
                Cell::Text(row.who.clone()),
                Cell::Text(row.what.clone()),
                Cell::Text(row.target.clone()),
                value(&row.before),
                value(&row.after),
            ],
        }
    };
    Table {
        id: "audit",
        caption: request.say("nav-audit"),
        head: [
            "audit-at",
            "audit-who",
            "audit-what",
            "audit-target",
            "audit-before",
            "audit-after",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: rows.iter().map(row).collect(),
        empty: request.say("audit-none"),
        order: None,
    }
}

/// `GET /admin/audit.csv`: the newest rows that match the filter, from the store: an answer of the API has at most 16 MiB, and a
/// row may hold a table with 10,000 programs.
pub(super) async fn export(request: PageContext) -> Result<Response, Refusal> {
    request.require_system_administrator()?;
    let given = |name: &str| request.query(name).map(str::to_owned);
    let filter = AuditFilter {
        who: given("who"),
        what: given("what"),
        target: given("target"),
        ..AuditFilter::default()
    };
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
    use super::harmless;

    #[test]
    fn what_somebody_called_themselves_is_no_formula() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("+49 30 1"), "'+49 30 1");
        assert_eq!(harmless("Anna"), "Anna");
    }
}
