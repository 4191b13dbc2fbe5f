//! Jobs (`/work`): progress, result and cancellation. A request that starts one may have `Prefer: respond-async`,
//! optionally with `wait=SECONDS` (RFC 7240); the answer then names the job.

use std::{future::Future, sync::Arc, time::Duration};

use api_types::work::{Work, WorkKind, WorkList, WorkState};
use axum::{
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use runtime::{
    audit::Administration,
    clock::{Clock, rfc3339},
    context::Context,
    organisation::ORGANISATION,
};
use serde_json::Value;
use store::Progress;

use super::audit::new_entry;
use crate::{
    caller::Caller,
    jobs::{Job, JobState, Jobs, broke_off},
    problem::Problem,
};

/// Longest wait in seconds for a request with `respond-async`.
const WAIT_MAX: u64 = 60;

/// Longest wait before the answer names the job; `None`: waits for the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefer(Option<Duration>);

impl<S: Send + Sync> FromRequestParts<S> for Prefer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::read(&parts.headers))
    }
}

impl Prefer {
    fn read(headers: &HeaderMap) -> Self {
        let values = headers.get_all("prefer").iter();
        let values = values.filter_map(|value| value.to_str().ok());
        let (mut is_async, mut wait) = (false, 0);
        for preference in values.flat_map(|value| value.split(',')).map(str::trim) {
            if preference.eq_ignore_ascii_case("respond-async") {
                is_async = true;
            } else if let Some(("wait", seconds)) = preference.split_once('=') {
                wait = seconds.trim().parse().unwrap_or(0).min(WAIT_MAX);
            }
        }
        Self(is_async.then_some(Duration::from_secs(wait)))
    }
}

/// The body of a job without its result, which may be long.
fn body(id: u64, job: &Job) -> Work {
    let (done, total) = job.progress.done_and_total();
    let (state, problem) = match &job.state {
        JobState::Running => (WorkState::Running, None),
        JobState::Done(_) => (WorkState::Done, None),
        JobState::Failed(problem) => (
            WorkState::Failed,
            Some(problem.clone().into_status_and_detail().1),
        ),
        JobState::Cancelled => (WorkState::Cancelled, None),
    };
    Work {
        id: id.to_string(),
        what: job.kind,
        who: job.who.clone(),
        begun: rfc3339(job.begun),
        state,
        done,
        total,
        result: None,
        problem,
    }
}

/// Runs a job and answers with its result; or with the job, if the caller prefers that and the wait has expired.
pub async fn answer<F>(
    (jobs, clock): (&Jobs, &Clock),
    (caller, prefer): (&Caller, Prefer),
    kind: WorkKind,
    (progress, status): (Arc<Progress>, StatusCode),
    work: F,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Value, Problem>> + Send + 'static,
{
    let about = (kind, caller.name.as_str(), clock.now());
    let (id, mut pending) = jobs.begin(about, progress, work)?;
    let ended = match prefer.0 {
        None => Some(pending.await),
        // Does not even poll, so that the speed of the job does not decide the kind of answer.
        Some(Duration::ZERO) => None,
        Some(wait) => tokio::time::timeout(wait, &mut pending).await.ok(),
    };
    match ended {
        Some(Ok(done)) => Ok((status, axum::Json(done?)).into_response()),
        Some(Err(_)) => Err(broke_off()),
        None => {
            let (id, work) = known(jobs, &id.to_string())?;
            let place = [(header::LOCATION, format!("/api/v1/work/{id}"))];
            let body = axum::Json(body(id, &work));
            Ok((StatusCode::ACCEPTED, place, body).into_response())
        }
    }
}

fn known(jobs: &Jobs, id: &str) -> Result<(u64, Job), Problem> {
    let number = id.parse().ok();
    let found = number.and_then(|number| Some((number, jobs.get(number)?)));
    found.ok_or_else(|| {
        Problem::not_found(
            "work",
            id,
            "GET /api/v1/work lists what runs and what ended lately; a restart forgets it",
        )
    })
}

/// Lists running and recently finished jobs, the newest first.
#[utoipa::path(
    get,
    path = "/work",
    tag = "Administration",
    responses((status = OK, description = "The requested data.", body = WorkList)),
)]
pub async fn list(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    caller: Caller,
) -> Result<axum::Json<WorkList>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let all = jobs.all().into_iter();
    let items = all.map(|(id, work)| body(id, &work)).collect();
    Ok(axum::Json(WorkList { items }))
}

/// A job.
#[utoipa::path(
    get,
    path = "/work/{id}",
    tag = "Administration",
    responses((status = OK, description = "The requested data.", body = Work)),
)]
pub async fn read(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Work>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let (id, work) = known(&jobs, &id)?;
    let result = match &work.state {
        JobState::Done(value) => Some(Value::clone(value)),
        JobState::Running | JobState::Failed(_) | JobState::Cancelled => None,
    };
    Ok(axum::Json(Work {
        result,
        ..body(id, &work)
    }))
}

/// Cancels a job. It ends soon with the state `cancelled`, unless it has finished by then.
#[utoipa::path(
    delete,
    path = "/work/{id}",
    tag = "Administration",
    responses((status = NO_CONTENT, description = "The job will be cancelled.")),
)]
pub async fn cancel(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let (_, work) = known(&jobs, &id)?;
    work.progress.cancel();
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::WorkCancel,
        work.kind.name(),
    );
    context.store.record_change(&entry.change()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_it_looks_later() {
        let wait = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("prefer", value.parse().unwrap());
            }
            Prefer::read(&headers).0.map(|wait| wait.as_secs())
        };
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&["wait=5"]), None);
        assert_eq!(wait(&["respond-async"]), Some(0));
        assert_eq!(wait(&["Respond-Async, wait=2"]), Some(2));
        assert_eq!(wait(&["wait=9999", "respond-async"]), Some(WAIT_MAX));
        assert_eq!(wait(&["respond-async, wait=x"]), Some(0));
    }
}
