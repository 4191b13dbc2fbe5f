//! Bodies of several parts (RFC 2046 §5.1, RFC 2387), as lists of resources have them.

use crate::message::find_parameter;

/// Most parts of a body.
pub const PARTS_MAX: usize = 4_096;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its Content-ID without the angle brackets; empty if it has none.
    pub id: String,
    /// Its media type without parameters.
    pub content_type: String,
    /// What is in it.
    pub body: &'a [u8],
}

/// Why a body cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The Content-Type is not `multipart/…` or names no boundary.
    #[error("{0:?} is no multipart type with a boundary")]
    Type(String),
    /// A boundary is missing at the end.
    #[error("the last part does not end")]
    Truncated,
    /// More than [`PARTS_MAX`] parts.
    #[error("more than {PARTS_MAX} parts")]
    TooMany,
}

/// Takes a body apart.
///
/// # Errors
/// [`MultipartError`] says what is wrong with it.
pub fn parse<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, MultipartError> {
    let is_multipart = content_type
        .get(..10)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    let boundary = find_parameter(content_type, "boundary").filter(|_| is_multipart);
    let boundary = boundary.filter(|boundary| !boundary.is_empty());
    let boundary =
        boundary.ok_or_else(|| MultipartError::Type(content_type.chars().take(60).collect()))?;
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary.as_bytes());
    let mut parts = Vec::new();
    // What stands before the first boundary is for readers without MIME.
    let mut rest = after_delimiter(body, &delimiter).ok_or(MultipartError::Truncated)?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        if parts.len() == PARTS_MAX {
            return Err(MultipartError::TooMany);
        }
        let line_end = rest.iter().position(|byte| *byte == b'\n');
        let start = line_end.ok_or(MultipartError::Truncated)? + 1;
        rest = rest.get(start..).unwrap_or_default();
        let end = find_delimiter(rest, &delimiter).ok_or(MultipartError::Truncated)?;
        let (part, next) = rest.split_at(end);
        parts.push(read(part));
        rest = next.get(delimiter.len()..).unwrap_or_default();
    }
}

fn after_delimiter<'a>(bytes: &'a [u8], delimiter: &[u8]) -> Option<&'a [u8]> {
    let at = find_delimiter(bytes, delimiter)?;
    bytes.get(at + delimiter.len()..)
}

/// Where the next delimiter begins: at the beginning of a line.
fn find_delimiter(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        if rest.starts_with(delimiter) {
            return Some(from);
        }
        from += rest.iter().position(|byte| *byte == b'\n')? + 1;
    }
}

fn read(part: &[u8]) -> Part<'_> {
    let (mut id, mut content_type) = (String::new(), String::new());
    let mut rest = part;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, next) = rest.split_at(end + 1);
        rest = next;
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        let value = value.trim();
        if name.trim().eq_ignore_ascii_case("Content-ID") {
            id = value.trim_matches(['<', '>']).to_owned();
        } else if name.trim().eq_ignore_ascii_case("Content-Type") {
            let kind = value.split(';').next().unwrap_or_default();
            content_type = kind.trim().to_ascii_lowercase();
        }
    }
    // The line end before the delimiter belongs to it.
    let body = rest.strip_suffix(b"\n").unwrap_or(rest);
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    Part {
        id,
        content_type,
        body,
    }
}

/// Writes parts one after the other; nothing in them may contain the boundary, which should be hard to guess.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    boundary: &'a str,
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(boundary: &'a str, out: &'a mut Vec<u8>) -> Self {
        Self { boundary, out }
    }

    /// Begins a part; its body is to be appended to what comes back.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/related;type=\"application/rlmi+xml\";boundary=\"b\"";

    #[test]
    fn parts_end_where_a_line_begins_with_the_boundary() {
        let body = b"before\r\n--b\r\nContent-ID: <1@x>\r\nContent-Type: Text/Plain;x=y\r\n\r\none --b\r\n\r\n--b \r\n\r\ntwo\r\n--b--\r\nafter";
        let parts = parse(TYPE, body).unwrap();
        let part = |id: &str, content_type: &str, body| Part {
            id: id.into(),
            content_type: content_type.into(),
            body,
        };
        assert_eq!(
            parts,
            [
                part("1@x", "text/plain", &b"one --b\r\n"[..]),
                part("", "", b"two")
            ]
        );
    }

    #[test]
    fn what_is_no_multipart_is_refused() {
        for (content_type, body) in [
            ("text/plain;boundary=b", &b"--b\r\n\r\n--b--"[..]),
            ("multipart/related", b"--b\r\n\r\n--b--"),
            (TYPE, b""),
            (TYPE, b"--b\r\n\r\nx"),
            (TYPE, b"--b"),
        ] {
            assert!(parse(content_type, body).is_err(), "{content_type}");
        }
        let many = "--b\r\n\r\n".repeat(PARTS_MAX + 2);
        assert_eq!(parse(TYPE, many.as_bytes()), Err(MultipartError::TooMany));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bodies in prop::collection::vec("[ -~]{0,40}", 0..5)) {
            let mut out = Vec::new();
            let mut writer = Writer::new("never-in-it", &mut out);
            for (number, body) in bodies.iter().enumerate() {
                writer.part(&format!("{number}@x"), "text/plain").extend_from_slice(body.as_bytes());
            }
            writer.finish();
            let parts = parse("multipart/related;boundary=never-in-it", &out).unwrap();
            prop_assert_eq!(parts.len(), bodies.len());
            for (number, (part, body)) in parts.iter().zip(&bodies).enumerate() {
                prop_assert_eq!(&part.id, &format!("{number}@x"));
                prop_assert_eq!(part.body, body.as_bytes());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop_oneof![Just(b'-'), Just(b'b'), Just(b'\n'), any::<u8>()], 0..200)) {
            let _ = parse(TYPE, &bytes);
        }
    }
}
