//! One's own status in every page: the middleware that reads it, the menu without a page, the icon of the browser's tab.

use std::sync::Arc;

use api::{caller::Caller, problem::Problem};
use askama::Template;
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use presence::Status;

use crate::{
    layout::{self, Layout},
    own_status::{OwnStatus, status_icon},
    pages::page_context::zone,
    texts::Texts,
    web_state::WebState,
};

/// Middleware of pages: reads the caller's own status for the bar.
pub async fn know(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    if let Some(caller) = caller
        && let Some(person) = caller.person
    {
        let words = Texts(layout::language(request.headers()));
        let zone = zone(request.headers());
        let parts = state.api.parts();
        let from = (&parts.context, &parts.event_streams);
        let own = OwnStatus::new(from, &caller, person, words, &zone).await;
        if let Some(own) = own {
            request.extensions_mut().insert(Arc::new(own));
        }
    }
    next.run(request).await
}

/// Button and menu without the page around them.
#[derive(Template)]
#[template(path = "own_status.html")]
struct OwnStatusParts {
    layout: Layout,
}

/// `GET /me/menu`: the button and the menu, which the script puts into an open page when one's own status has changed.
pub async fn menu(layout: Layout) -> Result<Response, Problem> {
    layout::render(StatusCode::OK, &OwnStatusParts { layout })
}

/// `GET /icon/{status}`: the icon of the browser's tab with the status on it.
pub async fn icon(Path(status): Path<String>) -> Response {
    let status = status.strip_suffix(".svg").unwrap_or(&status);
    let known = Status::ALL.into_iter().find(|known| known.name() == status);
    let Some(status) = known else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "max-age=86400"),
    ];
    (headers, status_icon(status)).into_response()
}
