//! SIP messages: a borrowed, tolerant reader and a strict writer (RFC 3261 §7, §20).
//!
//! The reader accepts messages of real PBXs: compact names, folded lines, bytes that are not UTF-8, padded numbers, bare LF,
//! leading empty lines, unknown methods. It refuses a message with an ambiguous end. It never panics.

mod address;
mod header;
mod write;

use std::borrow::Cow;

pub use address::Address;
pub use header::{
    CSeq, NameAddr, SubscriptionState, find_parameter, parameters, split_list, unquote,
    uri_has_parameter,
};
pub use write::{WriteError, Writer, answer, answer_to};

/// Longest message that is read or written, in bytes. A datagram cannot be longer, and a document about one extension has a
/// few kilobytes; a longer message is an attack or an error.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Most headers in a message. Real ones have 10 to 30; each costs memory before it is checked.
pub const HEADERS_MAX: usize = 128;

/// Most headers of a request: an answer repeats them and adds some.
pub const REQUEST_HEADERS_MAX: usize = HEADERS_MAX - 8;

/// One header line, unparsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Header<'a> {
    /// The name as written.
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name)
    }

    /// Whether this is the header `name` (long form), also in its compact form (RFC 3261 §7.3.3).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
            || (self.name.len() == 1
                && header::compact_form(name)
                    .is_some_and(|c| self.name[0].eq_ignore_ascii_case(&c)))
    }

    /// The value without folds and control characters; bytes that are not UTF-8 are replaced.
    pub fn value(&self) -> Cow<'a, str> {
        match self.bytes() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The value byte for byte, with folds and control characters as spaces, for the echo in an answer.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if self.value.iter().any(|b| is_control(*b)) {
            let mut plain = Vec::with_capacity(self.value.len());
            for &byte in self.value {
                let byte = if is_control(byte) { b' ' } else { byte };
                if byte != b' ' || plain.last() != Some(&b' ') {
                    plain.push(byte);
                }
            }
            Cow::Owned(plain)
        } else {
            Cow::Borrowed(self.value)
        }
    }
}

/// Whether a byte may not stand in a header value.
fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

/// The first line of a message (RFC 3261 §7.1, §7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// A request.
    Request {
        /// The method; unknown ones are kept, since they must be answered too.
        method: Cow<'a, str>,
        /// The Request-URI.
        uri: Cow<'a, str>,
    },
    /// A response.
    Response {
        /// 100 to 699.
        code: u16,
        /// Text for people.
        reason: Cow<'a, str>,
    },
}

/// A parsed message; its parts borrow the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    start: StartLine<'a>,
    headers: Vec<Header<'a>>,
    body: &'a [u8],
}

/// The reason for which bytes are not a SIP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Longer than [`MESSAGE_BYTES_MAX`].
    #[error("message of {0} bytes is longer than {MESSAGE_BYTES_MAX}")]
    TooLong(usize),
    /// The bytes end before the empty line after the headers.
    #[error("message ends before the empty line that ends its headers")]
    Truncated,
    /// The first line is neither a request nor a response of SIP/2.0.
    #[error("first line {0:?} is neither a SIP/2.0 request nor a response")]
    StartLine(String),
    /// A line has no colon or an impossible name.
    #[error("line {0:?} is not a header")]
    Header(String),
    /// More than [`HEADERS_MAX`] headers, or in a request more than [`REQUEST_HEADERS_MAX`].
    #[error("more than {HEADERS_MAX} headers, or {REQUEST_HEADERS_MAX} in a request")]
    TooManyHeaders,
    /// A Content-Length is not a number, negative or too large.
    #[error("Content-Length {0:?} is not a length")]
    ContentLength(String),
    /// Two different Content-Lengths: readers would disagree on the end of the message.
    #[error("two Content-Lengths, {0} and {1}")]
    TwoContentLengths(usize, usize),
    /// The body is shorter than its Content-Length.
    #[error("Content-Length is {announced}, but only {there} bytes follow")]
    BodyTooShort {
        /// The value of the header.
        announced: usize,
        /// The number of bytes that follow.
        there: usize,
    },
    /// A header that every message needs is missing or unusable.
    #[error("header {0} is missing or malformed")]
    Missing(&'static str),
}

