//! Addresses: the user that one names, equivalence, and validity (RFC 3261 §19.1, RFC 3966). All comparisons of addresses
//! are here.

use std::{collections::BTreeMap, net::Ipv6Addr};

use crate::message::find_parameter;

/// Parameters that are never ignored: they change the target or the purpose of a request.
const NEVER_IGNORED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

/// The schemes of addresses that name users.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Sip,
    Sips,
    Tel,
}

/// An address split into its parts, as written.
struct Parts<'a> {
    scheme: Scheme,
    /// The user part without its parameters, or the number of a `tel:` address.
    user: Option<&'a str>,
    /// The parameters of the user part (RFC 3261 §19.1.6), with their leading semicolon.
    user_parameters: &'a str,
    password: Option<&'a str>,
    /// Host and port; empty in a `tel:` address.
    host: &'a str,
    /// Parameters with their leading semicolon.
    parameters: &'a str,
    headers: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits an address; `None` for other schemes.
    fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let schemes = [
            ("sip", Scheme::Sip),
            ("sips", Scheme::Sips),
            ("tel", Scheme::Tel),
        ];
        let known = |(name, _): &(&str, Scheme)| name.eq_ignore_ascii_case(scheme);
        let (_, scheme) = schemes.into_iter().find(known)?;
        let cut = |text: &'a str, at: &[char]| text.split_at(text.find(at).unwrap_or(text.len()));
        if scheme == Scheme::Tel {
            let (number, parameters) = cut(rest, &[';']);
            return Some(Self {
                scheme,
                user: Some(number),
                user_parameters: "",
                password: None,
                host: "",
                parameters,
                headers: "",
            });
        }
        let (userinfo, rest) = match rest.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (user, password) = match userinfo.and_then(|userinfo| userinfo.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (userinfo, None),
        };
        let user = user.map(|user| cut(user, &[';']));
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, parameters) = cut(rest, &[';']);
        Some(Self {
            scheme,
            user: user.map(|(user, _)| user),
            user_parameters: user.map_or("", |(_, parameters)| parameters),
            password,
            host,
            parameters,
            headers,
        })
    }

    /// The user part in the normal spelling of all that name the same user.
    fn user(&self) -> Option<String> {
        let user = self.user.filter(|user| !user.is_empty())?;
        let user = decoded(user);
        Some(match self.is_number() {
            true => without_separators(user),
            false => user,
        })
    }

    /// Whether the user part is a phone number (RFC 3261 §19.1.6).
    fn is_number(&self) -> bool {
        self.scheme == Scheme::Tel
            || find_parameter(self.parameters, "user")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("phone"))
    }

    /// The host in its normal spelling, and the port.
    fn host(&self) -> (String, Option<u16>) {
        host_and_port(self.host).unwrap_or_else(|| (self.host.to_ascii_lowercase(), None))
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        let parameters = self.parameters.split(';').filter(|text| !text.is_empty());
        let parameters = parameters.map(pair);
        parameters
            .map(|(name, value)| (name, value.to_ascii_lowercase()))
            .collect()
    }

    fn headers(&self) -> BTreeMap<String, String> {
        let headers = self.headers.split('&').filter(|text| !text.is_empty());
        headers.map(pair).collect()
    }
}

/// Name and value of a parameter or header; names are compared without case.
fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name).to_ascii_lowercase(), decoded(value))
}

/// Whether the parameters of two addresses match: equal in both, or ignorable if only one has them. The parameters of a
/// number all belong to it (RFC 3966 §4).
fn parameters_fit(
    scheme: Scheme,
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
) -> bool {
    one.iter().all(|(name, value)| match other.get(name) {
        Some(found) => found == value,
        None => scheme != Scheme::Tel && !NEVER_IGNORED.contains(&&**name),
    })
}

/// Whether two addresses are equivalent (RFC 3261 §19.1.4, RFC 3966 §4). Addresses of other schemes are compared byte by
/// byte. An escaped character is the same as the character, within a user part also where it is reserved: `%2B49` is `+49`.
pub fn equivalent(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (Parts::of(one), Parts::of(other)) else {
        return false;
    };
    let (parameters, others) = (one.parameters(), other.parameters());
    one.scheme == other.scheme
        && one.user() == other.user()
        && pair(one.user_parameters) == pair(other.user_parameters)
        && one.password.map(decoded) == other.password.map(decoded)
        && one.host() == other.host()
        && one.headers() == other.headers()
        && parameters_fit(one.scheme, &parameters, &others)
        && parameters_fit(one.scheme, &others, &parameters)
}

