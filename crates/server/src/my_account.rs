//! My Teams account: the page on which people connect their own account, by a code or in this browser. It works without
//! scripts. The way to Microsoft is a link, not a form: a form may lead nowhere else than here.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Form, Query, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{
    api::{TeamsAccountBody, forget_account},
    app::Shared,
    caller::Caller,
    directory::Person,
    frame::{self, Frame},
    pages::{Link, sections},
    problem::Problem,
    teams::{AccountError, begin_browser, begin_code, finish_browser},
};

/// Where the page is.
const PAGE: &str = "/me/teams";
/// Where Microsoft sends browsers back to; to be registered with the application.
const RETURN: &str = "/me/teams/return";

#[derive(Template)]
#[template(path = "my_account.html")]
struct MyAccountPage {
    frame: Frame,
    area: String,
    sections: Vec<Link>,
    who: String,
    account: TeamsAccountBody,
    problem: Option<String>,
}

/// What the forms and the link say.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct Wish {
    remember: Option<String>,
}

fn me(shared: &Shared, caller: &Caller) -> Result<Arc<Person>, Problem> {
    let person = caller
        .person
        .and_then(|person| shared.directory.person(person));
    person.ok_or_else(|| {
        Problem::forbidden("this page is for people: sign in to an account that belongs to one")
    })
}

fn render(
    shared: &Shared,
    frame: Frame,
    person: &Person,
    problem: Option<&AccountError>,
) -> Result<Response, Problem> {
    let account = TeamsAccountBody::of(shared, person);
    // A form that was answered with the page leads back to it.
    let frame = Frame {
        here: PAGE.into(),
        ..frame
    };
    let who = frame.words.of_two(
        "teams-who",
        ("name", &person.name),
        ("tenant", &account.tenant),
    );
    let (area, sections) = sections(&frame);
    let page = MyAccountPage {
        frame,
        area,
        sections,
        who,
        account,
        problem: problem.map(ToString::to_string),
    };
    let status = match problem {
        Some(_) => StatusCode::CONFLICT,
        None => StatusCode::OK,
    };
    frame::render(status, &page)
}

/// Shows the page again, or what went wrong.
fn answer(
    shared: &Shared,
    frame: Frame,
    person: &Person,
    done: Result<(), AccountError>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(PAGE).into_response()),
        Err(error) => render(shared, frame, person, Some(&error)),
    }
}

/// `GET /me/teams`.
pub(crate) async fn page(
    State(shared): State<Shared>,
    caller: Caller,
    frame: Frame,
) -> Result<Response, Problem> {
    render(&shared, frame, &*me(&shared, &caller)?, None)
}

/// `POST /me/teams/code`: begins a sign-in by code.
pub(crate) async fn code(
    State(shared): State<Shared>,
    caller: Caller,
    frame: Frame,
    Form(wish): Form<Wish>,
) -> Result<Response, Problem> {
    let person = me(&shared, &caller)?;
    let begun = begin_code(&shared, &person, wish.remember.is_some()).await;
    answer(&shared, frame, &person, begun.map(|_| ()))
}

/// `GET /me/teams/browser`: sends the browser to Microsoft.
pub(crate) async fn browser(
    State(shared): State<Shared>,
    caller: Caller,
    frame: Frame,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let person = me(&shared, &caller)?;
    let redirect_uri = format!("{}{RETURN}", shared.public_url);
    let remember = wish.remember.is_some();
    match begin_browser(&shared, &person, remember, &redirect_uri).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(error) => render(&shared, frame, &person, Some(&error)),
    }
}

/// `GET /me/teams/return`: the browser comes back.
pub(crate) async fn returned(
    State(shared): State<Shared>,
    caller: Caller,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let person = me(&shared, &caller)?;
    let done = finish_browser(&shared, &person, &query.unwrap_or_default()).await;
    answer(&shared, frame, &person, done)
}

/// `POST /me/teams/forget`: forgets account and login.
pub(crate) async fn forget(
    State(shared): State<Shared>,
    caller: Caller,
    frame: Frame,
) -> Result<Response, Problem> {
    let person = me(&shared, &caller)?;
    let done = forget_account(&shared, &caller, &person).await;
    answer(&shared, frame, &person, done)
}
