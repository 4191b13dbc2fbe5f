//! Targets of forwarded calls (docs/presence-rules.md, "Call forwarding"): a number, a SIP address or the voice
//! mail. Dialplans and SIP headers receive a target unchanged: the type has no value with another meaning there.

use std::{fmt, net::Ipv6Addr, sync::Arc};

use crate::extension::is_extension;

/// Longest number: 15 digits of E.164, and room for prefixes and feature codes.
const NUMBER_MAX: usize = 32;
/// Most digits behind a plus (E.164).
const INTERNATIONAL_MAX: usize = 15;
/// Longest host name (RFC 1035 §2.3.4).
const HOST_MAX: usize = 253;
/// Characters that people write between digits.
const SEPARATORS: [char; 6] = [' ', '-', '.', '/', '(', ')'];
/// Values of the parameter `transport` (RFC 3261 §19.1.1, RFC 7118).
const TRANSPORTS: [&str; 5] = ["udp", "tcp", "tls", "ws", "wss"];

/// A phone number or a numeric extension in canonical form: digits, `*` and `#`, or a plus and digits. Letters
/// are not accepted: dialplans give them meanings (Asterisk's `h` and `i`); an extension with letters is reached
/// by its SIP address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Arc<str>);

/// A SIP address in canonical form: `sip:` or `sips:`, user, host, and at most a port and the parameters
/// `transport` and `user=phone`. No headers, no password (RFC 3261 §19.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SipAddress(Arc<str>);

/// Target of a forwarded call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A phone number or extension.
    Number(Number),
    /// A SIP address.
    Sip(SipAddress),
    /// The person's voice mail.
    Voicemail,
}

/// Reason why a text is refused as a target. The messages state the expected form and do not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// Characters other than digits, `+`, `*`, `#` and separators.
    NumberCharacters,
    /// Too long, or without any digit.
    NumberLength,
    /// A plus that does not precede 1 to 15 digits.
    NumberPlus,
    /// The user part.
    SipUser,
    /// The host.
    SipHost,
    /// The port.
    SipPort,
    /// A parameter or header.
    SipParameter,
}

impl std::error::Error for TargetError {}

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NumberCharacters => {
                "the target is neither a number, a SIP address nor voicemail: a number has digits, * and #, perhaps a + in front, and spaces, - . / ( ) between them; an address is written like sip:anna@pbx.example"
            }
            Self::NumberLength => {
                "the target is no number: expected 1 to 32 digits, * and #, with at least one of them"
            }
            Self::NumberPlus => {
                "the target is no international number: expected a + in front and 1 to 15 digits, without (0)"
            }
            Self::SipUser => {
                "the target's part before the @ is not accepted: expected 1 to 64 letters, digits and + * - _ . (a # as %23), without a password"
            }
            Self::SipHost => {
                "the target's host is not accepted: expected a name like pbx.example, an IPv4 address, or an IPv6 address in [ ]"
            }
            Self::SipPort => "the target's port is not accepted: expected 1 to 65535",
            Self::SipParameter => {
                "the target's parameters are not accepted: expected none but transport=udp, tcp, tls, ws or wss, and user=phone, each once, and no headers after a ?"
            }
        })
    }
}

