//! Entra's token endpoint: client credentials with a secret.
//!
//! Other grants and client assertions are refused with the error Entra has for them. Secrets are compared by hash in
//! constant time and never logged.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{Form, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::duration::{SECOND, timestamp};
use crate::guid::Guid;
use crate::journal::Detail;
use crate::keys::Claims;
use crate::registrations::{Refusal, Registration};
use crate::shell::Shell;

/// The resources a token may be for: Graph in its clouds. Anything on this emulator's own address counts too.
const RESOURCES: [&str; 6] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    "00000003-0000-0000-c000-000000000000",
    "https://canary.graph.microsoft.com",
];

/// The parameters of a token request that matter here.
#[derive(Default, Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    scope: Option<String>,
}

/// A refusal in Entra's words.
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

    fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 900_144, text)
    }
}

/// The routes of Entra.
pub(crate) fn router() -> Router<Arc<Shell>> {
    Router::new().route("/{tenant}/oauth2/v2.0/token", post(token))
}

async fn token(
    State(shell): State<Arc<Shell>>,
    Path(_tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let (delay, fault) =
        shell.with(|world, _| (world.faults.delay_milliseconds, world.faults.hit_token()));
    if let Some(delay) = delay {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let form = Form::<TokenRequest>::from_request(request, &()).await;
    let mut app = None;
    let result = match fault {
        Some(fault) => Err(refuse(fault.status, fault.error.as_deref())),
        None => form
            .map_err(|rejection| unreadable(&rejection))
            .and_then(|Form(form)| issue(&shell, &headers, form, &mut app)),
    };
    let reply = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (error.status, error_body(&shell, &error)),
    };
    let request = Detail::request("POST", uri.path(), reply.0.as_u16(), app, None);
    shell.with(|world, now| world.log_request(now, None, request));
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let json = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    )];
    let identity = new_id();
    let identity = [(HeaderName::from_static("x-ms-request-id"), identity)];
    (
        reply.0,
        no_store,
        json,
        identity,
        Bytes::from(reply.1.to_string()),
    )
        .into_response()
}

fn issue(
    shell: &Shell,
    headers: &HeaderMap,
    form: TokenRequest,
    journal_app: &mut Option<Arc<str>>,
) -> Result<serde_json::Value, TokenError> {
    let basic = basic_credentials(headers);
    let grant_type = form
        .grant_type
        .filter(|text| !text.is_empty())
        .ok_or_else(|| TokenError::missing("grant_type"))?;
    if grant_type != "client_credentials" {
        let text = format!(
            "The emulator does not support the grant type '{}' yet: use client_credentials.",
            grant_type.chars().take(100).collect::<String>()
        );
        return Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70_003,
            text,
        ));
    }
    let (basic_id, basic_secret) = basic.unzip();
    let client_id = form.client_id.or(basic_id).filter(|text| !text.is_empty());
    let client_id = client_id.ok_or_else(|| TokenError::missing("client_id"))?;
    let audience = audience(headers, form.scope.as_deref())?;
    if form.client_assertion.is_some() {
        let text = "The emulator does not check client assertions yet: use client_secret.";
        return Err(TokenError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            700_027,
            text,
        ));
    }
    let secret = form.client_secret.or(basic_secret).filter(|text| !text.is_empty()).ok_or_else(|| {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        TokenError::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_218, text)
    })?;
    let authenticated =
        shell.with(|world, now| (world.registrations.authenticate(&client_id, &secret), now));
    let (registration, now) = (
        authenticated
            .0
            .map_err(|refusal| unauthenticated(refusal, &client_id))?,
        authenticated.1,
    );
    *journal_app = Some(Arc::clone(&registration.client_id));
    let lifetime = i64::try_from(shell.knobs.token_lifetime.as_secs()).unwrap_or(i64::MAX / SECOND);
    let claims = claims(shell, &registration, audience, now / SECOND, lifetime);
    let token = shell.keys.sign(&claims).map_err(|error| {
        tracing::error!(%error, "an access token could not be signed");
        refuse(500, None)
    })?;
    Ok(
        json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }),
    )
}

fn claims(shell: &Shell, app: &Registration, aud: String, now: i64, lifetime: i64) -> Claims {
    Claims {
        aud,
        iss: format!("https://sts.windows.net/{}/", shell.tenant_id),
        iat: now,
        nbf: now,
        exp: now.saturating_add(lifetime),
        appid: app.client_id.to_string(),
        idtyp: "app".to_owned(),
        oid: app.object_id.to_string(),
        roles: app.roles.to_vec(),
        sub: app.object_id.to_string(),
        tid: shell.tenant_id.clone(),
        uti: Guid::random()
            .map(|guid| guid.to_string())
            .unwrap_or_default(),
        ver: "1.0".to_owned(),
    }
}

/// The audience a scope asks for.
fn audience(headers: &HeaderMap, scope: Option<&str>) -> Result<String, TokenError> {
    let scope = scope
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| TokenError::missing("scope"))?;
    let shortened: String = scope.chars().take(200).collect();
    let Some(resource) = scope
        .strip_suffix("/.default")
        .filter(|resource| !resource.contains(' '))
    else {
        let text = format!(
            "The provided value for the input parameter 'scope' is not valid. The scope '{shortened}' must be one resource with /.default, such as https://graph.microsoft.com/.default."
        );
        return Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            70_011,
            text,
        ));
    };
    let resource = resource.trim_end_matches('/');
    let own = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| {
            ["http://", "https://"]
                .iter()
                .any(|scheme| resource.strip_prefix(scheme) == Some(host))
        });
    if own || RESOURCES.contains(&resource) {
        return Ok(resource.to_owned());
    }
    let text = format!("The resource principal named {shortened} was not found in the tenant.");
    Err(TokenError::new(
        StatusCode::BAD_REQUEST,
        "invalid_resource",
        500_011,
        text,
    ))
}

/// Credentials in the Authorization header, which Entra takes as well as in the form.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn unauthenticated(refusal: Refusal, client_id: &str) -> TokenError {
    let client_id: String = client_id.chars().take(100).collect();
    match refusal {
        Refusal::WrongSecret => {
            let text = format!("Invalid client secret provided for app '{client_id}'.");
            TokenError::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text)
        }
        Refusal::UnknownApp => {
            let text = format!(
                "Application with identifier '{client_id}' was not found in the directory."
            );
            TokenError::new(
                StatusCode::BAD_REQUEST,
                "unauthorized_client",
                700_016,
                text,
            )
        }
    }
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
    TokenError::new(StatusCode::BAD_REQUEST, "invalid_request", 900_144, text)
}

/// A refusal that was asked for as a fault.
fn refuse(status: u16, error: Option<&str>) -> TokenError {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (default, code, text) = match status.as_u16() {
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
    TokenError::new(status, error.unwrap_or(default), code, text)
}

fn error_body(shell: &Shell, error: &TokenError) -> serde_json::Value {
    let now = timestamp(shell.clock.now_milliseconds())
        .strftime("%Y-%m-%d %H:%M:%SZ")
        .to_string();
    let id = || {
        Guid::random()
            .map(|guid| guid.to_string())
            .unwrap_or_default()
    };
    let (trace, correlation) = (id(), id());
    json!({
        "error": error.error,
        "error_description": format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
            error.code, error.text
        ),
        "error_codes": [error.code],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
    })
}

fn new_id() -> HeaderValue {
    let id = Guid::random()
        .map(|guid| guid.to_string())
        .unwrap_or_default();
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
}
