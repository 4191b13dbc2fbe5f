//! Reading dialog-info documents.

use super::{
    Completeness, DIALOGS_MAX, DOCUMENT_BYTES_MAX, Dialog, DialogInfo, DialogState, Direction,
    DocumentError, NAMESPACE, Participant,
};
use crate::{
    remark::{Remark, excerpt},
    xml::{self, Element, Fault, Space},
};

/// Longest text of one element; identities are addresses.
const TEXT_BYTES_MAX: usize = 4096;

/// The elements that the reader uses; extensions are skipped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    DialogInfo,
    Dialog,
    State,
    /// A state with an undeclared prefix: it counts only if there is no other.
    DoubtfulState,
    Local,
    Remote,
    Identity,
    Target,
    Param,
    Other,
}

impl DialogInfo {
    /// Reads a document: everything readable counts, and [`DialogInfo::unread`] has the rest.
    ///
    /// # Errors
    /// [`DocumentError`]: the bytes are no dialog-info document, or a hostile one.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLong(bytes.len()));
        }
        let mut parser = Parser::default();
        xml::walk(bytes, &mut parser)?;
        match parser.has_root {
            true => Ok(parser.document),
            false => Err(DocumentError::Missing),
        }
    }
}

#[derive(Default)]
struct Parser {
    path: Vec<Kind>,
    text: String,
    has_root: bool,
    document: DialogInfo,
    dialog: Option<PartialDialog>,
    /// The document is cut off: its last element is incomplete.
    is_cut: bool,
}

/// A dialog being read, with its state as far as it is known.
struct PartialDialog {
    dialog: Dialog,
    state: Option<DialogState>,
    /// The state in an element with an undeclared prefix.
    doubtful: Option<DialogState>,
    /// A remark gives the reason for the unknown state.
    explained: bool,
}

impl PartialDialog {
    fn new(dialog: Dialog) -> Self {
        Self {
            dialog,
            state: None,
            doubtful: None,
            explained: false,
        }
    }
}

impl xml::Parser for Parser {
    type Error = DocumentError;

