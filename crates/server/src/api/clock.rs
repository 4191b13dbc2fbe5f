//! Confirming the clock after it jumped ahead.

use axum::{extract::State, http::StatusCode};
use serde_json::json;

use super::audit::new_entry;
use crate::{
    app::Shared, audit::Administration, caller::Caller, clock::rfc3339, clock_jump,
    organisation::ORGANISATION, problem::Problem,
};

/// Confirms that the server's clock is right, so that what is old by it may be deleted again. Without an open question it
/// changes nothing.
#[utoipa::path(
    post,
    path = "/clock/confirm",
    tag = "Administration",
    responses((status = NO_CONTENT, description = "Confirmed.")),
)]
pub(crate) async fn confirm(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&shared.organisation, ORGANISATION)?;
    let now = shared.clock.now();
    let before = shared.store.database().last_known_time().await?;
    let entry = new_entry(&shared, &caller, Administration::ClockConfirm, ORGANISATION)
        .before(before.map(|before| json!(rfc3339(before))))
        .after(Some(json!(rfc3339(now))));
    shared.store.record_change(&entry.change()).await?;
    clock_jump::confirm(shared.store.database(), &shared.health, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
