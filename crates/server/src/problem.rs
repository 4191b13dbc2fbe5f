//! Errors of the API as `application/problem+json` (RFC 9457): what is wrong, with which value, and what to do.

use std::borrow::Cow;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use store::{StoreError, UniqueField};

use crate::store_health::StoreHealth;

/// The title of what somebody cancelled.
const CANCELLED: &str = "cancelled";

/// The title of what an earlier request with the same idempotency key did.
const DONE_ALREADY: &str = "done already";
/// After how many seconds a request that waited in vain is worth repeating.
const RETRY_AFTER: u32 = 5;

/// Attached to an answer: the database refused a request, with the reason.
#[derive(Clone, Debug)]
struct StoreRefused(String);

/// Reports each answer of the API that carries a refusal of the database.
pub(crate) async fn report_store_refusals(
    State(store_health): State<StoreHealth>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(StoreRefused(reason)) = response.extensions_mut().remove() {
        store_health.refused(reason);
    }
    response
}

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    /// The field that is wrong, if one is.
    field: Option<Cow<'static, str>>,
    /// After how many seconds the request is worth repeating.
    retry_after: Option<u32>,
    /// The database refused.
    is_of_store: bool,
}

impl Problem {
    pub(crate) fn unauthorized() -> Self {
        let detail = "send the API key as `Authorization: Bearer KEY`, or open the board by its one-time link first";
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail)
    }

    /// Does not say which of the two is wrong.
    pub(crate) fn wrong_password() -> Self {
        let detail = "name or password are wrong; an administrator can set a new password";
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail)
    }

    /// Too many wrong passwords.
    pub(crate) fn too_many_attempts(seconds: u32) -> Self {
        let detail = format!("too many wrong passwords; try again in {seconds} seconds");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts", detail);
        Self {
            retry_after: Some(seconds),
            ..problem
        }
    }

    /// Too many passwords wait to be checked.
    pub(crate) fn busy(seconds: u32) -> Self {
        let detail =
            format!("too many passwords wait to be checked; try again in {seconds} seconds");
        Self {
            retry_after: Some(seconds),
            ..Self::unavailable(&detail)
        }
    }

    /// More changes than one account may make.
    pub(crate) fn too_many_changes() -> Self {
        let detail = "too many changes at once: wait a second and repeat this one; programs that change many things use an API key";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many changes", detail)
    }

    /// A search for accounts has only just ended.
    pub(crate) fn searched_already(seconds: u32) -> Self {
        let detail =
            format!("accounts were searched for a moment ago; search again in {seconds} seconds");
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
        }
    }

    /// More at once than one address may have.
    pub(crate) fn too_many_requests(what: &str) -> Self {
        let detail = format!("{what}; close some, or try again later");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
    }

    /// The ETag of `If-Match` is not that of the present state.
    pub(crate) fn changed_meanwhile() -> Self {
        let detail = "somebody has changed it since you read it; read it again, look at the difference and repeat your change";
        Self::new(StatusCode::PRECONDITION_FAILED, "changed meanwhile", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not allowed", detail)
    }

    /// A field that the caller may not change.
    pub(crate) fn forbidden_field(field: &str, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned().into()),
            ..Self::forbidden(detail)
        }
    }

    /// A setting that an administrator keeps people from changing.
    pub(crate) fn locked(key: &str) -> Self {
        let detail = format!(
            "{key} is set by an administrator for your location and cannot be changed by you; ask an administrator"
        );
        Self::forbidden_field(key, detail)
    }

    /// Whether it says that somebody cancelled it.
    pub(crate) fn is_cancellation(&self) -> bool {
        self.title == CANCELLED
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// A value that something else has already.
    pub(crate) fn conflict_of(field: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::conflict(detail);
        Self {
            field: Some(field.into()),
            ..problem
        }
    }

    /// What the request waits for takes longer than a request may wait.
    pub(crate) fn under_way(what: &str) -> Self {
        let detail =
            format!("{what} is still under way; repeat this request in {RETRY_AFTER} seconds");
        let problem = Self::new(StatusCode::CONFLICT, "under way", detail);
        Self {
            retry_after: Some(RETRY_AFTER),
            ..problem
        }
    }

    /// A request that was carried out before and cannot be answered again.
    pub(crate) fn done_already(remedy: &str) -> Self {
        let detail =
            format!("a request with this Idempotency-Key was carried out before: {remedy}");
        Self::new(StatusCode::CONFLICT, DONE_ALREADY, detail)
    }

    /// The same refusal, of one field.
    pub(crate) fn of_field(self, field: &'static str) -> Self {
        Self {
            field: Some(field.into()),
            ..self
        }
    }

    /// A value whose key is only known at run time.
    pub(crate) fn refused(field: String, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid value", detail);
        Self {
            field: Some(field.into()),
            ..problem
        }
    }

    pub(crate) fn not_found(what: &str, value: &str, remedy: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not found",
            format!("there is no {what} {value:?}; {remedy}"),
        )
    }

    pub(crate) fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid value", detail);
        Self {
            field: Some(field.into()),
            ..problem
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed request", detail)
    }

    pub(crate) fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not possible now", detail)
    }

    /// A refusal that has been written already.
    pub(crate) fn with_status(status: StatusCode, detail: String) -> Self {
        Self::new(
            status,
            status.canonical_reason().unwrap_or("refused"),
            detail,
        )
    }

    /// Status and detail.
    pub(crate) fn parts(self) -> (StatusCode, String) {
        (self.status, self.detail)
    }

    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            field: None,
            retry_after: None,
            is_of_store: false,
        }
    }
}

