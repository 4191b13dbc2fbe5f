//! The PBX software that sent a message, where the product depends on it.

use crate::message::Message;

/// The product that the `Server` or `User-Agent` header names (RFC 3261 §20.35, §20.41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Software {
    /// FreeSWITCH, also below FusionPBX: a full document has only the dialog that changed last.
    FreeSwitch,
    /// Asterisk, also below FreePBX.
    Asterisk,
    /// Another product, or none in the header.
    #[default]
    Other,
}

impl Software {
    /// The software that sent a message.
    pub fn of(message: &Message<'_>) -> Self {
        let named = ["Server", "User-Agent"].into_iter().map(|name| {
            let value = message.header(name);
            value.map_or(Self::Other, |value| Self::named(&value))
        });
        named
            .max_by_key(|software| *software != Self::Other)
            .unwrap_or_default()
    }

    /// The software with this name in a header.
    pub fn named(value: &str) -> Self {
        let value = value.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| value.contains(word));
        if names(&["freeswitch", "fusionpbx"]) {
            Self::FreeSwitch
        } else if names(&["asterisk", "fpbx", "freepbx"]) {
            Self::Asterisk
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Writer;

    #[test]
    fn either_header_names_the_software() {
        let of = |headers: &[(&str, &str)]| {
            let mut request = Writer::request("NOTIFY", "sip:x@y");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let bytes = request.finish().unwrap();
            Software::of(&Message::parse(&bytes).unwrap())
        };
        let freeswitch = "FreeSWITCH-mod_sofia/1.11.3-dev~64bit";
        assert_eq!(of(&[("User-Agent", freeswitch)]), Software::FreeSwitch);
        assert_eq!(
            of(&[("Server", "x"), ("User-Agent", freeswitch)]),
            Software::FreeSwitch
        );
        assert_eq!(of(&[("Server", "Asterisk PBX 22.1.0")]), Software::Asterisk);
        assert_eq!(of(&[("Server", "FPBX-16.0.40(18.9)")]), Software::Asterisk);
        assert_eq!(of(&[("Server", "kamailio (5.6.3)")]), Software::Other);
        assert_eq!(of(&[]), Software::Other);
    }
}
