//! Values of a provider as error texts repeat them: at most 60 characters (addresses: 200), without control characters.

use serde_json::Value;

/// Characters of a value that are repeated.
const SHOWN_MAX: usize = 60;
/// Characters of an address that are repeated. More than of other values, because administrators compare it with the
/// configuration or copy it there: the issuers of Entra have 75, and a part of an address is no remedy.
const ADDRESS_MAX: usize = 200;

/// An identity or a code, without quotes.
pub(super) fn plain(value: &str) -> String {
    cut(value, SHOWN_MAX)
}

/// A text in quotes.
pub(super) fn text(value: &str) -> String {
    quoted(value, SHOWN_MAX)
}

/// An address in quotes.
pub(super) fn address(value: &str) -> String {
    quoted(value, ADDRESS_MAX)
}

fn quoted(value: &str, most: usize) -> String {
    format!("\"{}\"", cut(value, most))
}

fn cut(value: &str, most: usize) -> String {
    let shown: String = value
        .chars()
        .map(|character| match character.is_control() {
            true => ' ',
            false => character,
        })
        .take(most)
        .collect();
    match value.chars().nth(most) {
        None => shown,
        Some(_) => format!("{shown}…"),
    }
}

/// A JSON value: texts, numbers and truth values as they are, of the others only the type.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Number(number) => number.to_string().chars().take(SHOWN_MAX).collect(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::Null => "null".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}
