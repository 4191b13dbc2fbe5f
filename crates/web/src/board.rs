//! The board: a live list of all people with their presence.

mod filter;
mod groups;
mod row;

use std::{collections::BTreeMap, sync::Arc};

use api::{EventStreams, caller::Caller, problem::Problem};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use presence::{PersonId, Presence};
use runtime::context::Context;
use serde::Deserialize;

use self::{
    filter::{Chip, Filter, Order, OwnGroup},
    groups::Group,
    row::Row,
};
use crate::{
    collation::sort_by_name,
    demo::Demo,
    layout::{Layout, render},
    viewer_groups::ViewerGroups,
};

/// Rows in a part of the list that the browser renders or skips as a whole. The browser checks each part at every change:
/// 10,000 parts of one row cost 60 ms per frame (Chromium 150, 2 cores), 200 parts of 50 rows 6 ms.
const CHUNK: usize = 50;

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
    /// Groups of the rail.
    own_groups: Vec<OwnGroup>,
    /// Names of groups and locations to filter by.
    places: Vec<String>,
    /// Number of people.
    people: usize,
    /// Number of people that search and filters leave.
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

/// The rows of people, in the order of the board.
fn rows<'a>(
    layout: &Layout,
    from: (&Context, &Caller),
    mine: &ViewerGroups,
    presences: impl Iterator<Item = (&'a PersonId, &'a Presence)>,
    order: Order,
) -> Vec<(PersonId, Row)> {
    let rows = presences.filter_map(|(id, presence)| {
        let row = row::row(layout.words, from, mine, *id, presence)?;
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
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let (revision, presences) = context.events.all();
    let mine = ViewerGroups::of(&context, &caller);
    let from = (&context, &caller);
    let mut rows = rows(&layout, from, &mine, presences.iter(), filter.order());
    filter.apply(rows.iter_mut().map(|(_, row)| row));
    let all: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
    let chips = filter::chips(layout.words, &filter, &all);
    let own_groups = caller.person.map_or_else(Vec::new, |_| {
        filter::own_groups(layout.words, &filter, &all, groups::workgroups(&mine))
    });
    let places = groups::places(&all, &filter);
    let shown = all.iter().filter(|row| !row.is_hidden).count();
    let people = rows.len();
    let groups = groups::grouped(layout.words, &mine, rows);
    // The demo's page shows the board in a frame, and has these controls itself.
    let is_framed = headers
        .get("sec-fetch-dest")
        .is_some_and(|place| place == "iframe");
    let demo = demo.as_ref().filter(|_| !is_framed).map(|demo| DemoBar {
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
        own_groups,
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
    let ids = people
        .split(',')
        .filter_map(|id| id.parse().ok().map(PersonId));
    let found = ids
        .take(ROWS_MAX)
        .filter_map(|id| Some((id, context.events.presence(id)?)));
    let found: BTreeMap<PersonId, Presence> = found.collect();
    let mine = ViewerGroups::of(&context, &caller);
    let rows = rows(
        &layout,
        (&context, &caller),
        &mine,
        found.iter(),
        Order::Name,
    );
    let groups = groups::grouped(layout.words, &mine, rows);
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
    Path(person): Path<String>,
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
    Ok(Redirect::to(&to).into_response())
}
