//! Edits that do not overwrite each other and are not made twice: ETags with `If-Match` (RFC 9110, 13.1.1) for whatever can
//! be read and changed at one address, and `Idempotency-Key` for what is made by POST.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use store::StoredAnswer;

use crate::{access, app::Shared, caller::Caller, http::body_max, problem::Problem};

/// Header with a key of the client's own choice.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// A longer key is none.
const KEY_MAX: usize = 200;
/// How long an answer is remembered: longer than any client keeps trying.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// No answer that gets an ETag is larger.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// A body that takes longer to arrive is none.
const BODY_PATIENCE: Duration = Duration::from_secs(10);
/// Answers below these are told once and kept nowhere: they and what was sent hold secrets.
const SECRET_PATHS: [&str; 2] = ["/keys", "/accounts"];
/// The codes of a person's devices too.
const SECRET_LIST: &str = "/devices";

/// Gives ETags, checks `If-Match`, and answers a repeated POST as before.
///
/// A change is carried to its end even if whoever asked for it does not wait: what is durable and what is in force must
/// not differ.
pub(crate) async fn guard(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() == Method::GET {
        let asked = request.headers().get(header::IF_NONE_MATCH).cloned();
        return tagged(next.run(request).await, asked).await;
    }
    // Before any lock is taken: nobody waits for a body that somebody else does not send.
    let (parts, body) = request.into_parts();
    let most = body_max(parts.uri.path());
    let body = tokio::time::timeout(BODY_PATIENCE, read(body, most))
        .await
        .map_err(|_| Problem::malformed("the body did not arrive within 10 seconds"))??;
    let request = Request::from_parts(parts, Body::from(body.clone()));
    tokio::spawn(async move { change(&shared, &caller, request, body, next).await })
        .await
        .map_err(|error| Problem::unavailable(&error.to_string()))?
}

async fn change(
    shared: &Shared,
    caller: &Caller,
    request: Request,
    body: Bytes,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(expected) = request.headers().get(header::IF_MATCH).cloned() {
        // Check and change are one step: no other change comes between.
        let _alone = shared.edits.write().await;
        let mut look = Request::new(Body::empty());
        *look.uri_mut() = request.uri().clone();
        *look.extensions_mut() = request.extensions().clone();
        let present = tagged(next.clone().run(look).await, None).await?;
        let tag = present.headers().get(header::ETAG);
        if !tag.is_some_and(|tag| matches(&expected, tag)) {
            return Err(Problem::changed_meanwhile());
        }
        return Ok(next.run(request).await);
    }
    let path = request.uri().path();
    let is_secret =
        SECRET_PATHS.iter().any(|secret| path.starts_with(secret)) || path.ends_with(SECRET_LIST);
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    match key {
        Some(key) if request.method() == Method::POST && !is_secret => {
            let _alone = shared.edits.write().await;
            once(shared, caller, &key, request, &body, next).await
        }
        _ => {
            let _with_others = shared.edits.read().await;
            Ok(next.run(request).await)
        }
    }
}

fn matches(asked: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(asked), Ok(tag)) = (asked.to_str(), tag.to_str()) else {
        return false;
    };
    asked
        .split(',')
        .map(str::trim)
        .any(|asked| asked == "*" || asked == tag)
}

/// The answer with its ETag; 304 if the client has it already.
async fn tagged(response: Response, asked: Option<HeaderValue>) -> Result<Response, Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    // S11: a list that grew too large for a tag is shown all the same.
    let is_large = response.body().size_hint().lower() > ANSWER_MAX as u64;
    if !(is_json && response.status().is_success()) || is_large {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = read(body, ANSWER_MAX).await?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", access::fingerprint(&body, 16)))
        .map_err(|error| Problem::unavailable(&error.to_string()))?;
    if asked.is_some_and(|asked| matches(&asked, &tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().insert(header::ETAG, tag);
        return Ok(response);
    }
    parts.headers.insert(header::ETAG, tag);
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn once(
    shared: &Shared,
    caller: &Caller,
    key: &HeaderValue,
    request: Request,
    body: &Bytes,
    next: Next,
) -> Result<Response, Problem> {
    let key = key.to_str().ok().filter(|key| key.len() <= KEY_MAX);
    let Some(key) = key else {
        let detail = format!("must be at most {KEY_MAX} visible ASCII characters");
        return Err(Problem::invalid("Idempotency-Key", detail));
    };
    let mut asked = format!("{}\n", request.uri()).into_bytes();
    asked.extend_from_slice(body);
    let fingerprint = access::fingerprint(&asked, 32);
    if let Some(stored) = shared.store.idempotent(key, &caller.identity).await? {
        if stored.fingerprint != fingerprint {
            let detail = "was used for another request; make a new key for each request";
            return Err(Problem::invalid("Idempotency-Key", detail));
        }
        return Ok(answer(stored));
    }
    let response = next.run(request).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = read(body, ANSWER_MAX).await?;
    let now = shared.clock.now();
    let stored = StoredAnswer {
        fingerprint,
        status: parts.status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    // What was done is done: an answer that cannot be remembered is given all the same.
    if let Err(error) = remember(shared, caller, key, &stored, now).await {
        tracing::warn!(%error, "an answer could not be remembered for its Idempotency-Key");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn remember(
    shared: &Shared,
    caller: &Caller,
    key: &str,
    stored: &StoredAnswer,
    now: presence::Timestamp,
) -> Result<(), store::StoreError> {
    let remembered = shared
        .store
        .remember_idempotent(key, &caller.identity, stored, now);
    remembered.await.map(|_| ())
}

fn answer(stored: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut headers = HeaderMap::new();
    if !stored.body.is_empty() {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
    }
    (status, headers, stored.body).into_response()
}

async fn read(body: Body, most: usize) -> Result<Bytes, Problem> {
    to_bytes(body, most)
        .await
        .map_err(|error| Problem::malformed(error.to_string()))
}
