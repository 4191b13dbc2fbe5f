//! Dialog-info documents: what a telephone system says about an extension's calls (RFC 4235 §4).
//!
//! The reader takes what real systems send (see the recorded traces): any namespace prefix, states
//! in capitals, dialogs without local or remote, the same id twice. Everything readable counts; the rest is
//! [`Unread`]. It refuses DOCTYPE, so there is nothing that could expand, and it bounds size and number.

mod read;
mod write;

use crate::remark::Remarks;

/// Longest document: as long as the longest message.
pub const DOCUMENT_BYTES_MAX: usize = crate::message::MESSAGE_BYTES_MAX;

/// Most dialogs in a document and in a set: a telephone has a handful, a call-centre number some dozens.
pub const DIALOGS_MAX: usize = 256;

/// The namespace of the elements (RFC 4235 §4.2).
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:dialog-info";

/// The media type of these documents (RFC 4235 §5.4).
pub const CONTENT_TYPE: &str = "application/dialog-info+xml";

/// Whether a document tells everything or only what changed (RFC 4235 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// All dialogs of the entity; what is not in it is over.
    #[default]
    Full,
    /// Only the dialogs that changed.
    Partial,
}

/// Where a dialog is (RFC 4235 §3.7.1), in the order in which a dialog passes through the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DialogState {
    /// Request sent or received, nothing heard yet.
    Trying,
    /// A provisional response without a tag.
    Proceeding,
    /// A provisional response with a tag: it rings.
    Early,
    /// Answered.
    Confirmed,
    /// Over.
    Terminated,
}

impl DialogState {
    /// The word in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Proceeding => "proceeding",
            Self::Early => "early",
            Self::Confirmed => "confirmed",
            Self::Terminated => "terminated",
        }
    }
}

/// Who began the dialog (RFC 4235 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The entity.
    Initiator,
    /// The other party.
    Recipient,
}

/// One side of a dialog (RFC 4235 §4.1.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// The address, as in From or To.
    pub identity: Option<String>,
    /// The name shown with it.
    pub display: Option<String>,
    /// The Contact.
    pub target: Option<String>,
    /// `+sip.rendering`: `Some(false)` means that this side does not play the media, the call is
    /// on hold there (RFC 4235 §4.1.6.2, RFC 4235 appendix on media states).
    pub rendering: Option<bool>,
}

/// One dialog in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// Names the dialog within the document's entity; where a notifier gives none, the Call-ID.
    pub id: String,
    /// The Call-ID, if told.
    pub call_id: Option<String>,
    /// The entity's tag, if told.
    pub local_tag: Option<String>,
    /// The other party's tag, if told.
    pub remote_tag: Option<String>,
    /// Who began, if told.
    pub direction: Option<Direction>,
    /// Where the dialog is.
    pub state: DialogState,
    /// The entity's side.
    pub local: Option<Participant>,
    /// The other side.
    pub remote: Option<Participant>,
}

impl Dialog {
    /// A dialog of which only id and state are known.
    pub fn new(id: impl Into<String>, state: DialogState) -> Self {
        Self {
            id: id.into(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: None,
            state,
            local: None,
            remote: None,
        }
    }

    /// Whether the entity has put the call on hold: its own side does not render the media.
    pub fn is_held(&self) -> bool {
        self.local
            .as_ref()
            .is_some_and(|l| l.rendering == Some(false))
    }
}

/// A whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogInfo {
    /// The address that is told about.
    pub entity: String,
    /// Counts the documents of one subscription (RFC 4235 §4.3); `None`: it has no number that could be compared.
    pub version: Option<u64>,
    /// Everything or only changes.
    pub completeness: Completeness,
    /// The dialogs.
    pub dialogs: Vec<Dialog>,
    /// The parts that the reader left out.
    pub unread: Unread,
}

/// The parts of a document that a reader left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The ids of dialogs whose state is missing or unknown: they may be calls.
    pub dialogs: Vec<String>,
    /// Further dialogs may follow where the reader stopped: the document ends in the middle or has too many of them.
    pub more: bool,
    /// The parts, for an administrator.
    pub remarks: Remarks,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("dialog-info of {0} bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// Elements nested absurdly deep.
    #[error("dialog-info nests elements too deep")]
    TooDeep,
    /// A DOCTYPE can define entities; none is needed here.
    #[error("dialog-info has a DOCTYPE, which is refused")]
    Doctype,
    /// Not well-formed.
    #[error("dialog-info is not well-formed XML: {0}")]
    Xml(String),
    /// The outermost element is something else.
    #[error("document is <{0}>, not <dialog-info>")]
    Root(String),
    /// The outermost element is in another namespace than [`NAMESPACE`].
    #[error("<dialog-info> is in the namespace {0:?}, not in {NAMESPACE}")]
    Namespace(String),
    /// There is no element at all.
    #[error("<dialog-info> is missing")]
    Missing,
}

#[cfg(test)]
pub(crate) mod tests;
