//! The control plane of the emulator, under `/box/v1`.
//!
//! It needs no sign-in, and accepts requests of this machine's own programs only: the `Host` header must name loopback, the
//! bound address or a configured name, and so must the `Origin` that a browser sends. A foreign page that rebinds its DNS
//! name to loopback still sends its own name.

mod apps;
mod clock;
mod device;
mod events;
mod faults;
mod groups;
mod journal;
mod keys;
mod knobs;
mod person;
mod subscriptions;
mod tenants;
mod users;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{FromRef, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, delete, get, post, put},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    error::{ControlError, ControlErrorKind},
    journal::Detail,
    shell::Shell,
    tenants::Tenants,
};

/// The guard of the control plane, which compares `Host` and `Origin`.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) shell: Arc<Shell>,
}

/// The routes of the control plane and the page, behind the guard.
pub(crate) fn router(shell: Arc<Shell>) -> Router<Tenants> {
    let guard = Guard { shell };
    calls()
        .route("/box/v1/tenants", get(tenants::list).post(tenants::create))
        .route("/box/v1/tenants/{tenant}/{*rest}", any(tenants::dispatch))
        .route("/box/v1/{*rest}", any(nothing_here))
        .method_not_allowed_fallback(wrong_method)
        .merge(crate::page::router())
        .layer(from_fn_with_state(guard, watch))
}

/// The routes for one tenant.
fn calls<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Shell>: FromRef<S>,
{
    let user = "/box/v1/users/{id}";
    Router::new()
        .route("/box/v1/users", get(users::list).post(users::create))
        .route(
            user,
            get(users::show)
                .patch(person::change)
                .delete(person::delete),
        )
        .route(&format!("{user}/calendar"), post(person::plan))
        .route(
            &format!("{user}/calendar/{{entry}}"),
            delete(person::unplan),
        )
        .route(&format!("{user}/revoke"), post(person::revoke))
        .route(
            &format!("{user}/clients"),
            post(users::sign_in_desktop).delete(users::sign_out_all),
        )
        .route(
            &format!("{user}/clients/{{device}}"),
            post(users::sign_in)
                .delete(users::sign_out)
                .put(users::attend),
        )
        .route(
            &format!("{user}/call"),
            put(users::start_call).delete(users::end_call),
        )
        .route(
            &format!("{user}/sharing"),
            put(users::start_sharing).delete(users::stop_sharing),
        )
        .route(
            &format!("{user}/manual"),
            put(users::set_manual).delete(users::clear_manual),
        )
        .route("/box/v1/clock", get(clock::show).post(clock::change))
        .route("/box/v1/faults", get(faults::show).put(faults::replace))
        .route("/box/v1/journal", get(journal::page))
        .route("/box/v1/journal/events", get(journal::stream))
        .route("/box/v1/events", get(events::stream))
        .route(
            "/box/v1/knobs",
            get(knobs::show).put(knobs::replace).patch(knobs::change),
        )
        .route("/box/v1/apps", get(apps::list).post(apps::put))
        .route("/box/v1/keys", get(keys::show))
        .route("/box/v1/keys/rotate", post(keys::rotate))
        .route("/box/v1/device", post(device::answer))
        .route("/box/v1/groups", get(groups::list).post(groups::create))
        .route("/box/v1/groups/{id}", put(groups::replace))
        .route("/box/v1/subscriptions", get(subscriptions::list))
        .route(
            "/box/v1/subscriptions/{id}/lifecycle",
            post(subscriptions::lifecycle),
        )
}

async fn watch(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if let Err(error) = guard.admit(request.headers()) {
        return error.into_response();
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    // Reads of the control plane are not recorded: a client that polls the journal would fill it.
    if method != Method::GET && method != Method::HEAD {
        let status = response.status().as_u16();
        let detail = Detail::request(method.as_str(), &path, status, None, None);
        guard
            .shell
            .with(|world, now| world.log_request(now, None, detail));
    }
    response
}

impl Guard {
    fn admit(&self, headers: &HeaderMap) -> Result<(), ControlError> {
        let text = |name| {
            headers
                .get(name)
                .map(|value: &HeaderValue| value.to_str().unwrap_or_default())
        };
        let host = text(header::HOST).unwrap_or_default();
        let origin = text(header::ORIGIN)
            .map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
        for (field, value) in [("Host", Some(host)), ("Origin", origin)] {
            if let Some(value) = value.filter(|value| !self.trusts(value)) {
                return Err(ControlError::new(
                    ControlErrorKind::Forbidden,
                    field,
                    value,
                    "is neither loopback nor the bound address",
                    format!(
                        "use {}://{}, or start with --allow-host NAME",
                        self.shell.host.scheme, self.shell.host.address
                    ),
                ));
            }
        }
        Ok(())
    }

    fn trusts(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        if let Ok(address) = name.parse::<IpAddr>() {
            // A listener on all addresses accepts any address of this machine. DNS rebinding needs a name.
            return address.is_loopback()
                || address == self.shell.host.address.ip()
                || self.shell.host.address.ip().is_unspecified();
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || self.shell.host.allowed_hosts.contains(&name)
    }
}

async fn nothing_here(request: Request) -> ControlError {
    ControlError::new(
        ControlErrorKind::NotFound,
        "path",
        request.uri().path(),
        "is not part of the control plane",
        "see the README of teamsbox for the calls there are",
    )
}

async fn wrong_method(method: Method) -> ControlError {
    let remedy = "see the README of teamsbox for the calls there are";
    ControlError::new(
        ControlErrorKind::Method,
        "method",
        method.as_str(),
        "does not go with this path",
        remedy,
    )
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, title) = match self.kind {
            ControlErrorKind::Invalid => (StatusCode::BAD_REQUEST, "Invalid request"),
            ControlErrorKind::Method => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            ControlErrorKind::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            ControlErrorKind::Conflict => (StatusCode::CONFLICT, "Conflict"),
            ControlErrorKind::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
        };
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "detail": self.to_string(),
            "field": self.field,
            "value": self.value,
            "remedy": self.remedy,
        });
        let mut response = (status, Body::from(body.to_string())).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}

/// Parses a JSON object. Ignores the content type, because `curl -d` sends another one.
pub(crate) fn object<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
    let remedy = "send a JSON object with the members described in the README of teamsbox";
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(ControlError::invalid(
            "body",
            "",
            "is not a JSON object",
            remedy,
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        ControlError::invalid("body", "", &format!("cannot be read ({error})"), remedy)
    })
}

/// [`object`] that accepts an empty body as an empty object.
pub(crate) fn object_or_nothing<T: DeserializeOwned + Default>(
    body: &Bytes,
) -> Result<T, ControlError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        Ok(T::default())
    } else {
        object(body)
    }
}
