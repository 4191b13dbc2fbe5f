//! Graph's error envelope.

use std::{borrow::Cow, sync::Arc};

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{Identity, Reply};
use crate::{
    duration::{Milliseconds, timestamp},
    guid::Guid,
};

/// The most characters of a path or value in an error.
const QUOTED_MAX: usize = 200;

/// An error of Graph. Boxed, because most requests succeed and results should stay small.
#[derive(Debug)]
pub(super) struct GraphError(Box<Content>);

#[derive(Debug)]
struct Content {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    retry_after: Option<String>,
    location: Option<String>,
    allow: Option<String>,
    app: Option<Arc<str>>,
    user: Option<Guid>,
}

impl GraphError {
    pub(super) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        let (code, message) = (code.into(), message.into());
        Self(Box::new(Content {
            status,
            code,
            message,
            retry_after: None,
            location: None,
            allow: None,
            app: None,
            user: None,
        }))
    }

    /// The error of an invalid value in the body.
    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    /// The error of a body that cannot be parsed.
    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message =
            format!("The request body could not be read in full or is longer than {limit} bytes.");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            message,
        )
    }

    pub(super) fn token(message: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            message,
        )
    }

    /// The error of a missing permission.
    pub(super) fn forbidden(needed: &str) -> Self {
        let message = format!("Forbidden: the access token lacks the permission {needed}.");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// The error of a missing permission, in the form of the directory.
    pub(super) fn denied(needed: &str) -> Self {
        let message = format!(
            "Insufficient privileges to complete the operation: the access token lacks {needed}."
        );
        Self::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            message,
        )
    }

    /// The error of an unsupported query of the directory.
    pub(super) fn query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    /// The error of a missing or invalid property of a subscription.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    /// The error of an id that is not in the directory.
    pub(super) fn not_in_directory(id: &str) -> Self {
        let id: String = id.chars().take(QUOTED_MAX).collect();
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    /// The error of a throttled call.
    pub(super) fn throttled(retry_after: Option<String>) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "TooManyRequests", "Please retry again later.").retry_after(retry_after)
    }

    /// Adds the header `Location`.
    pub(super) fn location(mut self, location: String) -> Self {
        self.0.location = Some(location);
        self
    }

    pub(super) fn unknown_user(id: &str) -> Self {
        let id: String = id.chars().take(QUOTED_MAX).collect();
        let message = format!(
            "No user has the object id '{id}'. Presence takes object ids, not user principal names."
        );
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// The error of a list with an invalid id. Graph does not name the id.
    pub(super) fn unusable_ids() -> Self {
        Self::unreadable("One or more of the ids are invalid.")
    }

    pub(super) fn delegated_only() -> Self {
        let message = "/me needs a token of a signed-in user; with an application's token name the user by object id.";
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn not_emulated(method: &Method, path: &str) -> Self {
        let path: String = path.chars().take(QUOTED_MAX).collect();
        let message = format!(
            "Teamsbox does not emulate {method} {path}. It emulates the calls about presence, subscriptions and the directory listed in its README."
        );
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    pub(super) fn wrong_method(method: &Method, path: &str, allow: &str) -> Self {
        let path: String = path.chars().take(QUOTED_MAX).collect();
        let message = format!("{path} takes {allow}, not {method}.");
        let mut error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message);
        error.0.allow = Some(allow.to_owned());
        error
    }

    pub(super) fn retry_after(mut self, retry_after: Option<String>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Adds the calling application, for the journal.
    pub(super) fn by(mut self, app: Arc<str>) -> Self {
        self.0.app = Some(app);
        self
    }

    /// Adds the affected user, for the journal.
    pub(super) fn of_user(mut self, user: Guid) -> Self {
        self.0.user = Some(user);
        self
    }

    /// The answer with the error in Graph's envelope.
    pub(super) fn into_reply(self, identity: &Identity, now: Milliseconds) -> Reply {
        let content = *self.0;
        let client = identity
            .client
            .as_ref()
            .and_then(|id| id.to_str().ok())
            .unwrap_or(&identity.request);
        let mut inner = json!({
            "date": timestamp(now).strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            "request-id": identity.request,
            "client-request-id": client,
        });
        if content.status == StatusCode::TOO_MANY_REQUESTS {
            inner["code"] = json!("429");
            inner["status"] = json!("429");
            inner["message"] = json!("Please retry after");
        }
        let body = json!({ "error": { "code": content.code, "message": content.message, "innerError": inner } });
        Reply {
            retry_after: content.retry_after,
            allow: content.allow,
            location: content.location,
            app: content.app,
            user: content.user,
            ..Reply::new(content.status, body.to_string().into_bytes())
        }
    }
}
