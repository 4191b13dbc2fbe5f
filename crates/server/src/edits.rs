//! Edits that do not overwrite each other and are not made twice: ETags with `If-Match` (RFC 9110, 13.1.1) for whatever can
//! be read and changed at one address, and `Idempotency-Key` for what is made by POST.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use store::StoredAnswer;

use crate::{app::Shared, caller::Caller, http::BODY_MAX, problem::Problem};

/// Header with a key of the client's own choice.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// A longer key is none.
const KEY_MAX: usize = 200;
/// How long an answer is remembered: longer than any client keeps trying.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// No answer that gets an ETag is larger.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// Gives ETags, checks `If-Match`, and answers a repeated POST as before.
pub(crate) async fn guard(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let method = request.method().clone();
    if method == Method::GET {
        let asked = request.headers().get(header::IF_NONE_MATCH).cloned();
        return tagged(next.run(request).await, asked).await;
    }
    if let Some(expected) = request.headers().get(header::IF_MATCH).cloned() {
        // Check and change are one step: nobody else's conditional change comes between.
        let _one_at_a_time = shared.edits.lock().await;
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
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    match key {
        Some(key) if method == Method::POST => {
            let _one_at_a_time = shared.edits.lock().await;
            once(&shared, &caller, &key, request, next).await
        }
        _ => Ok(next.run(request).await),
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
    if !(is_json && response.status().is_success()) {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = read(body, ANSWER_MAX).await?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", hex(&body, 16)))
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
    next: Next,
) -> Result<Response, Problem> {
    let key = key.to_str().ok().filter(|key| key.len() <= KEY_MAX);
    let Some(key) = key else {
        let detail = format!("must be at most {KEY_MAX} visible ASCII characters");
        return Err(Problem::invalid("Idempotency-Key", detail));
    };
    let (parts, body) = request.into_parts();
    let body = read(body, BODY_MAX).await?;
    let mut asked = format!("{}\n", parts.uri).into_bytes();
    asked.extend_from_slice(&body);
    let fingerprint = hex(&asked, 32);
    if let Some(stored) = shared.store.idempotent(key, &caller.name).await? {
        if stored.fingerprint != fingerprint {
            let detail = "was used for another request; make a new key for each request";
            return Err(Problem::invalid("Idempotency-Key", detail));
        }
        return Ok(answer(stored));
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
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
    shared.store.forget_idempotent(now - REMEMBERED).await?;
    let remembered = shared
        .store
        .remember_idempotent(key, &caller.name, stored, now);
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

/// The first `bytes` of the hash, as text.
fn hex(data: &[u8], bytes: usize) -> String {
    let hash = Sha256::digest(data);
    hash.iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
