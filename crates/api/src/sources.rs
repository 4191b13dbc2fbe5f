//! Sources by HTTP: meeting servers, and clients other than open pages.

use std::time::Duration;

use api_types::sources::{ClientBody, MeetingBody};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{ClientId, ClientState, Fact};
use runtime::{clients::LEASE, clock::parse_rfc3339, context::Context, limits::SOURCE_NAME_MAX};
use sha2::{Digest, Sha256};

use super::Json;
use crate::{
    caller::{Access, Caller},
    limit_checks,
    problem::Problem,
};

/// Lease of a meeting (docs/presence-rules.md, "Leases").
const MEETING_LEASE: Duration = Duration::from_secs(60);

/// Reports that the person is in a meeting, for one minute.
#[utoipa::path(
    put,
    path = "/people/{id}/meetings/{meeting}",
    tag = "Sources",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn meet(
    State(context): State<Context>,
    caller: Caller,
    Path((id, meeting)): Path<(String, String)>,
    Json(body): Json<MeetingBody>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_self(person, Access::Change)?;
    limit_checks::text("meeting", &meeting, SOURCE_NAME_MAX)?;
    let fact = Fact::Meeting {
        meeting: meeting.into(),
        audio: body.audio,
        screen: body.screen,
        until: context.clock.now() + MEETING_LEASE,
    };
    context.engine.fact(person, fact).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Reports that the person left the meeting.
#[utoipa::path(
    delete,
    path = "/people/{id}/meetings/{meeting}",
    tag = "Sources",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn leave(
    State(context): State<Context>,
    caller: Caller,
    Path((id, meeting)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_self(person, Access::Change)?;
    let fact = Fact::MeetingEnded(meeting.into());
    context.engine.fact(person, fact).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The number of a client, by a hash of its name.
fn client_id(name: &str) -> ClientId {
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let number = hash
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    ClientId::Named(number)
}

/// Reports that a client of the person runs, and whether the person is there, for one minute.
#[utoipa::path(
    put,
    path = "/people/{id}/clients/{client}",
    tag = "Sources",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn client(
    State(context): State<Context>,
    caller: Caller,
    Path((id, client)): Path<(String, String)>,
    Json(body): Json<ClientBody>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_self(person, Access::Change)?;
    limit_checks::text("client", &client, SOURCE_NAME_MAX)?;
    let Some(state) = ClientState::from_name(&body.state) else {
        let names = ClientState::ALL.map(ClientState::name).join(", ");
        let detail = format!("{:?} is none of {names}", body.state);
        return Err(Problem::invalid("state", detail));
    };
    let now = context.clock.now();
    let since = match body.since {
        None => now,
        Some(text) => parse_rfc3339(&text).ok_or_else(|| {
            let detail = format!("{text:?} is no time; write it like 2026-11-23T17:00:00Z");
            Problem::invalid("since", detail)
        })?,
    };
    let fact = Fact::Client {
        client: client_id(&client),
        state,
        since,
        until: now + LEASE,
    };
    context.engine.fact(person, fact).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Reports that the client ended.
#[utoipa::path(
    delete,
    path = "/people/{id}/clients/{client}",
    tag = "Sources",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn client_ended(
    State(context): State<Context>,
    caller: Caller,
    Path((id, client)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_self(person, Access::Change)?;
    let fact = Fact::ClientEnded(client_id(&client));
    context.engine.fact(person, fact).await;
    Ok(StatusCode::NO_CONTENT)
}
