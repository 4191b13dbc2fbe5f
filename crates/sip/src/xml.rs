//! The common part of all documents: a tolerant walk through elements, namespaces, references and escaping.
//!
//! PBXs write XML that is not quite well-formed: bare ampersands, end tags that do not match, a document that is cut off.
//! The walk goes on wherever the meaning is clear and remarks the parts that it left out. A DOCTYPE is refused, so that
//! nothing expands; depth is bounded.

use std::{borrow::Cow, fmt::Write as _};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
    name::PrefixDeclaration,
};

use crate::remark::{Remark, excerpt};

/// Deepest nesting; the documents need six.
const DEPTH_MAX: usize = 32;
/// Most namespace declarations in force at a time; documents have a handful.
const BINDINGS_MAX: usize = 64;
/// Longest name of an entity or character reference.
const REFERENCE_BYTES_MAX: usize = 12;

/// The reason for which a document cannot be read at all.
pub(crate) enum Fault {
    /// Not XML.
    Xml(String),
    /// A DOCTYPE: entities would be expanded.
    Doctype,
    /// Elements are nested too deep.
    TooDeep,
}

/// The namespace of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space<'a> {
    /// Neither the element nor a parent declares one.
    None,
    /// An undeclared prefix.
    Undeclared(&'a str),
    /// The declared namespace.
    Bound(&'a str),
}

/// The start of an element.
pub(crate) struct Element<'a> {
    /// The name without the prefix.
    pub(crate) name: &'a str,
    pub(crate) space: Space<'a>,
    start: &'a BytesStart<'a>,
}

impl Element<'_> {
    /// The value of an attribute: the one without a prefix (Namespaces in XML §6.2), else the one with the element's own.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let qualified = self.start.name();
        let prefix = qualified.prefix().map(|prefix| prefix.into_inner());
        let mut prefixed = None;
        for attribute in attributes(self.start) {
            let (local, own) = attribute.key.decompose();
            if local.into_inner() != name {
                continue;
            }
            match own.map(|own| own.into_inner()) {
                None => return Some(unescape(&attribute.value).into_owned()),
                own if own == prefix => prefixed = Some(unescape(&attribute.value).into_owned()),
                Some(_) => {}
            }
        }
        prefixed
    }
}

/// Interprets the elements of one kind of document.
pub(crate) trait Parser {
    type Error: From<Fault>;

    fn open(&mut self, element: &Element<'_>) -> Result<(), Self::Error>;
    fn close(&mut self);
    fn text(&mut self, part: &str);
    /// Handles the end of a document that is cut off; open elements are closed next.
    fn cut(&mut self);
    fn remark(&mut self, remark: Remark);
}

/// Walks through a document to its end, or to the point where it stops making sense.
///
/// # Errors
/// The parser's own errors, which include each [`Fault`].
pub(crate) fn walk<P: Parser>(bytes: &[u8], parser: &mut P) -> Result<(), P::Error> {
    let text = decode(bytes, parser);
    let mut xml = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    let config = xml.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut scopes = Scopes::default();
    let mut is_over = false;
    loop {
        let event = match xml.read_event() {
            Ok(event) => event,
            Err(_) if is_over => {
                parser.remark(Remark::AfterEnd);
                return Ok(());
            }
            Err(_) if scopes.depth() > 0 => break,
            Err(error) => return Err(Fault::Xml(excerpt(&error.to_string())).into()),
        };
        match event {
            Event::DocType(_) => return Err(Fault::Doctype.into()),
            Event::Eof if is_over || scopes.depth() == 0 => return Ok(()),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Text(part) if scopes.depth() == 0 => {
                // Some programs send the end of their string as well.
                if part.contains(|c: char| !c.is_whitespace() && !c.is_control()) {
                    parser.remark(Remark::AfterEnd);
                }
            }
            _ if is_over => parser.remark(Remark::AfterEnd),
            Event::Start(start) => open(&start, &mut scopes, parser)?,
            Event::Empty(start) => {
                open(&start, &mut scopes, parser)?;
                scopes.pop();
                parser.close();
                is_over = scopes.depth() == 0;
            }
            Event::End(end) => {
                close(end.name().into_inner(), &mut scopes, parser);
                is_over = scopes.depth() == 0;
            }
            Event::Text(part) => parser.text(&part.xml10_content()),
            Event::CData(part) => parser.text(&part.xml10_content()),
            Event::GeneralRef(reference) => match resolve(&reference) {
                Some(character) => parser.text(character.encode_utf8(&mut [0; 4])),
                None => {
                    for part in ["&", &reference, ";"] {
                        parser.text(part);
                    }
                }
            },
        }
    }
    parser.remark(Remark::Cut);
    parser.cut();
    while scopes.depth() > 0 {
        scopes.pop();
        parser.close();
    }
    Ok(())
}

fn open<P: Parser>(
    start: &BytesStart<'_>,
    scopes: &mut Scopes,
    parser: &mut P,
) -> Result<(), P::Error> {
    if scopes.depth() == DEPTH_MAX {
        return Err(Fault::TooDeep.into());
    }
    scopes.push(start);
    let (local, prefix) = start.name().decompose();
    let element = Element {
        name: local.into_inner(),
        space: scopes.space(prefix.map(|prefix| prefix.into_inner())),
        start,
    };
    parser.open(&element)
}

/// Closes the innermost element of that name and all within it; an end tag without a start tag is skipped.
fn close<P: Parser>(name: &str, scopes: &mut Scopes, parser: &mut P) {
    match scopes.above(name.trim()) {
        Some(above) => {
            if above > 0 {
                parser.remark(Remark::Misnested);
            }
            for _ in 0..=above {
                scopes.pop();
                parser.close();
            }
        }
        None => parser.remark(Remark::Misnested),
    }
}

/// The open elements and the namespace declarations in force.
#[derive(Default)]
struct Scopes {
    /// The names of the open elements, concatenated.
    names: String,
    /// The start of each name.
    starts: Vec<usize>,
    /// Depth, prefix (empty: the default) and namespace of each declaration.
    bindings: Vec<(usize, String, String)>,
}

impl Scopes {
    fn depth(&self) -> usize {
        self.starts.len()
    }

