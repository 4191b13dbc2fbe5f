//! The HTTP side: routes, limits, headers.

use std::time::Duration;

use axum::{
    Extension, Json, Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tower_http::csrf::CsrfLayer;

use crate::{
    access, api,
    app::Shared,
    assets, board, body_limits,
    caller::Caller,
    change_limit, client_ip, layout, my_account, open_id,
    organisation::{MAIN_TENANT, ORGANISATION},
    pages, preconditions,
    problem::{self, Problem},
    sign_in_page,
};

/// Graph puts many changes into one request.
const NOTIFICATIONS_MAX: usize = 1024 * 1024;
/// A body that takes longer to arrive is none.
const PATIENCE: Duration = Duration::from_secs(10);

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Everything that is served, with what every request passes.
pub(crate) fn router(shared: Shared) -> Router {
    let (routes, document) = api::routes();
    let read_only = document.read_only();
    let document = document.text();
    // A layer of a router wraps each of its routes by itself; the guard must be able to look at the same address by GET,
    // so it wraps the whole. What is nested this way is protected here: `route_layer` does not reach fallbacks.
    let known: Router = Router::new()
        .fallback_service(routes.with_state(shared.clone()))
        .layer(middleware::from_fn_with_state(
            shared.store_health.clone(),
            problem::report_store_refusals,
        ))
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            preconditions::guard,
        ))
        // The guard has bounded the body, also of what a page sends.
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(read_only));
    // Each change from outside is counted once: a form of a page, and not what the page asks of the API for it.
    let limit_changes = middleware::from_fn_with_state(shared.clone(), change_limit::limit);
    let api = Router::new()
        .fallback_service(known.clone())
        .layer(limit_changes.clone())
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            access::require,
        ));
    let protected = Router::new()
        .route("/", get(board::page))
        .route("/demo/day", get(board::day).put(board::set_day))
        .route("/me/teams", get(my_account::page))
        .route("/me/teams/code", post(my_account::code))
        .route("/me/teams/browser", get(my_account::browser))
        .route("/me/teams/return", get(my_account::returned))
        .route("/me/teams/confirm", post(my_account::confirmed))
        .route("/me/teams/forget", post(my_account::forget))
        .route("/sign-out", post(sign_in_page::end))
        .route("/metrics", get(metrics))
        .route_layer(limit_changes.clone())
        .merge(
            pages::routes()
                .route_layer(limit_changes)
                .route_layer(middleware::from_fn(pages::dress))
                .route_layer(Extension(pages::Routes(known))),
        )
        .route_layer(middleware::from_fn_with_state(
            shared.clone(),
            sign_in_page::require,
        ));
    Router::new()
        .merge(protected)
        .nest("/api/v1", api)
        .route("/api/v1/openapi.json", get(|| openapi(document)))
        .route("/open/{link}", get(sign_in_page::open_link))
        .route(
            "/sign-in",
            get(sign_in_page::page).post(sign_in_page::begin),
        )
        .route("/sign-in/open-id", get(sign_in_page::begin_open_id))
        .route(open_id::RETURN, get(sign_in_page::returned_open_id))
        .route("/language", post(layout::choose))
        .route("/api/v1/sign-in", post(api::session::begin))
        .route(agent_protocol::PATH, get(api::agents::connect))
        .route(agent_protocol::PAIR_PATH, post(api::agents::pair))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/assets/{name}", get(assets::serve))
        .layer(CsrfLayer::new())
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(body_limits::limit))
        // Graph's own: larger, and believed only by what is in it.
        .route("/teams/notifications", post(notified_main))
        .route("/teams/notifications/{tenant}", post(notified))
        .layer(middleware::from_fn_with_state(shared.clone(), headers))
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            client_ip::find,
        ))
        .with_state(shared)
}

async fn notified_main(state: State<Shared>, query: RawQuery, body: Body) -> Response {
    notified(state, Path(MAIN_TENANT.into()), query, body).await
}

/// Receives notifications of Graph, or the check of the address. The body is queued for the tenant's task.
async fn notified(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    let Some(notifications) = shared.teams.notifications.get(tenant.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Some(answer) = query
        .as_deref()
        .and_then(graph::notification::validation_answer)
    {
        return ([(header::CONTENT_TYPE, "text/plain")], answer).into_response();
    }
    let read = to_bytes(body, NOTIFICATIONS_MAX);
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(body)) => match notifications.send(body.into()) {
            true => StatusCode::ACCEPTED.into_response(),
            // Graph sends the body again.
            false => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// What the API is; open to everybody, as the source is.
async fn openapi(document: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document)
}

async fn headers(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let of_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if of_api {
        response = problem::dress(response).await;
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if shared.is_https() {
        // RFC 6797: browsers use https for the next year, whatever a link says.
        let value = HeaderValue::from_static("max-age=31536000");
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        // Proxies that gather an answer before they hand it on, as nginx by default, hand on no event at all.
        for (name, value) in [
            (HeaderName::from_static("x-accel-buffering"), "no"),
            (header::CACHE_CONTROL, "no-cache, no-transform"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
    }
    let kept = response.headers().contains_key(header::CACHE_CONTROL);
    if !kept {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Numbers of the whole organisation, for system administrators and keys with the scope `read`: what changes in them tells
/// when a person changes something whom the caller may not see.
async fn metrics(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    caller.require_admin_to_read(&shared.organisation, ORGANISATION)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], shared.metrics.text()))
}

/// Readiness, for all callers; the parts and their troubles, for system administrators and keys with the scope `read`.
async fn ready(State(shared): State<Shared>, headers: HeaderMap) -> impl IntoResponse {
    let parts = shared.health.parts();
    let ready = parts.values().all(Option::is_none);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut body = json!({ "ready": ready });
    let caller = shared.access.caller(&headers).await.ok().flatten();
    let may_read = caller.is_some_and(|caller| {
        caller
            .require_admin_to_read(&shared.organisation, ORGANISATION)
            .is_ok()
    });
    if may_read && let Some(body) = body.as_object_mut() {
        let parts = parts.into_iter().map(|(part, trouble)| match trouble {
            None => json!({ "part": part, "ready": true }),
            Some(trouble) => {
                json!({ "part": part, "ready": false, "what": trouble.what, "remedy": trouble.remedy })
            }
        });
        let under_way = shared.health.progress().into_iter();
        let under_way =
            under_way.map(|(part, what)| json!({ "part": part, "ready": true, "what": what }));
        body.insert("parts".into(), parts.chain(under_way).collect());
        let warnings = shared.health.warnings().into_iter();
        let warnings = warnings.map(|(part, warning)| {
            json!({ "part": part, "what": warning.what, "remedy": warning.remedy })
        });
        body.insert("warnings".into(), warnings.collect());
    }
    (status, Json(body))
}
