//! The board: a live list of all people with their presence.

mod filter;
mod groups;
pub(crate) mod row;

use std::sync::Arc;

use api::{EventStreams, caller::Caller, problem::Problem};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use presence::{PersonId, Presence};
use runtime::context::Context;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::{
    filter::{Chip, Filter, Order},
    groups::Group,
    row::Row,
};
use crate::{
    collation::sort_by_name,
    layout::{Layout, render},
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
    filter: Filter,
    chips: Vec<Chip>,
    /// Names of groups and locations to filter by.
    places: Vec<String>,
    /// Number of people.
    people: usize,
    /// Number of people whom search and filters leave.
    shown: usize,
    /// Messages for the script, as JSON.
    script_words: String,
}

impl BoardPage {
    /// How many people the search and the filters leave.
    fn summary(&self) -> String {
        let words = self.layout.words;
        if self.shown == self.people {
            return words.with("board-people", "count", self.people);
        }
        let (shown, people) = (self.shown.to_string(), self.people.to_string());
        words.of_two("board-people-of", ("shown", &shown), ("count", &people))
    }
}

/// Some rows, each in its group.
#[derive(Template)]
#[template(path = "board/rows.html")]
struct Rows {
    layout: Layout,
    groups: Vec<Group>,
    viewer: Option<String>,
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
    "line-teams-call",
    "line-until",
    "row-call",
    "row-call-of",
    "row-chat",
    "row-chat-of",
    "board-people",
    "board-people-of",
    "board-reachable",
    "board-live",
    "board-lost",
    "bell-set",
    "bell-free",
    "bell-denied",
    "confidence-stale",
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

struct DemoBar {
    teams_page: String,
    running: bool,
}

/// The rows of people whom the caller may list, in the order of the board.
fn rows<'a>(
    layout: &Layout,
    context: &Context,
    caller: &Caller,
    presences: impl Iterator<Item = (&'a PersonId, &'a Presence)>,
    order: Order,
) -> Vec<(PersonId, Row)> {
    let rows = presences.filter_map(|(id, presence)| {
        let row = row::row(layout.words, context, caller, *id, presence)?;
        Some((*id, row))
    });
    let mut rows: Vec<(PersonId, Row)> = rows.collect();
    sort_by_name(layout.words.0, &mut rows, |(_, row)| &row.name);
    match order {
        Order::Name => {}
        Order::Status => rows.sort_by_key(|(_, row)| {
            presence::Status::ALL
                .iter()
                .position(|status| *status == row.status)
        }),
        Order::Since => rows.sort_by(|(_, one), (_, other)| other.since.cmp(&one.since)),
    }
    rows
}

/// `GET /`: the board.
pub async fn page(
    State(context): State<Context>,
    State(streams): State<EventStreams>,
    State(demo): State<Option<Arc<Demo>>>,
    caller: Caller,
    layout: Layout,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let (revision, presences) = context.events.all();
    let mut rows = rows(&layout, &context, &caller, presences.iter(), filter.order());
    filter.apply(rows.iter_mut().map(|(_, row)| row));
    let all: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
    let chips = filter::chips(layout.words, &filter, &all);
    let places = groups::places(&all, &filter.group);
    let shown = all.iter().filter(|row| !row.is_hidden).count();
    let people = rows.len();
    let groups = groups::grouped(layout.words, &context, caller.person, rows);
    let demo = demo.as_ref().map(|demo| DemoBar {
        teams_page: demo.teams_page.clone(),
        running: *demo.day.borrow(),
    });
    let page = BoardPage {
        script_words: layout.words.for_script(SCRIPT_WORDS),
        layout,
        revision: streams.tokens.seal(revision),
        groups,
        viewer: caller.person.map(|person| person.to_string()),
        demo,
        filter,
        chips,
        places,
        people,
        shown,
    };
    render(StatusCode::OK, &page)
}

/// The most people of one request for rows.
const ROWS_MAX: usize = 200;

/// Query of [`some_rows`].
#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Ids, separated by commas. Of more than 200 only the first count.
    people: String,
}

/// `GET /rows?people=1,2`: the rows of some people in their groups, which the script puts into an open board: new people,
/// and people who are in another group now.
pub async fn some_rows(
    State(context): State<Context>,
    caller: Caller,
    layout: Layout,
    Query(Wanted { people }): Query<Wanted>,
) -> Result<Response, Problem> {
    let (_, presences) = context.events.all();
    let ids = people
        .split(',')
        .filter_map(|id| id.parse().ok().map(PersonId));
    let wanted: Vec<PersonId> = ids.take(ROWS_MAX).collect();
    let found = wanted
        .iter()
        .filter_map(|id| Some((id, presences.get(id)?)));
    let rows = rows(&layout, &context, &caller, found, Order::Name);
    let groups = groups::grouped(layout.words, &context, caller.person, rows);
    let page = Rows {
        layout,
        groups,
        viewer: caller.person.map(|person| person.to_string()),
    };
    render(StatusCode::OK, &page)
}

/// `GET /people/{person}/chat`: leads to the chat with a person in Teams.
pub async fn chat(
    State(context): State<Context>,
    axum::extract::Path(person): axum::extract::Path<String>,
) -> Result<Response, Problem> {
    let id = person.parse().ok().map(PersonId);
    let known = id.and_then(|id| context.people.person(id));
    let known = known.filter(|known| !known.user_principal_name.is_empty());
    let Some(known) = known else {
        let remedy = "a chat needs a person with a sign-in name at Microsoft";
        return Err(Problem::not_found("chat", &person, remedy));
    };
    let user = form_urlencoded::byte_serialize(known.user_principal_name.as_bytes());
    let to = format!(
        "https://teams.microsoft.com/l/chat/0/0?users={}",
        user.collect::<String>()
    );
    Ok(axum::response::IntoResponse::into_response(
        axum::response::Redirect::to(&to),
    ))
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
