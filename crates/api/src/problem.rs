//! Refusals of the API as `application/problem+json` (RFC 9457): problem, value and remedy.

use std::{borrow::Cow, collections::BTreeMap};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use runtime::store_health::StoreHealth;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{StoreError, UniqueField};

/// Title of the problem of a cancelled job.
const CANCELLED: &str = "cancelled";

/// Title of the problem of a request that an earlier one with the same idempotency key carried out.
const CARRIED_OUT: &str = "done already";
/// Seconds after which a request that timed out is worth repeating.
const RETRY_AFTER: u32 = 5;

/// Extension of an answer to a request that the database refused, with the reason.
#[derive(Clone, Debug)]
struct StoreRefused(String);

/// Middleware: reports refusals of the database to the health of the store.
pub async fn report_store_refusals(
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

/// Code of a problem, for programs that show it in the language of their user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemCode {
    /// Stable name of the kind of problem, for example `too-long`.
    pub code: Cow<'static, str>,
    /// Named values of the problem, for example `most`: the largest permitted length.
    #[serde(default)]
    pub values: BTreeMap<Cow<'static, str>, String>,
}

impl ProblemCode {
    /// A code without values.
    pub const fn new(code: &'static str) -> Self {
        Self {
            code: Cow::Borrowed(code),
            values: BTreeMap::new(),
        }
    }

    /// Adds a named value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.insert(name.into(), value.to_string());
        self
    }
}

/// The refusal of a request. Serialises as `application/problem+json`.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    /// The field of the body that is wrong, if one is.
    field: Option<Cow<'static, str>>,
    /// The kind of problem, if it has a code.
    code: Option<Box<ProblemCode>>,
    /// Seconds after which the request is worth repeating.
    retry_after: Option<u32>,
    /// Whether the database refused the request.
    is_of_store: bool,
}

impl Problem {
    /// The request has no valid credential (401).
    pub fn unauthorized() -> Self {
        let detail = "send the API key as `Authorization: Bearer KEY`, or open the board by its one-time link first";
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail)
    }

    /// Name or password are wrong (401). The text does not reveal which.
    pub fn wrong_password() -> Self {
        let detail = "name or password are wrong; an administrator can set a new password";
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail)
            .with_code(ProblemCode::new("wrong-password"))
    }

    /// Too many wrong passwords came before (429).
    pub fn too_many_attempts(seconds: u32) -> Self {
        let detail = format!("too many wrong passwords; try again in {seconds} seconds");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts", detail);
        Self {
            retry_after: Some(seconds),
            code: Some(Box::new(
                ProblemCode::new("too-many-attempts").with("seconds", seconds),
            )),
            ..problem
        }
    }

    /// Too many passwords wait to be checked (503).
    pub fn busy(seconds: u32) -> Self {
        let detail =
            format!("too many passwords wait to be checked; try again in {seconds} seconds");
        Self {
            retry_after: Some(seconds),
            code: Some(Box::new(
                ProblemCode::new("too-many-sign-ins").with("seconds", seconds),
            )),
            ..Self::unavailable(&detail)
        }
    }

    /// An account or agent exceeds the rate limit of changes (429).
    pub fn too_many_changes() -> Self {
        let detail = "too many changes at once: wait a second and repeat this one; programs that change many things use an API key";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many changes", detail)
            .with_code(ProblemCode::new("too-many-changes"))
    }

    /// A search for Teams accounts ended less than ten seconds ago (429).
    pub fn searched_already(seconds: u32) -> Self {
        let detail = format!(
            "the last search for accounts has only just ended; search again in {seconds} seconds"
        );
        Self {
            retry_after: Some(seconds),
            code: Some(Box::new(
                ProblemCode::new("searched-already").with("seconds", seconds),
            )),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
        }
    }

    /// One address has too many connections or requests (429). `what`: a sentence without its end.
    pub fn too_many_requests(what: &str) -> Self {
        let detail = format!("{what}; close some, or try again later");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
    }

    /// The resource has changed since the client read it: `If-Match` names another ETag (412).
    pub fn changed_meanwhile() -> Self {
        let detail = "the resource has changed since you read it; read it again, check the difference and repeat your change";
        Self::new(StatusCode::PRECONDITION_FAILED, "changed meanwhile", detail)
            .with_code(ProblemCode::new("changed-meanwhile"))
    }

    /// The caller lacks the permission (403).
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not allowed", detail)
    }

    /// The caller may not change a field (403).
    pub fn forbidden_field(field: &str, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned().into()),
            ..Self::forbidden(detail)
        }
    }

    /// A person may not change a setting that an administrator has locked (403).
    pub fn locked(key: &str) -> Self {
        let detail = format!(
            "{key} is set by an administrator for your location and cannot be changed by you; ask an administrator"
        );
        Self::forbidden_field(key, detail).with_code(ProblemCode::new("locked"))
    }

    /// Whether the job was cancelled.
    pub fn is_cancellation(&self) -> bool {
        self.title == CANCELLED
    }

    /// The request contradicts the present state (409).
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// Another resource has the value of a field already (409).
    pub fn conflict_of(field: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::conflict(detail);
        Self {
            field: Some(field.into()),
            ..problem
        }
    }

    /// The wait of a request for another operation timed out (409, with `Retry-After`).
    pub fn in_progress(what: &str) -> Self {
        let detail = format!("{what} is in progress; repeat this request in {RETRY_AFTER} seconds");
        let problem = Self::new(StatusCode::CONFLICT, "under way", detail);
        Self {
            retry_after: Some(RETRY_AFTER),
            ..problem
        }
    }

    /// An earlier request with the same idempotency key was carried out, and its answer is no longer known (409).
    pub fn already_carried_out(remedy: &str) -> Self {
        let detail =
            format!("a request with this Idempotency-Key was carried out before: {remedy}");
        Self::new(StatusCode::CONFLICT, CARRIED_OUT, detail)
    }

    /// Adds the code of the problem, in place of that of the constructor.
    pub fn with_code(self, code: impl Into<Option<ProblemCode>>) -> Self {
        Self {
            code: code.into().map(Box::new),
            ..self
        }
    }

    /// Names the field that is wrong.
    pub fn with_field(self, field: &'static str) -> Self {
        Self {
            field: Some(field.into()),
            ..self
        }
    }

    /// The value of a field is invalid (422); for names of fields that are not constants.
    pub fn refused(field: String, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid value", detail);
        Self {
            field: Some(field.into()),
            ..problem
        }
    }

    /// No resource of the kind `what` has the id or name `value` (404).
    pub fn not_found(what: &str, value: &str, remedy: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not found",
            format!("there is no {what} {value:?}; {remedy}"),
        )
        .with_code(ProblemCode::new("not-found").with("value", value))
    }

    /// The value of a field is invalid (422).
    pub fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid value", detail);
        Self {
            field: Some(field.into()),
            ..problem
        }
    }

    /// The request cannot be read (400).
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed request", detail)
    }

    /// The server cannot carry out the request at present (503).
    pub fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not possible now", detail)
    }

    /// A refusal with this status and text.
    pub fn with_status(status: StatusCode, detail: String) -> Self {
        Self::new(
            status,
            status.canonical_reason().unwrap_or("refused"),
            detail,
        )
    }

    /// The code, if the problem has one.
    pub fn code(&self) -> Option<ProblemCode> {
        self.code.as_deref().cloned()
    }

    /// The status and the detail.
    pub fn into_status_and_detail(self) -> (StatusCode, String) {
        (self.status, self.detail)
    }

    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            field: None,
            code: None,
            retry_after: None,
            is_of_store: false,
        }
    }
}