impl Number {
    /// Reads a number; leaves out the separators between digits.
    ///
    /// # Errors
    /// The text is not a number.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        // "+49 (0)30 1" is dialled without the 0, "+39 (0)6 1" with it: the text does not show which.
        if text.contains('+') && text.replace(' ', "").contains("(0)") {
            return Err(TargetError::NumberPlus);
        }
        let mut number = String::new();
        for character in text.chars() {
            match character {
                '0'..='9' | '*' | '#' | '+' => number.push(character),
                other if SEPARATORS.contains(&other) => {}
                _ => return Err(TargetError::NumberCharacters),
            }
            if number.len() > NUMBER_MAX {
                return Err(TargetError::NumberLength);
            }
        }
        match number.strip_prefix('+') {
            Some(digits) => {
                let fits = (1..=INTERNATIONAL_MAX).contains(&digits.len());
                if !fits || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(TargetError::NumberPlus);
                }
            }
            None if number.contains('+') => return Err(TargetError::NumberPlus),
            None if number.is_empty() => return Err(TargetError::NumberLength),
            None => {}
        }
        Ok(Self(number.into()))
    }

    /// Canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SipAddress {
    /// Reads a SIP address.
    ///
    /// # Errors
    /// The text is not an address, or has parts that are not accepted.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = text.split_once(':').ok_or(TargetError::SipUser)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "sip" && scheme != "sips" {
            return Err(TargetError::SipUser);
        }
        if rest.contains('?') {
            return Err(TargetError::SipParameter);
        }
        let (user, rest) = rest.split_once('@').ok_or(TargetError::SipUser)?;
        if !is_user(user) {
            return Err(TargetError::SipUser);
        }
        let mut parts = rest.split(';');
        let (host, port) = host_and_port(parts.next().unwrap_or_default())?;
        let mut address = format!("{scheme}:{user}@{host}");
        if let Some(port) = port {
            address.push_str(&format!(":{port}"));
        }
        let (mut transport, mut phone) = (None, false);
        for part in parts {
            let part = part.to_ascii_lowercase();
            match part.split_once('=') {
                Some(("transport", value))
                    if TRANSPORTS.contains(&value) && transport.is_none() =>
                {
                    transport = Some(value.to_owned());
                }
                Some(("user", "phone")) if !phone => phone = true,
                _ => return Err(TargetError::SipParameter),
            }
        }
        if let Some(transport) = transport {
            address.push_str(&format!(";transport={transport}"));
        }
        if phone {
            address.push_str(";user=phone");
        }
        Ok(Self(address.into()))
    }

    /// Canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Target {
    /// Reads `voicemail`, a SIP address (`sip:` or `sips:`), or else a number; leaves out surrounding blanks.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let text = text.trim_matches(' ');
        let begins = |scheme: &str| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if text.eq_ignore_ascii_case("voicemail") {
            Ok(Self::Voicemail)
        } else if begins("sip:") || begins("sips:") {
            SipAddress::parse(text).map(Self::Sip)
        } else {
            Number::parse(text).map(Self::Number)
        }
    }

    /// Canonical form, which [`Self::parse`] reads.
    pub fn name(&self) -> &str {
        match self {
            Self::Number(number) => number.as_str(),
            Self::Sip(address) => address.as_str(),
            Self::Voicemail => "voicemail",
        }
    }
}

