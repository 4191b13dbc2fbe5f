//! Multipart bodies (RFC 2046 §5.1, RFC 2387), for lists of resources.

use std::borrow::Cow;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{message::find_parameter, remark::excerpt};

/// Most parts of a body.
pub const PARTS_MAX: usize = 4_096;

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The Content-ID without angle brackets; empty if the part has none.
    pub id: String,
    /// The media type without parameters, in lower case.
    pub content_type: String,
    /// The media type with parameters.
    pub full_type: String,
    /// The decoded content.
    pub body: Cow<'a, [u8]>,
}

/// The reason for which a body cannot be split into parts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The Content-Type is not `multipart/…` or names no boundary.
    #[error("{0:?} is no multipart type with a boundary")]
    Type(String),
    /// The boundary is missing in the body.
    #[error("the boundary is not in the body")]
    NoParts,
    /// More than [`PARTS_MAX`] parts.
    #[error("more than {PARTS_MAX} parts")]
    TooMany,
}

/// Whether a Content-Type is multipart.
pub fn is_multipart(content_type: &str) -> bool {
    let start = content_type.trim_start().get(..10);
    start.is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// Splits a body into parts. The last part may lack its end: it goes to the end of the body.
///
/// # Errors
/// [`MultipartError`]: the fault of the body or its type.
pub fn parse<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, MultipartError> {
    let boundary = find_parameter(content_type, "boundary").filter(|_| is_multipart(content_type));
    let boundary = boundary.filter(|boundary| !boundary.is_empty());
    let boundary = boundary.ok_or_else(|| MultipartError::Type(excerpt(content_type)))?;
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary.as_bytes());
    let mut parts = Vec::new();
    // The text before the first boundary is for readers without MIME.
    let mut rest = after_delimiter(body, &delimiter).ok_or(MultipartError::NoParts)?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        if parts.len() == PARTS_MAX {
            return Err(MultipartError::TooMany);
        }
        let Some(line_end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Ok(parts);
        };
        rest = rest.get(line_end + 1..).unwrap_or_default();
        let Some(end) = find_delimiter(rest, &delimiter) else {
            parts.push(read(rest));
            return Ok(parts);
        };
        let (part, next) = rest.split_at(end);
        // The line end before the delimiter belongs to it.
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        parts.push(read(part.strip_suffix(b"\r").unwrap_or(part)));
        rest = next.get(delimiter.len()..).unwrap_or_default();
    }
}

/// The Content-ID in a reference to a part (RFC 2392 §2): without brackets, without `cid:`, unescaped.
pub fn content_id(reference: &str) -> String {
    let id = reference.trim();
    let (scheme, rest) = id.split_at_checked(4).unwrap_or_default();
    let id = match scheme.eq_ignore_ascii_case("cid:") {
        true => Cow::Owned(rest.replace("%40", "@").replace("%25", "%")),
        false => Cow::Borrowed(id),
    };
    id.trim_matches(['<', '>']).to_owned()
}

fn after_delimiter<'a>(bytes: &'a [u8], delimiter: &[u8]) -> Option<&'a [u8]> {
    let at = find_delimiter(bytes, delimiter)?;
    bytes.get(at + delimiter.len()..)
}

/// The start of the next delimiter: a line with only the delimiter, blanks and, for the last one, two hyphens.
fn find_delimiter(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let after = rest.strip_prefix(delimiter);
        let is_delimiter = |after: &[u8]| {
            after.starts_with(b"--") || after.first().is_none_or(u8::is_ascii_whitespace)
        };
        if after.is_some_and(is_delimiter) {
            return Some(from);
        }
        from += rest.iter().position(|byte| *byte == b'\n')? + 1;
    }
}

fn read(part: &[u8]) -> Part<'_> {
    let mut headers: Vec<String> = Vec::new();
    let mut rest = part;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, next) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        rest = next;
        let line = String::from_utf8_lossy(line);
        if line.trim().is_empty() {
            break;
        }
        match headers.last_mut() {
            Some(header) if line.starts_with([' ', '\t']) => {
                header.push(' ');
                header.push_str(line.trim());
            }
            _ => headers.push(line.trim().to_owned()),
        }
    }
    let header = |wanted: &str| {
        let named = headers.iter().filter_map(|header| header.split_once(':'));
        let mut found = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found
            .next()
            .map(|(_, value)| value.trim())
            .unwrap_or_default()
    };
    let full_type = header("Content-Type");
    let bare = full_type.split(';').next().unwrap_or_default();
    let encoding = header("Content-Transfer-Encoding");
    Part {
        id: content_id(header("Content-ID")),
        content_type: bare.trim().to_ascii_lowercase(),
        full_type: full_type.to_owned(),
        body: decode(encoding, rest),
    }
}

/// Decodes a body (RFC 2045 §6); a body that does not fit its encoding stays unchanged.
fn decode<'a>(encoding: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    let word = encoding.split([';', ' ', '(']).next().unwrap_or_default();
    if word.eq_ignore_ascii_case("base64") {
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let text: Vec<u8> = body
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        let decoded = GeneralPurpose::new(&STANDARD, config).decode(text);
        return decoded.map_or(Cow::Borrowed(body), Cow::Owned);
    }
    if word.eq_ignore_ascii_case("quoted-printable") {
        return Cow::Owned(quoted_printable(body));
    }
    Cow::Borrowed(body)
}

/// Decodes quoted-printable (RFC 2045 §6.7): `=` and two digits are a byte, `=` at the end of a line joins it with the next.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, next)) = rest.split_first() {
        rest = match (first, next) {
            (b'=', [b'\r', b'\n', next @ ..] | [b'\n', next @ ..]) => next,
            (b'=', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                match digit(high).zip(digit(low)) {
                    Some((high, low)) => {
                        out.extend(u8::try_from(high * 16 + low));
                        after
                    }
                    None => {
                        out.push(b'=');
                        next
                    }
                }
            }
            _ => {
                out.push(*first);
                next
            }
        };
    }
    out
}

/// Writes the parts of a body. No part may contain the boundary, which should be hard to guess.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    boundary: &'a str,
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(boundary: &'a str, out: &'a mut Vec<u8>) -> Self {
        Self { boundary, out }
    }

    /// Begins a part and returns the buffer for its body.
    pub(crate) fn part(&mut self, id: &str, content_type: &str) -> &mut Vec<u8> {
        for text in [
            "\r\n--",
            self.boundary,
            "\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <",
            id,
            ">\r\nContent-Type: ",
            content_type,
            "\r\n\r\n",
        ] {
            self.out.extend_from_slice(text.as_bytes());
        }
        self.out
    }

    pub(crate) fn finish(self) {
        for text in ["\r\n--", self.boundary, "--\r\n"] {
            self.out.extend_from_slice(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
