//! Answers in place of Graph's own, as a test asks for them.

use axum::http::StatusCode;

use super::error::GraphError;
use super::{Identity, Reply};
use crate::duration::Milliseconds;
use crate::faults::{Form, GraphFault};

/// The type of a page.
const HTML: &str = "text/html; charset=utf-8";
/// The type of JSON that is not Graph's.
const JSON: &str = "application/json";

/// The answer that a refusal asks for, in place of the one of a request that was carried out.
pub(super) fn reply(
    fault: &GraphFault,
    carried_out: Option<Reply>,
    identity: &Identity,
    now: Milliseconds,
) -> Reply {
    let status = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    // What is closed has no status; the journal needs one.
    let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let bare = |body: String, content_type| Reply {
        content_type,
        ..Reply::new(status, body.into_bytes())
    };
    let reply = match fault.answer {
        Form::Envelope => refusal(status, fault.code.as_deref()).into_reply(identity, now),
        Form::Empty => bare(String::new(), None),
        Form::Html => bare(
            format!(
                "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
            ),
            Some(HTML),
        ),
        Form::Object => bare("{\"message\":\"Try again later.\"}".to_owned(), Some(JSON)),
        Form::Closed => Reply {
            closed: true,
            ..bare(String::new(), None)
        },
    };
    let (app, user, count) = carried_out.map_or((None, None, None), |reply| {
        (reply.app, reply.user, reply.count)
    });
    Reply {
        retry_after: fault.retry_after.clone(),
        location: fault.location.clone(),
        app,
        user,
        count,
        ..reply
    }
}

/// A refusal worded as Graph words it.
fn refusal(status: StatusCode, code: Option<&str>) -> GraphError {
    let (usual, message) = match status.as_u16() {
        400 => ("BadRequest", "Bad request."),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "Forbidden"),
        404 => ("NotFound", "Not found."),
        408 => ("RequestTimeout", "The request has timed out."),
        409 => ("Conflict", "Conflict."),
        410 => ("ResourceGone", "The resource is no longer there."),
        423 => ("Locked", "The resource is locked."),
        429 => ("TooManyRequests", "Please retry again later."),
        500 => ("InternalServerError", "Internal server error."),
        502 => ("BadGateway", "Bad gateway."),
        503 => ("ServiceUnavailable", "Service unavailable."),
        504 => ("GatewayTimeout", "Gateway timeout."),
        _ => (
            "UnknownError",
            "The emulator was asked to fail with this status.",
        ),
    };
    GraphError::new(status, code.unwrap_or(usual).to_owned(), message)
}
