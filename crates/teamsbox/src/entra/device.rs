//! The device code flow: a device shows a code; its user enters the code on a page and allows or declines the sign-in.

use std::sync::Arc;

use axum::{
    extract::{Form, Path, Query, Request, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    TokenError,
    html::{escape, hidden, page as html_page, people},
    scope, serve, tenant,
};
use crate::{
    duration::SECOND,
    random,
    shell::Shell,
    signins::{DEVICE_LIFETIME, POLL_INTERVAL},
    tenants::Tenants,
};

#[derive(Default, Deserialize)]
pub(super) struct StartForm {
    client_id: Option<String>,
    scope: Option<String>,
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`
pub(super) async fn start(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    request: Request,
) -> Response {
    serve(&tenants, &segment, request, |shell, headers, form: StartForm, app| {
        let client_id = form.client_id.filter(|text| !text.is_empty());
        let client_id = client_id.ok_or_else(|| TokenError::missing("client_id"))?;
        let found = shell.with(|world, _| world.registrations.find(&client_id));
        let registration = found.map_err(|refusal| TokenError::unauthenticated(refusal, &client_id))?;
        *app = Some(Arc::clone(&registration.client_id));
        let wanted = scope::delegated(headers, &registration, form.scope.as_deref())?;
        let device_code = random::secret().map_err(|error| TokenError::internal(&error))?;
        let user_code = random::user_code().map_err(|error| TokenError::internal(&error))?;
        let address = format!("{}/{}/oauth2/deviceauth", shell.host.base(headers), shell.tenant_id);
        shell.with(|world, now| {
            let app = Arc::clone(&registration.client_id);
            world.signins.add_device(device_code.clone(), user_code.clone(), app, wanted, now);
        });
        let message = format!(
            "To sign in, use a web browser to open the page {address} and enter the code {user_code} to authenticate."
        );
        Ok(json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": address,
            "expires_in": DEVICE_LIFETIME / SECOND,
            "interval": POLL_INTERVAL / SECOND,
            "message": message,
        }))
    })
    .await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PageQuery {
    code: Option<String>,
}

/// `GET /{tenant}/oauth2/deviceauth`: the page that asks for the code.
pub(super) async fn page(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    Query(query): Query<PageQuery>,
) -> Response {
    match tenant(&tenants, &segment) {
        Ok(_) => ask_code(query.code.as_deref().unwrap_or_default(), ""),
        Err(error) => html_page(
            error.status,
            "Unknown tenant",
            &format!("<p>{}</p>", escape(&error.text)),
        ),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    code: String,
    user: Option<String>,
    action: Option<String>,
}

/// `POST /{tenant}/oauth2/deviceauth`: takes the code, then the user and the answer.
pub(super) async fn answer(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    form: Result<Form<Answer>, FormRejection>,
) -> Response {
    let (Ok(shell), Ok(Form(form))) = (tenant(&tenants, &segment), form) else {
        return html_page(
            StatusCode::BAD_REQUEST,
            "Sign in",
            "<p>The form cannot be read.</p>",
        );
    };
    let waiting = shell.with(|world, now| world.signins.waiting(&form.code, now));
    let Some((app, scopes)) = waiting else {
        return ask_code(
            &form.code,
            "No device waits with this code. It may be mistyped, expired or used.",
        );
    };
    let Some(action) = form.action else {
        let list: String = scopes
            .iter()
            .map(|scope| format!("<li>{}</li>\n", escape(scope)))
            .collect();
        let body = format!(
            "<p>The application <code>{}</code> requests:</p>\n<ul>\n{list}</ul>\n<form method=\"post\">\n{}{}\
             <div class=\"buttons\"><button name=\"action\" value=\"allow\">Allow</button>\n\
             <button name=\"action\" value=\"decline\" class=\"quiet\">Decline</button></div>\n</form>",
            escape(&app),
            hidden("code", &form.code),
            people(&shell, form.user.as_deref()),
        );
        return html_page(StatusCode::OK, "Allow the sign-in?", &body);
    };
    match shell.answer_device(&form.code, form.user.as_deref(), action == "allow") {
        Ok(true) => html_page(
            StatusCode::OK,
            "Signed in",
            "<p>You can close this page and go back to the device.</p>",
        ),
        Ok(false) => html_page(
            StatusCode::OK,
            "Declined",
            "<p>The device is not signed in.</p>",
        ),
        Err(error) => ask_code(&form.code, &error.to_string()),
    }
}

fn ask_code(code: &str, problem: &str) -> Response {
    let body = format!(
        "<p role=\"alert\">{}</p>\n<form method=\"post\">\n<label for=\"code\">Code shown by the device</label>\n\
         <input id=\"code\" name=\"code\" type=\"text\" autocomplete=\"off\" autocapitalize=\"characters\" \
         spellcheck=\"false\" value=\"{}\" autofocus>\n<div class=\"buttons\"><button>Next</button></div>\n</form>",
        escape(problem),
        escape(code),
    );
    let status = if problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    html_page(status, "Enter the code", &body)
}

/// The answer to a polling device.
pub(super) fn poll(
    shell: &Shell,
    headers: &HeaderMap,
    form: &super::token::TokenForm,
    app: &crate::registrations::Registration,
) -> Result<Value, TokenError> {
    use crate::signins::Poll;
    let code = form.device_code.as_deref().filter(|text| !text.is_empty());
    let code = code.ok_or_else(|| TokenError::missing("device_code"))?;
    let refused = |error, number, text| Err(TokenError::bad(error, number, text));
    match shell.with(|world, now| world.signins.poll(code, &app.client_id, now)) {
        Poll::Pending => refused(
            "authorization_pending",
            70_016,
            "Authorization is pending: the user has not answered yet.",
        ),
        Poll::SlowDown => refused(
            "slow_down",
            70_016,
            "The device polls too often: wait five seconds longer.",
        ),
        Poll::Declined => refused(
            "authorization_declined",
            65_004,
            "The user declined the sign-in.",
        ),
        Poll::Expired => refused(
            "expired_token",
            70_019,
            "The device code has expired: start over.",
        ),
        Poll::Unknown => refused(
            "bad_verification_code",
            70_018,
            "The device code is not known.",
        ),
        Poll::Granted(grant) => super::token::delegated(shell, headers, &grant, form),
    }
}
