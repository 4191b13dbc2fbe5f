//! Dialog-info documents: the calls of an extension as a PBX reports them (RFC 4235 §4).
//!
//! The reader accepts documents of real PBXs (see the recorded traces): any namespace prefix, states in capitals, dialogs
//! without local or remote, the same id twice. Everything readable counts; the rest is in [`Unread`]. It refuses DOCTYPE, so
//! that no entity can expand, and bounds size and number.

mod read;
mod write;

use crate::remark::Remarks;

/// Longest document: as long as the longest message.
pub const DOCUMENT_BYTES_MAX: usize = crate::message::MESSAGE_BYTES_MAX;

/// Most dialogs in a document and in a set: a phone has a handful, a call-centre number some dozens.
pub const DIALOGS_MAX: usize = 256;

/// The namespace of the elements (RFC 4235 §4.2).
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:dialog-info";

/// The media type of these documents (RFC 4235 §5.4).
pub const CONTENT_TYPE: &str = "application/dialog-info+xml";

/// Whether a document has all dialogs or only the changed ones (RFC 4235 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// All dialogs of the entity; a missing one is over.
    #[default]
    Full,
    /// Only the dialogs that changed.
    Partial,
}

/// The state of a dialog (RFC 4235 §3.7.1), in the order in which a dialog passes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DialogState {
    /// The request was sent or received, without a response.
    Trying,
    /// A provisional response without a tag.
    Proceeding,
    /// A provisional response with a tag: the phone rings.
    Early,
    /// The call was answered.
    Confirmed,
    /// The dialog is over.
    Terminated,
}

impl DialogState {
    /// The name of the state in a document.
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

/// The side that began the dialog (RFC 4235 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The entity: an outgoing call.
    Initiator,
    /// The other party: an incoming call.
    Recipient,
}

/// One side of a dialog (RFC 4235 §4.1.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// The address, as in From or To.
    pub identity: Option<String>,
    /// The display name.
    pub display: Option<String>,
    /// The URI of the Contact.
    pub target: Option<String>,
    /// `+sip.rendering`: `Some(false)` means that this side does not play the media, since it has the call on hold (RFC 4235
    /// §4.1.6.2, RFC 4235 appendix on media states).
    pub rendering: Option<bool>,
}

/// One dialog in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// Identifies the dialog within the document's entity; the Call-ID where a notifier gives none.
    pub id: String,
    /// The Call-ID, if the notifier sends it.
    pub call_id: Option<String>,
    /// The entity's tag, if the notifier sends it.
    pub local_tag: Option<String>,
    /// The other party's tag, if the notifier sends it.
    pub remote_tag: Option<String>,
    /// The side that began the dialog, if the notifier sends it.
    pub direction: Option<Direction>,
    /// The state of the dialog.
    pub state: DialogState,
    /// The entity's side.
    pub local: Option<Participant>,
    /// The other party's side.
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

/// A complete document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogInfo {
    /// The address of the entity, such as `sip:1001@pbx.test`.
    pub entity: String,
    /// Number of the document within its subscription (RFC 4235 §4.3); `None`: it has no number that could be compared.
    pub version: Option<u64>,
    /// Whether the document has all dialogs.
    pub completeness: Completeness,
    /// The dialogs.
    pub dialogs: Vec<Dialog>,
    /// The parts that the reader left out.
    pub unread: Unread,
}

/// The parts of a document that a reader left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The ids of dialogs with a missing or unknown state, which may be calls.
    pub dialogs: Vec<String>,
    /// More dialogs may follow after the last one read: the document is cut off or has too many.
    pub more: bool,
    /// The unread parts, for an administrator.
    pub remarks: Remarks,
}

/// The reason for which a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("dialog-info of {0} bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// Elements are nested too deep.
    #[error("dialog-info nests elements too deep")]
    TooDeep,
    /// A DOCTYPE can define entities; none is needed here.
    #[error("dialog-info has a DOCTYPE, which is refused")]
    Doctype,
    /// Not well-formed.
    #[error("dialog-info is not well-formed XML: {0}")]
    Xml(String),
    /// The outermost element is not `dialog-info`.
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
