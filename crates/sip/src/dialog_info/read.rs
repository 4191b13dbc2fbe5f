//! Reading dialog-info documents.

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use super::{
    Completeness, DIALOGS_MAX, DOCUMENT_BYTES_MAX, Dialog, DialogInfo, DialogState, Direction,
    DocumentError, Participant,
};
use crate::xml::{self, Fault};

/// Deepest nesting; RFC 4235 needs five.
const DEPTH_MAX: usize = 32;

/// Longest text of one element; identities are addresses.
const TEXT_BYTES_MAX: usize = 4096;

/// The elements that mean something to us; extensions are passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    DialogInfo,
    Dialog,
    State,
    Local,
    Remote,
    Identity,
    Target,
    Param,
    Other,
}

impl DialogInfo {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentError`] names what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLong(bytes.len()));
        }
        let mut parser = Parser::default();
        xml::walk(bytes, &mut parser)?;
        if !parser.path.is_empty() {
            return Err(DocumentError::Xml("it ends in the middle".into()));
        }
        parser
            .document
            .ok_or(DocumentError::Missing("<dialog-info>"))
    }
}

#[derive(Default)]
struct Parser {
    path: Vec<Element>,
    /// The namespace prefix of the outermost element.
    prefix: String,
    text: String,
    document: Option<DialogInfo>,
    dialog: Option<PartialDialog>,
}

/// A dialog whose state has not been read yet.
struct PartialDialog {
    dialog: Dialog,
    has_state: bool,
}

impl xml::Parser for Parser {
    type Error = DocumentError;

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), DocumentError> {
        use Element::{Dialog as D, DialogInfo as I, Identity, Local, Param, Remote, Target};
        if self.path.len() == DEPTH_MAX {
            return Err(DocumentError::TooDeep);
        }
        let name: &str = start.name().into_inner();
        if self.path.is_empty() {
            self.prefix = prefix(name).to_owned();
        }
        // Another prefix than the outermost element's is another namespace: an extension.
        let element = if prefix(name) == self.prefix {
            element(start.local_name().as_ref())
        } else {
            Element::Other
        };
        if self.path.is_empty() && (element != I || self.document.is_some()) {
            return Err(DocumentError::Root(name.to_owned()));
        }
        self.path.push(element);
        self.text.clear();
        match self.path[..] {
            [I] => self.document = Some(document(start)?),
            [I, D] => {
                if self
                    .document
                    .as_ref()
                    .is_some_and(|d| d.dialogs.len() == DIALOGS_MAX)
                {
                    return Err(DocumentError::TooManyDialogs);
                }
                self.dialog = Some(PartialDialog {
                    dialog: dialog(start)?,
                    has_state: false,
                });
            }
            [I, D, side @ (Local | Remote)] => {
                self.participant(side);
            }
            [I, D, side @ (Local | Remote), Identity] => {
                let display = attribute(start, "display")?;
                self.participant(side).display = display;
            }
            [I, D, side @ (Local | Remote), Target] => {
                let uri = attribute(start, "uri")?;
                self.participant(side).target = uri;
            }
            [I, D, side @ (Local | Remote), Target, Param] => {
                let name = attribute(start, "pname")?.unwrap_or_default();
                // RFC 4235 says `pval`, its examples and some telephones `pvalue`.
                let value = attribute(start, "pval")?
                    .or(attribute(start, "pvalue")?)
                    .unwrap_or_default();
                if name.eq_ignore_ascii_case("+sip.rendering") {
                    let value = value.trim_matches(|c: char| c == '"' || c.is_whitespace());
                    self.participant(side).rendering = Some(!value.eq_ignore_ascii_case("no"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), DocumentError> {
        use Element::{Dialog as D, DialogInfo as I, Identity, Local, Remote, State};
        match self.path[..] {
            [I, D, State] => {
                let state = state(self.text.trim())?;
                if let Some(current) = &mut self.dialog {
                    current.dialog.state = state;
                    current.has_state = true;
                }
            }
            [I, D, side @ (Local | Remote), Identity] => {
                let identity = self.text.trim().to_owned();
                self.participant(side).identity = Some(identity).filter(|i| !i.is_empty());
            }
            [I, D] => {
                if let (Some(current), Some(document)) = (self.dialog.take(), &mut self.document) {
                    if !current.has_state {
                        return Err(DocumentError::Missing("<state> of a dialog"));
                    }
                    document.dialogs.push(current.dialog);
                }
            }
            _ => {}
        }
        self.path.pop();
        self.text.clear();
        Ok(())
    }

    fn text(&mut self, part: &str) -> Result<(), DocumentError> {
        if self.path.is_empty() && !part.trim().is_empty() {
            return Err(DocumentError::Xml("text outside of <dialog-info>".into()));
        }
        if matches!(self.path.last(), Some(Element::State | Element::Identity)) {
            if self.text.len() + part.len() > TEXT_BYTES_MAX {
                return Err(DocumentError::TooLong(self.text.len() + part.len()));
            }
            self.text.push_str(part);
        }
        Ok(())
    }
}

impl Parser {
    /// The side of the dialog that is being read, made when it is first mentioned.
    fn participant(&mut self, side: Element) -> &mut Participant {
        let current = self.dialog.get_or_insert_with(|| PartialDialog {
            dialog: Dialog::new("", DialogState::Terminated),
            has_state: false,
        });
        let slot = if side == Element::Local {
            &mut current.dialog.local
        } else {
            &mut current.dialog.remote
        };
        slot.get_or_insert_with(Participant::default)
    }
}

fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn element(name: &str) -> Element {
    match name {
        "dialog-info" => Element::DialogInfo,
        "dialog" => Element::Dialog,
        "state" => Element::State,
        "local" => Element::Local,
        "remote" => Element::Remote,
        "identity" => Element::Identity,
        "target" => Element::Target,
        "param" => Element::Param,
        _ => Element::Other,
    }
}

fn document(start: &BytesStart<'_>) -> Result<DialogInfo, DocumentError> {
    let version =
        attribute(start, "version")?.ok_or(DocumentError::Missing("attribute version"))?;
    let completeness = match attribute(start, "state")?.as_deref().map(str::trim) {
        // Without the attribute the document is taken as full: then nothing that ended can stick.
        None => Completeness::Full,
        Some(s) if s.eq_ignore_ascii_case("full") => Completeness::Full,
        Some(s) if s.eq_ignore_ascii_case("partial") => Completeness::Partial,
        Some(s) => return Err(value("attribute state", s)),
    };
    Ok(DialogInfo {
        entity: attribute(start, "entity")?.unwrap_or_default(),
        version: version
            .trim()
            .parse()
            .map_err(|_| value("attribute version", &version))?,
        completeness,
        dialogs: Vec::new(),
    })
}

fn dialog(start: &BytesStart<'_>) -> Result<Dialog, DocumentError> {
    let id = attribute(start, "id")?.ok_or(DocumentError::Missing("attribute id of a dialog"))?;
    let direction = match attribute(start, "direction")?.as_deref().map(str::trim) {
        Some(d) if d.eq_ignore_ascii_case("initiator") => Some(Direction::Initiator),
        Some(d) if d.eq_ignore_ascii_case("recipient") => Some(Direction::Recipient),
        // The direction changes nothing about the line's state: an unknown one is no reason to lose the rest.
        _ => None,
    };
    Ok(Dialog {
        call_id: attribute(start, "call-id")?,
        local_tag: attribute(start, "local-tag")?,
        remote_tag: attribute(start, "remote-tag")?,
        direction,
        ..Dialog::new(id, DialogState::Terminated)
    })
}

fn state(text: &str) -> Result<DialogState, DocumentError> {
    use DialogState::{Confirmed, Early, Proceeding, Terminated, Trying};
    [Trying, Proceeding, Early, Confirmed, Terminated]
        .into_iter()
        .find(|s| s.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| value("<state>", text))
}

/// An attribute by its local name; unquoted values are tolerated.
fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, DocumentError> {
    for attribute in start.html_attributes().with_checks(false) {
        let attribute = attribute.map_err(|e| DocumentError::Xml(e.to_string()))?;
        let local: &str = attribute.key.local_name().into_inner();
        if local == name {
            let text = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|e| DocumentError::Xml(e.to_string()))?;
            return Ok(Some(text.into_owned()));
        }
    }
    Ok(None)
}

fn value(what: &'static str, value: &str) -> DocumentError {
    DocumentError::Value {
        what,
        value: value.chars().take(60).collect(),
    }
}

impl From<Fault> for DocumentError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Xml(what) => Self::Xml(what),
            Fault::Doctype => Self::Doctype,
        }
    }
}
