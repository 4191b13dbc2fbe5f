//! Confirmation of the clock after a jump ahead.

use axum::{extract::State, http::StatusCode};
use runtime::{
    audit::Administration, clock::rfc3339, clock_jump, context::Context, organisation::ORGANISATION,
};
use serde_json::json;

use super::audit::new_entry;
use crate::{caller::Caller, problem::Problem};

/// Confirms that the server's clock is right, so that expired data may be deleted again. Changes nothing without a pending
/// question.
#[utoipa::path(
    post,
    path = "/clock/confirm",
    tag = "Administration",
    responses((status = NO_CONTENT, description = "Confirmed.")),
)]
pub async fn confirm(
    State(context): State<Context>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let now = context.clock.now();
    let before = context.store.database().last_known_time().await?;
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::ClockConfirm,
        ORGANISATION,
    )
    .before(before.map(|before| json!(rfc3339(before))))
    .after(Some(json!(rfc3339(now))));
    context.store.record_change(&entry.change()).await?;
    clock_jump::confirm(context.store.database(), &context.health, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
