//! The board: a live list of all people with their presence.

use std::sync::Arc;

use api::{EventStreams, caller::Caller, people::person_body, presence_body, problem::Problem};
use api_types::{people::PersonBody, presence::PresenceBody};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use presence::{PersonId, view};
use runtime::{context::Context, organisation::Snapshot};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    collation::sort_by_name,
    layout::{Layout, render},
    search::{Words, haystack},
    texts::Texts,
};

/// Rows in a part of the list that the browser renders or skips as a whole. The browser checks each part at every change:
/// 10,000 parts of one row cost 60 ms per frame (Chromium 150, 2 cores), 200 parts of 50 rows 6 ms.
const CHUNK: usize = 50;

/// Controls of the demo.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Address of the page on which one acts as a Teams user.
    pub teams_page: String,
    /// Whether the scripted day runs.
    pub day: watch::Sender<bool>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    layout: Layout,
    /// Id of the event after which changes are sent.
    revision: String,
    groups: Vec<Group>,
    /// Id of the viewing person, who may have favourites; `None` for callers that are no person.
    viewer: Option<String>,
    demo: Option<DemoBar>,
    /// Text of the search field.
    search: String,
    /// Label of the buttons that open the explanation.
    why: String,
    /// Messages for the script, as JSON.
    script_words: String,
}

impl BoardPage {
    /// Number of people.
    fn people(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len()).sum()
    }
}

/// Keys of the messages for the script.
const SCRIPT_WORDS: &[&str] = &[
    "status-Available",
    "status-BeRightBack",
    "status-Busy",
    "status-DoNotDisturb",
    "status-Absent",
    "status-Offline",
    "activity-Ringing",
    "activity-OnThePhone",
    "activity-OnThePhoneTeams",
    "activity-InMeeting",
    "activity-Presenting",
    "board-people",
    "board-people-of",
    "board-live",
    "board-lost",
    "board-why-of",
    "board-favourite",
    "demo-pause",
    "demo-resume",
    "person-more",
    "person-call",
    "card-title",
    "card-failed",
    "card-choose-for",
    "card-end-for",
    "card-since",
    "card-until",
    "card-calls-to",
    "card-calls-refused",
    "card-central",
    "card-own",
    "card-now",
    "card-nothing",
    "card-locked",
    "automatic-client_start",
    "automatic-client_end",
    "automatic-inactivity",
    "automatic-locked",
];

/// People under a heading.
struct Group {
    /// The heading; `None` if there is only one group.
    name: Option<String>,
    is_favourite: bool,
    rows: Vec<Row>,
}

impl Group {
    /// The parts that the browser renders or skips as a whole.
    fn chunks(&self) -> std::slice::Chunks<'_, Row> {
        self.rows.chunks(CHUNK)
    }
}

struct DemoBar {
    teams_page: String,
    running: bool,
}

struct Row {
    person: String,
    name: String,
    star: String,
    extensions: String,
    status: &'static str,
    words: String,
    why: String,
    label: String,
    text: String,
    since: String,
    confidence: &'static str,
    /// Whether the search leaves the row out.
    is_hidden: bool,
}

impl Row {
    fn new(language: Texts, person: PersonBody, presence: PresenceBody) -> Self {
        let extensions: Vec<&str> = person.lines.iter().map(|line| &*line.extension).collect();
        let words = language.text(&format!("status-{}", presence.status.name()));
        let label = presence
            .activity
            .map(|activity| language.activity(&activity));
        Self {
            star: language.with("board-favourite", "name", &*person.name),
            extensions: extensions.join(", "),
            status: presence.status.name(),
            why: language.of_two("board-why-of", ("status", &words), ("name", &person.name)),
            person: person.id,
            name: person.name,
            words,
            text: label.clone().unwrap_or(presence.text),
            label: label.unwrap_or_default(),
            since: presence.since.unwrap_or_default(),
            confidence: presence.confidence.name(),
            is_hidden: false,
        }
    }

    /// The texts of the row in which the search looks, as the script finds them.
    fn haystack(&self) -> String {
        haystack(
            &[
                &*self.name,
                &self.extensions,
                &self.words,
                &self.label,
                &self.text,
            ]
            .join("\n"),
        )
    }
}

