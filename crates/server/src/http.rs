//! The HTTP router: routes, limits, response headers.

use api::{
    self, ApiState, access, body_limits, change_limit, client_ip, notifications, open_id,
    preconditions, problem, public_url::PublicUrl, status,
};
use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::csrf::CsrfLayer;
use web::{
    assets, board, layout, my_account, own_status_menu, pages, sign_in_page,
    web_state::{self, WebState},
};

use crate::compression;

/// Policy of all answers.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// Policy of all answers of the demo, whose page shows other pages of the same server in a frame.
const POLICY_OF_DEMO: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'self'; \
     base-uri 'none'";

/// The router of all routes, with the middleware of every request.
pub(crate) fn router(state: WebState) -> Router {
    let parts = state.api.parts();
    let (routes, document) = api::routes();
    let read_only = document.read_only();
    let document = document.text();
    // A layer of a router wraps each of its routes on its own; the preconditions guard must be able to GET the address
    // of a change, so it wraps the whole router. Nested routes get their protection here: `route_layer` does not reach
    // fallbacks.
    let known: Router = Router::new()
        .fallback_service(routes.with_state(state.api.clone()))
        .layer(middleware::from_fn_with_state(
            parts.context.store_health.clone(),
            problem::report_store_refusals,
        ))
        .layer(middleware::from_fn_with_state(
            parts.preconditions.clone(),
            preconditions::guard,
        ))
        // The preconditions guard has bounded the body, also for requests from pages.
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(read_only));
    // Counts each change once: the form of a page, but not the API request that the page makes for it.
    let limit_changes =
        middleware::from_fn_with_state(parts.change_limit.clone(), change_limit::limit);
    let require = middleware::from_fn_with_state(parts.access.clone(), access::require);
    let api = Router::new()
        .fallback_service(known.clone())
        .layer(limit_changes.clone())
        .layer(require);
    let pages = pages::routes()
        .route_layer(limit_changes.clone())
        .route_layer(middleware::from_fn(pages::dress))
        .route_layer(Extension(pages::Routes(known)));
    let of_demo = match state.demo {
        Some(_) => web_state::demo_routes(),
        None => Router::new(),
    };
    let without_bar = routes_without_bar()
        .merge(of_demo)
        .route_layer(limit_changes.clone());
    let protected = protected_routes()
        .route_layer(limit_changes)
        .merge(pages)
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            own_status_menu::know,
        ))
        .merge(without_bar)
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            sign_in_page::require,
        ));
    let (public_url, proxies) = (parts.public_url.clone(), parts.proxies.clone());
    let policy = match state.demo {
        Some(_) => POLICY_OF_DEMO,
        None => CONTENT_SECURITY_POLICY,
    };
    Router::new()
        .merge(protected)
        .merge(open_pages())
        .with_state(state.clone())
        .nest("/api/v1", api)
        .merge(open_routes(document).with_state(state.api.clone()))
        .layer(CsrfLayer::new())
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(body_limits::limit))
        // Graph's notifications have a larger body limit, and authenticate by their content.
        .merge(notification_routes().with_state(state.api))
        .layer(middleware::from_fn_with_state((public_url, policy), headers))
        .layer(compression::layer())
        .layer(middleware::from_fn(compression::guard))
        .layer(middleware::from_fn_with_state(proxies, client_ip::set_client_ip))
}

/// Routes that require a signed-in person or program, and have no page with the caller's own status in its bar.
fn routes_without_bar() -> Router<WebState> {
    Router::new()
        .route("/rows", get(board::some_rows))
        .route("/people/{person}/chat", get(board::chat))
        .route("/sign-out", post(sign_in_page::end))
        .route("/metrics", get(status::metrics))
}

/// Pages that require a signed-in person or program, beside [`pages::routes`].
fn protected_routes() -> Router<WebState> {
    Router::new()
        .route("/", get(board::page))
        .route("/me/menu", get(own_status_menu::menu))
        .route("/me/teams", get(my_account::page))
        .route("/me/teams/code", post(my_account::code))
        .route("/me/teams/browser", get(my_account::browser))
        .route("/me/teams/return", get(my_account::returned))
        .route("/me/teams/confirm", post(my_account::confirmed))
        .route("/me/teams/forget", post(my_account::forget))
}

/// Pages that require no sign-in.
fn open_pages() -> Router<WebState> {
    Router::new()
        .route("/open/{link}", get(sign_in_page::open_link))
        .route(
            "/sign-in",
            get(sign_in_page::page).post(sign_in_page::begin),
        )
        .route("/sign-in/open-id", get(sign_in_page::begin_open_id))
        .route(open_id::RETURN, get(sign_in_page::returned_open_id))
        .route("/icon/{status}", get(own_status_menu::icon))
        .route("/language", post(layout::choose))
        .route("/assets/{name}", get(assets::serve))
        .route("/assets/{version}/{name}", get(assets::serve_version))
}

/// Routes for programs, with their own authentication or without any.
fn open_routes(document: String) -> Router<ApiState> {
    Router::new()
        .route("/api/v1/openapi.json", get(|| openapi(document)))
        .route("/api/v1/sign-in", post(api::session::begin))
        .route(agent_protocol::PATH, get(api::agents::connect))
        .route(agent_protocol::PAIR_PATH, post(api::agents::pair))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(status::ready))
}

/// Routes of Microsoft Graph's change notifications.
fn notification_routes() -> Router<ApiState> {
    Router::new()
        .route("/teams/notifications", post(notifications::receive_main))
        .route(
            "/teams/notifications/{tenant}",
            post(notifications::receive),
        )
}

/// The OpenAPI document; public, as the source code is.
async fn openapi(document: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document)
}

async fn headers(
    State((public_url, policy)): State<(PublicUrl, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let of_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if of_api {
        response = problem::convert_refusal(response).await;
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
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
    if public_url.is_https() {
        // RFC 6797 (HSTS): browsers use https for a year, even for http links.
        let value = HeaderValue::from_static("max-age=31536000");
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        // Without these headers, proxies that buffer responses, as nginx does by default, never deliver an event.
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
