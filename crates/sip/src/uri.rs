//! When two SIP URIs name the same resource (RFC 3261 §19.1.4).

use std::collections::BTreeMap;

use crate::message::uri_user;

/// Parameters that differ from their absence: they change where a request goes or what it asks for.
const NEVER_IGNORED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

/// The parts of a `sip:` or `sips:` URI in one spelling, so that equal parts are equal text.
#[derive(PartialEq, Eq)]
struct Parts {
    scheme: String,
    userinfo: Option<String>,
    host: String,
    parameters: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
}

impl Parts {
    fn of(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let scheme = scheme.to_ascii_lowercase();
        if !["sip", "sips"].contains(&&*scheme) {
            return None;
        }
        let (userinfo, rest) = match rest.split_once('@') {
            Some((userinfo, rest)) => (Some(unescaped(userinfo)), rest),
            None => (None, rest),
        };
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts = rest.split(';');
        let host = parts.next()?.to_ascii_lowercase();
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (unescaped(name).to_ascii_lowercase(), unescaped(value))
        };
        let parameters = parts.map(pair);
        let parameters = parameters.map(|(name, value)| (name, value.to_ascii_lowercase()));
        let headers = headers.split('&').filter(|header| !header.is_empty());
        Some(Self {
            scheme,
            userinfo,
            host,
            parameters: parameters.collect(),
            headers: headers.map(pair).collect(),
        })
    }

    /// Whether each parameter that both have is the same in both, and one that only one has may be ignored.
    fn parameters_fit(&self, other: &Self) -> bool {
        self.parameters.iter().all(|(name, value)| {
            let counterpart = other.parameters.get(name);
            counterpart.map_or(!NEVER_IGNORED.contains(&&**name), |found| found == value)
        })
    }
}

/// Whether two URIs are equivalent. URIs of other schemes are compared byte by byte.
pub fn equivalent(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (Parts::of(one), Parts::of(other)) else {
        return false;
    };
    one.scheme == other.scheme
        && one.userinfo == other.userinfo
        && one.host == other.host
        && one.headers == other.headers
        && one.parameters_fit(&other)
        && other.parameters_fit(&one)
}

/// The user part, in the one spelling of all that name the same user: `1004` of `sip:%31004@pbx.test`.
pub fn user(uri: &str) -> Option<String> {
    uri_user(uri).map(unescaped)
}

/// The address as others may read it: without parameters and headers, which belong to one hop, and without the password.
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

/// The parameters of the address; a user part may hold a `;` too (RFC 3261 §25.1).
pub(crate) fn uri_parameters(uri: &str) -> &str {
    let (_, rest) = at_host(without_headers(uri));
    rest.find(';')
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
}

/// An address, cut before its host.
fn at_host(uri: &str) -> (&str, &str) {
    let at = uri.find('@').map_or(0, |at| at + 1);
    uri.split_at(at)
}

/// The text with every escape resolved that means the same as its character: all but those of reserved characters
/// (RFC 3261 §25.1), which are written in upper case.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let hex = escape.get(1..3).unwrap_or_default();
        let is_hex = hex.chars().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(hex, 16).ok().filter(|_| is_hex);
        let Some(byte) = byte else {
            plain.push('%');
            rest = escape.get(1..).unwrap_or_default();
            continue;
        };
        if byte.is_ascii_graphic() && !b";/?:@&=+$,%".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            plain.push_str(&format!("%{byte:02X}"));
        }
        rest = escape.get(3..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{equivalent, plain, user};

    // L6
    #[test]
    fn a_user_has_one_spelling_and_a_password_is_not_told() {
        for (uri, name, told) in [
            ("sip:1004@pbx.test", "1004", "sip:1004@pbx.test"),
            ("sip:%31004@pbx.test;x=y", "1004", "sip:%31004@pbx.test"),
            ("sip:1004:pw@pbx.test?a=b", "1004", "sip:1004@pbx.test"),
            (
                "sip:1004:p;w@pbx.test:5060",
                "1004",
                "sip:1004@pbx.test:5060",
            ),
            ("sip:1004;a=b@pbx.test;c=d", "1004", "sip:1004;a=b@pbx.test"),
            ("sip:1004;a=b:pw@pbx.test", "1004", "sip:1004;a=b@pbx.test"),
            ("sip:a%3bb@pbx.test", "a%3Bb", "sip:a%3bb@pbx.test"),
        ] {
            assert_eq!(user(uri).as_deref(), Some(name), "{uri}");
            assert_eq!(plain(uri), told, "{uri}");
        }
        assert_eq!(
            (user("sip:pbx.test"), plain("sip:pbx.test:5060;lr")),
            (None, "sip:pbx.test:5060".into())
        );
    }

    /// The examples of RFC 3261 §19.1.4.
    #[test]
    fn the_examples_of_rfc_3261() {
        for (one, other) in [
            (
                "sip:%61lice@atlanta.com;transport=TCP",
                "sip:alice@AtLanTa.CoM;Transport=tcp",
            ),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:carol@chicago.com;security=on",
                "sip:carol@chicago.com;newparam=5",
            ),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(equivalent(one, other), "{one} {other}");
        }
        for (one, other) in [
            (
                "SIP:ALICE@AtLanTa.CoM;Transport=udp",
                "sip:alice@AtLanTa.CoM;Transport=UDP",
            ),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            (
                "sip:bob@biloxi.com",
                "sip:bob@biloxi.com:6000;transport=tcp",
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com?Subject=next%20meeting",
            ),
            (
                "sip:carol@chicago.com;security=on",
                "sip:carol@chicago.com;security=off",
            ),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:1001@pbx.test", "sips:1001@pbx.test"),
            ("sip:1001@pbx.test", "sip:pbx.test"),
            ("sip:a%3Ab@pbx.test", "sip:a:b@pbx.test"),
            ("tel:1001", "tel:1002"),
            ("", "sip:1001@pbx.test"),
        ] {
            assert!(!equivalent(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_compared_without_a_panic_and_in_either_order(
            one in "(sip:)?[%:;?@=&a-c0-9\u{e4}]{0,12}",
            other in "(sip:)?[%:;?@=&a-c0-9\u{e4}]{0,12}",
        ) {
            prop_assert!(equivalent(&one, &one));
            prop_assert_eq!(equivalent(&one, &other), equivalent(&other, &one));
        }
    }
}
