//! Style sheets and scripts of the pages, embedded in the binary.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

const ASSETS: &[(&str, &str, &str)] = &[
    (
        "app.css",
        "text/css; charset=utf-8",
        include_str!("../assets/app.css"),
    ),
    (
        "board.css",
        "text/css; charset=utf-8",
        include_str!("../assets/board.css"),
    ),
    (
        "board.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/board.js"),
    ),
    (
        "demo.css",
        "text/css; charset=utf-8",
        include_str!("../assets/demo.css"),
    ),
    (
        "demo.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/demo.js"),
    ),
    (
        "page.css",
        "text/css; charset=utf-8",
        include_str!("../assets/page.css"),
    ),
    (
        "page.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/page.js"),
    ),
    (
        "board-filter.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/board-filter.js"),
    ),
    (
        "board-rows.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/board-rows.js"),
    ),
    (
        "status-line.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/status-line.js"),
    ),
    (
        "card.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/card.js"),
    ),
    (
        "search.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/search.js"),
    ),
    (
        "time.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/time.js"),
    ),
    (
        "stream.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/stream.js"),
    ),
    (
        "stream-worker.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/stream-worker.js"),
    ),
    (
        "words.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/words.js"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../assets/icon.svg"),
    ),
    (
        "app.webmanifest",
        "application/manifest+json",
        include_str!("../assets/app.webmanifest"),
    ),
];

/// `GET /assets/{name}`: an embedded file.
pub async fn serve(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(asset, ..)| *asset == name) {
        // Browsers revalidate for each page: the files are small, and change with the version.
        Some((_, kind, body)) => (
            [
                (header::CONTENT_TYPE, *kind),
                (header::CACHE_CONTROL, "no-cache"),
            ],
            *body,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
