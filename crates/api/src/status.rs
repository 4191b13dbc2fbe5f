//! Routes for monitoring: readiness and metrics.

use api_types::readiness::{Part, Readiness, Warning};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use runtime::{context::Context, organisation::ORGANISATION};

use crate::{access::Access, caller::Caller, problem::Problem};

/// `GET /metrics`: metrics of the whole organisation, for system administrators and keys with the scope `read`: they reveal
/// activity of people hidden from other callers.
pub async fn metrics(
    State(context): State<Context>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], context.metrics.text()))
}

/// `GET /readyz`: readiness for all callers; parts with problems and remedies for system administrators and keys with the
/// scope `read`.
pub async fn ready(
    State(context): State<Context>,
    State(access): State<Access>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let parts = context.health.parts();
    let ready = parts.values().all(Option::is_none);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut body = Readiness {
        ready,
        ..Readiness::default()
    };
    let caller = access.caller(&headers).await.ok().flatten();
    let may_read = caller.is_some_and(|caller| {
        caller
            .require_admin_to_read(&context.organisation, ORGANISATION)
            .is_ok()
    });
    if may_read {
        let parts = parts.into_iter().map(|(part, trouble)| {
            let ready = trouble.is_none();
            let (what, remedy) = trouble
                .map(|trouble| (trouble.what, trouble.remedy))
                .unzip();
            Part {
                part: part.to_string(),
                ready,
                what,
                remedy,
            }
        });
        let in_progress = context.health.progress().into_iter();
        let in_progress = in_progress.map(|(part, what)| Part {
            part: part.to_string(),
            ready: true,
            what: Some(what),
            remedy: None,
        });
        body.parts = Some(parts.chain(in_progress).collect());
        let warnings = context.health.warnings().into_iter();
        let warnings = warnings.map(|(part, warning)| Warning {
            part: part.to_string(),
            what: warning.what,
            remedy: warning.remedy,
        });
        body.warnings = Some(warnings.collect());
    }
    (status, Json(body))
}
