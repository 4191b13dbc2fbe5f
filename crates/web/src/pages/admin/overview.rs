//! Health: problems with remedies, latencies, people without account. Location administrators see the people of their
//! location, as their relationships permit.

use std::collections::BTreeMap;

use presence::{Confidence, PersonId, Status, TenantName, View, view};
use runtime::{
    clock::rfc3339,
    health::{Part, Trouble},
};

use super::require_administrator;
use crate::pages::{
    Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, RefusedForm, Row, Table},
    page_context::PageContext,
    picture::{latency, statuses},
};

/// Largest number of listed people.
const NAMED_MAX: usize = 50;
/// The page of the server's health.
pub(super) struct Overview;

impl PageHandler for Overview {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let views = administered(request);
        let numbers = Status::ALL.map(|status| {
            let people = views.values().filter(|view| view.status == status);
            (request.status(status.name()), people.count() as u64)
        });
        let people = (
            request.say("nav-people"),
            Cell::Link("/admin/people".into(), views.len().to_string()),
        );
        let page = Page::new(request, request.say("nav-health"));
        let (silent, unmatched) = (silent(request, &views), unmatched(request, &views));
        let statuses = Block::Picture(statuses(request, &numbers));
        if !request.caller.is_admin() {
            return Ok(page
                .add(Block::Facts(vec![people]))
                .add(statuses)
                .table(silent)
                .table(unmatched));
        }
        let parts = request.context.health.parts();
        let troubled = parts.values().flatten().count();
        let state = if troubled == 0 {
            request.say("health-ok")
        } else {
            request.words.with("health-problems", "count", troubled)
        };
        let mut facts = vec![
            (request.say("health"), Cell::Mark(troubled == 0, state)),
            people,
            (
                request.say("overview-streams"),
                Cell::Text(request.context.metrics.streams.get().to_string()),
            ),
            (
                request.say("overview-agents"),
                Cell::Text(request.parts().agents.count().to_string()),
            ),
            (
                request.say("overview-writes"),
                Cell::Text(request.context.metrics.pending_writes.get().to_string()),
            ),
        ];
        for tenant in request.parts().teams.clients.names().iter() {
            let seconds = request.context.metrics.sweep_interval(tenant);
            let interval = format!("{seconds:.1} s");
            facts.push((
                request
                    .words
                    .with("overview-polling-interval", "tenant", tenant.as_str()),
                Cell::Text(interval),
            ));
            facts.push((
                request
                    .words
                    .with("overview-budget", "tenant", tenant.as_str()),
                Cell::Text(budget(request, tenant)),
            ));
            facts.push((
                request
                    .words
                    .with("overview-backlog", "tenant", tenant.as_str()),
                Cell::Text(backlog(request, tenant)),
            ));
        }
        let pauses = request.context.metrics.loop_breaker.get();
        facts.push((
            request.say("overview-pauses"),
            Cell::Text(pauses.to_string()),
        ));
        let mut page = page
            .add(Block::Facts(facts))
            .table(health(request, &parts))
            .add(statuses);
        let metrics = &request.context.metrics;
        for (key, figures) in [
            ("latency-pbx", &metrics.pbx_to_graph),
            ("latency-teams", &metrics.teams_to_event),
            ("latency-write-wait", &metrics.write_wait),
            ("latency-budget", &metrics.budget_wait),
        ] {
            let picture = latency(request, &request.say(key), &figures.histogram());
            page = page.add(Block::Picture(picture));
        }
        Ok(page.table(silent).table(unmatched))
    }
}

/// Presence of the people in the caller's administration, as the caller may see it.
pub(super) fn administered(request: &PageContext) -> BTreeMap<PersonId, View> {
    let (_, mut presences) = request.context.events.all();
    if let Some(location) = request.caller.location() {
        request.context.organisation.read(|snapshot| {
            presences.retain(|id, _| snapshot.membership(*id).location.as_ref() == Some(location));
        });
    }
    let views = presences.into_iter().map(|(id, presence)| {
        (
            id,
            view(
                &presence,
                request.caller.level(&request.context.organisation, id),
            ),
        )
    });
    views.collect()
}

