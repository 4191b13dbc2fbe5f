//! Entra: discovery, keys, and all sign-in flows that presence clients use.
//!
//! Each sub-module has one endpoint; this module has the routes and Entra's error envelope. Secrets are compared by hash in
//! constant time and never logged.

mod assertion;
mod authorize;
mod device;
mod discovery;
mod html;
mod scope;
mod token;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{
        ConnectInfo, Form, FromRequest, Request, State,
        rejection::{BytesRejection, FormRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    connection::Cut,
    duration::timestamp,
    faults::{self, TokenFault},
    guid::Guid,
    journal::Detail,
    knobs::ExpiresIn,
    registrations::Refusal,
    shell::Shell,
    tenants::Tenants,
};

/// An error of Entra.
#[derive(Debug)]
struct TokenError {
    status: StatusCode,
    error: String,
    code: u32,
    text: String,
}

impl TokenError {
    fn new(status: StatusCode, error: &str, code: u32, text: impl Into<String>) -> Self {
        Self {
            status,
            error: error.to_owned(),
            code,
            text: text.into(),
        }
    }

    fn bad(error: &str, code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, text)
    }

    fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::bad("invalid_request", 900_144, text)
    }

    fn unknown_tenant(segment: &str) -> Self {
        let text = format!("Tenant '{}' not found.", shorten(segment));
        Self::bad("invalid_request", 90_002, text)
    }

    fn unauthenticated(refusal: Refusal, client_id: &str) -> Self {
        let client_id = shorten(client_id);
        match refusal {
            Refusal::WrongSecret => {
                let text = format!("Invalid client secret provided for app '{client_id}'.");
                Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text)
            }
            Refusal::UnknownApp => {
                let text = format!(
                    "Application with identifier '{client_id}' was not found in the directory."
                );
                Self::bad("unauthorized_client", 700_016, text)
            }
        }
    }

    fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a token could not be made");
        Self::from_fault(&TokenFault::with_status(500))
    }

    /// The error of a configured fault.
    fn from_fault(fault: &TokenFault) -> Self {
        if let Some(known) = fault.known_code() {
            let status = StatusCode::from_u16(fault.status.unwrap_or(known.status));
            let status = status.unwrap_or(StatusCode::BAD_REQUEST);
            let error = fault.error.as_deref().unwrap_or(known.error);
            return Self::new(status, error, known.code, known.text);
        }
        let status = fault
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (error, code, text) = match status.as_u16() {
            401 => (
                "invalid_client",
                7_000_215,
                "Invalid client secret provided.",
            ),
            429 => (
                "temporarily_unavailable",
                50_196,
                "The server terminated an operation because it encountered a loop.",
            ),
            500.. => (
                "temporarily_unavailable",
                90_033,
                "A transient error has occurred. Please try again.",
            ),
            _ => ("invalid_request", 90_014, "A required field is missing."),
        };
        Self::new(
            status,
            fault.error.as_deref().unwrap_or(error),
            fault.code.unwrap_or(code),
            text,
        )
    }

    fn body(&self, shell: Option<&Shell>, estate_now: i64) -> Value {
        let now = timestamp(shell.map_or(estate_now, |shell| shell.clock().now_milliseconds()))
            .strftime("%Y-%m-%d %H:%M:%SZ")
            .to_string();
        let (trace, correlation) = (new_id(), new_id());
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                self.code, self.text
            ),
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
        })
    }
}

/// The routes of Entra. A layer records requests for pages and discovery in the journal; the two endpoints that know the
/// application record theirs.
pub(crate) fn router(tenants: Tenants) -> Router<Tenants> {
    let pages = Router::new()
        .route(
            "/{tenant}/oauth2/deviceauth",
            get(device::page).post(device::answer),
        )
        .route(
            "/{tenant}/oauth2/v2.0/authorize",
            get(authorize::page).post(authorize::answer),
        )
        .route("/{tenant}/oauth2/v2.0/logout", get(authorize::signed_out))
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(discovery::configuration),
        )
        .route(
            "/{tenant}/.well-known/openid-configuration",
            get(discovery::configuration),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/discovery/keys", get(discovery::keys))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route("/{tenant}/userrealm/{user}", get(discovery::realm))
        .layer(from_fn_with_state(tenants, record_request));
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token::token))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device::start))
        .merge(pages)
}

/// Records a request in the journal of its tenant.
async fn record_request(State(tenants): State<Tenants>, request: Request, next: Next) -> Response {
    let (method, path) = (
        request.method().to_string(),
        request.uri().path().to_owned(),
    );
    let segment = path.split('/').nth(1).unwrap_or_default();
    let shell = tenants.by_segment(segment);
    let shell = shell.unwrap_or_else(|| Arc::clone(tenants.first()));
    let response = next.run(request).await;
    let detail = Detail::request(&method, &path, response.status().as_u16(), None, None);
    shell.with(|world, now| world.log_request(now, None, detail));
    response
}

