//! Conditional and repeated changes: ETags with `If-Match` (RFC 9110, section 13.1.1) for all resources that can be read
//! and changed at one path, and `Idempotency-Key` for POST.
//!
//! From the check of its ETag until it is applied, a conditional change excludes all other changes of the same resource.
//! Changes of other resources do not wait, so that a handler that waits for Graph delays one resource only.

mod comparison;
mod locks;
mod once;
mod posts;
mod tags;

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Request, State},
    http::{Extensions, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
pub(crate) use comparison::{Comparison, ReadOnlyFields};
use locks::OngoingChanges;
pub(crate) use once::KEY_MAX;
use runtime::{context::Context, secrets};
use tags::{EntityTags, NoEntityTags};

use crate::{
    body_limits::body_max, caller::Caller, change_limit::reads, jobs::Jobs, problem::Problem,
};

/// Whether an `Idempotency-Key` affects POST requests to this path.
pub fn takes_key(path: &str) -> bool {
    posts::repeat(path).is_some_and(posts::Repeat::takes_key)
}

/// Largest answer with an ETag, in bytes.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// The parts that the check of preconditions uses.
#[derive(Debug)]
pub struct Preconditions {
    context: Context,
    jobs: Jobs,
    /// Changes in progress, so that conditional and repeated ones are one step.
    ongoing: OngoingChanges,
}

impl Preconditions {
    /// Keeps answers in the context's store, and knows the jobs that requests began.
    pub fn new(context: Context, jobs: Jobs) -> Self {
        Self {
            context,
            jobs,
            ongoing: OngoingChanges::default(),
        }
    }
}

/// Middleware: adds ETags, checks `If-Match`, and repeats the answer to a repeated POST.
///
/// A change is completed even if the client disconnects: store and engine must agree.
pub async fn guard(
    State(preconditions): State<Arc<Preconditions>>,
    caller: Caller,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if reads(request.method()) {
        // `If-None-Match` only saves an answer (RFC 9110, section 13.1.2): an unreadable condition is ignored.
        let asked = EntityTags::of(request.headers(), header::IF_NONE_MATCH);
        let asked = asked.ok().flatten();
        // The ETag is that of the body, which HEAD does not have: axum removes the body afterwards.
        if request.method() == Method::HEAD {
            *request.method_mut() = Method::GET;
        }
        return tagged(next.run(request).await, asked).await;
    }
    // Reads the body before taking a lock: no change waits for another one's body.
    let (parts, body) = request.into_parts();
    let most = body_max(parts.uri.path());
    // `connections` closes connections with slow bodies.
    let body = read(body, most).await?;
    let request = Request::from_parts(parts, Body::from(body.clone()));
    tokio::spawn(async move { once::change(&preconditions, &caller, request, &body, next).await })
        .await
        .map_err(|error| Problem::unavailable(&error.to_string()))?
}

/// Carries out a change; with `If-Match` only if the resource has not changed since.
async fn apply(
    preconditions: &Preconditions,
    request: Request,
    body: &Bytes,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.uri().path();
    let expected = EntityTags::of(request.headers(), header::IF_MATCH);
    let expected = expected.map_err(|NoEntityTags| {
        let detail = "If-Match is neither * nor a list of entity tags; send the ETag with its quotes as it was received";
        Problem::malformed(detail)
    })?;
    let Some(expected) = expected else {
        let _with_others = preconditions.ongoing.with_others(path).await?;
        let request = comparison::compared(request, body, &next).await?;
        return Ok(next.run(request).await);
    };
    // Excludes all other changes of the resource between check and change.
    let _alone = preconditions.ongoing.alone(path).await?;
    let present = read_current(request.extensions(), path, &next).await?;
    let tag = present.extensions().get::<Tag>();
    if !tag.is_some_and(|Tag(tag)| expected.name(tag)) {
        return Err(Problem::changed_meanwhile());
    }
    let request = comparison::compared(request, body, &next).await?;
    Ok(next.run(request).await)
}

/// The answer to GET of `path` by the same caller.
async fn read_current(
    extensions: &Extensions,
    path: &str,
    next: &Next,
) -> Result<Response, Problem> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path
        .parse()
        .map_err(|_| Problem::malformed("the address cannot be read"))?;
    *request.extensions_mut() = extensions.clone();
    tagged(next.clone().run(request).await, None).await
}

/// The ETag of an answer, without quotes.
#[derive(Clone, Debug)]
struct Tag(String);

/// The answer with its ETag; 304 if the client has it.
async fn tagged(response: Response, asked: Option<EntityTags>) -> Result<Response, Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    // A list that is too large for an ETag is answered without one.
    let is_large = response.body().size_hint().lower() > ANSWER_MAX as u64;
    if !(is_json && response.status().is_success()) || is_large {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = read(body, ANSWER_MAX).await?;
    let tag = secrets::fingerprint(&body, 16);
    let quoted = HeaderValue::from_str(&format!("\"{tag}\""))
        .map_err(|error| Problem::unavailable(&error.to_string()))?;
    if asked.is_some_and(|asked| asked.name(&tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().insert(header::ETAG, quoted);
        return Ok(response);
    }
    parts.headers.insert(header::ETAG, quoted);
    parts.extensions.insert(Tag(tag));
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn read(body: Body, most: usize) -> Result<Bytes, Problem> {
    to_bytes(body, most)
        .await
        .map_err(|error| Problem::malformed(error.to_string()))
}
