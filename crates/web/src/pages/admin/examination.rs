//! Check of the installation, for the pages of tenants and PBXs.

use serde_json::{Value, json};

use crate::pages::{
    Outcome, Page,
    client::Refusal,
    components::{Block, Cell, Form, Link, Row, Table, text},
    page_context::PageContext,
};

/// Name of the form that starts the check.
pub(super) const FORM: &str = "doctor";

/// The form that starts the check.
pub(super) fn form(request: &PageContext) -> Form {
    Form::new(request.words, FORM, request.say("doctor")).button(request.say("doctor-now"))
}

/// Runs the check and shows its findings, failures first.
pub(super) async fn examine(request: &PageContext) -> Result<Outcome, Refusal> {
    let found: Value = request.api.post("/doctor", json!({})).await?.json()?;
    let items = found.get("items").and_then(Value::as_array);
    let mut items: Vec<&Value> = items.into_iter().flatten().collect();
    let rank = |finding: &&Value| match text(finding, "verdict") {
        "failed" => 0,
        "warning" => 1,
        "fine" => 2,
        _ => 3,
    };
    items.sort_by_key(rank);
    let table = table(request, &items);
    let back = Link::new(request.layout.here.clone(), request.say("doctor-back"));
    let page = Page::new(request, request.say("doctor"))
        .text(request.say("doctor-about"))
        .table(table)
        .form(form(request), None)
        .add(Block::Links(request.say("doctor-back"), vec![back]));
    Ok(Outcome::Shown(Box::new(page)))
}

/// The findings as a table.
pub(super) fn table(request: &PageContext, items: &[&Value]) -> Table {
    let row = |finding: &&Value| {
        let verdict = text(finding, "verdict");
        Row {
            key: text(finding, "check").to_owned(),
            cells: vec![
                Cell::Text(text(finding, "check").to_owned()),
                Cell::Mark(
                    verdict == "fine",
                    request.say(&format!("verdict-{verdict}")),
                ),
                Cell::Text(text(finding, "what").to_owned()),
                Cell::Text(text(finding, "means").to_owned()),
                Cell::Text(text(finding, "remedy").to_owned()),
            ],
        }
    };
    Table {
        id: "findings",
        caption: request.say("doctor-findings"),
        head: [
            "health-part",
            "health-state",
            "doctor-what",
            "doctor-means",
            "health-remedy",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: items.iter().map(row).collect(),
        empty: request.say("connect-nothing"),
        order: None,
    }
}