/// Name of the field in the API.
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
        let code = code_of_store(&error);
        let problem = match error {
            StoreError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not found", detail),
            StoreError::Exists { .. } => Self::conflict_of("name", detail),
            StoreError::Taken { field, .. } => Self::conflict_of(api_field(field), detail),
            StoreError::InUse { .. }
            | StoreError::Conflict { .. }
            | StoreError::Contradicted { .. } => Self::conflict(detail),
            StoreError::Repeated { .. } => Self::new(StatusCode::CONFLICT, CARRIED_OUT, detail),
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
        };
        problem.with_code(code)
    }
}

/// Code of a refusal of the store; `None` for failures of the database, which only administrators can mend.
fn code_of_store(error: &StoreError) -> Option<ProblemCode> {
    match error {
        StoreError::NotFound { .. } => Some(ProblemCode::new("gone")),
        StoreError::Exists { value, .. } => {
            Some(ProblemCode::new("name-taken").with("value", value))
        }
        StoreError::Taken { value, owner, .. } => Some(
            ProblemCode::new("value-taken")
                .with("value", value)
                .with("name", owner),
        ),
        StoreError::InUse { value, uses, .. } => Some(
            ProblemCode::new("in-use")
                .with("value", value)
                .with("uses", uses.join(", ")),
        ),
        StoreError::Conflict { .. }
        | StoreError::Contradicted { .. }
        | StoreError::Repeated { .. }
        | StoreError::Cancelled
        | StoreError::Open { .. }
        | StoreError::Migrate { .. }
        | StoreError::Damaged { .. }
        | StoreError::Replaced { .. }
        | StoreError::Foreign { .. }
        | StoreError::Database(_)
        | StoreError::Backup { .. } => None,
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
        if let (Some(code), Some(body)) = (self.code, body.as_object_mut()) {
            let ProblemCode { code, values } = *code;
            body.insert("code".into(), code.into());
            if !values.is_empty() {
                body.insert("values".into(), json!(values));
            }
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

/// Converts a refusal of the web framework (wrong method, unreadable path, body too large, cross-site request) into a problem.
pub async fn convert_refusal(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json =
        kind.is_some_and(|kind| kind == "application/problem+json" || kind == "application/json");
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, DETAIL_MAX)
        .await
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let detail = match (status, text.trim()) {
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
        (_, text) => text.to_owned(),
    };
    let title = status.canonical_reason().unwrap_or("refused");
    let code = (status == StatusCode::PAYLOAD_TOO_LARGE).then(|| ProblemCode::new("too-large"));
    let converted = Problem::new(status, title, detail).with_code(code);
    let mut converted = converted.into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            converted.headers_mut().insert(name, value.clone());
        }
    }
    converted
}

/// Largest body of such a refusal in bytes: the framework's texts are one sentence.
const DETAIL_MAX: usize = 1_024;
