//! The part of Microsoft Graph that presence needs, over HTTP.
//!
//! This module reads the request, finds the tenant, applies faults and limits, lets [`handle`] decide, and adds the headers
//! of every Graph answer. Items of a batch take the same path.

mod batch;
mod delta;
mod directory;
mod error;
mod fault;
mod filter;
mod personal;
mod query;
mod read;
mod route;
mod subscriptions;
mod write;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::any,
};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

pub(crate) use self::route::OPERATIONS;
use self::{
    error::GraphError,
    query::Query,
    route::{Operation, Route},
};
use crate::{
    connection::Cut,
    duration::{Milliseconds, SECOND, timestamp},
    guid::Guid,
    journal::Detail,
    keys::Rejection,
    knobs::{Cloud, RetryAfter},
    permissions::Caller,
    shell::Shell,
    tenants::Tenants,
    throttle::Bucket,
    world::World,
};

/// The most bytes of a request body; 650 ids take 26 kB.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// An answer before its conversion to HTTP.
pub(crate) struct Reply {
    status: StatusCode,
    /// JSON or empty, unless `content_type` is set.
    body: Vec<u8>,
    /// Content type of a body that is not Graph's.
    content_type: Option<&'static str>,
    /// True if the connection is closed without an answer.
    closed: bool,
    retry_after: Option<String>,
    allow: Option<String>,
    location: Option<String>,
    /// Cost of a read of the directory, in resource units.
    units: Option<u64>,
    /// Names of the faults that changed the answer, for the journal.
    spoilt: Option<String>,
    app: Option<Arc<str>>,
    user: Option<Guid>,
    count: Option<usize>,
}

impl Reply {
    fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            content_type: None,
            closed: false,
            retry_after: None,
            allow: None,
            location: None,
            units: None,
            spoilt: None,
            app: None,
            user: None,
            count: None,
        }
    }

    fn ok(body: Vec<u8>) -> Self {
        Self::new(StatusCode::OK, body)
    }

    fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, body.to_string().into_bytes())
    }

    fn of_user(self, user: Guid) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }
}

/// The ids of a request in its answer.
struct Identity {
    request: String,
    client: Option<HeaderValue>,
}

impl Identity {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            request: Guid::random()
                .map(|guid| guid.to_string())
                .unwrap_or_default(),
            client: client_request_id(headers).cloned(),
        }
    }
}

/// The id that the client gave the request, unless it is too long.
fn client_request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers
        .get("client-request-id")
        .filter(|id| id.len() <= 128)
}

/// One call: a request, or an item of a batch.
struct Call<'a> {
    method: &'a Method,
    /// Path with the version segment, without the query.
    path: &'a str,
    query: Query,
    /// The query, not decoded.
    query_text: &'a str,
    headers: &'a HeaderMap,
    body: &'a Bytes,
    /// True for an item of a batch.
    batched: bool,
    /// The base URL under which the caller reaches the emulator.
    base: &'a str,
}

/// The routes of Graph.
pub(crate) fn router() -> Router<Tenants> {
    Router::new()
        .route("/v1.0/{*path}", any(serve))
        .route("/beta/{*path}", any(serve))
}

async fn serve(State(tenants): State<Tenants>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let identity = Identity::of(&parts.headers);
    let caller = authenticate(tenants.first(), &parts.headers);
    // The token names the tenant; without a valid token it is the first one.
    let tenant = caller
        .as_ref()
        .ok()
        .and_then(|caller| tenants.by_id(caller.tenant));
    let shell = tenant.unwrap_or_else(|| Arc::clone(tenants.first()));
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await;
    let base = shell.host.base(&parts.headers);
    let bytes = body.as_ref().cloned().unwrap_or_default();
    let query_text = parts.uri.query().unwrap_or_default();
    let call = Call {
        method: &parts.method,
        path,
        query: Query::parse(query_text),
        query_text,
        headers: &parts.headers,
        body: &bytes,
        batched: false,
        base: &base,
    };
    let route = Route::parse(call.method, call.path);
    let caller = match body {
        Ok(_) => caller,
        Err(_) => Err(GraphError::too_large(BODY_BYTES_MAX)),
    };
    let reply = match (&route, caller) {
        (Route::Call(Operation::Batch, _), Ok(caller)) => {
            let decided = batch::handle(&shell, &caller, &call);
            through_faults(&shell, &call, &route, &identity, decided).await
        }
        (_, caller) => answer(&shell, caller, &call, &route, &identity).await,
    };
    if reply.closed
        && let Some(ConnectInfo(cut)) = parts.extensions.get::<ConnectInfo<Cut>>()
    {
        cut.cut();
    }
    dress(reply, identity, shell.clock().now_milliseconds())
}

