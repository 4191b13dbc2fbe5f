//! Presence documents: PIDF with the activities of RPID (RFC 3863, RFC 4479, RFC 4480).
//!
//! The writer produces documents that baresip, PJSIP, Asterisk and Kamailio all display correctly: baresip looks for the
//! exact text `<rpid:busy/>`, PJSIP only at the first activity. The reader accepts documents of phones: any prefix, several
//! tuples.

mod read;
mod write;

/// Longest document: as long as the longest message.
pub const DOCUMENT_BYTES_MAX: usize = crate::message::MESSAGE_BYTES_MAX;

/// The media type of these documents (RFC 3863 §5).
pub const CONTENT_TYPE: &str = "application/pidf+xml";

/// An activity of a person (RFC 4480 §3.2), as far as Offhook uses it; simple watchers understand only the first in a
/// document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// Away from the device.
    Away,
    /// Busy without further detail.
    Busy,
    /// In a meeting.
    Meeting,
    /// On the phone.
    OnThePhone,
    /// Giving a presentation.
    Presentation,
}

impl Activity {
    /// All activities.
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

/// A presence document about one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresenceInfo {
    /// The address of the person.
    pub entity: String,
    /// `open`: the person can be reached. Of several tuples one open is enough.
    pub open: bool,
    /// The activities, the most informative last.
    pub activities: Vec<Activity>,
    /// A text for people.
    pub note: Option<String>,
}

/// The reason for which a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("presence document of {0} bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// Elements are nested too deep.
    #[error("presence document nests elements too deep")]
    TooDeep,
    /// A DOCTYPE can define entities; none is needed here.
    #[error("presence document has a DOCTYPE, which is refused")]
    Doctype,
    /// Not well-formed.
    #[error("presence document is not well-formed XML: {0}")]
    Xml(String),
    /// The outermost element is not `presence`.
    #[error("document is <{0}>, not <presence>")]
    Root(String),
}

#[cfg(test)]
mod tests;
