//! Reading presence documents.

use quick_xml::events::BytesStart;

use super::{Activity, DOCUMENT_BYTES_MAX, PresenceError, PresenceInfo};
use crate::xml::{self, Fault};

/// Deepest nesting; documents need five.
const DEPTH_MAX: usize = 32;
/// Longest note: it is shown on a telephone.
const NOTE_BYTES_MAX: usize = 1_024;

/// The elements that mean something to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Presence,
    Tuple,
    Status,
    Basic,
    Note,
    Person,
    Activities,
    Other,
}

fn element(name: &str) -> Element {
    match name {
        "presence" => Element::Presence,
        "tuple" => Element::Tuple,
        "status" => Element::Status,
        "basic" => Element::Basic,
        "note" => Element::Note,
        "person" => Element::Person,
        "activities" => Element::Activities,
        _ => Element::Other,
    }
}

impl PresenceInfo {
    /// Reads a document.
    ///
    /// # Errors
    /// [`PresenceError`] names what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, PresenceError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(PresenceError::TooLong(bytes.len()));
        }
        let mut parser = Parser::default();
        xml::walk(bytes, &mut parser)?;
        match (parser.path.is_empty(), parser.document) {
            (true, Some(document)) => Ok(document),
            (true, None) => Err(PresenceError::Root(String::new())),
            (false, _) => Err(PresenceError::Xml("it ends in the middle".into())),
        }
    }
}

#[derive(Default)]
struct Parser {
    path: Vec<Element>,
    text: String,
    document: Option<PresenceInfo>,
}

impl xml::Parser for Parser {
    type Error = PresenceError;

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), PresenceError> {
        use Element::{Activities, Person, Presence};
        if self.path.len() == DEPTH_MAX {
            return Err(PresenceError::TooDeep);
        }
        let name = start.local_name();
        let name: &str = name.as_ref();
        let element = element(name);
        if self.path.is_empty() {
            if element != Presence || self.document.is_some() {
                return Err(PresenceError::Root(name.chars().take(60).collect()));
            }
            self.document = Some(PresenceInfo {
                entity: xml::attribute(start, "entity").unwrap_or_default(),
                ..PresenceInfo::default()
            });
        }
        if let ([Presence, Person, Activities], Some(document)) =
            (self.path.as_slice(), &mut self.document)
        {
            let known = Activity::ALL
                .into_iter()
                .find(|activity| activity.name() == name);
            if let Some(activity) = known
                && !document.activities.contains(&activity)
            {
                document.activities.push(activity);
            }
        }
        self.path.push(element);
        self.text.clear();
        Ok(())
    }

    fn close(&mut self) -> Result<(), PresenceError> {
        use Element::{Basic, Note, Person, Presence, Status, Tuple};
        if let Some(document) = &mut self.document {
            match self.path[..] {
                [Presence, Tuple, Status, Basic] => {
                    document.open |= self.text.trim().eq_ignore_ascii_case("open");
                }
                // The person's words go before a device's.
                [Presence, Person, Note] => document.note = note(&self.text),
                [Presence, Tuple, Note] | [Presence, Note] if document.note.is_none() => {
                    document.note = note(&self.text);
                }
                _ => {}
            }
        }
        self.path.pop();
        self.text.clear();
        Ok(())
    }

    fn text(&mut self, part: &str) -> Result<(), PresenceError> {
        let wanted = matches!(self.path.last(), Some(Element::Basic | Element::Note));
        if wanted && self.text.len() + part.len() <= NOTE_BYTES_MAX {
            self.text.push_str(part);
        }
        Ok(())
    }
}

fn note(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl From<Fault> for PresenceError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Xml(what) => Self::Xml(what),
            Fault::Doctype => Self::Doctype,
        }
    }
}
