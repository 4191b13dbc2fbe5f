//! States of lines, in the four values that every connector can report.

use std::{sync::Arc, time::Duration};

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

/// The state of a line as its source reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineChange {
    /// The line is in a state. Renews the lease even if the state is the same.
    State {
        /// The state.
        state: LineState,
        /// Number or name of the other party, if the source sends one.
        party: Option<Arc<str>>,
        /// How long the state is valid without renewal; zero ends it.
        lease: Duration,
    },
    /// The state is unknown from now on: the connection to the line's PBX, or the subscription, is lost.
    Stale,
}
