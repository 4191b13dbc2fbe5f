//! Authentication of requests: by an API key or by the cookie of a session, on loopback too, which other users of the
//! machine can reach.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{OriginalUri, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use connections::Connection;
use runtime::{
    audit::Administration,
    clock::Clock,
    context::Context,
    metrics::Metrics,
    secrets::{fingerprint, hash, new_secret},
    sign_in_record::{Outcome, Way},
};
use store::{Change, Concern, SecretHash, Store, StoreError};
use subtle::ConstantTimeEq;

use crate::{
    body_limits::{BODY_MAX, limited},
    caller::Caller,
    change_limit::reads,
    cookies::cookie,
    problem::Problem,
    sessions::SESSION_COOKIE,
};

/// Lifetime of a one-time link.
const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The only address for keys with no scope except `route`.
const ROUTE_PATH: &str = "/api/v1/route";

/// Authenticates requests by API keys and session cookies. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access {
    store: Store,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// Hash of the key in the configuration file.
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

/// Failure to make a link or a key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The operating system gave no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The store refused to keep the hash.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an API key and stores its hash. Returns the key, which cannot be shown again.
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
        what: Administration::ApiKeyAdd.name(),
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
    /// Authenticates by the context's store, and by the key in the configuration file if one is given.
    pub fn new(context: &Context, configured_key: Option<&str>) -> Self {
        Self {
            store: context.store.clone(),
            clock: context.clock.clone(),
            metrics: context.metrics.clone(),
            configured: configured_key.map(hash),
        }
    }

    /// The caller, by the credential in these headers; `None` without a valid credential.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, StoreError> {
        let caller = self.named(headers).await?;
        Ok(caller.map(|caller| caller.in_session(&session_mark(headers))))
    }

    /// Authenticates a request: returns it with its [`Caller`] as an extension.
    pub async fn admit(&self, request: Request) -> Result<Request, NotAdmitted> {
        let caller = self.caller(request.headers()).await;
        let caller = caller.map_err(|error| NotAdmitted::Refused(error.into()))?;
        let Some(caller) = caller else {
            count_unknown(&self.metrics, request.headers());
            return Err(NotAdmitted::NotSignedIn);
        };
        if !may_pass(&caller, &request) {
            let detail = match caller.only_routes() {
                true => {
                    "this key has the scope `route` alone, for GET /api/v1/route; make one that has `read` or `write`"
                }
                false => "this key has not the scope `read`; make one that has",
            };
            return Err(NotAdmitted::Refused(Problem::forbidden(detail)));
        }
        if let Some(connection) = request.extensions().get::<Connection>() {
            connection.mark_authenticated();
        }
        // Only administrators import tables. For all other callers the limit applies here, because the body is read before
        // a handler authorises the request.
        let mut request = match caller.is_admin() {
            true => request,
            false => limited(request, BODY_MAX).map_err(NotAdmitted::Refused)?,
        };
        request.extensions_mut().insert(caller);
        Ok(request)
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
        match cookie(headers, SESSION_COOKIE) {
            Some(session) => {
                let hash = hash(session);
                let session = self.store.session(&hash, self.clock.now()).await?;
                Ok(session.map(Caller::session))
            }
            None => Ok(None),
        }
    }
}

/// The credential of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Identifies the credential of a request by its hash.
fn session_mark(headers: &HeaderMap) -> String {
    let credential = bearer(headers).or_else(|| cookie(headers, SESSION_COOKIE));
    fingerprint(credential.unwrap_or_default().as_bytes(), 32)
}

/// Why a request is not admitted.
pub enum NotAdmitted {
    /// It has no credential, or one that is unknown, deleted or expired.
    NotSignedIn,
    /// The caller may not send it.
    Refused(Problem),
}

impl From<NotAdmitted> for Problem {
    fn from(refusal: NotAdmitted) -> Self {
        match refusal {
            NotAdmitted::NotSignedIn => Self::unauthorized(),
            NotAdmitted::Refused(problem) => problem,
        }
    }
}

/// Middleware of the API: admits requests with a valid credential, refuses all others.
pub async fn require(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    Ok(next.run(access.admit(request).await?).await)
}

/// Whether the scopes of the caller allow this request at all; the handler authorises it in detail. Keys with the scope
/// `route` alone may only read [`ROUTE_PATH`].
fn may_pass(caller: &Caller, request: &Request) -> bool {
    if !reads(request.method()) {
        return !caller.only_routes();
    }
    let original = request.extensions().get::<OriginalUri>();
    let path = original.map_or_else(|| request.uri().path(), |original| original.path());
    caller.may_read() || (caller.may_route() && path == ROUTE_PATH)
}

/// Counts an unknown, deleted or expired key or session.
fn count_unknown(metrics: &Metrics, headers: &HeaderMap) {
    let way = match (bearer(headers), cookie(headers, SESSION_COOKIE)) {
        (Some(_), _) => Way::ApiKey,
        (None, Some(_)) => Way::Session,
        (None, None) => return,
    };
    metrics.count_sign_in(way.name(), Outcome::Wrong.name());
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
