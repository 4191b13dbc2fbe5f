//! State of a line, in the four values that every connector can report.

/// State of a line. A connector reduces all dialogs of an extension to one of these.
///
/// The order is the order of precedence: with a held and a connected call at once the line is `Connected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineState {
    /// No dialog, or only ended ones.
    Idle,
    /// A dialog that is not answered yet, in either direction (RFC 4235: `trying`, `proceeding`, `early`).
    Ringing,
    /// An answered dialog with its media put on hold by this line.
    Held,
    /// An answered dialog (RFC 4235: `confirmed`).
    Connected,
}
