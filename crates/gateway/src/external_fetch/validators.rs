//! Validators of conditional requests (RFC 9110 §13): the ETag and the date of an answer.

use reqwest::{
    RequestBuilder,
    header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};

/// Longest value that is kept and sent back.
const VALUE_MAX: usize = 512;

/// The validators of an answer, sent back as they came. Empty: the request has no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

impl Validators {
    /// The validators of an answer.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let short = |value: &&HeaderValue| value.len() <= VALUE_MAX;
        Self {
            etag: headers.get(ETAG).filter(short).cloned(),
            last_modified: headers.get(LAST_MODIFIED).filter(short).cloned(),
        }
    }

    /// Makes a request conditional. The date counts only without an ETag (RFC 9110 §13.1.3); it is sent for servers that
    /// know nothing else.
    pub(super) fn add_to(&self, mut request: RequestBuilder) -> RequestBuilder {
        for (name, value) in [
            (IF_NONE_MATCH, &self.etag),
            (IF_MODIFIED_SINCE, &self.last_modified),
        ] {
            if let Some(value) = value {
                request = request.header(name, value.clone());
            }
        }
        request
    }
}
