//! Writes messages, which are always well-formed.

use std::{
    fmt::{Display, Write as _},
    net::SocketAddr,
};

use super::{MESSAGE_BYTES_MAX, Message, header::first_of_list};

/// The reason for which a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A value holds a line end or another control character: it could forge a header.
    #[error("header {0} would contain a control character")]
    ControlCharacter(String),
    /// Longer than [`MESSAGE_BYTES_MAX`].
    #[error("message of {0} bytes is longer than {MESSAGE_BYTES_MAX}")]
    TooLong(usize),
}

/// Builds one message; the Content-Length is always correct, and the last header.
#[derive(Clone, Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    error: Option<WriteError>,
}

impl Writer {
    /// Starts a request.
    pub fn request(method: &str, uri: &str) -> Self {
        let mut writer = Self {
            bytes: Vec::with_capacity(512),
            error: None,
        };
        writer.line("Request-Line", format_args!("{method} {uri} SIP/2.0"));
        writer
    }

    /// Starts a response with the usual reason phrase.
    pub fn response(code: u16) -> Self {
        Self::response_with_reason(code, reason_phrase(code))
    }

    /// Starts a response with another reason phrase.
    pub fn response_with_reason(code: u16, reason: &str) -> Self {
        let mut writer = Self {
            bytes: Vec::with_capacity(512),
            error: None,
        };
        writer.line("Status-Line", format_args!("SIP/2.0 {code} {reason}"));
        writer
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.line(name, format_args!("{name}: {value}"));
        self
    }

    /// Adds a header with any bytes as value, for the echo of a request's header.
    #[must_use]
    pub fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        if value.iter().any(|b| super::is_control(*b)) {
            self.error
                .get_or_insert_with(|| WriteError::ControlCharacter(name.to_owned()));
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
        self
    }

    /// Ends the message without a body.
    ///
    /// # Errors
    /// [`WriteError`]: a value cannot stand in a header, or the message is too long.
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        self.finish_with(b"")
    }

    /// Ends the message with a body of this type.
    ///
    /// # Errors
    /// [`WriteError`]: a value cannot stand in a header, or the message is too long.
    pub fn body(self, content_type: &str, body: &[u8]) -> Result<Vec<u8>, WriteError> {
        self.header("Content-Type", content_type).finish_with(body)
    }

    fn finish_with(mut self, body: &[u8]) -> Result<Vec<u8>, WriteError> {
        self.line(
            "Content-Length",
            format_args!("Content-Length: {}", body.len()),
        );
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(body);
        match self.error {
            Some(error) => Err(error),
            None if self.bytes.len() > MESSAGE_BYTES_MAX => {
                Err(WriteError::TooLong(self.bytes.len()))
            }
            None => Ok(self.bytes),
        }
    }

    fn line(&mut self, name: &str, line: std::fmt::Arguments<'_>) {
        let start = self.bytes.len();
        let mut text = String::new();
        // Writing to a String cannot fail unless a Display implementation does; then nothing is added.
        let _ = text.write_fmt(line);
        self.bytes.extend_from_slice(text.as_bytes());
        if self.bytes[start..].iter().any(|b| super::is_control(*b)) {
            self.error
                .get_or_insert_with(|| WriteError::ControlCharacter(name.to_owned()));
        }
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// Starts the answer to a request: the headers that RFC 3261 §8.2.6.2 wants echoed, byte for byte, and `to_tag` in To if the
/// request has none.
pub fn answer(request: &Message<'_>, code: u16, to_tag: Option<&str>) -> Writer {
    answer_to(request, code, to_tag, None)
}

/// Like [`answer`], with the request's source in the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4).
pub fn answer_to(
    request: &Message<'_>,
    code: u16,
    to_tag: Option<&str>,
    mut source: Option<SocketAddr>,
) -> Writer {
    let mut writer = Writer::response(code);
    let has_tag = request.to_tag().is_some();
    for header in request.headers() {
        let bytes = header.bytes();
        if header.is("Via") {
            let via = match source.take() {
                Some(source) => with_source(&bytes, source),
                None => bytes.clone().into_owned(),
            };
            writer = writer.header_bytes("Via", &via);
        }
        for name in ["From", "Call-ID", "CSeq", "Record-Route", "Timestamp"] {
            if header.is(name) {
                writer = writer.header_bytes(name, &bytes);
            }
        }
        if header.is("To") {
            let mut to = bytes.into_owned();
            if let (false, Some(tag)) = (has_tag, to_tag) {
                to.extend_from_slice(b";tag=");
                to.extend_from_slice(tag.as_bytes());
            }
            writer = writer.header_bytes("To", &to);
        }
    }
    writer
}

/// The first Via of a header with `received`, and with the port if the request asks for it; the rest byte for byte.
fn with_source(via: &[u8], source: SocketAddr) -> Vec<u8> {
    let (first, rest) = via.split_at(first_of_list(via));
    let mut out = Vec::with_capacity(via.len() + 40);
    let mut parts = first.split(|byte| *byte == b';');
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        if name.trim_ascii().eq_ignore_ascii_case(b"received") {
            continue;
        }
        out.push(b';');
        if name.trim_ascii().eq_ignore_ascii_case(b"rport") {
            // A value in the request is replaced: the sender must not choose it (RFC 3581 §4).
            out.extend_from_slice(name.trim_ascii());
            out.extend_from_slice(format!("={}", source.port()).as_bytes());
        } else {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(format!(";received={}", source.ip().to_canonical()).as_bytes());
    out.extend_from_slice(rest);
    out
}

/// The usual reason phrase of a status code (RFC 3261 §21, RFC 6665 §8.3).
fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        200 => "OK",
        202 => "Accepted",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        406 => "Not Acceptable",
        412 => "Conditional Request Failed",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        489 => "Bad Event",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        _ if code < 200 => "Progress",
        _ if code < 300 => "Success",
        _ if code < 400 => "Redirection",
        _ if code < 500 => "Client Error",
        _ if code < 600 => "Server Error",
        _ => "Global Failure",
    }
}