/// Answers a call as decided, unless a fault matches it, and records it in the journal.
async fn through_faults(
    shell: &Shell,
    call: &Call<'_>,
    route: &Route<'_>,
    identity: &Identity,
    decided: impl Future<Output = Result<Reply, GraphError>>,
) -> Reply {
    let fault = fault::hit(shell, call, route).await;
    let decided = async {
        let reply = decided.await;
        reply.unwrap_or_else(|error| error.into_reply(identity, shell.clock().now_milliseconds()))
    };
    let now = || shell.clock().now_milliseconds();
    let reply = match &fault {
        None => fault::spoil(decided.await, shell, call, route),
        Some(fault) => {
            let carried_out = if fault.carried_out {
                Some(decided.await)
            } else {
                None
            };
            fault::reply(fault, carried_out, identity, now())
        }
    };
    log(shell, call, &reply);
    reply
}

/// Answers a call and records it in the journal.
async fn answer(
    shell: &Arc<Shell>,
    caller: Result<Arc<Caller>, GraphError>,
    call: &Call<'_>,
    route: &Route<'_>,
    identity: &Identity,
) -> Reply {
    let decided = async {
        let caller = caller?;
        let app = Arc::clone(&caller.app);
        let decided = match throttle(shell, &caller, call, route) {
            Ok(units) => handle(shell, &caller, call, route)
                .await
                .map(|reply| Reply { units, ..reply }),
            Err(error) => Err(error),
        };
        match decided {
            Ok(reply) => Ok(Reply {
                app: Some(app),
                ..reply
            }),
            Err(error) => Err(error.by(app)),
        }
    };
    through_faults(shell, call, route, identity, decided).await
}

fn log(shell: &Shell, call: &Call<'_>, reply: &Reply) {
    let request = Detail::request(
        call.method.as_str(),
        call.path,
        reply.status.as_u16(),
        reply.app.clone(),
        reply.count,
    )
    .with_client_request_id(client_request_id(call.headers).and_then(|id| id.to_str().ok()))
    .with_faults(reply.spoilt.as_deref());
    shell.with(|world, now| world.log_request(now, reply.user, request));
}

/// Decides a request.
async fn handle(
    shell: &Arc<Shell>,
    caller: &Arc<Caller>,
    call: &Call<'_>,
    route: &Route<'_>,
) -> Result<Reply, GraphError> {
    use Operation as Op;
    let (operation, target) = match route {
        Route::Unknown => return Err(GraphError::not_emulated(call.method, call.path)),
        Route::WrongMethod { allow, .. } => {
            return Err(GraphError::wrong_method(call.method, call.path, allow));
        }
        Route::Call(operation, target) => (*operation, *target),
    };
    let cloud = shell.with(|world, _| world.knobs.cloud);
    if cloud == Cloud::China && operation.is_presence() {
        let message = "Resource not found for the segment 'presence'.";
        return Err(GraphError::unreadable(message));
    }
    match operation {
        Op::GetUser => directory::user(shell, caller, target, call),
        Op::ListUsers => directory::list(shell, caller, call),
        Op::UsersDelta => delta::users(shell, caller, call),
        Op::ListGroups => directory::groups(shell, caller),
        Op::GetGroup => directory::group(shell, caller, target),
        Op::ListMembers => directory::members(shell, caller, target, call, false),
        Op::ListTransitiveMembers => directory::members(shell, caller, target, call, true),
        Op::GetPresence => read::presence(shell, caller, target),
        Op::GetPresencesByUserId => read::presences(shell, caller, call.body),
        Op::SetPresence
        | Op::ClearPresence
        | Op::SetUserPreferredPresence
        | Op::ClearUserPreferredPresence => {
            write::handle(shell, caller, operation, target, call.body)
        }
        Op::SetStatusMessage => personal::set_status(shell, caller, target, call.body),
        Op::SetManualLocation
        | Op::SetAutomaticLocation
        | Op::ClearAutomaticLocation
        | Op::ClearLocation => personal::set_location(shell, caller, operation, target, call.body),
        Op::CreateSubscription => subscriptions::create(shell, caller, call.body).await,
        Op::ListSubscriptions => subscriptions::list(shell, caller),
        Op::GetSubscription => subscriptions::get(shell, caller, target),
        Op::UpdateSubscription => subscriptions::update(shell, caller, target, call.body).await,
        Op::DeleteSubscription => subscriptions::delete(shell, caller, target),
        Op::Reauthorize => subscriptions::reauthorize(shell, caller, target),
        Op::Batch => Err(GraphError::unreadable("A batch cannot hold a batch.")),
    }
}