/// The field of the API that holds such a value.
const fn api_field(field: UniqueField) -> &'static str {
    match field {
        UniqueField::TeamsAccount => "account",
        UniqueField::SignInName => "userPrincipalName",
        UniqueField::MailAddress => "mail",
        UniqueField::Extension => "lines",
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not found", detail),
            StoreError::Exists { .. } => Self::conflict_of("name", detail),
            StoreError::Taken { field, .. } => Self::conflict_of(api_field(field), detail),
            StoreError::InUse { .. }
            | StoreError::Conflict { .. }
            | StoreError::Contradicted { .. } => Self::conflict(detail),
            StoreError::Repeated { .. } => Self::new(StatusCode::CONFLICT, DONE_ALREADY, detail),
            StoreError::Cancelled => Self::new(StatusCode::CONFLICT, CANCELLED, detail),
            StoreError::Open { .. }
            | StoreError::Migrate { .. }
            | StoreError::Damaged { .. }
            | StoreError::Replaced { .. }
            | StoreError::Foreign { .. }
            | StoreError::Database(_) => Self {
                is_of_store: true,
                ..Self::unavailable(&detail)
            },
            StoreError::Backup { .. } => Self::unavailable(&detail),
        }
    }
}

impl From<getrandom::Error> for Problem {
    fn from(_: getrandom::Error) -> Self {
        Self::unavailable("the operating system gives no random numbers")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some(field), Some(body)) = (self.field, body.as_object_mut()) {
            body.insert("field".into(), field.into_owned().into());
        }
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response();
        if let Some(seconds) = self.retry_after {
            let seconds = header::HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if self.is_of_store {
            response.extensions_mut().insert(StoreRefused(self.detail));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
        }
        response
    }
}

/// Dresses a refusal that no handler wrote (wrong method, unreadable path, too large a body, another site's page) as a
/// problem too.
pub(crate) async fn dress(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let written =
        kind.is_some_and(|kind| kind == "application/problem+json" || kind == "application/json");
    if written || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let told = axum::body::to_bytes(body, DETAIL_MAX)
        .await
        .unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    let detail = match (status, told.trim()) {
        (StatusCode::METHOD_NOT_ALLOWED, _) => {
            "this route has no such method; see docs/api.md".to_owned()
        }
        (StatusCode::FORBIDDEN, _) => {
            "the request comes from another site's page; send it from your own program".to_owned()
        }
        (StatusCode::PAYLOAD_TOO_LARGE, _) => {
            "the body is too large; at most 64 KiB are read".to_owned()
        }
        (_, "") => "see docs/api.md".to_owned(),
        (_, told) => told.to_owned(),
    };
    let title = status.canonical_reason().unwrap_or("refused");
    let mut dressed = Problem::new(status, title, detail).into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            dressed.headers_mut().insert(name, value.clone());
        }
    }
    dressed
}

/// What a library says of a refusal is a sentence.
const DETAIL_MAX: usize = 1_024;
