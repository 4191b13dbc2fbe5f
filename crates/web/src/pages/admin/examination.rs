//! Check of the installation, for the pages of tenants and PBXs.

use api_types::doctor::{Finding, Findings, Verdict};
use serde_json::json;

use crate::pages::{
    Outcome, Page,
    client::Refusal,
    components::{Block, Cell, Form, Link, Row, Table},
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
    let mut findings = findings(request).await?;
    findings.sort_by_key(|finding| match finding.verdict {
        Verdict::Failed => 0,
        Verdict::Warning => 1,
        Verdict::Fine => 2,
        Verdict::Skipped => 3,
    });
    let table = table(request, &findings);
    let back = Link::new(request.layout.here.clone(), request.say("doctor-back"));
    let page = Page::new(request, request.say("doctor"))
        .text(request.say("doctor-about"))
        .table(table)
        .form(form(request), None)
        .add(Block::Links(request.say("doctor-back"), vec![back]));
    Ok(Outcome::Shown(Box::new(page)))
}

/// Runs the check and returns its findings.
pub(super) async fn findings(request: &PageContext) -> Result<Vec<Finding>, Refusal> {
    let Findings { items } = request.api.post("/doctor", json!({})).await?.json()?;
    Ok(items)
}

/// The findings as a table.
pub(super) fn table(request: &PageContext, findings: &[Finding]) -> Table {
    let row = |finding: &Finding| {
        let Finding { verdict, .. } = finding;
        let text = |text: &Option<String>| Cell::Text(text.clone().unwrap_or_default());
        Row {
            key: finding.check.clone(),
            cells: vec![
                Cell::Text(finding.check.clone()),
                Cell::Mark(
                    *verdict == Verdict::Fine,
                    request.say(&format!("verdict-{}", verdict.name())),
                ),
                Cell::Text(finding.what.clone()),
                text(&finding.means),
                text(&finding.remedy),
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
        rows: findings.iter().map(row).collect(),
        empty: request.say("connect-nothing"),
        order: None,
    }
}
