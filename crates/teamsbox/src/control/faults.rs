//! Faults: reading and replacing them.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};

use super::object;
use crate::{error::ControlError, faults::Faults, graph::OPERATIONS, shell::Shell};

/// `GET /box/v1/faults`
pub(super) async fn show(State(shell): State<Arc<Shell>>) -> Json<Faults> {
    Json(shell.with(|world, _| world.faults.clone()))
}

/// `PUT /box/v1/faults`: replaces all of them; `{}` clears all.
pub(super) async fn replace(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Json<Faults>, ControlError> {
    let faults: Faults = object(&body)?;
    faults.check(OPERATIONS)?;
    if shell.host.scheme == "https" && faults.closes() {
        let remedy = "start teamsbox without --tls";
        let problem = "is for plain HTTP only";
        return Err(ControlError::invalid(
            "graph.answer",
            "closed",
            problem,
            remedy,
        ));
    }
    shell.with(|world, _| world.faults = faults.clone());
    shell.announce("faults", &faults);
    Ok(Json(faults))
}
