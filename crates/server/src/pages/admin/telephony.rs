//! Telephone systems: how their connections are, and what their lines do now.

use presence::{PersonId, view};
use serde_json::json;

use super::{
    examination,
    overview::{connected, health},
    require_system_administrator,
};
use crate::{
    api::PresenceBody,
    pages::{
        Outcome, Page, Place,
        client::Refusal,
        kit::{Back, Block, Cell, Row, Table, text},
        visit::{Typed, Visit},
    },
};

/// Lines that are shown at once.
const LINES_MAX: usize = 200;
/// Seconds after which the page is read anew.
const REFRESH: u32 = 5;

/// Telephone systems and lines.
pub(super) struct Telephony;

impl Place for Telephony {
    async fn show(visit: &Visit, back: Option<&Back>) -> Result<Page, Refusal> {
        require_system_administrator(visit)?;
        let mut parts = visit.shared.health.parts();
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
            .table(lines(visit, &wanted))
            .heading(visit.say("telephony-connect"))
            .text(visit.say("telephony-steps"))
            .form(examination::form(visit), back);
        page.refresh = Some(REFRESH);
        Ok(page)
    }

    async fn act(visit: &Visit, _: &Typed) -> Result<Outcome, Refusal> {
        require_system_administrator(visit)?;
        examination::examine(visit).await
    }
}

/// Lines, those in use first.
fn lines(visit: &Visit, wanted: &str) -> Table {
    let (_, presences) = visit.shared.events.all();
    let presence = |person: PersonId| {
        let found = presences.get(&person);
        found.map_or_else(
            || json!({}),
            |presence| {
                let level = visit.caller.level(&visit.shared, person);
                json!(PresenceBody::from(&view(presence, level)))
            },
        )
    };
    let people = visit
        .shared
        .directory
        .people(|person| !person.lines.is_empty());
    let mut lines: Vec<(bool, String, String, serde_json::Value)> = Vec::new();
    for person in people {
        let now = presence(person.id);
        let activity = now.get("activity").cloned().unwrap_or_default();
        let in_use = text(&activity, "via") == "pbx";
        for (_, extension) in &person.lines {
            let found = extension.contains(wanted) || person.name.to_lowercase().contains(wanted);
            if found {
                lines.push((
                    in_use,
                    extension.to_string(),
                    person.name.clone(),
                    now.clone(),
                ));
            }
        }
    }
    lines.sort_by(|one, other| (!one.0, &one.1).cmp(&(!other.0, &other.1)));
    let count = lines.len();
    let row = |(in_use, extension, name, now): (bool, String, String, serde_json::Value)| Row {
        key: extension.clone(),
        cells: vec![
            Cell::Text(extension),
            Cell::Text(name),
            Cell::Text(visit.say(if in_use { "line-in-use" } else { "line-idle" })),
            visit.presence(&now),
            if in_use {
                Cell::Time(text(&now, "since").to_owned())
            } else {
                Cell::Text(String::new())
            },
        ],
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
