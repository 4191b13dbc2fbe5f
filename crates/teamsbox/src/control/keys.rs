//! The keys that sign tokens.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{error::ControlError, shell::Shell};

/// `GET /box/v1/keys`: the ids of the present and of the previous signing key.
pub(super) async fn show(State(shell): State<Arc<Shell>>) -> Json<Value> {
    Json(describe(&shell))
}

/// `POST /box/v1/keys/rotate`: the next key signs from now on. All tenants share the keys.
pub(super) async fn rotate(State(shell): State<Arc<Shell>>) -> Result<Json<Value>, ControlError> {
    let rotating = Arc::clone(&shell);
    let rotated = tokio::task::spawn_blocking(move || rotating.keys().rotate()).await;
    let problem = match rotated {
        Ok(Ok(())) => return Ok(Json(describe(&shell))),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(ControlError::invalid(
        "keys",
        "",
        &format!("cannot be rotated ({problem})"),
        "try again",
    ))
}

fn describe(shell: &Shell) -> Value {
    let (signing, previous) = shell.keys().ids();
    json!({ "signing": signing, "previous": previous })
}