/// The tenant that a segment of the path names.
fn tenant(tenants: &Tenants, segment: &str) -> Result<Arc<Shell>, TokenError> {
    tenants
        .by_segment(segment)
        .ok_or_else(|| TokenError::unknown_tenant(segment))
}

/// Parses a form, applies faults, decides the request, records it in the journal, and builds the answer.
async fn serve<T: DeserializeOwned>(
    tenants: &Tenants,
    segment: &str,
    request: Request,
    decide: impl FnOnce(&Arc<Shell>, &HeaderMap, T, &mut Option<Arc<str>>) -> Result<Value, TokenError>,
) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let shell = tenant(tenants, segment);
    let first = tenants.first();
    let (delay, fault) = match &shell {
        Ok(shell) => shell.with(|world, _| {
            let fault = world.faults.hit_token(&mut world.random);
            (world.faults.delay_milliseconds, fault)
        }),
        Err(_) => (None, None),
    };
    if let Some(delay) = delay {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if let Some(fault) = fault
        .as_ref()
        .filter(|fault| fault.answer != faults::Form::Envelope)
        && let Ok(shell) = &shell
    {
        return unlike_entra(shell, &request, fault);
    }
    let form = Form::<T>::from_request(request, &()).await;
    let mut app = None;
    let known = shell.as_ref().ok().map(Arc::clone);
    let spoilt = fault.as_ref().map(|fault| fault.answer.name(fault.status));
    let spoilt = spoilt.as_deref();
    let result = match (shell, fault) {
        (Err(error), _) => Err(error),
        (Ok(_), Some(fault)) => Err(TokenError::from_fault(&fault)),
        (Ok(shell), None) => form
            .map_err(|rejection| unreadable(&rejection))
            .and_then(|Form(form)| decide(&shell, &headers, form, &mut app)),
    };
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, typed(body, known.as_deref())),
        Err(error) => (
            error.status,
            error.body(known.as_deref(), first.clock().now_milliseconds()),
        ),
    };
    let detail = Detail::request("POST", &path, status.as_u16(), app, None).with_faults(spoilt);
    known
        .as_deref()
        .unwrap_or(first)
        .with(|world, now| world.log_request(now, None, detail));
    let identity = HeaderValue::from_str(&new_id()).unwrap_or(HeaderValue::from_static("none"));
    (
        status,
        [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        )],
        [(HeaderName::from_static("x-ms-request-id"), identity)],
        Bytes::from(body.to_string()),
    )
        .into_response()
}

/// An answer of a fault in another form than Entra's: empty, a page, or a cut connection.
fn unlike_entra(shell: &Shell, request: &Request, fault: &TokenFault) -> Response {
    let status = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if fault.answer == faults::Form::Closed
        && let Some(ConnectInfo(cut)) = request.extensions().get::<ConnectInfo<Cut>>()
    {
        cut.cut();
    }
    let detail = Detail::request("POST", request.uri().path(), status.as_u16(), None, None);
    let detail = detail.with_faults(Some(&fault.answer.name(fault.status)));
    shell.with(|world, now| world.log_request(now, None, detail));
    let (body, content_type) = fault.answer.body(status);
    let headers = content_type.map(|content_type| [(header::CONTENT_TYPE, content_type)]);
    (status, headers, body).into_response()
}

/// Converts lifetimes to the type that the knob `expiresIn` selects.
fn typed(mut body: Value, shell: Option<&Shell>) -> Value {
    let form = shell.map(|shell| shell.with(|world, _| world.knobs.expires_in));
    if form == Some(ExpiresIn::Text) {
        for name in ["expires_in", "ext_expires_in"] {
            if let Some(seconds) = body.get(name).and_then(Value::as_i64) {
                body[name] = json!(seconds.to_string());
            }
        }
    }
    body
}

fn unreadable(rejection: &FormRejection) -> TokenError {
    if matches!(
        rejection,
        FormRejection::BytesRejection(BytesRejection::FailedToBufferBody(_))
    ) {
        let text = "The request body is too large.";
        return TokenError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request",
            90_015,
            text,
        );
    }
    let text =
        "The request body must be application/x-www-form-urlencoded and name each parameter once.";
    TokenError::bad("invalid_request", 900_144, text)
}

fn new_id() -> String {
    Guid::random()
        .map(|guid| guid.to_string())
        .unwrap_or_default()
}

/// The first hundred characters of a client's value, for error texts.
fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}
