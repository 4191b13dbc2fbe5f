//! Checks of every request before its method counts (RFC 3261 §8.2), and the answer to unparsable bytes that are meant to be
//! a request.

use std::net::SocketAddr;

use crate::{
    message::{
        Message, NameAddr, StartLine, Writer, answer_to, find_parameter, lenient, split_list,
    },
    uri::{self, host_and_port, is_well_formed},
};

/// Headers of which a request has exactly one (RFC 3261 §8.1.1).
const SINGLE: [&str; 4] = ["From", "To", "Call-ID", "CSeq"];

/// The default port of SIP over UDP and TCP (RFC 3261 §19.1.2).
const PORT: u16 = 5_060;

/// The reason for which a request is refused at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// 400, 416 or 420.
    pub code: u16,
    /// The value of Unsupported (RFC 3261 §20.40); empty unless the code is 420.
    pub unsupported: String,
}

impl Fault {
    const fn code(code: u16) -> Self {
        Self {
            code,
            unsupported: String::new(),
        }
    }

    /// The answer, with those of the echoed headers that the request has.
    pub fn answer(&self, request: &Message<'_>, source: SocketAddr, to_tag: &str) -> Writer {
        let answer = answer_to(request, self.code, Some(to_tag), Some(source));
        match self.unsupported.is_empty() {
            true => answer,
            false => answer.header("Unsupported", &self.unsupported),
        }
    }
}

/// The fault of a request, if there is one; `supported` are option tags (RFC 3261 §8.2.2.3).
pub fn fault(request: &Message<'_>, supported: &[&str]) -> Option<Fault> {
    let StartLine::Request { method, uri } = request.start() else {
        return None;
    };
    let bad = Some(Fault::code(400));
    let once = |name: &&str| request.all(name).count() == 1;
    if !SINGLE.iter().all(once) || request.all("Max-Forwards").count() > 1 {
        return bad;
    }
    let is_address = |name| {
        let value = request.header(name);
        value.is_some_and(|value| NameAddr::parse(&value).is_some())
    };
    if !is_address("From") || !is_address("To") || !has_sound_vias(request) {
        return bad;
    }
    // A number beyond 2^32 is a fault as well (RFC 3261 §8.1.1.5).
    if request.cseq().is_ok_and(|cseq| cseq.method != *method) || request.cseq().is_err() {
        return bad;
    }
    let hops = request.header("Max-Forwards");
    if hops.is_some_and(|hops| hops.trim().parse::<u8>().is_err()) {
        return bad;
    }
    match uri.split_once(':') {
        None => return bad,
        Some((scheme, _)) if !is_scheme(scheme) => return bad,
        Some((scheme, _)) => {
            let known = ["sip", "sips", "tel"];
            if !known.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
                return Some(Fault::code(416));
            }
            if !is_well_formed(uri) {
                return bad;
            }
        }
    }
    let required: Vec<String> = request.all("Require").map(|value| value.into()).collect();
    let unknown: Vec<&str> = required
        .iter()
        .flat_map(|value| split_list(value))
        .filter(|tag| {
            !supported
                .iter()
                .any(|known| known.eq_ignore_ascii_case(tag))
        })
        .collect();
    (!unknown.is_empty()).then(|| Fault {
        code: 420,
        unsupported: unknown.join(", "),
    })
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Whether the Via headers give an address for the answer (RFC 3261 §20.42): a protocol, an address, parameters with names.
fn has_sound_vias(request: &Message<'_>) -> bool {
    let mut any = false;
    for value in request.all("Via") {
        for via in split_list(&value) {
            any = true;
            let mut parts = via.split(';');
            let sent = parts.next().unwrap_or_default();
            let is_named =
                |part: &str| !part.split('=').next().unwrap_or_default().trim().is_empty();
            if sent.split('/').count() < 3
                || sent.split_ascii_whitespace().count() < 2
                || !parts.all(is_named)
            {
                return false;
            }
        }
    }
    any
}

/// The port for answers to a datagram: that of the topmost Via (RFC 3261 §18.2.2). `None`: the source port, because the
/// sender asks for it (RFC 3581 §4) or has no readable Via.
pub fn answer_port(message: &Message<'_>) -> Option<u16> {
    let via = message.header("Via")?;
    let first = split_list(&via).into_iter().next()?;
    if find_parameter(first, "rport").is_some() {
        return None;
    }
    // Blanks may stand around each part (RFC 3261 §25.1).
    let sent = first.split(';').next()?.rsplit('/').next()?.trim();
    let (_, sent_by) = sent.split_once(char::is_whitespace)?;
    let (_, port) = host_and_port(sent_by.trim())?;
    Some(port.unwrap_or(PORT))
}

/// The target of requests within the dialog of a request (RFC 3261 §12.1.1, §12.2.1.1): host and port of the topmost route,
/// or of the Contact. `None` if neither is readable.
pub fn next_hop(request: &Message<'_>) -> Option<(String, u16)> {
    let route = request.header("Record-Route");
    let hop = match &route {
        Some(route) => {
            let first = split_list(route).into_iter().next()?;
            NameAddr::parse(first)?.uri.to_owned()
        }
        None => request.contact()?,
    };
    let (host, port) = uri::host(&hop)?;
    Some((host, port.unwrap_or(PORT)))
}

