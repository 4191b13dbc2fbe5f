//! What happened, and why: the facts the tenant reports to the journal and to the page.

use std::fmt;
use std::sync::Arc;

use crate::duration::Milliseconds;
use crate::value::{Device, Shown};

/// Why something visible changed. This is the ground truth that Graph itself never tells.
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
    /// Time passed.
    Lapse(Lapse),
}

/// What the passing of time did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// A session faded by a stage.
    Faded(Box<str>),
    /// An application's session expired.
    SessionExpired(Box<str>),
    /// The preferred presence expired.
    PreferredExpired,
    /// An entry of the calendar began or ended.
    Calendar,
    /// The grace after signing out is over.
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

/// A fact about one person.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// When.
    pub(crate) at: Milliseconds,
    /// Who, as an index into the tenant.
    pub(crate) user: usize,
    /// The pairs before and after with the new stamp, if the change can be seen by others.
    pub(crate) visible: Option<Visible>,
    /// Whether subscribers are to hear of it: availability or activity changed, or the knobs say so.
    pub(crate) notifies: bool,
    /// Why.
    pub(crate) cause: Cause,
}

/// The visible part of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible {
    /// The pair before.
    pub(crate) from: Shown,
    /// The pair after.
    pub(crate) to: Shown,
    /// The stamp of the pair after.
    pub(crate) sequence: u64,
}
