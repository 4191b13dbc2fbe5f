//! Rate limit of changes by account and agent. API keys, which are programs of the administrator, are exempt.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use runtime::{
    limits::{CHANGES_BURST, CHANGES_PER_SECOND},
    rate_limit::RateLimit,
};
use tokio::time::Instant;

use crate::{caller::Caller, problem::Problem};

/// End of the path of imports: a table of people counts as no change.
const IMPORT: &str = "/people/import";

/// Tokens of each caller.
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
    /// Consumes a token; returns false if the caller has none. Refused changes consume none.
    fn try_acquire(&self, caller: &Caller) -> bool {
        let now = self.began.elapsed();
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.has_left(now, &caller.identity) && limit.take(now, caller.identity.clone(), 1.0)
    }
}

/// Whether a request only reads (RFC 9110, section 9.2.1).
pub fn reads(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Middleware: refuses changes of callers that exceed the limit (429, with `Retry-After`).
pub async fn limit(
    State(change_limit): State<Arc<ChangeLimit>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let imports = caller.is_admin() && request.uri().path().ends_with(IMPORT);
    let free = reads(request.method()) || caller.is_key() || imports;
    if free || change_limit.try_acquire(&caller) {
        return next.run(request).await;
    }
    let mut refused = Problem::too_many_changes().into_response();
    refused
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    refused
}