/// The answer to bytes that [`Message::parse`] refuses, if they are meant to be a request and have an address for the
/// answer: 505 for another version of SIP, else 400 (RFC 3261 §8.2.1 and §21.4.1). It is hardly longer than the request.
pub fn refuse_malformed(bytes: &[u8], source: SocketAddr, to_tag: &str) -> Option<Vec<u8>> {
    let (first, request) = lenient(bytes)?;
    let first = String::from_utf8_lossy(first);
    let version = first.trim_end().rsplit(' ').next()?.to_ascii_uppercase();
    let is_request = version.starts_with("SIP/") && !first.starts_with("SIP/");
    if !is_request || first.starts_with("ACK ") || !has_sound_vias(&request) {
        return None;
    }
    let code = if version == "SIP/2.0" { 400 } else { 505 };
    let answer = answer_to(&request, code, Some(to_tag), Some(source));
    answer.finish().ok()
}

/// The addresses that a trusted peer asserts for the sender (RFC 3325 §9.1), in their order.
pub fn asserted_identities(request: &Message<'_>) -> Vec<String> {
    let mut asserted = Vec::new();
    for value in request.all("P-Asserted-Identity") {
        let entries = split_list(&value).into_iter();
        let addresses = entries.filter_map(NameAddr::parse);
        asserted.extend(addresses.map(|address| address.uri.to_owned()));
    }
    asserted
}

/// The Call-ID of unparsable bytes that are meant to be a request: the receiver may know its subscription.
pub fn call_id_of_malformed(bytes: &[u8]) -> Option<String> {
    let (first, request) = lenient(bytes)?;
    if first.starts_with(b"SIP/") {
        return None;
    }
    let call_id = request.header("Call-ID")?;
    Some(call_id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(headers: &str) -> Vec<u8> {
        format!("SUBSCRIBE sip:x SIP/2.0\r\n{headers}\r\n\r\n").into_bytes()
    }

    // A15
    #[test]
    fn answers_go_to_the_port_of_the_topmost_via() {
        for (via, port) in [
            ("SIP/2.0/UDP 127.0.0.2:22090;branch=z", Some(22_090)),
            (
                "SIP / 2.0 / UDP phone.test: 4000 ;ttl=1;branch=z",
                Some(4_000),
            ),
            ("SIP/2.0/UDP [2001:db8::9]:5070;branch=z", Some(5_070)),
            (
                "SIP/2.0/UDP h:7;branch=z, SIP/2.0/UDP other:8;rport",
                Some(7),
            ),
            (
                "SIP/2.0/UDP h:7;received=192.0.2.1;branch=z\r\nVia: SIP/2.0/UDP o:8",
                Some(7),
            ),
            ("SIP/2.0/UDP phone.test;branch=z", Some(5_060)),
            ("SIP/2.0/UDP [2001:db8::9];branch=z", Some(5_060)),
            // The answer goes to the source.
            ("SIP/2.0/UDP h:7;rport;branch=z", None),
            ("SIP/2.0/UDP h:7;branch=z;RPORT=9", None),
            ("SIP/2.0/UDP h:0;branch=z", None),
            ("SIP/2.0/UDP h:65536;branch=z", None),
            ("SIP/2.0/UDP h:x;branch=z", None),
            ("SIP/2.0/UDP 2001:db8::9;branch=z", None),
            ("SIP/2.0/UDP", None),
            ("", None),
        ] {
            let request = with(&format!("v: {via}"));
            let request = Message::parse(&request).unwrap();
            assert_eq!(answer_port(&request), port, "{via}");
        }
    }

    // A15
    #[test]
    fn requests_within_a_dialog_go_to_the_first_route_or_the_contact() {
        let hop = |host: &str, port| Some((host.to_owned(), port));
        for (headers, expected) in [
            (
                "Contact: <sip:1001@192.0.2.7:22090>",
                hop("192.0.2.7", 22_090),
            ),
            ("m: sip:1001@[2001:DB8::9]", hop("2001:db8::9", 5_060)),
            (
                "Record-Route: <sip:192.0.2.1:5070;lr>, <sip:192.0.2.2;lr>\r\nContact: <sip:a@h>",
                hop("192.0.2.1", 5_070),
            ),
            ("Contact: *", None),
            ("Contact: <tel:1001>", None),
            ("X: y", None),
        ] {
            let request = with(headers);
            let request = Message::parse(&request).unwrap();
            assert_eq!(next_hop(&request), expected, "{headers}");
        }
    }

    #[test]
    fn an_answer_to_as_many_headers_as_are_read_can_be_read() {
        let source = ([192, 0, 2, 7], 5_060).into();
        let head = "OPTIONS sip:x SIP/2.0\r\nFrom: <sip:a@b>\r\nTo: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";
        let vias = "Via: SIP/2.0/UDP h;branch=1\r\n".repeat(crate::message::HEADERS_MAX - 4);
        let request = format!("{head}{vias}\r\n");
        assert!(Message::parse(request.as_bytes()).is_err());
        let answer = refuse_malformed(request.as_bytes(), source, "tag").unwrap();
        assert!(Message::parse(&answer).is_ok());
    }
}
