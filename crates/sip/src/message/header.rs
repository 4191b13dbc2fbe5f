//! The values inside headers: addresses, parameters, lists, CSeq, Subscription-State.

/// The one-letter name of a header (RFC 3261 §20, RFC 6665 §8.2).
pub(super) fn compact_form(name: &str) -> Option<u8> {
    const FORMS: [(&str, u8); 13] = [
        ("Via", b'v'),
        ("From", b'f'),
        ("To", b't'),
        ("Call-ID", b'i'),
        ("Contact", b'm'),
        ("Content-Length", b'l'),
        ("Content-Type", b'c'),
        ("Content-Encoding", b'e'),
        ("Event", b'o'),
        ("Allow-Events", b'u'),
        ("Supported", b'k'),
        ("Subject", b's'),
        ("Refer-To", b'r'),
    ];
    FORMS
        .iter()
        .find(|(long, _)| long.eq_ignore_ascii_case(name))
        .map(|(_, short)| *short)
}

/// Number and method of a request within its dialog (RFC 3261 §20.16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: String,
}

impl CSeq {
    /// Reads `4711 NOTIFY`.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let number = words.next()?.parse().ok()?;
        let method = words.next()?.to_owned();
        words.next().is_none().then_some(Self { number, method })
    }
}

/// An address as in From, To, Contact and Route: `"Bob" <sip:bob@pbx.test>;tag=x` or the bare URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The URI, without angle brackets.
    pub uri: &'a str,
    /// The parameters of the header (not those of the URI), with their leading semicolon.
    pub parameters: &'a str,
}

impl<'a> NameAddr<'a> {
    /// Reads one address; `None` if there is no URI in it.
    pub fn parse(value: &'a str) -> Option<Self> {
        let value = value.trim();
        let address = match find_unquoted(value, b'<') {
            Some(open) => {
                let rest = &value[open + 1..];
                let close = rest.find('>')?;
                Self {
                    uri: rest[..close].trim(),
                    parameters: rest[close + 1..].trim(),
                }
            }
            // Without brackets everything after a semicolon belongs to the header (RFC 3261 §20.10).
            None => {
                // A quote that is never closed has swallowed the address.
                if value.contains(['"', '<']) {
                    return None;
                }
                let end = value.find(';').unwrap_or(value.len());
                Self {
                    uri: value[..end].trim(),
                    parameters: &value[end..],
                }
            }
        };
        (!address.uri.is_empty()).then_some(address)
    }

    /// The value of a header parameter; empty for one without a value.
    pub fn parameter(&self, name: &str) -> Option<String> {
        find_parameter(self.parameters, name)
    }
}

/// The state of a subscription in a NOTIFY (RFC 6665 §8.4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// `active`, `pending`, `terminated` or an extension, in lower case.
    pub state: String,
    /// Remaining seconds.
    pub expires: Option<u32>,
    /// The reason for the end, in lower case.
    pub reason: Option<String>,
    /// Seconds until the next attempt.
    pub retry_after: Option<u32>,
}

impl SubscriptionState {
    /// Reads `active;expires=599`.
    pub fn parse(value: &str) -> Option<Self> {
        let state = value.split(';').next()?.trim().to_ascii_lowercase();
        let number = |name| find_parameter(value, name).and_then(|v| v.trim().parse().ok());
        (!state.is_empty()).then(|| Self {
            state,
            expires: number("expires"),
            reason: find_parameter(value, "reason").map(|r| r.to_ascii_lowercase()),
            retry_after: number("retry-after"),
        })
    }
}

/// Cuts a header value at commas that are neither quoted nor inside angle brackets (RFC 3261 §7.3.1).
pub fn split_list(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut scan) = (0, Scan::default());
    for (index, byte) in value.bytes().enumerate() {
        if scan.is_plain_after(byte) && byte == b',' && !scan.in_brackets {
            parts.push(value[start..index].trim());
            start = index + 1;
        }
    }
    parts.push(value[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

/// The end of the first part of a list, for values that need not be UTF-8.
pub(super) fn first_of_list(value: &[u8]) -> usize {
    let mut scan = Scan::default();
    let is_end = |byte: &u8| scan.is_plain_after(*byte) && *byte == b',' && !scan.in_brackets;
    value.iter().position(is_end).unwrap_or(value.len())
}

/// The parameters of a header value or URI: `name=value` pairs after semicolons, quotes removed.
pub fn parameters(value: &str) -> impl Iterator<Item = (&str, String)> {
    let mut cuts = Vec::new();
    let mut scan = Scan::default();
    for (index, byte) in value.bytes().enumerate() {
        if scan.is_plain_after(byte) && byte == b';' && !scan.in_brackets {
            cuts.push(index);
        }
    }
    let ends: Vec<usize> = cuts.iter().skip(1).copied().chain([value.len()]).collect();
    cuts.into_iter().zip(ends).map(move |(start, end)| {
        let pair = &value[start + 1..end];
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        (name.trim(), unquote(text.trim()))
    })
}

/// The value of one parameter; names are compared without case (RFC 3261 §7.3.1).
pub fn find_parameter(value: &str, name: &str) -> Option<String> {
    parameters(value)
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v)
}

/// Whether a URI has a parameter, as `lr` in a loose router's (RFC 3261 §19.1.1).
pub fn uri_has_parameter(uri: &str, name: &str) -> bool {
    find_parameter(uri.split('?').next().unwrap_or(uri), name).is_some()
}

/// Removes the quotes of a quoted string and the backslashes in it (RFC 3261 §25.1).
pub fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            '"' => break,
            other => plain.push(other),
        }
    }
    plain
}

fn find_unquoted(value: &str, wanted: u8) -> Option<usize> {
    let mut scan = Scan::default();
    value
        .bytes()
        .enumerate()
        .find(|(_, b)| scan.is_plain_after(*b) && *b == wanted)
        .map(|(i, _)| i)
}

/// The state of a header value's reader: in a quoted string, in angle brackets, or outside both.
#[derive(Default)]
struct Scan {
    in_quotes: bool,
    escaped: bool,
    in_brackets: bool,
}

impl Scan {
    /// Reads one byte; returns true if it stands outside quoted strings.
    fn is_plain_after(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
            return false;
        }
        match byte {
            b'\\' if self.in_quotes => self.escaped = true,
            b'"' => {
                self.in_quotes = !self.in_quotes;
                return false;
            }
            b'<' if !self.in_quotes => self.in_brackets = true,
            b'>' if !self.in_quotes => self.in_brackets = false,
            _ => {}
        }
        !self.in_quotes
    }
}
