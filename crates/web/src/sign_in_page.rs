//! The sign-in page for local accounts and one-time links, and the protection of the pages.

mod open_id_pages;

use std::{net::SocketAddr, sync::Arc};

use api::{
    access::{Access, NotAdmitted},
    caller::Caller,
    open_id::OpenIdConnect,
    password,
    problem::Problem,
    sessions::Sessions,
    sign_in::{Refusal, SECONDS_EACH, WrongPasswords, check},
};
use askama::Template;
use axum::{
    extract::{ConnectInfo, Form, Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
pub use open_id_pages::{begin as begin_open_id, returned as returned_open_id};
use runtime::context::Context;
use serde::Deserialize;

use crate::{
    layout::{self, Layout, language, local},
    texts::Texts,
};

/// Beginnings of the paths of pages, beside the board.
const PAGES: [&str; 3] = ["/me", "/admin", "/people/"];

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    layout: Layout,
    /// Path to open after the sign-in.
    to: String,
    /// The entered name.
    name: String,
    problem: Option<String>,
    link_used: bool,
    /// Name of the OpenID Connect provider, for the button.
    open_id: Option<String>,
}

/// The name of the OpenID Connect provider.
fn open_id_name(open_id: Option<&OpenIdConnect>) -> Option<String> {
    open_id.map(|open_id| open_id.name().to_owned())
}

/// The sign-in page after a refusal.
pub fn refused(
    open_id: Option<&OpenIdConnect>,
    layout: Layout,
    to: String,
    status: StatusCode,
    problem: String,
) -> Result<Response, Problem> {
    let page = SignInPage {
        layout,
        to,
        name: String::new(),
        problem: Some(problem),
        link_used: false,
        open_id: open_id_name(open_id),
    };
    layout::render(status, &page)
}

/// The sign-in page for requests without a valid credential (401).
pub(crate) fn signed_out(
    open_id: Option<&OpenIdConnect>,
    words: Texts,
    here: &str,
    link_used: bool,
) -> Response {
    let layout = Layout {
        words,
        name: None,
        is_person: false,
        is_administrator: false,
        is_system_administrator: false,
        has_account: false,
        problems: 0,
        own: None,
        here: "/sign-in".into(),
    };
    let page = SignInPage {
        layout,
        to: local(Some(here)).to_owned(),
        name: String::new(),
        problem: None,
        link_used,
        open_id: open_id_name(open_id),
    };
    layout::render(StatusCode::UNAUTHORIZED, &page).into_response()
}

/// Query: the path to open after the sign-in.
#[derive(Debug, Deserialize)]
pub struct NextPage {
    /// The path of the page to open after signing in.
    pub to: Option<String>,
}

/// `GET /sign-in`: the page.
pub async fn page(
    State(open_id): State<Option<Arc<OpenIdConnect>>>,
    layout: Layout,
    Query(way): Query<NextPage>,
) -> Result<Response, Problem> {
    let page = SignInPage {
        to: local(way.to.as_deref()).to_owned(),
        layout,
        name: String::new(),
        problem: None,
        link_used: false,
        open_id: open_id_name(open_id.as_deref()),
    };
    layout::render(StatusCode::OK, &page)
}

/// The sign-in form.
#[derive(Deserialize)]
pub struct SignInForm {
    name: String,
    password: String,
    to: Option<String>,
}

/// `POST /sign-in`: begins a session and opens the next page, or shows the form again without the password.
pub async fn begin(
    State(context): State<Context>,
    State(sessions): State<Sessions>,
    State(wrong_passwords): State<Arc<WrongPasswords>>,
    State(open_id): State<Option<Arc<OpenIdConnect>>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    layout: Layout,
    Form(typed): Form<SignInForm>,
) -> Result<Response, Problem> {
    let to = local(typed.to.as_deref()).to_owned();
    let words = layout.words;
    let (status, seconds, problem) = match check(
        &context,
        &wrong_passwords,
        from,
        &typed.name,
        typed.password,
    )
    .await
    {
        Ok(account) => {
            let cookie = sessions.begin(Some(account.id)).await?;
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
        layout,
        to,
        name: typed.name,
        problem: Some(problem),
        link_used: false,
        open_id: open_id_name(open_id.as_deref()),
    };
    let mut response = layout::render(status, &page)?;
    if let Some(seconds) = seconds {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

/// Form of the sign-out button: this session, or all of the account.
#[derive(Debug, Deserialize)]
pub struct SignOut {
    everywhere: Option<String>,
}

/// `POST /sign-out`: ends the browser's session, or all sessions of the account.
pub async fn end(
    State(sessions): State<Sessions>,
    caller: Caller,
    headers: HeaderMap,
    Form(wish): Form<SignOut>,
) -> Result<Response, Problem> {
    match caller.account.filter(|_| wish.everywhere.is_some()) {
        Some(account) => sessions.end_all_of(account).await?,
        None => sessions.end(&headers).await?,
    }
    Ok(Redirect::to("/sign-in").into_response())
}

/// `GET /open/{link}`: exchanges a one-time link for a session and opens the board.
pub async fn open_link(
    State(sessions): State<Sessions>,
    State(open_id): State<Option<Arc<OpenIdConnect>>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Result<Response, Problem> {
    // HEAD requests (link previews) must not use the link up.
    if method != Method::GET {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(match sessions.exchange_link(&link, from.ip()).await? {
        Some(cookie) => {
            let headers = [
                (header::LOCATION, "/".to_owned()),
                (header::SET_COOKIE, cookie),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        None => signed_out(open_id.as_deref(), Texts(language(&headers)), "/", true),
    })
}

/// Middleware of the pages: admits requests with a valid credential; shows the sign-in page to people who are not signed in.
pub async fn require(
    State(access): State<Access>,
    State(open_id): State<Option<Arc<OpenIdConnect>>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.uri().path().to_owned();
    let language = language(request.headers());
    match access.admit(request).await {
        Ok(request) => Ok(next.run(request).await),
        Err(NotAdmitted::NotSignedIn) if is_page(&path) => Ok(signed_out(
            open_id.as_deref(),
            Texts(language),
            &path,
            false,
        )),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Whether a path is that of a page: requests to other paths come from programs.
fn is_page(path: &str) -> bool {
    path == "/" || PAGES.iter().any(|area| path.starts_with(area))
}
