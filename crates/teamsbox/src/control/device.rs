//! The answer for a device that waits for its sign-in, as its user gives it on the page.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::object;
use crate::{error::ControlError, shell::Shell};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeviceBody {
    user_code: String,
    user: Option<String>,
    action: Action,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Action {
    Allow,
    Decline,
}

/// `POST /box/v1/device`
pub(super) async fn answer(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let body: DeviceBody = object(&body)?;
    let allow = body.action == Action::Allow;
    let allowed = shell.answer_device(&body.user_code, body.user.as_deref(), allow)?;
    Ok(Json(json!({ "allowed": allowed })))
}