/// Used part of a tenant's request budget.
fn budget(request: &PageContext, tenant: &TenantName) -> String {
    let (sent, limit) = request.context.metrics.budget(tenant);
    if limit == 0 {
        return sent.to_string();
    }
    let share = format!("{} %", (sent * 100 + limit / 2) / limit);
    let sent = format!("{sent} / {limit}");
    let words = request.words;
    words.of_two("overview-budget-spent", ("count", &sent), ("value", &share))
}

/// Number of writes that wait for a tenant's budget, and age of the oldest.
fn backlog(request: &PageContext, tenant: &TenantName) -> String {
    let (writes, seconds) = request.context.metrics.backlog(tenant);
    let writes = writes.to_string();
    let age = format!("{seconds} s");
    let words = request.words;
    words.of_two("overview-backlog-age", ("count", &writes), ("value", &age))
}

/// A sentence whether these parts are connected; empty without parts.
pub(super) fn connected(
    request: &PageContext,
    parts: &BTreeMap<Part, Option<Trouble>>,
) -> Option<Block> {
    let troubled: Vec<String> = parts
        .iter()
        .filter(|(_, trouble)| trouble.is_some())
        .map(|(part, _)| part.to_string())
        .collect();
    let sentence = match (parts.is_empty(), troubled.is_empty()) {
        (true, _) => return None,
        (_, true) => request.say("connected"),
        _ => request
            .words
            .with("not-connected", "name", troubled.join(", ")),
    };
    let state = Cell::Mark(troubled.is_empty(), sentence);
    Some(Block::Facts(vec![(request.say("health"), state)]))
}

/// All parts of the server, those with problems first.
pub(super) fn health(request: &PageContext, parts: &BTreeMap<Part, Option<Trouble>>) -> Table {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|(_, trouble)| trouble.is_none());
    let row = |(part, trouble): (&Part, &Option<Trouble>)| {
        let state = request.say(if trouble.is_none() {
            "part-ok"
        } else {
            "part-problem"
        });
        let (what, remedy) = trouble
            .as_ref()
            .map_or((String::new(), String::new()), |trouble| {
                (trouble.what.clone(), trouble.remedy.clone())
            });
        Row {
            key: part.to_string(),
            cells: vec![
                Cell::Text(part.to_string()),
                Cell::Mark(trouble.is_none(), state),
                Cell::Text(what),
                Cell::Text(remedy),
            ],
        }
    };
    Table {
        id: "health",
        caption: request.say("health"),
        head: [
            "health-part",
            "health-state",
            "health-what",
            "health-remedy",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: parts.into_iter().map(row).collect(),
        empty: request.say("health-none"),
        order: None,
    }
}

/// People with missing updates: a source was silent beyond its lease.
fn silent(request: &PageContext, views: &BTreeMap<PersonId, View>) -> Table {
    let context = &request.context;
    let silent = views
        .iter()
        .filter(|(_, view)| view.confidence == Confidence::Stale);
    let rows = silent.take(NAMED_MAX).filter_map(|(id, view)| {
        let person = context.people.person(*id)?;
        Some(Row {
            key: id.to_string(),
            cells: vec![
                Cell::Link(format!("/people/{id}"), person.name.clone()),
                Cell::Text(request.status(view.status.name())),
                Cell::Time(view.since.map(rfc3339).unwrap_or_default()),
            ],
        })
    });
    Table {
        id: "silent",
        caption: request.say("overview-silent"),
        head: ["board-name", "board-status", "board-since"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: request.say("overview-none-silent"),
        order: None,
    }
}

/// People without a Teams account in scopes that synchronise calls.
fn unmatched(request: &PageContext, administered: &BTreeMap<PersonId, View>) -> Table {
    let context = &request.context;
    let people = context.people.people(|person| {
        person.teams_id.is_none()
            && administered.contains_key(&person.id)
            && context.organisation.syncs(person.id)
    });
    let rows = people.into_iter().take(NAMED_MAX).map(|person| Row {
        key: person.id.to_string(),
        cells: vec![
            Cell::Link(format!("/admin/people/{}", person.id), person.name.clone()),
            Cell::Text(person.user_principal_name.clone()),
            Cell::Text(person.mail.clone()),
        ],
    });
    Table {
        id: "unmatched",
        caption: request.say("overview-unmatched"),
        head: ["board-name", "person-upn", "person-mail"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: request.say("overview-all-matched"),
        order: None,
    }
}
