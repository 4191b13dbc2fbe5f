//! Microsoft Graph's presence calls over HTTP.
//!
//! The shell of the sub-modules: it reads the request, applies faults, has [`handle`] decide, and dresses the reply
//! with the headers every Graph reply carries. [`handle`] itself does no IO, so a batch can later call it per item.

mod error;
mod read;
mod route;
mod write;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use jiff::fmt::rfc2822::DateTimePrinter;

use self::error::GraphError;
pub(crate) use self::route::OPERATIONS;
use self::route::{Operation, Route, Target};
use crate::duration::timestamp;
use crate::faults::GraphFault;
use crate::guid::Guid;
use crate::journal::Detail;
use crate::keys::{Caller, Rejection};
use crate::shell::Shell;

/// The longest request body; 650 ids take 26 kB.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A reply before it becomes HTTP.
pub(crate) struct Reply {
    status: StatusCode,
    /// JSON, or empty.
    body: Vec<u8>,
    retry_after: Option<String>,
    allow: Option<&'static str>,
    /// For the journal.
    app: Option<Arc<str>>,
    user: Option<Guid>,
    count: Option<usize>,
}

impl Reply {
    fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            retry_after: None,
            allow: None,
            app: None,
            user: None,
            count: None,
        }
    }

    fn ok(body: Vec<u8>) -> Self {
        Self::new(StatusCode::OK, body)
    }

    fn of_user(self, user: Guid) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }
}

/// What a request is identified by in its reply.
struct Identity {
    request: String,
    client: Option<HeaderValue>,
}

/// The routes of Graph.
pub(crate) fn router() -> Router<Arc<Shell>> {
    Router::new()
        .route("/v1.0/{*path}", any(serve))
        .route("/beta/{*path}", any(serve))
}

async fn serve(State(shell): State<Arc<Shell>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let identity = Identity {
        request: Guid::random()
            .map(|guid| guid.to_string())
            .unwrap_or_default(),
        client: parts
            .headers
            .get("client-request-id")
            .filter(|id| id.len() <= 128)
            .cloned(),
    };
    let route = Route::parse(&parts.method, path);
    let operation = route.operation();
    let (delay, fault) = shell.with(|world, _| {
        (
            world.faults.delay_milliseconds,
            world.faults.hit_graph(operation),
        )
    });
    if let Some(delay) = delay {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await;
    let result = match (fault, body) {
        (Some(fault), _) => Err(refuse(fault)),
        (None, Err(_)) => Err(GraphError::too_large(BODY_BYTES_MAX)),
        (None, Ok(body)) => handle(&shell, &parts.method, path, &route, &parts.headers, &body),
    };
    let reply =
        result.unwrap_or_else(|error| error.into_reply(&identity, shell.clock.now_milliseconds()));
    let status = reply.status.as_u16();
    let request = Detail::request(
        parts.method.as_str(),
        path,
        status,
        reply.app.clone(),
        reply.count,
    );
    shell.with(|world, now| world.log_request(now, reply.user, request));
    dress(reply, identity, shell.clock.now_milliseconds())
}

/// Decides about one request.
fn handle(
    shell: &Shell,
    method: &Method,
    path: &str,
    route: &Route<'_>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Reply, GraphError> {
    let caller = authenticate(shell, headers)?;
    let app = Arc::clone(&caller.app);
    let decided = match route {
        Route::Unknown => Err(GraphError::not_emulated(method, path)),
        Route::WrongMethod { allow, .. } => Err(GraphError::wrong_method(method, path, allow)),
        Route::Call(_, Target::Me) => Err(GraphError::delegated_only()),
        Route::Call(Operation::GetUser, Target::User(id)) => read::user(shell, &caller, id),
        Route::Call(Operation::GetPresence, Target::User(id)) => read::presence(shell, &caller, id),
        Route::Call(Operation::GetPresencesByUserId, _) => read::presences(shell, &caller, body),
        Route::Call(operation, Target::User(id)) => {
            write::handle(shell, &caller, *operation, id, body)
        }
        Route::Call(_, Target::Nobody) => Err(GraphError::not_emulated(method, path)),
    };
    match decided {
        Ok(reply) => Ok(Reply {
            app: Some(app),
            ..reply
        }),
        Err(error) => Err(error.by(app)),
    }
}

fn authenticate(shell: &Shell, headers: &HeaderMap) -> Result<Arc<Caller>, GraphError> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        return Err(GraphError::token(
            "The request carries no access token: send Authorization: Bearer.",
        ));
    };
    shell
        .keys
        .check(token.trim(), shell.clock.now_milliseconds())
        .map_err(|rejection| {
            GraphError::token(match rejection {
                Rejection::Invalid => {
                    "The access token was not issued by this tenant or has been altered."
                }
                Rejection::Expired => "The access token has expired or is not valid yet.",
            })
        })
}

/// The refusal a test asked for, worded as Graph words it.
fn refuse(fault: GraphFault) -> GraphError {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let (code, message) = match fault.status {
        400 => ("BadRequest", "Bad request."),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "Forbidden"),
        404 => ("NotFound", "Not found."),
        409 => ("Conflict", "Conflict."),
        429 => ("TooManyRequests", "Please retry again later."),
        500 => ("InternalServerError", "Internal server error."),
        502 => ("BadGateway", "Bad gateway."),
        503 => ("ServiceUnavailable", "Service unavailable."),
        504 => ("GatewayTimeout", "Gateway timeout."),
        _ => (
            "UnknownError",
            "The emulator was asked to fail with this status.",
        ),
    };
    GraphError::new(status, code, message).retry_after(fault.retry_after)
}

fn dress(reply: Reply, identity: Identity, now: i64) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: Option<HeaderValue>| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    };
    let request_id = HeaderValue::from_str(&identity.request).ok();
    let client_id = identity.client.or_else(|| request_id.clone());
    put(HeaderName::from_static("request-id"), request_id);
    put(HeaderName::from_static("client-request-id"), client_id);
    let date = DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&timestamp(now))
        .ok();
    put(
        header::DATE,
        date.and_then(|date| HeaderValue::from_str(&date).ok()),
    );
    put(
        header::CACHE_CONTROL,
        Some(HeaderValue::from_static("no-cache")),
    );
    put(
        header::RETRY_AFTER,
        reply
            .retry_after
            .and_then(|value| HeaderValue::from_str(&value).ok()),
    );
    put(header::ALLOW, reply.allow.map(HeaderValue::from_static));
    if reply.status == StatusCode::UNAUTHORIZED {
        put(
            header::WWW_AUTHENTICATE,
            Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
        );
    }
    let json = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
    let typed = http_body_is_present(&response).then_some(HeaderValue::from_static(json));
    if let Some(typed) = typed {
        response.headers_mut().insert(header::CONTENT_TYPE, typed);
    }
    response
}

fn http_body_is_present(response: &Response) -> bool {
    !axum::body::HttpBody::is_end_stream(response.body())
}
