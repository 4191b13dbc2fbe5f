//! What all documents have in common: escaping, and the few references that XML has without a DOCTYPE.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::events::BytesRef;

/// Appends text as it may stand in an element or a quoted attribute. XML has no way at all to write most control
/// characters: they are left out.
pub(crate) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "&#{};", u32::from(character));
            }
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
}

/// Character references and the five entities of XML; nothing else can be defined without a DOCTYPE.
///
/// # Errors
/// Another entity, or a number that is no character.
pub(crate) fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, String> {
    let character = reference.resolve_char_ref();
    if let Some(character) = character.map_err(|error| error.to_string())? {
        return Ok(Cow::Owned(character.to_string()));
    }
    let name = reference.xml10_content();
    match &*name {
        "lt" => Ok("<".into()),
        "gt" => Ok(">".into()),
        "amp" => Ok("&".into()),
        "quot" => Ok("\"".into()),
        "apos" => Ok("'".into()),
        other => Err(format!(
            "unknown entity &{};",
            other.chars().take(30).collect::<String>()
        )),
    }
}
