//! Signing in to a local account and out again: the page, and what page and API have in common.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use askama::Template;
use axum::{
    extract::{ConnectInfo, Form, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use store::Account;
use tokio::time::Instant;

use crate::{
    access,
    app::{Shared, SharedState},
    caller::Caller,
    frame::{self, Frame, local},
    pace::Pace,
    password,
    problem::Problem,
    words::Language,
};

/// Wrong passwords for one account from one address at once, then one in [`SECONDS_EACH`].
const ATTEMPTS: f64 = 10.0;
/// Wrong passwords from one address for any accounts at once: an office behind one address has many people.
const ATTEMPTS_OF_ADDRESS: f64 = 200.0;
/// How long it takes until another attempt is allowed.
pub(crate) const SECONDS_EACH: u32 = 30;

/// Counts wrong passwords.
#[derive(Debug)]
pub(crate) struct WrongPasswords {
    began: Instant,
    paces: Mutex<Paces>,
}

#[derive(Debug)]
struct Paces {
    /// Of each account at each address.
    of_account: Pace<(String, IpAddr)>,
    /// Of each address with all accounts.
    of_address: Pace<IpAddr>,
}

impl Default for WrongPasswords {
    fn default() -> Self {
        let per_second = 1.0 / f64::from(SECONDS_EACH);
        let of_account = Pace::new(ATTEMPTS, per_second);
        let of_address = Pace::new(ATTEMPTS_OF_ADDRESS, ATTEMPTS * per_second);
        Self {
            began: Instant::now(),
            paces: Mutex::new(Paces {
                of_account,
                of_address,
            }),
        }
    }
}

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

impl WrongPasswords {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn may_try(&self, now: Duration, name: &str, address: IpAddr) -> bool {
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.of_account.has_left(now, &(name.to_owned(), address))
            && paces.of_address.has_left(now, &address)
    }

    fn failed(&self, now: Duration, name: &str, address: IpAddr) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.of_account.take(now, (name.to_owned(), address), 1.0);
        paces.of_address.take(now, address, 1.0);
    }

    fn succeeded(&self, name: &str, address: IpAddr) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.of_account.forgive(&(name.to_owned(), address));
    }
}

/// The account of a name and a password.
pub(crate) async fn check(
    shared: &Shared,
    from: SocketAddr,
    name: &str,
    given: String,
) -> Result<Account, Refusal> {
    let (key, address) = (name.to_lowercase(), sip::network(from.ip()));
    // Before it is counted: what is not looked at is no guess.
    let place = password::queue(address).map_err(|password::Busy| Refusal::Busy)?;
    let now = shared.wrong_passwords.now();
    if !shared.wrong_passwords.may_try(now, &key, address) {
        return Err(Refusal::TooMany);
    }
    // Counted before it is looked at: many at once must not all be let through.
    shared.wrong_passwords.failed(now, &key, address);
    let account = shared.store.account_by_name(name).await?;
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
    shared.wrong_passwords.succeeded(&key, address);
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
pub(crate) struct Way {
    pub(crate) to: Option<String>,
}

/// `GET /sign-in`.
pub(crate) async fn page(
    State(shared): State<Shared>,
    frame: Frame,
    Query(way): Query<Way>,
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
            if let Some(session) = access::cookie(&headers, access::COOKIE) {
                shared.store.delete_session(&access::hash(session)).await?;
            }
        }
    }
    shared.revoke();
    Ok(Redirect::to("/sign-in").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    #[test]
    fn ten_wrong_passwords_and_then_one_in_half_a_minute() {
        let wrong = WrongPasswords::default();
        let [here, there] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        for _ in 0..10 {
            assert!(wrong.may_try(START, "anna", here));
            wrong.failed(START, "anna", here);
        }
        assert!(!wrong.may_try(START, "anna", here));
        // Nobody is kept out by somebody elsewhere, nor from another account.
        assert!(wrong.may_try(START, "anna", there) && wrong.may_try(START, "bert", here));
        let later = Duration::from_secs(31);
        assert!(wrong.may_try(later, "anna", here));
        wrong.failed(later, "anna", here);
        assert!(!wrong.may_try(later, "anna", here));
        wrong.succeeded("anna", here);
        assert!(wrong.may_try(later, "anna", here));
    }

    #[test]
    fn one_address_cannot_try_everybody() {
        let wrong = WrongPasswords::default();
        let here = IpAddr::from([192, 0, 2, 1]);
        let tried = (0..1_000).take_while(|number| {
            let name = format!("p{number}");
            let may = wrong.may_try(START, &name, here);
            wrong.failed(START, &name, here);
            may
        });
        assert_eq!(tried.count(), 200);
    }
}