impl<'a> Message<'a> {
    /// Parses one datagram, or one message that [`crate::stream`] has cut out. Without a Content-Length the body is the rest
    /// (RFC 3261 §18.3); bytes after it are ignored.
    ///
    /// # Errors
    /// [`ParseError`]: the fault of the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(ParseError::TooLong(bytes.len()));
        }
        let mut lines = Lines {
            rest: skip_empty_lines(bytes),
        };
        let start = start_line(lines.next().ok_or(ParseError::Truncated)?)?;
        let limit = match start {
            StartLine::Request { .. } => REQUEST_HEADERS_MAX,
            StartLine::Response { .. } => HEADERS_MAX,
        };
        let mut headers: Vec<Header<'a>> = Vec::with_capacity(16);
        loop {
            let line = lines.next_folded().ok_or(ParseError::Truncated)?;
            if line.is_empty() {
                break;
            }
            if headers.len() == limit {
                return Err(ParseError::TooManyHeaders);
            }
            headers.push(header_line(line)?);
        }
        let mut message = Self {
            start,
            headers,
            body: lines.rest,
        };
        if let Some(announced) = message.content_length()? {
            message.body = message
                .body
                .get(..announced)
                .ok_or(ParseError::BodyTooShort {
                    announced,
                    there: lines.rest.len(),
                })?;
        }
        Ok(message)
    }

    /// The first line.
    pub fn start(&self) -> &StartLine<'a> {
        &self.start
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI of a request.
    pub fn request_uri(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status code of a response.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(code),
        }
    }

    /// All headers in order.
    pub fn headers(&self) -> &[Header<'a>] {
        &self.headers
    }

    /// The first header of this (long) name.
    pub fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        self.headers.iter().find(|h| h.is(name)).map(Header::value)
    }

    /// Every header of this (long) name, in order.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = Cow<'a, str>> + 's {
        self.headers
            .iter()
            .filter(move |h| h.is(name))
            .map(Header::value)
    }

    /// The body.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The Call-ID (RFC 3261 §20.8).
    ///
    /// # Errors
    /// The header is missing or empty.
    pub fn call_id(&self) -> Result<Cow<'a, str>, ParseError> {
        self.header("Call-ID")
            .filter(|v| !v.is_empty())
            .ok_or(ParseError::Missing("Call-ID"))
    }

    /// The CSeq (RFC 3261 §20.16).
    ///
    /// # Errors
    /// The header is missing or not a number and a method.
    pub fn cseq(&self) -> Result<CSeq, ParseError> {
        self.header("CSeq")
            .and_then(|v| CSeq::parse(&v))
            .ok_or(ParseError::Missing("CSeq"))
    }

    /// The branch of the topmost Via (RFC 3261 §8.1.1.7), which identifies the transaction.
    pub fn branch(&self) -> Option<String> {
        let via = self.header("Via")?;
        let first = split_list(&via).into_iter().next()?;
        find_parameter(first, "branch").filter(|b| !b.is_empty())
    }

    /// The tag in From (RFC 3261 §19.3).
    pub fn from_tag(&self) -> Option<String> {
        self.header("From")
            .and_then(|v| NameAddr::parse(&v)?.parameter("tag"))
    }

    /// The tag in To (RFC 3261 §19.3).
    pub fn to_tag(&self) -> Option<String> {
        self.header("To")
            .and_then(|v| NameAddr::parse(&v)?.parameter("tag"))
    }

    /// The URI of the first Contact (RFC 3261 §20.10).
    pub fn contact(&self) -> Option<String> {
        let value = self.header("Contact")?;
        let first = split_list(&value).into_iter().next()?;
        NameAddr::parse(first).map(|a| a.uri.to_owned())
    }

    /// The value of a header in seconds, such as Expires, Min-Expires or Retry-After, which may have a comment or parameters
    /// after the number.
    pub fn seconds(&self, name: &str) -> Option<u32> {
        let value = self.header(name)?;
        let digits = value.trim().split(|c: char| !c.is_ascii_digit()).next()?;
        // More than 2^32-1 seconds counts as 2^32-1 (RFC 3261 §20.19).
        (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
    }

    fn content_length(&self) -> Result<Option<usize>, ParseError> {
        let mut length = None;
        for header in self.headers.iter().filter(|h| h.is("Content-Length")) {
            let value = content_length_value(header)?;
            match length {
                Some(first) if first != value => {
                    return Err(ParseError::TwoContentLengths(first, value));
                }
                _ => length = Some(value),
            }
        }
        Ok(length)
    }
}

/// Reads one Content-Length value, which may be padded with blanks.
pub(crate) fn content_length_value(header: &Header<'_>) -> Result<usize, ParseError> {
    let text = header.value();
    let digits = text.trim();
    // `parse` would accept a leading plus sign; the grammar does not.
    if !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && let Ok(length) = digits.parse::<usize>()
        && length <= MESSAGE_BYTES_MAX
    {
        return Ok(length);
    }
    Err(ParseError::ContentLength(shorten(text.as_bytes())))
}

