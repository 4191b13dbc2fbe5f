//! Signing in to a local account and out again: the page, and what page and API have in common.

mod attempts;

use std::net::{IpAddr, SocketAddr};

use askama::Template;
use axum::{
    extract::{ConnectInfo, Form, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use store::Account;

use crate::{
    access,
    app::{Shared, SharedState},
    caller::Caller,
    cookies,
    frame::{self, Frame, local},
    i18n::Language,
    password,
    problem::Problem,
};

pub(crate) use attempts::{Meant, SECONDS_EACH, WrongPasswords};

/// Why somebody was not let in.
pub(crate) enum Refusal {
    /// Name or password are wrong.
    Wrong,
    /// Too many wrong passwords: another attempt is allowed in [`SECONDS_EACH`].
    TooMany,
    /// Too many passwords wait to be checked: another attempt is allowed in [`password::BUSY_SECONDS`].
    Busy,
    /// Something else.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// The account of a name and a password.
pub(crate) async fn check(
    shared: &Shared,
    from: SocketAddr,
    name: &str,
    given: String,
) -> Result<Account, Refusal> {
    let account = shared.store.account_by_name(name).await?;
    let attempt = Attempt {
        way: Way::Password,
        address: from.ip(),
        meant: Meant::new(account.as_ref(), name),
        name,
    };
    attempt.check(shared, account, given).await
}

/// An attempt to show that an account is one's own.
pub(crate) struct Attempt<'a> {
    pub(crate) way: Way,
    pub(crate) address: IpAddr,
    pub(crate) meant: Meant,
    /// The account's name, as it was given.
    pub(crate) name: &'a str,
}

impl Attempt<'_> {
    /// The account, if the password is its own. Wrong passwords are counted and told.
    pub(crate) async fn check(
        self,
        shared: &SharedState,
        account: Option<Account>,
        given: String,
    ) -> Result<Account, Refusal> {
        let checked = checked(shared, &self, account, given).await;
        let (outcome, name) = match &checked {
            // The person is signed in already.
            Ok(_) if self.way == Way::PresentPassword => return checked,
            Ok(account) => (Outcome::SignedIn, account.name.as_str()),
            Err(Refusal::Wrong) => (Outcome::Wrong, self.name),
            Err(Refusal::TooMany) => (Outcome::TooMany, self.name),
            // It was not looked at.
            Err(Refusal::Busy | Refusal::Problem(_)) => return checked,
        };
        shared
            .note_sign_in(self.way, outcome, self.address, name)
            .await;
        checked
    }
}

async fn checked(
    shared: &SharedState,
    attempt: &Attempt<'_>,
    account: Option<Account>,
    given: String,
) -> Result<Account, Refusal> {
    let (network, meant) = (sip::network(attempt.address), &attempt.meant);
    // Before it is counted: what is not looked at is no guess.
    let place = password::queue(network).map_err(|password::Busy| Refusal::Busy)?;
    let wrong = &shared.wrong_passwords;
    if !wrong.begin(wrong.now(), meant, network) {
        return Err(Refusal::TooMany);
    }
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.clone());
    let too_long = given.len() > password::LENGTH_MAX;
    let right = !too_long
        && place
            .verify(given, hash)
            .await
            .map_err(|error| Problem::unavailable(&error.to_string()))?;
    let account = account.filter(|_| right).ok_or(Refusal::Wrong)?;
    wrong.succeeded(meant, network);
    Ok(account)
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// Where to go on.
    to: String,
    /// What was typed.
    name: String,
    problem: Option<String>,
    link_used: bool,
    /// What stands on the button of the organisation's own sign-in, if there is one.
    open_id: Option<String>,
}

/// The name of the organisation's own sign-in.
fn open_id(shared: &SharedState) -> Option<String> {
    let provider = shared.open_id.as_ref();
    provider.map(|provider| provider.name().to_owned())
}

/// The page for whoever was not let in.
pub(crate) fn refused(
    shared: &SharedState,
    frame: Frame,
    to: String,
    status: StatusCode,
    problem: String,
) -> Result<Response, Problem> {
    let page = SignInPage {
        frame,
        to,
        name: String::new(),
        problem: Some(problem),
        link_used: false,
        open_id: open_id(shared),
    };
    frame::render(status, &page)
}

/// The page for whoever is not signed in, with 401.
pub(crate) fn signed_out(
    shared: &SharedState,
    words: Language,
    here: &str,
    link_used: bool,
) -> Response {
    let frame = Frame {
        words,
        name: None,
        is_person: false,
        is_administrator: false,
        is_system_administrator: false,
        has_account: false,
        here: "/sign-in".into(),
    };
    let page = SignInPage {
        frame,
        to: local(Some(here)).to_owned(),
        name: String::new(),
        problem: None,
        link_used,
        open_id: open_id(shared),
    };
    frame::render(StatusCode::UNAUTHORIZED, &page).into_response()
}

/// Where to go on after signing in.
#[derive(Debug, Deserialize)]
pub(crate) struct ToGoOn {
    pub(crate) to: Option<String>,
}

/// `GET /sign-in`.
pub(crate) async fn page(
    State(shared): State<Shared>,
    frame: Frame,
    Query(way): Query<ToGoOn>,
) -> Result<Response, Problem> {
    let page = SignInPage {
        to: local(way.to.as_deref()).to_owned(),
        frame,
        name: String::new(),
        problem: None,
        link_used: false,
        open_id: open_id(&shared),
    };
    frame::render(StatusCode::OK, &page)
}

/// What was typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    name: String,
    password: String,
    to: Option<String>,
}

/// `POST /sign-in`: a cookie, and on; or the page again with what was typed, but the password.
pub(crate) async fn begin(
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    frame: Frame,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let to = local(typed.to.as_deref()).to_owned();
    let words = frame.words;
    let (status, seconds, problem) = match check(&shared, from, &typed.name, typed.password).await {
        Ok(account) => {
            let cookie = access::new_session(&shared, Some(account.id)).await?;
            return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response());
        }
        Err(Refusal::Problem(problem)) => return Err(problem),
        Err(Refusal::Wrong) => (StatusCode::UNAUTHORIZED, None, words.text("sign-in-wrong")),
        Err(Refusal::TooMany) => (
            StatusCode::TOO_MANY_REQUESTS,
            Some(SECONDS_EACH),
            words.with("sign-in-wait", "seconds", SECONDS_EACH),
        ),
        Err(Refusal::Busy) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Some(password::BUSY_SECONDS),
            words.with("sign-in-busy", "seconds", password::BUSY_SECONDS),
        ),
    };
    let page = SignInPage {
        frame,
        to,
        name: typed.name,
        problem: Some(problem),
        link_used: false,
        open_id: open_id(&shared),
    };
    let mut response = frame::render(status, &page)?;
    if let Some(seconds) = seconds {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

/// Whether only this browser is meant.
#[derive(Debug, Deserialize)]
pub(crate) struct SignOut {
    everywhere: Option<String>,
}

/// `POST /sign-out`: the cookie opens nothing from now on, or none of the account's does.
pub(crate) async fn end(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Form(wish): Form<SignOut>,
) -> Result<Response, Problem> {
    match caller.account.filter(|_| wish.everywhere.is_some()) {
        Some(account) => shared.store.delete_sessions_of(account).await?,
        None => {
            if let Some(session) = cookies::cookie(&headers, access::COOKIE) {
                shared.store.delete_session(&secrets::hash(session)).await?;
            }
        }
    }
    shared.revoke();
    Ok(Redirect::to("/sign-in").into_response())
}
