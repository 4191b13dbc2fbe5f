//! The board: everybody's presence on one page, live.

use askama::Template;
use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use presence::{View, view};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{app::Shared, caller::Caller, clock::rfc3339, problem::Problem};

/// What the board shows in the demo only.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Where one acts as a Teams user.
    pub teams_page: String,
    /// Whether the scripted day goes on.
    pub day: watch::Sender<bool>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    revision: u64,
    rows: Vec<Row>,
    demo: Option<DemoBar>,
    /// Whether the viewer is a person, who has pages of their own.
    is_person: bool,
}

struct DemoBar {
    teams_page: String,
    running: bool,
}

struct Row {
    person: String,
    name: String,
    extensions: String,
    status: &'static str,
    words: &'static str,
    label: String,
    text: String,
    since: String,
    confidence: &'static str,
}

impl Row {
    fn new(person: &crate::directory::Person, presence: &View) -> Self {
        let extensions: Vec<&str> = person
            .lines
            .iter()
            .map(|(_, extension)| &**extension)
            .collect();
        Self {
            person: person.id.to_string(),
            name: person.name.clone(),
            extensions: extensions.join(", "),
            status: presence.status.name(),
            words: presence.status.words(),
            label: presence
                .activity
                .as_ref()
                .map_or_else(String::new, |activity| activity.label().to_owned()),
            text: presence.text.to_string(),
            since: presence.since.map(rfc3339).unwrap_or_default(),
            confidence: presence.confidence.name(),
        }
    }
}

/// `GET /`.
pub(crate) async fn page(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<Response, Problem> {
    let (revision, presences) = shared.events.all();
    let mut rows: Vec<Row> = presences
        .iter()
        .filter_map(|(id, presence)| {
            let seen = view(presence, caller.level(&shared, *id));
            Some(Row::new(&*shared.directory.person(*id)?, &seen))
        })
        .collect();
    rows.sort_by_cached_key(|row| row.name.to_lowercase());
    let demo = shared.demo.as_ref().map(|demo| DemoBar {
        teams_page: demo.teams_page.clone(),
        running: *demo.day.borrow(),
    });
    let page = BoardPage {
        revision,
        rows,
        demo,
        is_person: caller.person.is_some(),
    };
    let html = page
        .render()
        .map_err(|error| Problem::unavailable(&error.to_string()))?;
    Ok(Html(html).into_response())
}

/// Whether the demo's scripted day goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Day {
    running: bool,
}

/// `GET /demo/day`.
pub(crate) async fn day(State(shared): State<Shared>) -> Result<Json<Day>, Problem> {
    let demo = demo(&shared)?;
    Ok(Json(Day {
        running: *demo.day.borrow(),
    }))
}

/// `PUT /demo/day`: pauses the day or lets it go on.
pub(crate) async fn set_day(
    State(shared): State<Shared>,
    crate::api::Json(day): crate::api::Json<Day>,
) -> Result<Json<Day>, Problem> {
    demo(&shared)?.day.send_replace(day.running);
    Ok(Json(day))
}

fn demo(shared: &Shared) -> Result<&Demo, Problem> {
    let remedy = "only `offhook demo` has a scripted day";
    shared
        .demo
        .as_ref()
        .ok_or_else(|| Problem::not_found("page", "/demo/day", remedy))
}
