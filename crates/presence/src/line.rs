//! What a telephone line is doing, in the four words that every connector can tell.

/// State of one telephone line. A connector reduces all dialogs of an extension to one of these.
///
/// The order is the order of precedence: with a held and a connected call at once the line is `Connected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineState {
    /// No dialog, or only ended ones.
    Idle,
    /// A dialog that is not answered yet, in either direction (RFC 4235: `trying`, `proceeding`, `early`).
    Ringing,
    /// An answered dialog whose media this line has put on hold.
    Held,
    /// An answered dialog (RFC 4235: `confirmed`).
    Connected,
}
