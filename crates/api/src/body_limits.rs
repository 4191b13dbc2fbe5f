//! Largest bodies of requests.

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::Limited;

use crate::problem::Problem;

/// The largest body in bytes, except that of a table of people.
pub const BODY_MAX: usize = 64 * 1024;
/// The largest table of people in bytes.
pub const TABLE_MAX: usize = 8 * 1024 * 1024;
/// The largest table of people as text in a form, in bytes, with the form's other fields: one byte of Windows-1252 becomes up
/// to three of UTF-8, two bytes of UTF-16 up to three, and browsers send two for the end of a line.
const TABLE_TEXT_MAX: usize = 3 * TABLE_MAX + BODY_MAX;
/// Route of the API that takes a table.
const TABLE_PATH: &str = "/api/v1/people/import";
/// The page with the table as text in its form, and the path at which the page calls the API.
const TABLE_TEXT_PATHS: [&str; 2] = ["/admin/people", "/people/import"];

/// The largest body in bytes that a request to `path` may have.
pub fn body_max(path: &str) -> usize {
    if path == TABLE_PATH {
        TABLE_MAX
    } else if TABLE_TEXT_PATHS.contains(&path) {
        TABLE_TEXT_MAX
    } else {
        BODY_MAX
    }
}

/// Middleware: refuses (413) bodies that are too large; by `Content-Length`, if present, before reading them.
pub async fn limit(request: Request, next: Next) -> Response {
    let most = body_max(request.uri().path());
    match limited(request, most) {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// The request with its body limited to `most` bytes; refused (413) if its `Content-Length` is larger.
pub fn limited(request: Request, most: usize) -> Result<Request, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        let detail = format!("the body is larger than {most} bytes; send less at once");
        return Err(Problem::with_status(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    Ok(request.map(|body| Body::new(Limited::new(body, most))))
}

#[cfg(test)]
mod tests {
    use super::{BODY_MAX, TABLE_MAX, body_max};

    // The page has room for the text of every file that programs may send.
    #[test]
    fn the_text_of_a_table_may_be_larger_than_its_file() {
        assert_eq!(body_max("/api/v1/people/import"), TABLE_MAX);
        for path in ["/admin/people", "/people/import"] {
            assert_eq!(body_max(path), 3 * TABLE_MAX + BODY_MAX);
        }
        assert_eq!(body_max("/api/v1/people"), BODY_MAX);
        // The largest text that bytes become: Windows-1252, UTF-16, and the end of a line in a form.
        for (bytes, text) in [(1, "€".len()), (2, "\u{ffee}".len()), (1, "\r\n".len())] {
            assert!(text <= 3 * bytes);
        }
    }
}
