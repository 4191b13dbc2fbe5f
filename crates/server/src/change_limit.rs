//! How fast one account or agent may change things. API keys are programs of the administrator's and not limited.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use crate::{
    caller::Caller,
    limits::{CHANGES_BURST, CHANGES_PER_SECOND},
    problem::Problem,
    rate_limit::RateLimit,
};

/// Snapshot of people are one change, however long.
const IMPORT: &str = "/people/import";

/// What each caller has left.
#[derive(Debug)]
pub struct ChangeLimit {
    began: Instant,
    limit: Mutex<RateLimit<String>>,
}

impl Default for ChangeLimit {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            limit: Mutex::new(RateLimit::new(CHANGES_BURST, CHANGES_PER_SECOND)),
        }
    }
}

impl ChangeLimit {
    /// Counts a change; false if the caller is too fast. What is refused is not counted: the caller goes on at the pace.
    fn take(&self, caller: &Caller) -> bool {
        let now = self.began.elapsed();
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.has_left(now, &caller.identity) && limit.take(now, caller.identity.clone(), 1.0)
    }
}

/// Whether a request only reads (RFC 9110, 9.2.1): HEAD is answered by what answers GET.
pub fn reads(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Refuses changes of callers that are too fast (429, with `Retry-After`).
pub async fn limit(
    State(change_limit): State<Arc<ChangeLimit>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let imports = caller.is_admin() && request.uri().path().ends_with(IMPORT);
    let free = reads(request.method()) || caller.is_key() || imports;
    if free || change_limit.take(&caller) {
        return next.run(request).await;
    }
    let mut refused = Problem::too_many_changes().into_response();
    refused
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    refused
}
