//! PBXs: state of connections and lines.

use api::PresenceBody;
use presence::{LineKnowledge, LineState, PersonId, view};
use runtime::clock::rfc3339;
use serde_json::{Value, json};

use super::{
    examination,
    overview::{connected, health},
};
use crate::pages::{
    Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

/// Largest number of shown lines.
const LINES_MAX: usize = 200;
/// Interval in seconds at which the page is reloaded.
const REFRESH: u32 = 5;

/// The page of PBXs and lines.
pub(super) struct Telephony;

impl PageHandler for Telephony {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        visit.require_system_administrator()?;
        let mut parts = visit.context.health.parts();
        parts.retain(|part, _| part.starts_with("pbx"));
        let about = if parts.is_empty() {
            "telephony-none"
        } else {
            "telephony-about"
        };
        let wanted = visit.query("q").unwrap_or_default().to_lowercase();
        let mut page = Page::new(visit, visit.say("nav-telephony")).text(visit.say(about));
        page.blocks.extend(connected(visit, &parts));
        page = page
            .table(health(visit, &parts))
            .add(Block::Search(
                visit.say("lines-search"),
                visit.query("q").unwrap_or_default().to_owned(),
            ))
            .table(lines(visit, &wanted).await)
            .heading(visit.say("telephony-connect"))
            .text(visit.say("telephony-steps"))
            .form(examination::form(visit), back);
        page.refresh = Some(REFRESH);
        Ok(page)
    }

    async fn act(visit: &PageContext, _: &EnteredForm) -> Result<Outcome, Refusal> {
        visit.require_system_administrator()?;
        examination::examine(visit).await
    }
}

/// A line in the table.
struct Line {
    extension: String,
    name: String,
    presence: Value,
    known: LineKnowledge,
}

/// The lines, busy ones first.
async fn lines(visit: &PageContext, wanted: &str) -> Table {
    let (_, presences) = visit.context.events.all();
    let presence = |person: PersonId| {
        let found = presences.get(&person);
        found.map_or_else(
            || json!({}),
            |presence| {
                let level = visit.caller.level(&visit.context.organisation, person);
                json!(PresenceBody::from(&view(presence, level)))
            },
        )
    };
    let people = visit
        .context
        .people
        .people(|person| !person.lines.is_empty());
    let (mut asked, mut lines) = (Vec::new(), Vec::new());
    for person in people {
        let is_named = person.name.to_lowercase().contains(wanted);
        for (line, extension) in &person.lines {
            if is_named || extension.contains(wanted) {
                asked.push((person.id, *line));
                lines.push((extension.to_string(), person.clone()));
            }
        }
    }
    let known = visit.context.engine.lines(asked).await;
    let mut lines: Vec<Line> = lines
        .into_iter()
        .zip(known)
        .map(|((extension, person), known)| Line {
            extension,
            name: person.name.clone(),
            presence: presence(person.id),
            known,
        })
        .collect();
    lines.sort_by(|one, other| {
        let order = |line: &Line| !line.known.in_use();
        (order(one), &one.extension).cmp(&(order(other), &other.extension))
    });
    let count = lines.len();
    let row = |line: Line| Row {
        cells: vec![
            Cell::Text(line.extension.clone()),
            Cell::Text(line.name),
            Cell::Text(state(visit, line.known)),
            visit.presence(&line.presence),
            since(line.known),
        ],
        key: line.extension,
    };
    Table {
        id: "lines",
        caption: visit.words.with("lines-caption", "count", count),
        head: [
            "line",
            "board-name",
            "line-state",
            "board-status",
            "board-since",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: lines.into_iter().take(LINES_MAX).map(row).collect(),
        empty: visit.say("lines-none"),
        order: None,
    }
}

/// The state of a line as text; a state that no PBX has confirmed is unknown.
fn state(visit: &PageContext, known: LineKnowledge) -> String {
    let said = |state: LineState| {
        visit.say(match state {
            LineState::Idle => "line-idle",
            LineState::Ringing => "line-ringing",
            LineState::Held => "line-held",
            LineState::Connected => "line-in-use",
        })
    };
    match known {
        LineKnowledge::Unknown => visit.say("line-unknown"),
        LineKnowledge::Stale { state, .. } => visit.words.with("line-stale", "status", said(state)),
        LineKnowledge::Confirmed { state, .. } => said(state),
    }
}

/// Time since which a line is busy.
fn since(known: LineKnowledge) -> Cell {
    match known {
        LineKnowledge::Stale { since, .. } | LineKnowledge::Confirmed { since, .. }
            if known.in_use() =>
        {
            Cell::Time(rfc3339(since))
        }
        LineKnowledge::Unknown | LineKnowledge::Stale { .. } | LineKnowledge::Confirmed { .. } => {
            Cell::Text(String::new())
        }
    }
}
