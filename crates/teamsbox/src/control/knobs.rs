//! Knobs: reading and changing them.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use serde_json::Value;

use super::object;
use crate::{error::ControlError, knobs::Knobs, shell::Shell};

/// `GET /box/v1/knobs`
pub(super) async fn show(State(shell): State<Arc<Shell>>) -> Json<Knobs> {
    Json(shell.with(|world, _| world.knobs.clone()))
}

/// `PUT /box/v1/knobs`: sets the given knobs, and all others to their defaults.
pub(super) async fn replace(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Json<Knobs>, ControlError> {
    set(&shell, &Knobs::default(), &body)
}

/// `PATCH /box/v1/knobs`: sets the given knobs; all others keep their values.
pub(super) async fn change(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Json<Knobs>, ControlError> {
    let current = shell.with(|world, _| world.knobs.clone());
    set(&shell, &current, &body)
}

fn set(shell: &Shell, start: &Knobs, body: &Bytes) -> Result<Json<Knobs>, ControlError> {
    let knobs = start.merged(&object::<Value>(body)?)?;
    shell.set_knobs(knobs.clone());
    Ok(Json(knobs))
}
