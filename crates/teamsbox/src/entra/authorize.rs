//! The authorization code flow with PKCE: the page that selects the user, and the redirect to the application.

use std::sync::Arc;

use axum::{
    extract::{
        Form, Path, Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{
    TokenError,
    html::{escape, hidden, page as html_page, people},
    scope, tenant,
};
use crate::{random, registrations::Registration, shell::Shell, signins::Grant, tenants::Tenants};

/// The parameters of an authorization request, and of the page's form that answers it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthorizationRequest {
    client_id: Option<String>,
    response_type: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    response_mode: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    nonce: Option<String>,
    login_hint: Option<String>,
    prompt: Option<String>,
    /// From the page: the user who signs in.
    user: Option<String>,
    /// From the page: `allow` or `cancel`.
    action: Option<String>,
}

/// `GET /{tenant}/oauth2/v2.0/authorize`
pub(super) async fn page(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    query: Result<Query<AuthorizationRequest>, QueryRejection>,
) -> Response {
    let wanted = query
        .map(|Query(wanted)| wanted)
        .map_err(|_| TokenError::missing("client_id"));
    handle(&tenants, &segment, &headers, wanted)
}

/// `POST /{tenant}/oauth2/v2.0/authorize`: the form of the page.
pub(super) async fn answer(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    form: Result<Form<AuthorizationRequest>, FormRejection>,
) -> Response {
    let wanted = form
        .map(|Form(wanted)| wanted)
        .map_err(|_| TokenError::missing("client_id"));
    handle(&tenants, &segment, &headers, wanted)
}

/// `GET /{tenant}/oauth2/v2.0/logout`: the emulator has no session to end.
pub(super) async fn signed_out() -> Response {
    html_page(
        StatusCode::OK,
        "Signed out",
        "<p>You can close this page.</p>",
    )
}

fn handle(
    tenants: &Tenants,
    segment: &str,
    headers: &HeaderMap,
    wanted: Result<AuthorizationRequest, TokenError>,
) -> Response {
    // Before the redirect URI is validated, errors are shown here and never redirected.
    let checked = wanted.and_then(|wanted| {
        let shell = tenant(tenants, segment)?;
        let (app, redirect_uri) = check_application(&shell, &wanted)?;
        Ok((shell, app, redirect_uri, wanted))
    });
    let (shell, app, redirect_uri, wanted) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            let text = format!(
                "<p role=\"alert\">AADSTS{}: {}</p>",
                error.code,
                escape(&error.text)
            );
            return html_page(StatusCode::BAD_REQUEST, "Sign-in failed", &text);
        }
    };
    let silent = wanted.prompt.as_deref() == Some("none");
    let result = match wanted.action.as_deref() {
        Some("cancel") => Err(TokenError::bad(
            "access_denied",
            65_004,
            "The user declined to sign in.",
        )),
        Some(_) => grant(
            &shell,
            headers,
            &app,
            &redirect_uri,
            &wanted,
            wanted.user.as_deref(),
        ),
        None if silent => grant(
            &shell,
            headers,
            &app,
            &redirect_uri,
            &wanted,
            wanted.login_hint.as_deref(),
        ),
        None => match check_request(headers, &app, &wanted) {
            Ok(_) => return ask(&shell, &app, &wanted),
            Err(error) => Err(error),
        },
    };
    let mut parameters = match result {
        Ok(code) => vec![("code", code)],
        Err(error) => vec![
            ("error", error.error),
            (
                "error_description",
                format!("AADSTS{}: {}", error.code, error.text),
            ),
        ],
    };
    parameters.extend(wanted.state.map(|state| ("state", state)));
    send_back(&redirect_uri, wanted.response_mode.as_deref(), &parameters)
}

fn check_application(
    shell: &Shell,
    wanted: &AuthorizationRequest,
) -> Result<(Registration, String), TokenError> {
    let client_id = wanted.client_id.as_deref().filter(|text| !text.is_empty());
    let client_id = client_id.ok_or_else(|| TokenError::missing("client_id"))?;
    let app = shell
        .with(|world, _| world.registrations.find(client_id))
        .map_err(|refusal| TokenError::unauthenticated(refusal, client_id))?;
    let uri = wanted
        .redirect_uri
        .as_deref()
        .filter(|text| !text.is_empty());
    let uri = uri.ok_or_else(|| TokenError::missing("redirect_uri"))?;
    let absolute = ["http://", "https://"]
        .iter()
        .any(|scheme| uri.starts_with(scheme));
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains('#');
    let registered = app.redirect_uris.is_empty() || app.redirect_uris.iter().any(|own| own == uri);
    if !(absolute && plain && registered) {
        let text = format!(
            "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the application '{client_id}'.",
            super::shorten(uri)
        );
        return Err(TokenError::bad("invalid_request", 50_011, text));
    }
    Ok((app, uri.to_owned()))
}

