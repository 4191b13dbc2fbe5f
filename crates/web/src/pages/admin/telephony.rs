//! PBXs: state of connections and lines.

use api::presence_body;
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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let mut parts = request.context.health.parts();
        parts.retain(|part, _| part.is_of_pbx());
        let about = if parts.is_empty() {
            "telephony-none"
        } else {
            "telephony-about"
        };
        let wanted = request.query("q").unwrap_or_default().to_lowercase();
        let mut page = Page::new(request, request.say("nav-telephony")).text(request.say(about));
        page.blocks.extend(connected(request, &parts));
        page = page
            .table(health(request, &parts))
            .add(Block::Search(
                request.say("lines-search"),
                request.query("q").unwrap_or_default().to_owned(),
            ))
            .table(lines(request, &wanted).await)
            .heading(request.say("telephony-connect"))
            .text(request.say("telephony-steps"))
            .form(examination::form(request), back);
        page.refresh = Some(REFRESH);
        Ok(page)
    }

    async fn act(request: &PageContext, _: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        examination::examine(request).await
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
async fn lines(request: &PageContext, wanted: &str) -> Table {
    let (_, presences) = request.context.events.all();
    let presence = |person: PersonId| {
        let found = presences.get(&person);
        found.map_or_else(
            || json!({}),
            |presence| {
                let level = request.caller.level(&request.context.organisation, person);
                json!(presence_body(&view(presence, level)))
            },
        )
    };
    let people = request
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
    let known = request.context.engine.lines(asked).await;
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
            Cell::Text(state(request, line.known)),
            request.presence(&line.presence),
            since(line.known),
        ],
        key: line.extension,
    };
    Table {
        id: "lines",
        caption: request.words.with("lines-caption", "count", count),
        head: [
            "line",
            "board-name",
            "line-state",
            "board-status",
            "board-since",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: lines.into_iter().take(LINES_MAX).map(row).collect(),
        empty: request.say("lines-none"),
        order: None,
    }
}

/// The state of a line as text; a state that no PBX has confirmed is unknown.
fn state(request: &PageContext, known: LineKnowledge) -> String {
    let said = |state: LineState| {
        request.say(match state {
            LineState::Idle => "line-idle",
            LineState::Ringing => "line-ringing",
            LineState::Held => "line-held",
            LineState::Connected => "line-in-use",
        })
    };
    match known {
        LineKnowledge::Unknown => request.say("line-unknown"),
        LineKnowledge::Stale { state, .. } => {
            request.words.with("line-stale", "status", said(state))
        }
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
