//! Who may read: whoever has the API key, or the cookie that a one-time link was exchanged for. Nothing else, on
//! loopback either: other users of the machine are there too.

use std::{net::SocketAddr, time::Duration};

use axum::{
    extract::{ConnectInfo, OriginalUri, Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use store::{Change, Concern, SecretHash, Store, StoreError};
use subtle::ConstantTimeEq;

use crate::{
    app::Shared,
    caller::Caller,
    changes::reads,
    clock::Clock,
    connections::Connection,
    cookies::cookie,
    frame::language,
    http::{self, BODY_MAX},
    problem::Problem,
    sign_in::{self, Outcome, Way},
};

/// How long a link that was printed at a start may be used.
const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long a browser stays signed in.
const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Where there are pages: whoever is not signed in may do so there.
const PAGES: [&str; 3] = ["/me", "/admin", "/people/"];
/// What a key with the scope `route` reads.
const ROUTE_PATH: &str = "/api/v1/route";
/// Name of the cookie.
pub const COOKIE: &str = "offhook_session";

/// Checks keys and cookies.
#[derive(Clone, Debug)]
pub struct Access {
    store: Store,
    clock: Clock,
    /// The key from the configuration.
    configured: Option<SecretHash>,
}

/// Adds a one-time link to the store and returns its path. It signs in to the account, or without one as the
/// installation's administrator.
///
/// # Errors
/// No random numbers, or the store refused.
pub async fn new_link(
    store: &Store,
    account: Option<u64>,
    clock: &Clock,
) -> Result<String, SecretError> {
    let secret = new_secret()?;
    store
        .add_sign_in_link(&hash(&secret), account, clock.now() + LINK_LIFETIME)
        .await?;
    Ok(format!("/open/{secret}"))
}

/// A link or a key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an API key, stores its hash and returns the key, which is never to be seen again.
///
/// # Errors
/// No random numbers, or the store refused.
pub async fn new_api_key(
    store: &Store,
    name: &str,
    scopes: &[&str],
    clock: &Clock,
) -> Result<String, SecretError> {
    let key = format!("ohk_{}", new_secret()?);
    let change = Change {
        at: clock.now(),
        who: "command line",
        what: "api_key.add",
        target: name,
        before: None,
        after: Some(serde_json::json!({"scopes": scopes}).to_string()),
        concern: Concern::Administration,
        attempt: None,
    };
    store
        .add_api_key(&hash(&key), name, scopes, &change)
        .await?;
    Ok(key)
}

impl Access {
    /// Checks against the store and the key from the configuration.
    pub fn new(store: Store, clock: Clock, configured_key: Option<&str>) -> Self {
        Self {
            store,
            clock,
            configured: configured_key.map(hash),
        }
    }

    /// The caller who sends these headers, in their session.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, StoreError> {
        let caller = self.named(headers).await?;
        Ok(caller.map(|caller| caller.in_session(&session_mark(headers))))
    }

    async fn named(&self, headers: &HeaderMap) -> Result<Option<Caller>, StoreError> {
        if let Some(key) = bearer(headers) {
            let hash = hash(key);
            if self
                .configured
                .is_some_and(|configured| bool::from(configured.ct_eq(&hash)))
            {
                return Ok(Some(Caller::configured_key()));
            }
            let key = self.store.api_key(&hash).await?;
            return Ok(key.as_ref().map(Caller::key));
        }
        match cookie(headers, COOKIE) {
            Some(session) => {
                let hash = hash(session);
                let session = self.store.session(&hash, self.clock.now()).await?;
                Ok(session.map(Caller::session))
            }
            None => Ok(None),
        }
    }
}

/// The key or token that a request shows.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Tells the session or key of a request from all others, without giving it away.
fn session_mark(headers: &HeaderMap) -> String {
    let credential = bearer(headers).or_else(|| cookie(headers, COOKIE));
    fingerprint(credential.unwrap_or_default().as_bytes(), 32)
}

/// Signs somebody in and returns the cookie's header.
pub(crate) async fn new_session(shared: &Shared, account: Option<u64>) -> Result<String, Problem> {
    let session = new_secret()?;
    let expires_at = shared.clock.now() + SESSION_LIFETIME;
    shared
        .store
        .add_session(&hash(&session), account, expires_at)
        .await?;
    Ok(set_cookie(shared, &session))
}

fn set_cookie(shared: &Shared, session: &str) -> String {
    format!(
        "{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}",
        SESSION_LIFETIME.as_secs(),
        shared.cookie_end()
    )
}

/// Lets through who may read.
pub(crate) async fn require(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Response> {
    match shared.access.caller(request.headers()).await {
        Ok(Some(caller)) if !may_pass(&caller, &request) => {
            let detail = match caller.only_routes() {
                true => {
                    "this key has the scope `route` alone, for GET /api/v1/route; make one that has `read` or `write`"
                }
                false => "this key has not the scope `read`; make one that has",
            };
            Err(Problem::forbidden(detail).into_response())
        }
        Ok(Some(caller)) => {
            if let Some(connection) = request.extensions().get::<Connection>() {
                connection.is_known();
            }
            // Only administrators send tables: the server holds a body before a handler looks at who sends it.
            let mut request = match caller.is_admin() {
                true => request,
                false => http::limited(request, BODY_MAX).map_err(IntoResponse::into_response)?,
            };
            request.extensions_mut().insert(caller);
            Ok(next.run(request).await)
        }
        Ok(None) => {
            count_unknown(&shared, request.headers());
            let path = request.uri().path().to_owned();
            let is_page = path == "/" || PAGES.iter().any(|area| path.starts_with(area));
            if !is_page {
                return Err(Problem::unauthorized().into_response());
            }
            let language = language(request.headers());
            Err(sign_in::signed_out(&shared, language, &path, false))
        }
        Err(error) => Err(Problem::unavailable(&error.to_string()).into_response()),
    }
}

/// Whether a caller of this kind may send the request at all: a key with the scope `route` reads where a call goes. What
/// others may change say the operations.
fn may_pass(caller: &Caller, request: &Request) -> bool {
    if !reads(request.method()) {
        return !caller.only_routes();
    }
    let original = request.extensions().get::<OriginalUri>();
    let path = original.map_or_else(|| request.uri().path(), |original| original.path());
    caller.may_read() || (caller.may_route() && path == ROUTE_PATH)
}

/// Counts a key or a session that is not known: wrong, deleted or too old.
fn count_unknown(shared: &Shared, headers: &HeaderMap) {
    let way = match (bearer(headers), cookie(headers, COOKIE)) {
        (Some(_), _) => Way::ApiKey,
        (None, Some(_)) => Way::Session,
        (None, None) => return,
    };
    let metrics = &shared.metrics;
    metrics.count_sign_in(way.name(), Outcome::Wrong.name());
}

/// Exchanges a one-time link for a cookie and opens the board.
pub(crate) async fn open(
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Response {
    // Whoever only looks ahead must not use the link up.
    if method != Method::GET {
        return StatusCode::NO_CONTENT.into_response();
    }
    let session = match new_secret() {
        Ok(session) => session,
        Err(error) => return Problem::from(error).into_response(),
    };
    let note = async |outcome, name: &str| {
        let (way, from) = (Way::Link, from.ip());
        shared.note_sign_in(way, outcome, from, name).await;
    };
    let now = shared.clock.now();
    let expires_at = now + SESSION_LIFETIME;
    match shared
        .store
        .exchange_link(&hash(&link), &hash(&session), expires_at, now)
        .await
    {
        Ok(true) => {
            let caller = shared.store.session(&hash(&session), now).await;
            let name = caller
                .ok()
                .flatten()
                .map(|session| Caller::session(session).name);
            note(Outcome::SignedIn, &name.unwrap_or_default()).await;
            let cookie = set_cookie(&shared, &session);
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(false) => {
            note(Outcome::Wrong, "").await;
            sign_in::signed_out(&shared, language(&headers), "/", true)
        }
        Err(error) => Problem::unavailable(&error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::bearer;

    #[test]
    fn a_key_is_found_whatever_the_case_of_its_scheme() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, "bearer  abc ".parse().unwrap());
        assert_eq!(bearer(&headers), Some("abc"));
        headers.insert(header::AUTHORIZATION, "Basic abc".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }
}
