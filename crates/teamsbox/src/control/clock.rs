//! The clock: reading and moving it.

use std::{sync::Arc, time::Duration};

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;

use super::object;
use crate::{
    config::ClockMode,
    duration::{self, DAY, Milliseconds},
    error::{ControlError, ControlErrorKind},
    shell::{ClockState, Shell},
    state::Moment,
};

/// The longest single advance: a year covers every timer.
const ADVANCE_MAX: Milliseconds = 366 * DAY;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance: Option<String>,
    mode: Option<ClockMode>,
}

/// `GET /box/v1/clock`
pub(super) async fn show(State(shell): State<Arc<Shell>>) -> Json<ClockState> {
    Json(state(&shell))
}

/// `POST /box/v1/clock`: applies the mode first, then the advance.
pub(super) async fn change(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Json<ClockState>, ControlError> {
    let body: ClockBody = object(&body)?;
    if body.advance.is_none() && body.mode.is_none() {
        let remedy = r#"give {"advance":"PT12H"} or {"mode":"manual"}"#;
        return Err(ControlError::invalid(
            "body",
            "{}",
            "asks for nothing",
            remedy,
        ));
    }
    let by = body.advance.as_deref().map(advance).transpose()?;
    if by.is_some() && body.mode.unwrap_or(shell.clock().mode()) == ClockMode::Real {
        return Err(ControlError::new(
            ControlErrorKind::Conflict,
            "advance",
            body.advance.as_deref().unwrap_or_default(),
            "cannot be done while the clock is real",
            r#"switch with {"mode":"manual"} first"#,
        ));
    }
    if let Some(mode) = body.mode {
        shell.clock().set_mode(mode);
    }
    if let Some(by) = by {
        shell.clock().advance(by).await;
    }
    Ok(Json(state(&shell)))
}

fn advance(text: &str) -> Result<Duration, ControlError> {
    let by = duration::parse(text)
        .filter(|by| (0..=ADVANCE_MAX).contains(by))
        .and_then(|by| u64::try_from(by).ok());
    by.map(Duration::from_millis).ok_or_else(|| {
        let remedy = "give an ISO 8601 duration between PT0S and P366D, such as PT12H";
        ControlError::invalid("advance", text, "is not a usable duration", remedy)
    })
}

/// The state of the clock. Also applies all due deadlines, so that the journal is complete up to this time.
fn state(shell: &Shell) -> ClockState {
    let now = shell.with(|_, now| now);
    ClockState {
        mode: shell.clock().mode(),
        now: Moment(now),
    }
}