    fn open(&mut self, element: &Element<'_>) -> Result<(), DocumentError> {
        use Kind::{Dialog as D, DialogInfo as I, Identity, Local, Param, Remote, Target};
        if self.path.is_empty() {
            self.root(element)?;
        }
        let mut kind = self.kind(element);
        if kind == D && matches!(self.path[..], [I]) && self.is_enough() {
            self.document.unread.more = true;
            self.remark(Remark::TooMany {
                what: "dialogs",
                kept: DIALOGS_MAX,
            });
            kind = Kind::Other;
        }
        self.path.push(kind);
        self.text.clear();
        match self.path[..] {
            [I, D] => self.dialog = Some(PartialDialog::new(dialog(element))),
            [I, D, side @ (Local | Remote)] => {
                self.participant(side);
            }
            [I, D, side @ (Local | Remote), Identity] => {
                let display = element.attribute("display");
                self.participant(side).display = display;
            }
            [I, D, side @ (Local | Remote), Target] => {
                let uri = element.attribute("uri");
                self.participant(side).target = uri;
            }
            [I, D, side @ (Local | Remote), Target, Param] => {
                let name = element.attribute("pname").unwrap_or_default();
                if name.trim().eq_ignore_ascii_case("+sip.rendering") {
                    // RFC 4235 defines `pval`; its examples and some phones write `pvalue`.
                    let value = element
                        .attribute("pval")
                        .or_else(|| element.attribute("pvalue"))
                        .unwrap_or_default();
                    let value = value.trim_matches(|c: char| c == '"' || c.is_whitespace());
                    self.participant(side).rendering = Some(!value.eq_ignore_ascii_case("no"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) {
        use Kind::{Dialog as D, DialogInfo as I, DoubtfulState, Identity, Local, Remote, State};
        match self.path[..] {
            [I, D, kind @ (State | DoubtfulState)] if !self.is_cut => self.state(kind),
            [I, D, side @ (Local | Remote), Identity] if !self.is_cut => {
                let identity = self.text.trim().to_owned();
                self.participant(side).identity = Some(identity).filter(|i| !i.is_empty());
            }
            [I, D] => self.end_dialog(),
            _ => {}
        }
        self.path.pop();
        self.text.clear();
    }

    fn text(&mut self, part: &str) {
        use Kind::{DoubtfulState, Identity, State};
        if matches!(self.path.last(), Some(State | DoubtfulState | Identity)) {
            if self.text.len() + part.len() <= TEXT_BYTES_MAX {
                self.text.push_str(part);
            } else {
                self.remark(Remark::TooLong("an address or state"));
            }
        }
    }

    fn cut(&mut self) {
        self.is_cut = true;
        self.document.unread.more = true;
    }

    fn remark(&mut self, remark: Remark) {
        self.document.unread.remarks.push(remark);
    }
}

impl Parser {
    fn root(&mut self, element: &Element<'_>) -> Result<(), DocumentError> {
        if !element.name.eq_ignore_ascii_case("dialog-info") {
            return Err(DocumentError::Root(excerpt(element.name)));
        }
        match element.space {
            Space::Bound(space) if !is_ours(space) => {
                return Err(DocumentError::Namespace(excerpt(space)));
            }
            // An element without a namespace is accepted.
            Space::Bound(_) | Space::None | Space::Undeclared(_) => {}
        }
        self.has_root = true;
        self.document.entity = element.attribute("entity").unwrap_or_default();
        if let Some(version) = element.attribute("version") {
            self.document.version = version.trim().parse().ok();
            if self.document.version.is_none() {
                self.remark(Remark::value("attribute version", &version));
            }
        }
        // Without the attribute the document counts as full, so that no ended call stays.
        let state = element.attribute("state").unwrap_or_default();
        let is = |word: &str| state.trim().eq_ignore_ascii_case(word);
        if is("partial") {
            self.document.completeness = Completeness::Partial;
        } else if !is("full") && !is("") {
            self.remark(Remark::value("attribute state", &state));
        }
        Ok(())
    }

    /// The kind of an element: by its namespace, or by its name alone if it has none. An element with an undeclared prefix
    /// and the right name is accepted, with a remark.
    fn kind(&mut self, element: &Element<'_>) -> Kind {
        use Kind::{Dialog, DialogInfo, DoubtfulState, Other, State};
        let kind = kind(element.name);
        if kind == Other {
            return Other;
        }
        match element.space {
            Space::None => kind,
            Space::Bound(space) if is_ours(space) => kind,
            Space::Bound(space) => {
                // An unknown dialog element may be one that the notifier put into the wrong namespace: the line is not idle.
                if kind == Dialog && matches!(self.path[..], [DialogInfo]) && !self.is_enough() {
                    let namespace = excerpt(space);
                    self.document.unread.dialogs.push(String::new());
                    self.remark(Remark::Foreign {
                        element: "dialog",
                        namespace,
                    });
                }
                Other
            }
            Space::Undeclared(prefix) => {
                self.remark(Remark::Undeclared(excerpt(prefix)));
                if kind == State { DoubtfulState } else { kind }
            }
        }
    }

    fn is_enough(&self) -> bool {
        self.document.dialogs.len() + self.document.unread.dialogs.len() >= DIALOGS_MAX
    }

    /// Applies the end of a state element.
    fn state(&mut self, kind: Kind) {
        let read = state(&self.text);
        let Some(current) = &mut self.dialog else {
            return;
        };
        match (read, current.state) {
            (None, _) => {
                current.explained = true;
                let remark = Remark::value("<state>", &self.text);
                self.remark(remark);
            }
            (Some(read), _) if kind == Kind::DoubtfulState => current.doubtful = Some(read),
            (Some(read), Some(known)) if read != known => {
                current.state = Some(livelier(known, read));
                self.remark(Remark::Contradiction("<state> of a dialog"));
            }
            (Some(read), _) => current.state = Some(read),
        }
    }

    fn end_dialog(&mut self) {
        let Some(current) = self.dialog.take() else {
            return;
        };
        let mut dialog = current.dialog;
        match current.state.or(current.doubtful) {
            Some(state) => {
                dialog.state = state;
                self.document.dialogs.push(dialog);
            }
            None => {
                self.document.unread.dialogs.push(dialog.id);
                if !current.explained && !self.is_cut {
                    self.remark(Remark::Missing("<state> of a dialog"));
                }
            }
        }
    }

    fn remark(&mut self, remark: Remark) {
        xml::Parser::remark(self, remark);
    }

    /// One side of the dialog being read, created at its first mention.
    fn participant(&mut self, side: Kind) -> &mut Participant {
        let current = self
            .dialog
            .get_or_insert_with(|| PartialDialog::new(Dialog::new("", DialogState::Terminated)));
        let slot = if side == Kind::Local {
            &mut current.dialog.local
        } else {
            &mut current.dialog.remote
        };
        slot.get_or_insert_with(Participant::default)
    }
}

fn is_ours(space: &str) -> bool {
    space.eq_ignore_ascii_case(NAMESPACE)
}

fn kind(name: &str) -> Kind {
    const KINDS: [(&str, Kind); 8] = [
        ("dialog-info", Kind::DialogInfo),
        ("dialog", Kind::Dialog),
        ("state", Kind::State),
        ("local", Kind::Local),
        ("remote", Kind::Remote),
        ("identity", Kind::Identity),
        ("target", Kind::Target),
        ("param", Kind::Param),
    ];
    let known = KINDS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    known.map_or(Kind::Other, |(_, kind)| *kind)
}

fn dialog(element: &Element<'_>) -> Dialog {
    let direction = match element.attribute("direction").as_deref().map(str::trim) {
        Some(d) if d.eq_ignore_ascii_case("initiator") => Some(Direction::Initiator),
        Some(d) if d.eq_ignore_ascii_case("recipient") => Some(Direction::Recipient),
        // The direction does not affect the line state: an unknown one must not lose the rest.
        _ => None,
    };
    // An empty attribute counts as a missing one.
    let attribute = |name| element.attribute(name).filter(|value| !value.is_empty());
    let call_id = attribute("call-id");
    let id = attribute("id").or_else(|| call_id.clone());
    Dialog {
        call_id,
        local_tag: attribute("local-tag"),
        remote_tag: attribute("remote-tag"),
        direction,
        ..Dialog::new(id.unwrap_or_default(), DialogState::Terminated)
    }
}

fn state(text: &str) -> Option<DialogState> {
    use DialogState::{Confirmed, Early, Proceeding, Terminated, Trying};
    let word = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    [Trying, Proceeding, Early, Confirmed, Terminated]
        .into_iter()
        .find(|s| s.as_str().eq_ignore_ascii_case(word))
}

/// Of two states of one dialog, the one with more of a call.
fn livelier(one: DialogState, other: DialogState) -> DialogState {
    match (one, other) {
        (DialogState::Terminated, live) | (live, DialogState::Terminated) => live,
        _ => one.max(other),
    }
}

impl From<Fault> for DocumentError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Xml(what) => Self::Xml(what),
            Fault::Doctype => Self::Doctype,
            Fault::TooDeep => Self::TooDeep,
        }
    }
}
