//! Errors of the API as `application/problem+json` (RFC 9457): what is wrong, with which value, and what to do.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    /// The field that is wrong, if one is.
    field: Option<&'static str>,
}

impl Problem {
    pub(crate) fn unauthorized() -> Self {
        let detail = "send the API key as `Authorization: Bearer KEY`, or open the board by its one-time link first";
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail)
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
            field: Some(field),
            ..problem
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed request", detail)
    }

    pub(crate) fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not possible now", detail)
    }

    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            field: None,
        }
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
            body.insert("field".into(), field.into());
        }
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
        }
        response
    }
}
