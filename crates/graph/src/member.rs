//! Members and elements of Graph's JSON, parsed so that a malformed one does not affect the others.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::wire::without_mark;

/// Member of an object, with a value of any type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Member {
    /// The object does not contain the member.
    #[default]
    Absent,
    /// The value is `null`.
    Null,
    /// String.
    Text(String),
    /// Integer, as decimal text.
    Integer(String),
    /// Boolean.
    Flag(bool),
    /// List: its strings, and true if it has elements of another type.
    List(Vec<String>, bool),
    /// Fraction or object.
    Other,
}

impl Member {
    /// The string, unless it is blank.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Some(text),
            Self::Absent
            | Self::Null
            | Self::Text(_)
            | Self::Integer(_)
            | Self::Flag(_)
            | Self::List(..)
            | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Member, E> {
        Ok(Member::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Member, E> {
        Ok(Member::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Member, E> {
        Ok(Member::Integer(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Member, E> {
        Ok(Member::Integer(number.to_string()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
        Ok(Member::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Member, E> {
        Ok(Member::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Member, A::Error> {
        let (mut texts, mut has_others) = (Vec::new(), false);
        while let Some(element) = list.next_element::<&RawValue>()? {
            match serde_json::from_str(element.get()) {
                Ok(text) => texts.push(text),
                Err(_) => has_others = true,
            }
        }
        Ok(Member::List(texts, has_others))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Member, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }
}

/// Parses an object. A list is an error; serde would take its elements for the members in order.
///
/// # Errors
/// The value is not an object, or not of this type.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, serde_json::Error> {
    if json.trim_start().starts_with('[') {
        return Err(serde_json::Error::custom("a list, not an object"));
    }
    serde_json::from_str(json)
}

/// Decodes a body as UTF-8. Invalid bytes become replacement characters.
pub(crate) fn text_of(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(without_mark(body))
}

#[cfg(test)]
mod tests {
    use super::{Member, text_of};

    fn member(json: &str) -> Member {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_member_of_any_type_is_read() {
        assert_eq!(member("null"), Member::Null);
        assert_eq!(member("true"), Member::Flag(true));
        assert_eq!(member("12345"), Member::Integer("12345".into()));
        assert_eq!(member("-1"), Member::Integer("-1".into()));
        assert_eq!(member("1.5"), Member::Other);
        assert_eq!(member(r#"{"a":[{}]}"#), Member::Other);
        let list = Member::List(vec!["a".into(), "b".into()], true);
        assert_eq!(member(r#"["a", null, 5, {"x": 1}, "b"]"#), list);
        assert_eq!(member(r#"" ""#).into_text(), None);
        assert_eq!(member(r#""Busy""#).into_text().as_deref(), Some("Busy"));
    }

    #[test]
    fn a_byte_order_mark_is_left_out_and_a_wrong_byte_replaced() {
        assert_eq!(text_of(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(text_of(b"\"J\xfcrgen\""), "\"J\u{fffd}rgen\"");
    }
}
