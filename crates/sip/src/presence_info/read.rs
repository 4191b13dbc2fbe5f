//! Reading presence documents.

use super::{Activity, DOCUMENT_BYTES_MAX, PresenceError, PresenceInfo};
use crate::{
    remark::{Remark, excerpt},
    xml::{self, Fault, Space},
};

/// Longest note in bytes, for the display of a phone.
const NOTE_BYTES_MAX: usize = 1_024;

/// The elements that the reader uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Presence,
    Tuple,
    Status,
    Basic,
    Note,
    Person,
    Activities,
    Other,
}

fn kind(name: &str) -> Kind {
    const KINDS: [(&str, Kind); 7] = [
        ("presence", Kind::Presence),
        ("tuple", Kind::Tuple),
        ("status", Kind::Status),
        ("basic", Kind::Basic),
        ("note", Kind::Note),
        ("person", Kind::Person),
        ("activities", Kind::Activities),
    ];
    let known = KINDS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    known.map_or(Kind::Other, |(_, kind)| *kind)
}

impl PresenceInfo {
    /// Reads a document.
    ///
    /// # Errors
    /// [`PresenceError`]: the fault of the document.
    pub fn parse(bytes: &[u8]) -> Result<Self, PresenceError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(PresenceError::TooLong(bytes.len()));
        }
        let mut parser = Parser::default();
        xml::walk(bytes, &mut parser)?;
        match parser.document {
            // The missing end of a document may decide its meaning.
            Some(_) if parser.is_cut => Err(PresenceError::Xml("it ends in the middle".into())),
            Some(document) => Ok(document),
            None => Err(PresenceError::Root(String::new())),
        }
    }
}

#[derive(Default)]
struct Parser {
    path: Vec<Kind>,
    text: String,
    document: Option<PresenceInfo>,
    is_cut: bool,
}

impl xml::Parser for Parser {
    type Error = PresenceError;

    fn open(&mut self, element: &xml::Element<'_>) -> Result<(), PresenceError> {
        use Kind::{Activities, Person, Presence, Status, Tuple};
        let known = is_ours(element.space);
        let kind = match known {
            true => kind(element.name),
            false => Kind::Other,
        };
        if self.path.is_empty() {
            if kind != Presence {
                return Err(PresenceError::Root(excerpt(element.name)));
            }
            self.document = Some(PresenceInfo {
                entity: element.attribute("entity").unwrap_or_default(),
                ..PresenceInfo::default()
            });
        }
        // Activities of the person (RFC 4479), within a status (the drafts of RFC 4480, which phones still write), or of the
        // device.
        if let (
            [Presence, Person, Activities]
            | [Presence, Tuple, Status, Activities]
            | [Presence, Tuple, Activities],
            Some(document),
        ) = (self.path.as_slice(), &mut self.document)
        {
            let named = Activity::ALL
                .into_iter()
                .find(|activity| known && activity.name().eq_ignore_ascii_case(element.name));
            if let Some(activity) = named
                && !document.activities.contains(&activity)
            {
                document.activities.push(activity);
            }
        }
        self.path.push(kind);
        self.text.clear();
        Ok(())
    }

    fn close(&mut self) {
        use Kind::{Basic, Note, Person, Presence, Status, Tuple};
        if let Some(document) = &mut self.document {
            match self.path[..] {
                [Presence, Tuple, Status, Basic] => {
                    document.open |= self.text.trim().eq_ignore_ascii_case("open");
                }
                // The person's note goes before a device's.
                [Presence, Person, Note] => document.note = note(&self.text),
                [Presence, Tuple, Note] | [Presence, Note] if document.note.is_none() => {
                    document.note = note(&self.text);
                }
                _ => {}
            }
        }
        self.path.pop();
        self.text.clear();
    }

    fn text(&mut self, part: &str) {
        let wanted = matches!(self.path.last(), Some(Kind::Basic | Kind::Note));
        if wanted && self.text.len() + part.len() <= NOTE_BYTES_MAX {
            self.text.push_str(part);
        }
    }

    fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Phones publish these documents, and no administrator reads remarks about them.
    fn remark(&mut self, _: Remark) {}
}

/// Whether an element belongs to PIDF (RFC 3863), its data model (RFC 4479), RPID (RFC 4480), or a draft or vendor's copy of
/// these: their namespaces contain `:params:xml:ns:pidf`. An element without a namespace is accepted.
fn is_ours(space: Space<'_>) -> bool {
    match space {
        // The standard's own namespaces first, since this runs for each element of each publication.
        Space::Bound(
            "urn:ietf:params:xml:ns:pidf"
            | "urn:ietf:params:xml:ns:pidf:data-model"
            | "urn:ietf:params:xml:ns:pidf:rpid",
        ) => true,
        Space::Bound(space) => space.to_ascii_lowercase().contains(":params:xml:ns:pidf"),
        Space::None | Space::Undeclared(_) => true,
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
            Fault::TooDeep => Self::TooDeep,
        }
    }
}