/// The user part without parameters and password, or the number of a `tel:` address, in the normal spelling: `1004` for
/// `sip:%31004@pbx.test`, `+4930123` for `tel:+49-30-123` and for `sip:%2B49-30-123@pbx.test;user=phone`.
pub fn user(uri: &str) -> Option<String> {
    Parts::of(uri)?.user()
}

/// Like [`user`], but a number keeps its visual separators (RFC 3966 §3): some phone systems have extensions with a hyphen.
pub fn user_as_written(uri: &str) -> Option<String> {
    let user = Parts::of(uri)?.user.filter(|user| !user.is_empty())?;
    Some(decoded(user))
}

/// Whether an address names this user.
pub fn names(uri: &str, name: &str) -> bool {
    let is_name = |user: Option<String>| user.is_some_and(|user| user == name);
    is_name(user(uri)) || is_name(user_as_written(uri))
}

/// Whether an address of a known scheme is valid: it names a number or a host, and no character of it ends it.
pub fn is_well_formed(uri: &str) -> bool {
    let ends = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\');
    let Some(parts) = Parts::of(uri) else {
        return false;
    };
    let names_nobody = parts.user.is_some_and(str::is_empty);
    !uri.contains(ends)
        && !names_nobody
        && (parts.scheme == Scheme::Tel || host_and_port(parts.host).is_some())
}

/// Host and port of a `sip:` or `sips:` address, the host in its normal spelling; `None` if it has none that is readable.
pub fn host(uri: &str) -> Option<(String, Option<u16>)> {
    host_and_port(Parts::of(uri)?.host)
}

/// Host and port of an address or a Via, the host in its normal spelling; `None` if unreadable. An IPv6 address stands in
/// brackets.
pub(crate) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, rest) = rest.split_once(']')?;
            (inside.parse::<Ipv6Addr>().ok()?.to_string(), rest)
        }
        None => {
            let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            let host = host.trim_end();
            let is_of_host = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            if host.is_empty() || !host.chars().all(is_of_host) {
                return None;
            }
            (host.to_ascii_lowercase(), rest)
        }
    };
    let port = rest.trim_start();
    if port.is_empty() {
        return Some((host, None));
    }
    let port = port.strip_prefix(':')?.trim();
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| is_number && *port > 0)?;
    Some((host, Some(port)))
}

/// The address for other receivers: without parameters and headers, which belong to one hop, and without the password.
pub(crate) fn plain(uri: &str) -> String {
    let (before, rest) = at_host(uri);
    let host = rest.split([';', '?']).next().unwrap_or(rest);
    let password = before.match_indices(':').nth(1);
    match password {
        Some((start, _)) => format!("{}@{host}", before.get(..start).unwrap_or_default()),
        None => format!("{before}{host}"),
    }
}

/// The address without headers.
pub(crate) fn without_headers(uri: &str) -> &str {
    let (before, rest) = at_host(uri);
    let end = rest.find('?').map_or(uri.len(), |at| before.len() + at);
    uri.get(..end).unwrap_or(uri)
}

/// The parameters of the address; a user part may contain a `;` too (RFC 3261 §25.1).
pub(crate) fn uri_parameters(uri: &str) -> &str {
    let (_, rest) = at_host(without_headers(uri));
    rest.find(';')
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
}

/// Splits an address before its host.
fn at_host(uri: &str) -> (&str, &str) {
    let at = uri.find('@').map_or(0, |at| at + 1);
    uri.split_at(at)
}

/// The text with every escape resolved; a malformed escape stays unchanged. A text with escapes of control characters, or of
/// bytes that are not UTF-8, stays unchanged as a whole and is equivalent only to itself.
pub(crate) fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match after {
            [high, low, ..] if *byte == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                plain.push(high * 16 + low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    match String::from_utf8(plain) {
        Ok(plain) if !plain.contains(char::is_control) => plain,
        Ok(_) | Err(_) => text.to_owned(),
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// A phone number without visual separators (RFC 3966 §3); any other text unchanged.
fn without_separators(user: String) -> String {
    let is_separator = |c: char| "-.()".contains(c);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '*' | '#') || is_separator(c);
    match user.chars().all(is_number) {
        true => user.replace(is_separator, ""),
        false => user,
    }
}

#[cfg(test)]
mod tests;
