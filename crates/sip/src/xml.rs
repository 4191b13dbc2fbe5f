//! What all documents have in common: the walk through the elements, escaping, and the few references that XML has without a
//! DOCTYPE.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// What is wrong with a document, whatever it says.
pub(crate) enum Fault {
    /// It is no XML.
    Xml(String),
    /// It has a DOCTYPE: entities would be expanded.
    Doctype,
}

/// What makes sense of the elements of one kind of document.
pub(crate) trait Parser {
    type Error: From<Fault>;

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Self::Error>;
    fn close(&mut self) -> Result<(), Self::Error>;
    fn text(&mut self, part: &str) -> Result<(), Self::Error>;
}

/// Walks through a document to its end.
///
/// # Errors
/// The parser's own, and each [`Fault`] as one of them.
pub(crate) fn walk<P: Parser>(bytes: &[u8], parser: &mut P) -> Result<(), P::Error> {
    let text = String::from_utf8_lossy(bytes);
    let mut xml = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    loop {
        match xml
            .read_event()
            .map_err(|error| Fault::Xml(error.to_string()))?
        {
            Event::Start(start) => parser.open(&start)?,
            Event::Empty(start) => {
                parser.open(&start)?;
                parser.close()?;
            }
            Event::End(_) => parser.close()?,
            Event::Text(part) => parser.text(&part.xml10_content())?,
            Event::CData(part) => parser.text(&part.xml10_content())?,
            Event::GeneralRef(reference) => {
                parser.text(&resolve(&reference).map_err(Fault::Xml)?)?;
            }
            Event::DocType(_) => return Err(Fault::Doctype.into()),
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// The value of an attribute, whatever its prefix.
pub(crate) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.html_attributes();
    let found = attributes.with_checks(false).flatten().find(|attribute| {
        let key: &str = attribute.key.local_name().into_inner();
        key == name
    })?;
    let value = found.normalized_value(quick_xml::XmlVersion::Implicit1_0);
    value.ok().map(Cow::into_owned)
}

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
fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, String> {
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
