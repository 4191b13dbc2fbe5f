//! Compression of answers: pages, scripts, styles and JSON.
//!
//! The page of 10,000 people compresses to a sixteenth. Events are never compressed: they would wait for more of them.
//!
//! Secrets (BREACH, breachattack.com: who makes a browser send many requests, and sees the lengths of the encrypted
//! answers, can guess what an answer contains beside the attacker's own text):
//! - Forms have no secret tokens: requests of other sites are refused by their `Sec-Fetch-Site` and `Origin`.
//! - Keys, links and codes are shown once, in the answer to the request that made them, so that there is nothing to repeat.
//! - What else a page tells, such as names and presence, is read by requests of our own pages only: a request that another
//!   site caused, such as a link with a search text, gets its answer uncompressed.

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
};

/// Brotli's and gzip's effort, of 11 and 9.
const EFFORT: i32 = 4;
/// Smaller answers fit into a packet as they are, in bytes.
const LEAST: u64 = 1_024;

/// Starts of the content types that are compressed.
const KINDS: [&str; 7] = [
    "text/html",
    "text/css",
    "text/csv",
    "text/javascript",
    "application/json",
    "application/problem+json",
    "image/svg+xml",
];

/// The layer that compresses.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    let of_kind = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let kind = kind.unwrap_or_default();
        KINDS.iter().any(|known| kind.starts_with(known.as_bytes()))
    };
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(EFFORT))
        .compress_when(SizeAbove::new(LEAST).and(of_kind))
}

/// Middleware around the layer that compresses: see the module.
pub(crate) async fn guard(mut request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    if site.is_some_and(|site| site == "cross-site" || site == "same-site") {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(tag) = headers.get(header::ETAG)
        && tag.as_bytes().starts_with(b"\"")
    {
        // The tag names the uncompressed content, and these are other bytes.
        let weak = [b"W/", tag.as_bytes()].concat();
        if let Ok(weak) = HeaderValue::from_bytes(&weak) {
            headers.insert(header::ETAG, weak);
        }
    }
    response
}
