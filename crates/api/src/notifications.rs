//! Route for the change notifications of Microsoft Graph.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use presence::TenantName;
use teams::TeamsHandle;

/// The largest request in bytes: Graph puts many changes into one.
const BODY_MAX: usize = 1024 * 1024;
/// Time in which a body must arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /teams/notifications`: the same for the main tenant.
pub async fn receive_main(state: State<TeamsHandle>, query: RawQuery, body: Body) -> Response {
    receive(state, Path(TenantName::MAIN.into()), query, body).await
}

/// `POST /teams/notifications/{tenant}`: Graph validates the address, or reports changes. The answer is immediate; the
/// report waits in a queue.
pub async fn receive(
    State(teams): State<TeamsHandle>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    let Some(notifications) = teams.notifications.get(&TenantName::new(&tenant)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Some(answer) = query
        .as_deref()
        .and_then(graph::notification::validation_answer)
    {
        return ([(header::CONTENT_TYPE, "text/plain")], answer).into_response();
    }
    let read = to_bytes(body, BODY_MAX);
    match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(body)) => match notifications.send(body.into()) {
            true => StatusCode::ACCEPTED.into_response(),
            // Graph sends the body again.
            false => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