/// Counts a call against its limit; returns the cost of a read of the directory.
fn throttle(
    shell: &Shell,
    caller: &Caller,
    call: &Call<'_>,
    route: &Route<'_>,
) -> Result<Option<u64>, GraphError> {
    let Route::Call(operation, _) = route else {
        return Ok(None);
    };
    shell.with(|world, now| {
        let knobs = &world.knobs;
        let (bucket, units, limit) = match operation {
            operation if operation.is_presence() => {
                (Bucket::Presence, 1, u64::from(knobs.presence_limit))
            }
            Operation::ListSubscriptions => (
                Bucket::SubscriptionLists,
                1,
                u64::from(knobs.subscription_list_limit),
            ),
            Operation::CreateSubscription
            | Operation::GetSubscription
            | Operation::UpdateSubscription
            | Operation::DeleteSubscription
            | Operation::Reauthorize => (
                Bucket::Subscriptions,
                1,
                u64::from(knobs.subscription_limit),
            ),
            Operation::Batch => return Ok(None),
            _ => (
                Bucket::Directory,
                directory::units(*operation, call),
                directory_limit(world),
            ),
        };
        let directory = bucket == Bucket::Directory;
        match world.throttle.call(&caller.app, bucket, units, limit, now) {
            None => Ok(directory.then_some(units)),
            Some(wait) => Err(GraphError::throttled(retry_after(
                world.knobs.retry_after,
                wait,
            ))),
        }
    })
}

/// Resource units of directory reads in ten seconds, by the number of people.
fn directory_limit(world: &World) -> u64 {
    let by_size = match world.tenant.users.len() {
        0..50 => 3_500,
        50..=500 => 5_000,
        _ => 8_000,
    };
    world.knobs.directory_limit.map_or(by_size, u64::from)
}

fn retry_after(form: RetryAfter, wait: Milliseconds) -> Option<String> {
    match form {
        RetryAfter::Integer => Some(((wait + SECOND - 1) / SECOND).to_string()),
        RetryAfter::Decimal => Some(format!("{}.{:03}", wait / SECOND, wait % SECOND)),
        _ => None,
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
        .keys()
        .check(token.trim(), shell.clock().now_milliseconds())
        .map_err(|rejection| {
            GraphError::token(match rejection {
                Rejection::Invalid => {
                    "The access token was not issued by this tenant or has been altered."
                }
                Rejection::Expired => "The access token has expired or is not valid yet.",
            })
        })
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
    let text = |value: Option<String>| value.and_then(|value| HeaderValue::from_str(&value).ok());
    put(header::ALLOW, text(reply.allow));
    put(header::LOCATION, text(reply.location));
    let units = text(reply.units.map(|units| units.to_string()));
    put(HeaderName::from_static("x-ms-resource-unit"), units);
    if reply.status == StatusCode::UNAUTHORIZED {
        put(
            header::WWW_AUTHENTICATE,
            Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
        );
    }
    let json = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
    let typed = HeaderValue::from_static(reply.content_type.unwrap_or(json));
    let typed = http_body_is_present(&response).then_some(typed);
    if let Some(typed) = typed {
        response.headers_mut().insert(header::CONTENT_TYPE, typed);
    }
    response
}

fn http_body_is_present(response: &Response) -> bool {
    !axum::body::HttpBody::is_end_stream(response.body())
}
