//! Layout of all pages: navigation, language, signed-in account.

mod navigation;

use std::sync::Arc;

use api::{caller::Caller, cookies::cookie, problem::Problem, public_url::PublicUrl};
use askama::Template;
use axum::{
    extract::{Form, FromRequestParts, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use i18n::Language;
pub use navigation::Link;
use serde::Deserialize;

use crate::{assets, own_status::OwnStatus, texts::Texts};

/// Name of the cookie with the chosen language.
const LANGUAGE_COOKIE: &str = "offhook_language";
/// Lifetime of that cookie: a year.
const LANGUAGE_SECONDS: u32 = 365 * 24 * 3_600;

/// The parts of a page around its content.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Language of the page.
    pub words: Texts,
    /// Name of the signed-in caller.
    pub name: Option<String>,
    /// Whether the caller is a person, who has personal pages.
    pub(crate) is_person: bool,
    /// Whether the caller administers the organisation or a location.
    pub(crate) is_administrator: bool,
    /// Whether the caller is a system administrator.
    pub(crate) is_system_administrator: bool,
    /// Whether the caller has an account, which may have other sessions.
    pub(crate) has_account: bool,
    /// Number of problems of the server, for system administrators.
    pub(crate) problems: usize,
    /// The caller's own status and choices, for its menu; `None` for callers who are no person, and where no page is shown.
    pub(crate) own: Option<Arc<OwnStatus>>,
    /// The path of this page.
    pub here: String,
}

impl Layout {
    /// Whether the page is `area` or below it.
    pub fn is_in(&self, area: &str) -> bool {
        let rest = self.here.strip_prefix(area);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Address of the folder of style sheets and scripts.
    pub(crate) fn assets(&self) -> String {
        assets::folder()
    }

    /// Initials of the caller's name.
    pub(crate) fn initials(&self) -> String {
        initials(self.name.as_deref().unwrap_or_default())
    }

    /// The other languages, for the language menu.
    pub fn others(&self) -> impl Iterator<Item = Language> {
        let here = self.words.0;
        let all = Language::ALL.into_iter();
        all.filter(move |language| *language != here)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Layout {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let words = language(&parts.headers);
        let caller = parts.extensions.get::<Caller>();
        Ok(Self {
            words: Texts(words),
            name: caller.map(|caller| caller.name.clone()),
            is_person: caller.is_some_and(|caller| caller.person.is_some()),
            is_administrator: caller.is_some_and(Caller::administers),
            is_system_administrator: caller.is_some_and(Caller::is_admin),
            has_account: caller.is_some_and(|caller| caller.account.is_some()),
            problems: 0,
            own: parts.extensions.get().cloned(),
            here: parts.uri.path().to_owned(),
        })
    }
}

/// Initials of the first and the last part of a name, in capitals.
pub(crate) fn initials(name: &str) -> String {
    let mut parts = name.split_whitespace();
    let first = parts.next();
    let last = parts.next_back();
    let initial = |part: &str| part.chars().next();
    let initials = first.into_iter().chain(last).filter_map(initial);
    initials.flat_map(char::to_uppercase).collect()
}

/// The language of the interface for a request: the chosen one (cookie), else the browser's (`Accept-Language`), else English.
pub fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(Language::of_code);
    let accepted = || {
        let value = headers.get(header::ACCEPT_LANGUAGE)?;
        Language::accepted(value.to_str().ok()?)
    };
    chosen.or_else(accepted).unwrap_or(Language::English)
}

/// The page as an answer.
pub(crate) fn render(status: StatusCode, page: &impl Template) -> Result<Response, Problem> {
    let html = page
        .render()
        .map_err(|error| Problem::unavailable(&error.to_string()))?;
    let headers = [(header::VARY, "Accept-Language, Cookie")];
    Ok((status, headers, Html(html)).into_response())
}

/// A path on this server to open next; all other addresses become `/`. Browsers treat a backslash as a slash.
pub(crate) fn local(to: Option<&str>) -> &str {
    let is_local = |to: &&str| {
        to.starts_with('/')
            && !to.starts_with("//")
            && !to.contains('\\')
            && !to.chars().any(char::is_control)
    };
    to.filter(is_local).unwrap_or("/")
}

/// Form of the language menu.
#[derive(Debug, Deserialize)]
pub struct Choice {
    language: String,
    to: Option<String>,
}

/// `POST /language`: stores the language in a cookie.
pub async fn choose(State(public_url): State<PublicUrl>, Form(choice): Form<Choice>) -> Response {
    let language = Language::of_code(&choice.language).unwrap_or(Language::English);
    let cookie = format!(
        "{LANGUAGE_COOKIE}={}; Path=/; SameSite=Lax; Max-Age={LANGUAGE_SECONDS}{}",
        language.code(),
        public_url.cookie_end()
    );
    let back = Redirect::to(local(choice.to.as_deref()));
    ([(header::SET_COOKIE, cookie)], back).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::{Language, language, local};

    #[test]
    fn a_chosen_language_precedes_that_of_the_browser() {
        let language = |accept: &str, cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            language(&headers)
        };
        use Language::{English, German};
        assert_eq!(language("de-AT,de;q=0.9,en;q=0.8", ""), German);
        assert_eq!(language("de", "a=b; offhook_language=en"), English);
        assert_eq!(language("de", "offhook_language=xx"), German);
        assert_eq!(language("fr", "offhook_language=xx"), English);
    }

    #[test]
    fn the_way_on_stays_on_this_server() {
        assert_eq!(local(Some("/me/teams?x=1")), "/me/teams?x=1");
        for other in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "",
            "x",
            "/a\nb",
        ] {
            assert_eq!(local(Some(other)), "/", "{other}");
        }
        assert_eq!(local(None), "/");
    }
}
