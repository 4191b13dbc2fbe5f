//! Changes of people with their causes, which the tenant reports to the journal and to the page.

use std::{fmt, sync::Arc};

use crate::{
    duration::Milliseconds,
    value::{Device, Shown},
};

/// The cause of a change, which Graph itself does not disclose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An application called Graph.
    Graph {
        /// The operation, as Graph names it.
        operation: &'static str,
        /// The application's client id.
        app: Arc<str>,
    },
    /// The person did something in Teams, through the page, the control plane or the library.
    Teams(&'static str),
    /// A deadline passed.
    Lapse(Lapse),
}

/// The effect of a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// A session faded by one stage; with its name.
    Faded(Box<str>),
    /// An application's session expired; with its name.
    SessionExpired(Box<str>),
    /// The preferred presence expired.
    PreferredExpired,
    /// An entry of the calendar began or ended.
    Calendar,
    /// The grace period after a client's sign-out ended.
    ClientLeft(Device),
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graph { operation, app } => write!(formatter, "graph: {operation} by app {app}"),
            Self::Teams(action) => write!(formatter, "teams: {action}"),
            Self::Lapse(Lapse::Faded(name)) => write!(formatter, "time: session {name} faded"),
            Self::Lapse(Lapse::SessionExpired(name)) => {
                write!(formatter, "time: session {name} expired")
            }
            Self::Lapse(Lapse::PreferredExpired) => {
                formatter.write_str("time: preferred presence expired")
            }
            Self::Lapse(Lapse::Calendar) => formatter.write_str("time: calendar"),
            Self::Lapse(Lapse::ClientLeft(device)) => {
                write!(
                    formatter,
                    "time: client {} left after signing out",
                    device.name()
                )
            }
        }
    }
}

/// A change of one person.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Time of the change.
    pub(crate) at: Milliseconds,
    /// Index of the person in the tenant.
    pub(crate) user: usize,
    /// The visible part; `None` if other people cannot see the change.
    pub(crate) visible: Option<Visible>,
    /// True if subscribers are notified: availability or activity changed, or a knob requires it.
    pub(crate) notifies: bool,
    /// Cause of the change.
    pub(crate) cause: Cause,
}

/// The visible part of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible {
    /// The pair before.
    pub(crate) from: Shown,
    /// The pair after.
    pub(crate) to: Shown,
    /// Sequence number of the pair after.
    pub(crate) sequence: u64,
}
