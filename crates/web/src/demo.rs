//! The demo's page: the board beside a desk phone and a Teams client of one person, so that cause and effect are seen
//! together. Only `offhook demo` mounts these routes.

mod devices;
mod viewers;

use std::sync::Arc;

use api::{caller::Caller, problem::Problem};
use askama::Template;
use axum::{
    Json,
    extract::{Form, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use runtime::{context::Context, people_index::Person};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::{
    devices::{Choice, Shown},
    viewers::Viewer,
};
pub use self::{
    devices::{Devices, PhoneCall, PhoneKey, TeamsAction, TeamsClient},
    viewers::view_as,
};
use crate::layout::{Layout, render};

/// Controls of the demo.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Address of the page on which one acts as a Teams user.
    pub teams_page: String,
    /// Whether the scripted day runs.
    pub day: watch::Sender<bool>,
    /// The phones and Teams clients of the people.
    pub devices: Arc<dyn Devices>,
}

#[derive(Template)]
#[template(path = "demo.html")]
struct DemoPage {
    layout: Layout,
    /// Id of the event after which changes are sent.
    revision: String,
    teams_page: String,
    is_running: bool,
    viewer: Viewer,
    devices: Shown,
    people: Vec<Choice>,
    /// Messages for the script, as JSON.
    script_words: String,
}

#[derive(Template)]
#[template(path = "demo/devices.html")]
struct DevicesPart {
    layout: Layout,
    devices: Shown,
}

/// Keys of the messages for the script.
const SCRIPT_WORDS: &[&str] = &[
    "demo-board-after",
    "demo-teams-after",
    "demo-failed",
    "demo-pause",
    "demo-resume",
];

/// The person with the devices that are shown.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    person: Option<String>,
}

/// Form of a pressed key or button.
#[derive(Debug, Deserialize)]
pub struct Pressed {
    person: String,
    press: String,
}

/// `GET /demo`: the page.
pub(crate) async fn page(
    State(context): State<Context>,
    State(streams): State<api::EventStreams>,
    State(demo): State<Option<Arc<Demo>>>,
    caller: Caller,
    layout: Layout,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let demo = only_here(demo)?;
    let (revision, _) = context.events.all();
    let devices = Shown::new(
        &demo,
        &context,
        &caller,
        layout.words,
        wanted.person.as_deref(),
    );
    let page = DemoPage {
        script_words: layout.words.for_script(SCRIPT_WORDS),
        revision: streams.tokens.seal(revision),
        teams_page: demo.teams_page.clone(),
        is_running: *demo.day.borrow(),
        viewer: Viewer::of(&caller),
        people: Choice::all(&context, &devices.person),
        devices,
        layout,
    };
    render(StatusCode::OK, &page)
}

/// `GET /demo/devices`: the two devices alone, which the script puts into the page.
pub(crate) async fn part(
    State(context): State<Context>,
    State(demo): State<Option<Arc<Demo>>>,
    caller: Caller,
    layout: Layout,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let demo = only_here(demo)?;
    let devices = Shown::new(
        &demo,
        &context,
        &caller,
        layout.words,
        wanted.person.as_deref(),
    );
    render(StatusCode::OK, &DevicesPart { layout, devices })
}

/// `POST /demo/phone`: presses a key of the person's phone.
pub(crate) async fn press(
    State(context): State<Context>,
    State(demo): State<Option<Arc<Demo>>>,
    Form(pressed): Form<Pressed>,
) -> Result<Response, Problem> {
    let key = PhoneKey::from_name(&pressed.press);
    carry_out((&context, demo), &pressed, key, |devices, person, key| {
        devices.press(person, key);
    })
}

/// `POST /demo/teams`: acts in the person's Teams client.
pub(crate) async fn act(
    State(context): State<Context>,
    State(demo): State<Option<Arc<Demo>>>,
    Form(pressed): Form<Pressed>,
) -> Result<Response, Problem> {
    let action = TeamsAction::from_name(&pressed.press);
    carry_out(
        (&context, demo),
        &pressed,
        action,
        |devices, person, action| {
            devices.act(person, action);
        },
    )
}

/// Carries out the key or button of a form on the person's devices; an unknown one (`None`) does nothing.
fn carry_out<A>(
    (context, demo): (&Context, Option<Arc<Demo>>),
    pressed: &Pressed,
    action: Option<A>,
    on: impl FnOnce(&dyn Devices, &Person, A),
) -> Result<Response, Problem> {
    let demo = only_here(demo)?;
    let person = devices::person(context, Some(&pressed.person));
    if let (Some(person), Some(action)) = (person, action) {
        on(&*demo.devices, &person, action);
    }
    Ok(back(&pressed.person))
}

/// State of the demo's scripted day.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    running: bool,
}

/// `GET /demo/day`: whether the scripted day runs.
pub(crate) async fn day(State(demo): State<Option<Arc<Demo>>>) -> Result<Json<Day>, Problem> {
    let running = *only_here(demo)?.day.borrow();
    Ok(Json(Day { running }))
}

/// `PUT /demo/day`: pauses or resumes the scripted day.
pub(crate) async fn set_day(
    State(demo): State<Option<Arc<Demo>>>,
    api::Json(day): api::Json<Day>,
) -> Result<Json<Day>, Problem> {
    only_here(demo)?.day.send_replace(day.running);
    Ok(Json(day))
}

/// Form of the button that pauses and resumes.
#[derive(Debug, Deserialize)]
pub(crate) struct DayForm {
    person: String,
    running: bool,
}

/// `POST /demo/day`: as [`set_day`], by a form.
pub(crate) async fn choose_day(
    State(demo): State<Option<Arc<Demo>>>,
    Form(form): Form<DayForm>,
) -> Result<Response, Problem> {
    only_here(demo)?.day.send_replace(form.running);
    Ok(back(&form.person))
}

/// Leads back to the devices of a person.
fn back(person: &str) -> Response {
    // An id has digits only; what else a form may contain does not belong into the address.
    let person: String = person.chars().filter(char::is_ascii_digit).collect();
    Redirect::to(&format!("/demo?person={person}")).into_response()
}

fn only_here(demo: Option<Arc<Demo>>) -> Result<Arc<Demo>, Problem> {
    demo.ok_or_else(|| Problem::not_found("page", "/demo", "only `offhook demo` has it"))
}