    fn push(&mut self, start: &BytesStart<'_>) {
        self.starts.push(self.names.len());
        self.names.push_str(start.name().into_inner());
        if start.attributes_raw().is_empty() {
            return;
        }
        for attribute in attributes(start) {
            let prefix = match attribute.key.as_namespace_binding() {
                Some(PrefixDeclaration::Default) => "",
                Some(PrefixDeclaration::Named(prefix)) => prefix,
                None => continue,
            };
            if self.bindings.len() < BINDINGS_MAX {
                let space = unescape(&attribute.value).trim().to_owned();
                self.bindings.push((self.depth(), prefix.to_owned(), space));
            }
        }
    }

    fn pop(&mut self) {
        let depth = self.depth();
        while self.bindings.last().is_some_and(|(at, _, _)| *at >= depth) {
            self.bindings.pop();
        }
        self.names.truncate(self.starts.pop().unwrap_or_default());
    }

    /// Number of open elements within the innermost of that name.
    fn above(&self, name: &str) -> Option<usize> {
        let mut end = self.names.len();
        for (above, start) in self.starts.iter().rev().enumerate() {
            let open = self.names.get(*start..end).unwrap_or_default();
            if open.eq_ignore_ascii_case(name) {
                return Some(above);
            }
            end = *start;
        }
        None
    }

    /// The namespace that a prefix stands for, without one the default.
    fn space<'a>(&'a self, prefix: Option<&'a str>) -> Space<'a> {
        let wanted = prefix.unwrap_or_default();
        // Prefixes are short: a call of memcmp for each of them costs more than the comparison.
        let is_wanted = |prefix: &str| prefix.bytes().eq(wanted.bytes());
        let found = self.bindings.iter().rev().find(|(_, p, _)| is_wanted(p));
        match (found, prefix) {
            (Some((_, _, space)), _) if !space.is_empty() => Space::Bound(space),
            (_, Some("xml")) => Space::Bound("http://www.w3.org/XML/1998/namespace"),
            (_, Some(prefix)) => Space::Undeclared(prefix),
            (_, None) => Space::None,
        }
    }
}

/// The readable attributes, also without quotes; duplicates are not checked.
fn attributes<'a>(
    start: &'a BytesStart<'_>,
) -> impl Iterator<Item = quick_xml::events::attributes::Attribute<'a>> {
    let mut attributes = start.html_attributes();
    attributes.with_checks(false);
    attributes.flatten()
}

/// The text of a document: UTF-8, UTF-16 with a byte order mark, or ISO 8859-1 if declared.
fn decode<'a, P: Parser>(bytes: &'a [u8], parser: &mut P) -> Cow<'a, str> {
    let utf16 = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|unit| read(*unit));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => return Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let lossy = String::from_utf8_lossy(bytes);
    let head: String = lossy.chars().take(100).collect();
    let head = head.to_ascii_lowercase();
    if head.contains("8859-1") || head.contains("1252") || head.contains("latin") {
        return Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    parser.remark(Remark::Encoding);
    lossy
}

/// Replaces references; an ampersand without a reference stands for itself, as in `Meyer & Co`.
fn unescape(raw: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| !matches!(byte, b'&' | b'\n' | b'\r' | b'\t');
    if raw.bytes().all(is_plain) {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\n', '\r', '\t']) {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let Some(after) = after.strip_prefix('&') else {
            text.push(' ');
            rest = after.get(1..).unwrap_or_default();
            continue;
        };
        let end = after
            .bytes()
            .take(REFERENCE_BYTES_MAX)
            .position(|b| b == b';');
        let name = end.and_then(|end| after.get(..end));
        match name.and_then(|name| resolve(name).zip(after.get(name.len() + 1..))) {
            Some((character, next)) => {
                text.push(character);
                rest = next;
            }
            None => {
                text.push('&');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// A character reference or one of the five entities of XML; others would need a DOCTYPE.
fn resolve(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(number).filter(|c| *c != '\0');
    }
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Appends text escaped for an element or a quoted attribute. XML cannot represent most control characters: they are left
/// out.
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
