//! Addresses for use between angle brackets in header values.

use std::fmt;

/// An address that ends at its angle bracket: no character of it closes the bracket, begins a quoted string or acts as a
/// separator outside (RFC 3261 §20, §25.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Parses a whole address; `None` if it cannot stand between angle brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let ends = |character: char| {
            character.is_control()
                || character.is_whitespace()
                || matches!(character, '<' | '>' | '"')
        };
        let is_address = ["sip:", "sips:", "tel:"].iter().any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        (is_address && !text.contains(ends)).then(|| Self(text.to_owned()))
    }

    /// The address of a user, such as an extension, at a host; characters that a user part cannot have are escaped.
    pub fn of(user: &str, host: &str) -> Option<Self> {
        Self::parse(&format!("sip:{}@{host}", escape_user(user)))
    }

    /// The address without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{}>", self.0)
    }
}

/// A user part in which everything but unreserved characters and `+` is escaped (RFC 3261 §19.1.2).
fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Address;
    use crate::message::{Message, Writer};

    #[test]
    fn nothing_that_ends_an_address_is_one() {
        for text in [
            "sip:1003@pbx.test>, <sip:evil@evil.example",
            "sip:a b@pbx.test",
            "sip:a@pbx.test\r\nX: y",
            "sip:\"a\"@pbx.test",
            "http://pbx.test",
            "1003",
            "",
            "sip:a\u{85}@pbx.test",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
        let made = Address::of("*98#,1>", "pbx.test").unwrap();
        assert_eq!(made.to_string(), "<sip:*98%23%2C1%3E@pbx.test>");
        assert_eq!(Address::of("1", "pbx.test>"), None);
    }

    proptest! {
        // A reader of the header finds one contact and no other header.
        #[test]
        fn an_address_is_read_as_one_contact(user in "\\PC{0,20}|[<>,;\"@\\r\\n a-z]{0,20}", whole in "sip:\\PC{0,30}") {
            for address in [Address::of(&user, "pbx.test"), Address::parse(&whole)].into_iter().flatten() {
                let bytes = Writer::response(302).header("Contact", &address).finish();
                let bytes = bytes.unwrap();
                let read = Message::parse(&bytes).unwrap();
                prop_assert_eq!(read.headers().len(), 2);
                prop_assert_eq!(read.contact(), Some(address.as_str().to_owned()));
            }
        }
    }
}