fn check_request(
    headers: &HeaderMap,
    app: &Registration,
    wanted: &AuthorizationRequest,
) -> Result<(String, Vec<String>), TokenError> {
    if wanted.response_type.as_deref() != Some("code") {
        let text = "The emulator supports the response type 'code' only.";
        return Err(TokenError::bad("unsupported_response_type", 700_054, text));
    }
    let plain = wanted
        .code_challenge_method
        .as_deref()
        .is_some_and(|method| method != "S256");
    if plain || wanted.code_challenge.is_some() && wanted.code_challenge_method.is_none() {
        let text = "The code challenge method must be S256.";
        return Err(TokenError::bad("invalid_request", 501_491, text));
    }
    scope::delegated(headers, app, wanted.scope.as_deref())
}

fn grant(
    shell: &Shell,
    headers: &HeaderMap,
    app: &Registration,
    redirect_uri: &str,
    wanted: &AuthorizationRequest,
    user: Option<&str>,
) -> Result<String, TokenError> {
    let (audience, scopes) = check_request(headers, app, wanted)?;
    let code = random::secret().map_err(|error| TokenError::internal(&error))?;
    shell.with(|world, now| {
        let found = user.and_then(|user| world.tenant.find_any(user).ok());
        let user = found
            .and_then(|index| world.tenant.user(index))
            .ok_or_else(|| {
                let text = "None of the users is signed in: choose one.";
                TokenError::bad("login_required", 50_058, text)
            })?;
        let grant = Grant {
            app: Arc::clone(&app.client_id),
            user: user.guid,
            scopes,
            audience,
            nonce: wanted.nonce.clone(),
        };
        let challenge = wanted.code_challenge.clone();
        world
            .signins
            .add_code(code.clone(), grant, redirect_uri.to_owned(), challenge, now);
        Ok(code)
    })
}

/// The page that selects the user.
fn ask(shell: &Shell, app: &Registration, wanted: &AuthorizationRequest) -> Response {
    let fields: String = [
        ("client_id", &wanted.client_id),
        ("response_type", &wanted.response_type),
        ("redirect_uri", &wanted.redirect_uri),
        ("scope", &wanted.scope),
        ("state", &wanted.state),
        ("response_mode", &wanted.response_mode),
        ("code_challenge", &wanted.code_challenge),
        ("code_challenge_method", &wanted.code_challenge_method),
        ("nonce", &wanted.nonce),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(hidden(name, value.as_deref()?)))
    .collect();
    let body = format!(
        "<p>The application <code>{}</code> requests: {}</p>\n<form method=\"post\">\n{fields}{}\
         <div class=\"buttons\"><button name=\"action\" value=\"allow\">Sign in</button>\n\
         <button name=\"action\" value=\"cancel\" class=\"quiet\">Cancel</button></div>\n</form>",
        escape(&app.client_id),
        escape(wanted.scope.as_deref().unwrap_or_default()),
        people(shell, wanted.login_hint.as_deref()),
    );
    html_page(StatusCode::OK, "Sign in", &body)
}

/// The redirect to the application, in the requested response mode.
fn send_back(uri: &str, mode: Option<&str>, parameters: &[(&str, String)]) -> Response {
    if mode == Some("form_post") {
        let fields: String = parameters
            .iter()
            .map(|(name, value)| hidden(name, value))
            .collect();
        let body = format!(
            "<form method=\"post\" action=\"{}\">\n{fields}<div class=\"buttons\"><button autofocus>Continue</button></div>\n</form>",
            escape(uri)
        );
        return html_page(StatusCode::OK, "Continue", &body);
    }
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let separator = match mode {
        Some("fragment") => '#',
        _ if uri.contains('?') => '&',
        _ => '?',
    };
    let target = format!("{uri}{separator}{}", pairs.join("&"));
    match HeaderValue::from_str(&target) {
        Ok(target) => (
            StatusCode::FOUND,
            [
                (header::LOCATION, target),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
        )
            .into_response(),
        Err(_) => html_page(
            StatusCode::BAD_REQUEST,
            "Sign-in failed",
            "<p>The redirect address is invalid.</p>",
        ),
    }
}
