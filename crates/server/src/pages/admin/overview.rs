//! How Offhook is: what is wrong and what to do, how quick it is, who has no account.

use std::collections::BTreeMap;

use presence::{Confidence, PersonId, Presence, Status};

use super::require_administrator;
use crate::{
    clock::rfc3339,
    health::Trouble,
    pages::{
        Page, Place,
        client::Refusal,
        kit::{Back, Block, Cell, Row, Table},
        picture::{Histogram, shares},
        visit::Visit,
    },
};

/// People that are named one by one.
const NAMED_MAX: usize = 50;
/// The latencies that the product lives by, as the metrics call them.
const LATENCIES: [(&str, &str); 3] = [
    ("offhook_pbx_event_to_graph_request_seconds", "latency-pbx"),
    ("offhook_teams_answer_to_event_seconds", "latency-teams"),
    ("offhook_graph_budget_wait_seconds", "latency-budget"),
];

/// The overview.
pub(super) struct Overview;

impl Place for Overview {
    async fn show(visit: &Visit, _: Option<&Back>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let parts = visit.shared.health.parts();
        let ill = parts.values().flatten().count();
        let state = if ill == 0 {
            visit.say("health-well")
        } else {
            visit.words.with("health-ill", "count", ill)
        };
        let (_, presences) = visit.shared.events.all();
        let counted = Status::ALL.map(|status| {
            let count = presences
                .iter()
                .filter(|(_, presence)| presence.status == status)
                .count();
            (status.name(), visit.status(status.name()), count)
        });
        let mut facts = vec![
            (visit.say("health"), Cell::Mark(ill == 0, state)),
            (
                visit.say("nav-people"),
                Cell::Link("/admin/people".into(), presences.len().to_string()),
            ),
            (
                visit.say("overview-streams"),
                Cell::Text(visit.shared.metrics.streams.get().to_string()),
            ),
            (
                visit.say("overview-agents"),
                Cell::Text(visit.shared.agents.count().to_string()),
            ),
            (
                visit.say("overview-writes"),
                Cell::Text(visit.shared.metrics.pending_writes.get().to_string()),
            ),
        ];
        for tenant in visit.shared.doors.names().iter() {
            let milliseconds = visit.shared.metrics.rhythm(tenant).get();
            let rhythm = format!("{:.1} s", milliseconds as f64 / 1e3);
            facts.push((
                visit.words.with("overview-rhythm", "tenant", &**tenant),
                Cell::Text(rhythm),
            ));
            facts.push((
                visit.words.with("overview-budget", "tenant", &**tenant),
                Cell::Text(budget(visit, tenant)),
            ));
        }
        let pauses = visit.shared.metrics.loop_breaker.get();
        facts.push((visit.say("overview-pauses"), Cell::Text(pauses.to_string())));
        let mut page = Page::new(visit, visit.say("nav-overview"))
            .add(Block::Facts(facts))
            .table(health(visit, &parts))
            .add(Block::Picture(shares(visit, &counted)));
        let metrics = visit.shared.metrics.text();
        for (name, key) in LATENCIES {
            let histogram = Histogram::read(&metrics, name);
            page = page.add(Block::Picture(histogram.picture(visit, &visit.say(key))));
        }
        Ok(page
            .table(silent(visit, &presences))
            .table(unmatched(visit)))
    }
}

/// What of a tenant's budget is spent, in numbers and as a share.
fn budget(visit: &Visit, tenant: &str) -> String {
    let (sent, limit) = visit.shared.metrics.budget(tenant);
    if limit == 0 {
        return sent.to_string();
    }
    let share = format!("{} %", (sent * 100 + limit / 2) / limit);
    let sent = format!("{sent} / {limit}");
    let words = visit.words;
    words.of_two("overview-budget-spent", ("count", &sent), ("value", &share))
}

/// In one sentence whether these parts of the server are connected; nothing if there are none.
pub(super) fn connected(visit: &Visit, parts: &BTreeMap<String, Option<Trouble>>) -> Option<Block> {
    let ill: Vec<&str> = parts
        .iter()
        .filter(|(_, trouble)| trouble.is_some())
        .map(|(part, _)| &**part)
        .collect();
    let sentence = match (parts.is_empty(), ill.is_empty()) {
        (true, _) => return None,
        (_, true) => visit.say("connected"),
        _ => visit.words.with("not-connected", "name", ill.join(", ")),
    };
    let state = Cell::Mark(ill.is_empty(), sentence);
    Some(Block::Facts(vec![(visit.say("health"), state)]))
}

/// Every part of the server, those in trouble first.
pub(super) fn health(visit: &Visit, parts: &BTreeMap<String, Option<Trouble>>) -> Table {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|(_, trouble)| trouble.is_none());
    let row = |(part, trouble): (&String, &Option<Trouble>)| {
        let state = visit.say(if trouble.is_none() {
            "part-well"
        } else {
            "part-ill"
        });
        let (what, remedy) = trouble
            .as_ref()
            .map_or((String::new(), String::new()), |trouble| {
                (trouble.what.clone(), trouble.remedy.clone())
            });
        Row {
            key: part.clone(),
            cells: vec![
                Cell::Text(part.clone()),
                Cell::Mark(trouble.is_none(), state),
                Cell::Text(what),
                Cell::Text(remedy),
            ],
        }
    };
    Table {
        id: "health",
        caption: visit.say("health"),
        head: [
            "health-part",
            "health-state",
            "health-what",
            "health-remedy",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: parts.into_iter().map(row).collect(),
        empty: visit.say("health-none"),
        order: None,
    }
}

/// People of whom a source has been silent for longer than what it said last holds.
fn silent(visit: &Visit, presences: &BTreeMap<PersonId, Presence>) -> Table {
    let shared = &visit.shared;
    let silent = presences.iter().filter(|(person, presence)| {
        presence.confidence == Confidence::Stale
            && visit.caller.require_admin_of(shared, **person).is_ok()
    });
    let rows = silent.take(NAMED_MAX).filter_map(|(id, presence)| {
        let person = shared.directory.person(*id)?;
        Some(Row {
            key: id.to_string(),
            cells: vec![
                Cell::Link(format!("/people/{id}"), person.name.clone()),
                Cell::Text(visit.status(presence.status.name())),
                Cell::Time(rfc3339(presence.since)),
            ],
        })
    });
    Table {
        id: "silent",
        caption: visit.say("overview-silent"),
        head: ["board-name", "board-status", "board-since"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: visit.say("overview-nobody-silent"),
        order: None,
    }
}

/// People for whom calls are to cross, but who have no Teams account.
fn unmatched(visit: &Visit) -> Table {
    let shared = &visit.shared;
    let people = shared
        .directory
        .people(|person| person.teams_id.is_none() && shared.organisation.syncs(person.id));
    let mine = people
        .into_iter()
        .filter(|person| visit.caller.require_admin_of(shared, person.id).is_ok());
    let rows = mine.take(NAMED_MAX).map(|person| Row {
        key: person.id.to_string(),
        cells: vec![
            Cell::Link(format!("/admin/people/{}", person.id), person.name.clone()),
            Cell::Text(person.user_principal_name.clone()),
            Cell::Text(person.mail.clone()),
        ],
    });
    Table {
        id: "unmatched",
        caption: visit.say("overview-unmatched"),
        head: ["board-name", "person-upn", "person-mail"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: visit.say("overview-all-matched"),
        order: None,
    }
}