/// Reads one unfolded or folded header line.
pub(crate) fn header_line(line: &[u8]) -> Result<Header<'_>, ParseError> {
    let malformed = || ParseError::Header(shorten(line));
    let colon = line.iter().position(|b| *b == b':').ok_or_else(malformed)?;
    let name = line[..colon].trim_ascii();
    let is_token = |b: &u8| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(b);
    if name.is_empty() || line[0].is_ascii_whitespace() || !name.iter().all(is_token) {
        return Err(malformed());
    }
    Ok(Header {
        name,
        value: line[colon + 1..].trim_ascii(),
    })
}

/// The readable parts of unparsable bytes: the first line, and those lines after it that are headers. Enough for a refusal,
/// and for nothing else.
pub(crate) fn lenient(bytes: &[u8]) -> Option<(&[u8], Message<'_>)> {
    let bytes = bytes.get(..bytes.len().min(MESSAGE_BYTES_MAX))?;
    let mut lines = Lines {
        rest: skip_empty_lines(bytes),
    };
    let first = lines.next()?;
    let mut headers = Vec::new();
    while let Some(line) = lines.next_folded() {
        if line.is_empty() || headers.len() == REQUEST_HEADERS_MAX {
            break;
        }
        headers.extend(header_line(line).ok());
    }
    let start = StartLine::Request {
        method: Cow::Borrowed(""),
        uri: Cow::Borrowed(""),
    };
    let body: &[u8] = &[];
    Some((
        first,
        Message {
            start,
            headers,
            body,
        },
    ))
}

fn start_line(line: &[u8]) -> Result<StartLine<'_>, ParseError> {
    let malformed = || ParseError::StartLine(shorten(line));
    let text =
        std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
    if text.contains(|c: char| c.is_control()) {
        return Err(malformed());
    }
    if text
        .get(..8)
        .is_some_and(|v| v.eq_ignore_ascii_case("SIP/2.0 "))
    {
        let (code, reason) = match text {
            Cow::Borrowed(t) => status(t).map(|(c, r)| (c, Cow::Borrowed(r))),
            Cow::Owned(ref t) => status(t).map(|(c, r)| (c, Cow::Owned(r.to_owned()))),
        }
        .ok_or_else(malformed)?;
        return Ok(StartLine::Response { code, reason });
    }
    let parts = |t: &str| -> Option<(usize, usize)> {
        let method_end = t.find(' ')?;
        let uri_end = t.trim_end().rfind(' ')?;
        let version = t[uri_end..].trim();
        let uri = t.get(method_end..uri_end)?.trim();
        let fine = method_end > 0
            && !uri.is_empty()
            && !uri.contains(' ')
            && version.eq_ignore_ascii_case("SIP/2.0");
        fine.then_some((method_end, uri_end))
    };
    let (method_end, uri_end) = parts(&text).ok_or_else(malformed)?;
    Ok(match text {
        Cow::Borrowed(t) => StartLine::Request {
            method: Cow::Borrowed(&t[..method_end]),
            uri: Cow::Borrowed(t[method_end..uri_end].trim()),
        },
        Cow::Owned(t) => StartLine::Request {
            method: Cow::Owned(t[..method_end].to_owned()),
            uri: Cow::Owned(t[method_end..uri_end].trim().to_owned()),
        },
    })
}

fn status(text: &str) -> Option<(u16, &str)> {
    let rest = text.get(8..)?.trim_start();
    let code = rest.get(..3)?;
    let reason = rest.get(3..)?;
    if !code.bytes().all(|b| b.is_ascii_digit()) || !(reason.is_empty() || reason.starts_with(' '))
    {
        return None;
    }
    let code = code.parse().ok()?;
    (100..700).contains(&code).then_some((code, reason.trim()))
}

/// Empty lines before a message are keep-alives and leftovers (RFC 3261 §7.5).
fn skip_empty_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes
        .iter()
        .position(|b| !matches!(b, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    &bytes[start..]
}

/// The lines after the first one, each with its continuation lines, as [`Message::parse`] reads them.
pub(crate) fn header_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lines = Lines {
        rest: skip_empty_lines(head),
    };
    let _ = lines.next();
    std::iter::from_fn(move || lines.next_folded())
}

/// Cuts lines at CRLF or at a bare LF.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|b| *b == b'\n')?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// A line with its continuation lines (RFC 3261 §7.3.1): they start with a blank.
    fn next_folded(&mut self) -> Option<&'a [u8]> {
        let all = self.rest;
        let first = self.next()?;
        if first.is_empty() {
            return Some(first);
        }
        let mut length = first.len();
        while matches!(self.rest.first(), Some(b' ' | b'\t')) {
            let line = self.next()?;
            // From the start of the first line to the end of the current one, with line ends.
            length = line.as_ptr() as usize - all.as_ptr() as usize + line.len();
        }
        Some(&all[..length])
    }
}

/// The beginning of a wrong text, for an error message.
fn shorten(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned()
}

#[cfg(test)]
mod tests;
