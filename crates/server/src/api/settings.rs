//! Settings of scopes. So far: the page `teams` of the organisation.

use axum::extract::{Path, State};
use presence::{Input, SyncMode};
use serde::{Deserialize, Serialize};

use super::Json;
use crate::{app::Shared, problem::Problem};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamsPage {
    mode: String,
}

/// `GET /scopes/{scope}/settings/{page}`.
pub(crate) async fn read(
    State(shared): State<Shared>,
    Path((scope, page)): Path<(String, String)>,
) -> Result<axum::Json<TeamsPage>, Problem> {
    check(&scope, &page)?;
    let mode = shared.shard.mode().await.name().to_owned();
    Ok(axum::Json(TeamsPage { mode }))
}

/// `PUT /scopes/{scope}/settings/{page}`: durable and in force when answered.
pub(crate) async fn write(
    State(shared): State<Shared>,
    Path((scope, page)): Path<(String, String)>,
    Json(body): Json<TeamsPage>,
) -> Result<axum::Json<TeamsPage>, Problem> {
    check(&scope, &page)?;
    let Some(mode) = SyncMode::from_name(&body.mode) else {
        let names = SyncMode::ALL.map(SyncMode::name).join(", ");
        let detail = format!("{:?} is no mode; the modes are {names}", body.mode);
        return Err(Problem::invalid("mode", detail));
    };
    // Two changes at once must reach store and engine in the same order.
    let _one_at_a_time = shared.settings_change.lock().await;
    let stored = shared.store.set_organisation_mode(mode).await;
    stored.map_err(|error| Problem::unavailable(&error.to_string()))?;
    shared.shard.input_and_wait(Input::SetMode(mode)).await;
    tracing::info!(mode = mode.name(), "the organisation's sync mode was set");
    Ok(axum::Json(body))
}

fn check(scope: &str, page: &str) -> Result<(), Problem> {
    if scope != "organisation" {
        return Err(Problem::not_found(
            "scope",
            scope,
            "the scope that exists so far is `organisation`",
        ));
    }
    if page != "teams" {
        return Err(Problem::not_found(
            "settings page",
            page,
            "the page that exists so far is `teams`",
        ));
    }
    Ok(())
}
