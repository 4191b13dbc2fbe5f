//! Presence documents: PIDF with the activities of RPID (RFC 3863, RFC 4479, RFC 4480).
//!
//! The writer makes what baresip, PJSIP, Asterisk and Kamailio all show right: baresip looks for the very text
//! `<rpid:busy/>`, PJSIP at the first activity only. The reader takes what telephones publish: any prefix, several tuples.

mod read;
mod write;

/// Longest document: as long as the longest message.
pub const DOCUMENT_BYTES_MAX: usize = crate::message::MESSAGE_BYTES_MAX;

/// The media type of these documents (RFC 3863 §5).
pub const CONTENT_TYPE: &str = "application/pidf+xml";

/// What somebody is doing (RFC 4480 §3.2), as far as it is told here; the first that is written is the one that simple
/// watchers understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// Away from the device.
    Away,
    /// Doing something.
    Busy,
    /// In a meeting.
    Meeting,
    /// On the telephone.
    OnThePhone,
    /// Giving a presentation.
    Presentation,
}

impl Activity {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Away,
        Self::Busy,
        Self::Meeting,
        Self::OnThePhone,
        Self::Presentation,
    ];

    /// The element's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Busy => "busy",
            Self::Meeting => "meeting",
            Self::OnThePhone => "on-the-phone",
            Self::Presentation => "presentation",
        }
    }
}

/// A document about one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresenceInfo {
    /// The address that is told about.
    pub entity: String,
    /// `open`: there is a way to reach the person. Of several tuples one is enough.
    pub open: bool,
    /// What the person is doing, the most telling last.
    pub activities: Vec<Activity>,
    /// Words for people.
    pub note: Option<String>,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("presence document of {0} bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// Elements nested absurdly deep.
    #[error("presence document nests elements too deep")]
    TooDeep,
    /// A DOCTYPE can define entities; none is needed here.
    #[error("presence document has a DOCTYPE, which is refused")]
    Doctype,
    /// Not well-formed.
    #[error("presence document is not well-formed XML: {0}")]
    Xml(String),
    /// The outermost element is something else.
    #[error("document is <{0}>, not <presence>")]
    Root(String),
}

#[cfg(test)]
mod tests;
