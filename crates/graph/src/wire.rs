//! Graph's error envelope in JSON, and helpers for all bodies. Unknown members are ignored.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorDetail,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ErrorDetail {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// Removes the byte order mark that some writers put in front of JSON (RFC 8259, 8.1: parsers may ignore it).
pub(crate) fn without_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json)
}

/// The first `most` characters without control characters.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(most)
        .collect()
}