/// Whether a text is a user part: an extension with its `#` escaped.
fn is_user(user: &str) -> bool {
    let plain = user.replace("%23", "#");
    // An unescaped # begins a fragment.
    !user.contains('#') && is_extension(&plain)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), TargetError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(TargetError::SipHost)?;
            let address: Ipv6Addr = address.parse().map_err(|_| TargetError::SipHost)?;
            let port = match port.strip_prefix(':') {
                None if port.is_empty() => None,
                None => return Err(TargetError::SipHost),
                Some(port) => Some(port),
            };
            (format!("[{address}]"), port)
        }
        None => {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            if !is_host(host) {
                return Err(TargetError::SipHost);
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let digits = |port: &&str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = match port {
        None => None,
        Some(port) => {
            let port = Some(port).filter(digits).and_then(|port| port.parse().ok());
            Some(port.filter(|port| *port != 0).ok_or(TargetError::SipPort)?)
        }
    };
    Ok((host, port))
}

/// Whether a text is a host name (RFC 1035 §2.3.1, RFC 1123 §2.1) or an IPv4 address. A name that ends with a numeric
/// label is not a host name.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|first: char| first.is_ascii_digit());
    host.len() <= HOST_MAX
        && host.split('.').all(is_label)
        && (!numeric || host.parse::<std::net::Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Target, TargetError, is_extension};

    #[test]
    fn targets_have_one_canonical_form() {
        for (written, canonical) in [
            ("1003", "1003"),
            (" 1003 ", "1003"),
            ("+49 30 123-45", "+493012345"),
            ("+49 (30) 123/45.6", "+4930123456"),
            ("*98#", "*98#"),
            ("0", "0"),
            ("VoiceMail", "voicemail"),
            ("sip:desk@elsewhere", "sip:desk@elsewhere"),
            ("SIP:Desk@PBX.Example", "sip:Desk@pbx.example"),
            ("sips:+4930@192.0.2.1:5061", "sips:+4930@192.0.2.1:5061"),
            ("sip:a@[2001:DB8::1]:5060", "sip:a@[2001:db8::1]:5060"),
            ("sip:*98%23@pbx.example", "sip:*98%23@pbx.example"),
            (
                "sip:1@a.example;USER=phone;transport=TLS",
                "sip:1@a.example;transport=tls;user=phone",
            ),
        ] {
            let read = Target::parse(written);
            assert_eq!(read.as_ref().map(Target::name), Ok(canonical), "{written}");
        }
    }

    #[test]
    fn texts_that_mean_more_than_an_address_are_refused() {
        use TargetError as E;
        let long = "1".repeat(60_000);
        let long_user = format!("sip:{}@pbx.test", "a".repeat(65));
        let long_host = format!("sip:a@{}", "a.".repeat(200));
        for (text, why) in [
            ("outbound,00900123456", E::NumberCharacters),
            ("1003&Local/s@evil", E::NumberCharacters),
            ("anna", E::NumberCharacters),
            ("h", E::NumberCharacters),
            ("1003\n", E::NumberCharacters),
            ("\r\n1003", E::NumberCharacters),
            ("1003\u{a0}", E::NumberCharacters),
            ("１００３", E::NumberCharacters),
            ("١٠٠٣", E::NumberCharacters),
            ("1003;x=y", E::NumberCharacters),
            ("tel:+49301", E::NumberCharacters),
            ("${EXTEN}", E::NumberCharacters),
            ("\"1003\"", E::NumberCharacters),
            ("1003%0d%0a", E::NumberCharacters),
            ("voicemail ,1", E::NumberCharacters),
            ("", E::NumberLength),
            ("()", E::NumberLength),
            (&long, E::NumberLength),
            ("+", E::NumberPlus),
            ("49+30", E::NumberPlus),
            ("++4930", E::NumberPlus),
            ("+4930*1", E::NumberPlus),
            ("+49 (0)30 1", E::NumberPlus),
            ("+49 ( 0 ) 30 1", E::NumberPlus),
            ("+1234567890123456", E::NumberPlus),
            ("sip:1003@pbx.test>, <sip:evil@evil.example", E::SipHost),
            ("sip:x?Route=%3Csip:evil%3E", E::SipParameter),
            ("sip:x@pbx.test?Route=evil", E::SipParameter),
            ("sip:x@pbx.test;lr", E::SipParameter),
            ("sip:x@pbx.test;maddr=evil.example", E::SipParameter),
            (
                "sip:x@pbx.test;transport=tcp;transport=udp",
                E::SipParameter,
            ),
            ("sip:x@pbx.test;", E::SipParameter),
            ("sip:x;phone-context=evil@pbx.test", E::SipUser),
            ("sip:anna:secret@pbx.test", E::SipUser),
            ("sip:a,b@pbx.test", E::SipUser),
            ("sip:a%0d%0ab@pbx.test", E::SipUser),
            ("sip:a%40evil@pbx.test", E::SipUser),
            ("sip:a#b@pbx.test", E::SipUser),
            ("sip:@pbx.test", E::SipUser),
            ("sip:pbx.test", E::SipUser),
            ("sip:", E::SipUser),
            ("sip: a@pbx.test", E::SipUser),
            (&long_user, E::SipUser),
            ("sip:a@b@c", E::SipHost),
            ("sip:a@", E::SipHost),
            ("sip:a@pbx .test", E::SipHost),
            ("sip:a@pbx.test\r\nX: y", E::SipHost),
            ("sip:a@-pbx.test", E::SipHost),
            ("sip:a@pbx..test", E::SipHost),
            ("sip:a@1.2.3", E::SipHost),
            ("sip:a@256.1.1.1", E::SipHost),
            ("sip:a@[::1", E::SipHost),
            ("sip:a@[::1%25eth0]", E::SipHost),
            ("sip:a@[::1]x", E::SipHost),
            ("sip:a@münchen.example", E::SipHost),
            (&long_host, E::SipHost),
            ("sip:a@pbx.test:0", E::SipPort),
            ("sip:a@pbx.test:65536", E::SipPort),
            ("sip:a@pbx.test:+1", E::SipPort),
            ("sip:a@pbx.test:", E::SipPort),
            ("sip:a@[::1]:", E::SipPort),
        ] {
            assert_eq!(Target::parse(text), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_target_is_read_as_it_is_written_and_has_no_other_meaning(
            text in "(sips?:)?[a-z0-9+*#%@:;?=.,<>\"\\[\\]() \\r\\n/&_-]{0,24}|\\PC{0,30}"
        ) {
            if let Ok(target) = Target::parse(&text) {
                let again = Target::parse(target.name());
                prop_assert_eq!(again.as_ref(), Ok(&target));
                prop_assert!(target.name().len() <= 400);
                let outside = |byte: u8| !byte.is_ascii_graphic() || b"<>\",?&$`'(){}|\\^!~/".contains(&byte);
                prop_assert!(!target.name().bytes().any(outside), "{:?}", target);
            }
        }

        #[test]
        fn an_extension_is_a_user_part(text in "[a-z0-9+*#_.@,;<> -]{0,10}") {
            let address = format!("sip:{}@pbx.test", text.replace('#', "%23"));
            prop_assert_eq!(is_extension(&text), Target::parse(&address).is_ok());
        }
    }
}
