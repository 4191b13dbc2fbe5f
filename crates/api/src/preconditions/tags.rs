//! Entity tags in conditions (RFC 9110, sections 8.8.3 and 13.1), including the forms that proxies make of them.
//!
//! Our tags are hashes of the uncompressed answer. A compressing proxy marks the tag: nginx and HAProxy make it weak,
//! Apache, Caddy and Jetty append the coding. Clients send the marked tag back, which still names the same content.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Separators before the coding that compressing proxies append: Apache `mod_deflate` (`DeflateAlterETag`), `mod_brotli`
/// and Caddy `-CODING`, Jetty `--CODING`.
const SEPARATORS: [&str; 2] = ["--", "-"];
const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

/// A condition of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EntityTags {
    /// `*`: any state of an existing resource.
    Any,
    /// Texts between the quotes, of weak and strong tags alike.
    Listed(Vec<Vec<u8>>),
}

/// The field is neither `*` nor a list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoEntityTags;

impl EntityTags {
    /// Reads all lines of a field; `Ok(None)` without any. Empty elements of a list are skipped (RFC 9110, 5.6.1.2).
    pub(super) fn of(headers: &HeaderMap, name: HeaderName) -> Result<Option<Self>, NoEntityTags> {
        let lines: Vec<&[u8]> = headers
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        match lines.as_slice() {
            [] => Ok(None),
            [line] if line.trim_ascii() == b"*" => Ok(Some(Self::Any)),
            _ => {
                let mut tags = Vec::new();
                for line in lines {
                    read_list(line, &mut tags)?;
                }
                // A field without elements matches nothing.
                Ok(Some(Self::Listed(tags)))
            }
        }
    }

    /// Whether a listed tag names the state with the tag `present` (without quotes). The comparison is weak for `If-Match`
    /// too, against RFC 9110, section 13.1.1: a tag that a proxy made weak names the same uncompressed bytes.
    pub(super) fn name(&self, present: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| is_of(tag, present)),
        }
    }
}

fn is_of(tag: &[u8], present: &str) -> bool {
    let Some(added) = tag.strip_prefix(present.as_bytes()) else {
        return false;
    };
    added.is_empty()
        || SEPARATORS.iter().any(|separator| {
            let coding = added.strip_prefix(separator.as_bytes());
            coding.is_some_and(|coding| CODINGS.iter().any(|known| known.as_bytes() == coding))
        })
}

/// `[ entity-tag ] *( OWS "," OWS [ entity-tag ] )`; a comma may be part of a tag.
fn read_list(line: &[u8], tags: &mut Vec<Vec<u8>>) -> Result<(), NoEntityTags> {
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest);
        let quoted = quoted.strip_prefix(b"\"").ok_or(NoEntityTags)?;
        let end = quoted.iter().position(|byte| *byte == b'"');
        let (text, after) = end
            .and_then(|end| Some((quoted.get(..end)?, quoted.get(end + 1..)?)))
            .ok_or(NoEntityTags)?;
        if !text
            .iter()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..))
        {
            return Err(NoEntityTags);
        }
        rest = after.trim_ascii_start();
        if !(rest.is_empty() || rest.starts_with(b",")) {
            return Err(NoEntityTags);
        }
        tags.push(text.to_vec());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn read(lines: &[&str]) -> Result<Option<EntityTags>, NoEntityTags> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        EntityTags::of(&headers, header::IF_MATCH)
    }

    #[test]
    fn the_forms_that_proxies_make_of_a_tag_name_the_same_state() {
        for lines in [
            &["\"0a1b\""][..],
            &["W/\"0a1b\""],
            &["*"],
            &[" * "],
            &["\"0a1b-gzip\""],
            &["W/\"0a1b-gzip\""],
            &["\"0a1b-br\""],
            &["\"0a1b-zstd\""],
            &["\"0a1b--gzip\""],
            &["\"other\", W/\"0a1b\""],
            &["\"with,comma\" ,\t\"0a1b\","],
            &[", ,\"0a1b\""],
            &["\"other\"", "W/\"0a1b\""],
        ] {
            assert!(read(lines).unwrap().unwrap().name("0a1b"), "{lines:?}");
        }
    }

    #[test]
    fn other_tags_name_other_states() {
        for lines in [
            &["\"other\""][..],
            &["W/\"other\""],
            &["\"0a1b-\""],
            &["\"0a1b-gzip-gzip\""],
            &["\"0a1b-other\""],
            &["\"0a1bgzip\""],
            &["\"-gzip\""],
            &["\"\""],
            &["\"0A1B\""],
            &["\"*\""],
            &[""],
            &[","],
        ] {
            assert!(!read(lines).unwrap().unwrap().name("0a1b"), "{lines:?}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn fields_of_another_syntax_are_refused() {
        for lines in [
            &["0a1b"][..],
            &["w/\"0a1b\""],
            &["W/ \"0a1b\""],
            &["\"0a1b"],
            &["\"0a1b\" \"0a1b\""],
            &["\"0a1b\"x"],
            &["\"0a 1b\""],
            &["*, \"0a1b\""],
            &["*", "*"],
            &["W/"],
        ] {
            assert_eq!(read(lines), Err(NoEntityTags), "{lines:?}");
        }
    }
}