/// Query of the board.
#[derive(Debug, Deserialize)]
pub struct Search {
    /// Text of the search field.
    #[serde(default)]
    q: String,
}

/// `GET /`: the board.
pub async fn page(
    State(context): State<Context>,
    State(streams): State<EventStreams>,
    State(demo): State<Option<Arc<Demo>>>,
    caller: Caller,
    layout: Layout,
    Query(Search { q: search }): Query<Search>,
) -> Result<Response, Problem> {
    let (revision, presences) = context.events.all();
    let mut rows: Vec<(PersonId, Row)> = presences
        .iter()
        .filter_map(|(id, presence)| {
            let seen = view(presence, caller.level(&context.organisation, *id));
            let person = context.people.person(*id)?;
            let row = Row::new(layout.words, person_body(&person), presence_body(&seen));
            Some((*id, row))
        })
        .collect();
    sort_by_name(layout.words.0, &mut rows, |(_, row)| &row.name);
    let words = Words::new(&search);
    if !words.is_empty() {
        for (_, row) in &mut rows {
            row.is_hidden = !words.are_in(&row.haystack());
        }
    }
    let groups = context
        .organisation
        .read(|snapshot| grouped(layout.words, snapshot, caller.person, rows));
    let demo = demo.as_ref().map(|demo| DemoBar {
        teams_page: demo.teams_page.clone(),
        running: *demo.day.borrow(),
    });
    let page = BoardPage {
        why: layout.words.text("board-why"),
        script_words: layout.words.for_script(SCRIPT_WORDS),
        layout,
        revision: streams.tokens.seal(revision),
        groups,
        viewer: caller.person.map(|person| person.to_string()),
        demo,
        search,
    };
    render(StatusCode::OK, &page)
}

/// Groups of the board: favourites, the viewer's workgroups, all others. Each person appears once.
fn grouped(
    words: Texts,
    snapshot: &Snapshot,
    viewer: Option<PersonId>,
    rows: Vec<(PersonId, Row)>,
) -> Vec<Group> {
    let favourites = viewer.and_then(|viewer| snapshot.favourites.get(&viewer));
    let mine = snapshot
        .workgroups
        .iter()
        .filter(|group| viewer.is_some_and(|viewer| group.members.contains(&viewer)));
    let mine: Vec<_> = mine.collect();
    let group = |name: String, is_favourite: bool| Group {
        name: Some(name),
        is_favourite,
        rows: Vec::new(),
    };
    let mut groups = vec![group(words.text("board-favourites"), true)];
    groups.extend(mine.iter().map(|known| group(known.name.clone(), false)));
    groups.push(group(words.text("board-all"), false));
    let last = groups.len() - 1;
    for (person, row) in rows {
        let index = if favourites.is_some_and(|favourites| favourites.contains(&person)) {
            0
        } else {
            let common = mine
                .iter()
                .position(|group| group.members.contains(&person));
            common.map_or(last, |common| common + 1)
        };
        if let Some(group) = groups.get_mut(index) {
            group.rows.push(row);
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    if let [only] = groups.as_mut_slice() {
        only.name = None;
    }
    groups
}

/// State of the demo's scripted day.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    running: bool,
}

/// `GET /demo/day`: whether the scripted day runs.
pub async fn day(State(demo_controls): State<Option<Arc<Demo>>>) -> Result<Json<Day>, Problem> {
    let demo = demo(demo_controls.as_deref())?;
    Ok(Json(Day {
        running: *demo.day.borrow(),
    }))
}

/// `PUT /demo/day`: pauses or resumes the scripted day.
pub async fn set_day(
    State(demo_controls): State<Option<Arc<Demo>>>,
    api::Json(day): api::Json<Day>,
) -> Result<Json<Day>, Problem> {
    demo(demo_controls.as_deref())?
        .day
        .send_replace(day.running);
    Ok(Json(day))
}

fn demo(demo: Option<&Demo>) -> Result<&Demo, Problem> {
    let remedy = "only `offhook demo` has a scripted day";
    demo.ok_or_else(|| Problem::not_found("page", "/demo/day", remedy))
}
