//! Carries out requests with an `Idempotency-Key` once. The key is committed with the change, so that a kill of the process
//! cannot separate them; the answer is stored afterwards, and made again if missing.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::{organisation::ORGANISATION, secrets};
use serde_json::{Map, Value};
use store::{Attempt, Outcome, StoredAnswer};

use super::{
    ANSWER_MAX, Preconditions, apply,
    locks::BegunJob,
    posts::{Repeat, repeat},
    read, read_current,
};
use crate::{caller::Caller, problem::Problem};

/// Header with a key that the client chooses.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest key in bytes.
pub(crate) const KEY_MAX: usize = 200;
/// Field with a secret: not even its hash is stored, which would help to guess it.
const SECRET_FIELD: &str = "password";

/// Carries out a change; once if it has an idempotency key.
pub(super) async fn change(
    preconditions: &Preconditions,
    caller: &Caller,
    mut request: Request,
    body: &Bytes,
    next: Next,
) -> Result<Response, Problem> {
    let key = request.headers().get(IDEMPOTENCY_KEY);
    let key = key.filter(|_| request.method() == Method::POST);
    let (Some(key), Some(repeat)) = (key, repeat(request.uri().path())) else {
        return apply(preconditions, request, body, next).await;
    };
    let attempt = attempt(caller, key, &request, body)?;
    let _one_at_a_time = preconditions
        .ongoing
        .request(&attempt.who, &attempt.key)
        .await?;
    if let Some(begun) = preconditions.ongoing.begun(&attempt, &preconditions.jobs) {
        refuse_another(&attempt, &begun.attempt.fingerprint)?;
        return Ok(answer(begun.answer));
    }
    let known = preconditions
        .context
        .store
        .stored_request(&attempt.key, &attempt.who)
        .await?;
    if let Some(known) = known {
        refuse_another(&attempt, &known.fingerprint)?;
        return match known.outcome {
            Outcome::Answered(stored) => Ok(answer(stored)),
            Outcome::Done { made } => {
                let (parts, _) = request.into_parts();
                made_again((repeat, made), &parts, body, &next).await
            }
        };
    }
    let attempt = Arc::new(attempt);
    if repeat.is_recorded() {
        let caller = caller.clone().attempting(attempt.clone());
        request.extensions_mut().insert(caller);
    }
    let response = apply(preconditions, request, body, next).await?;
    keep(preconditions, repeat, &attempt, response).await
}

fn attempt(
    caller: &Caller,
    key: &HeaderValue,
    request: &Request,
    body: &Bytes,
) -> Result<Attempt, Problem> {
    let is_line = |key: &&str| key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let key = key.to_str().ok().map(str::trim).filter(is_line);
    let key = key.filter(|key| (1..=KEY_MAX).contains(&key.len()));
    let Some(key) = key else {
        let detail = format!("must be 1 to {KEY_MAX} ASCII characters that are not all blank");
        return Err(Problem::invalid("Idempotency-Key", detail));
    };
    let mut asked = format!("{}\n", request.uri()).into_bytes();
    let mut fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    match fields.remove(SECRET_FIELD) {
        Some(_) => asked.extend_from_slice(Value::Object(fields).to_string().as_bytes()),
        None => asked.extend_from_slice(body),
    }
    Ok(Attempt {
        key: key.to_owned(),
        who: caller.identity.clone(),
        fingerprint: secrets::fingerprint(&asked, 32),
        nonce: secrets::new_secret()?,
    })
}

fn refuse_another(attempt: &Attempt, fingerprint: &str) -> Result<(), Problem> {
    if attempt.fingerprint == fingerprint {
        return Ok(());
    }
    let detail = "was used for another request; make a new key for each request";
    Err(Problem::invalid("Idempotency-Key", detail))
}

/// Stores the answer to a completed request; keeps that of a request that began a job in memory.
async fn keep(
    preconditions: &Preconditions,
    repeat: Repeat,
    attempt: &Arc<Attempt>,
    response: Response,
) -> Result<Response, Problem> {
    let status = response.status();
    if !(status.is_success() && repeat.stores_answer()) {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = read(body, ANSWER_MAX).await?;
    let stored = StoredAnswer {
        status: status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    if status == StatusCode::ACCEPTED {
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        let work = told.get("id").and_then(Value::as_str);
        if let Some(work) = work.and_then(|work| work.parse().ok()) {
            let begun = BegunJob {
                attempt: attempt.clone(),
                work,
                answer: stored,
            };
            preconditions.ongoing.remember(begun, &preconditions.jobs);
        }
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    let now = preconditions.context.clock.now();
    // The change is committed: a failure to store the answer is only logged.
    if let Err(error) = preconditions
        .context
        .store
        .store_answer(attempt, &stored, now)
        .await
    {
        tracing::warn!(%error, "an answer could not be stored for its Idempotency-Key");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Makes the answer to a repeated request if the change was committed without its answer, because the process was killed or
/// the handler failed after the commit.
async fn made_again(
    (repeat, made): (Repeat, Option<String>),
    request: &Parts,
    body: &Bytes,
    next: &Next,
) -> Result<Response, Problem> {
    let fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let text = |field: &str| fields.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut list = request.uri.path().to_owned();
    let made = match repeat {
        Repeat::ById | Repeat::OwnById => made,
        Repeat::ByField(field) | Repeat::OwnByField(field) => text(field),
        Repeat::ByScope(field) => {
            let offer = fields
                .get("offers")
                .and_then(|offers| offers.get(0)?.as_str());
            let scope = text("scope").or(offer.map(str::to_owned));
            let scope = scope.unwrap_or_else(|| ORGANISATION.to_string());
            let scope = utf8_percent_encode(&scope, NON_ALPHANUMERIC);
            list = format!("/scopes/{scope}{list}");
            text(field)
        }
        Repeat::Unstored(remedy) => return Err(Problem::already_carried_out(remedy)),
        Repeat::Once | Repeat::Harmless | Repeat::Code => None,
    };
    let lost =
        || Problem::already_carried_out("its answer is lost; GET the list for what is there");
    let made = made.ok_or_else(lost)?;
    let part = utf8_percent_encode(made.trim(), NON_ALPHANUMERIC);
    let path = format!("{list}/{part}");
    let mut response = read_current(&request.extensions, &path, next).await?;
    if !response.status().is_success() {
        let detail =
            format!("it made {made:?}, which has been deleted since or is not in force yet");
        return Err(Problem::already_carried_out(&detail));
    }
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn answer(stored: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut headers = HeaderMap::new();
    if !stored.body.is_empty() {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
    }
    (status, headers, stored.body).into_response()
}
