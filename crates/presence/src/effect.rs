//! Effects: the engine's orders to its caller.

use std::time::Duration;

use crate::{
    PersonId, Presence, Record, Timestamp, TraceId,
    slot::{Action, Slot},
};

/// A write to Teams. The caller keeps at most one pending write per person and slot: a later one replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamsWrite {
    /// The person.
    pub person: PersonId,
    /// Slot in Teams.
    pub slot: Slot,
    /// Kind of write.
    pub action: Action,
    /// Trace of the fact that caused the write; `None`: a deadline did. A set has the trace of the call, meeting or choice
    /// that it stands for, also if it was delayed.
    pub trace: Option<TraceId>,
}

/// A consequence of an input. A record precedes the write that belongs to it, and must be durable before the
/// write is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The presence of a person changed.
    Changed {
        /// The person.
        person: PersonId,
        /// The new presence.
        presence: Presence,
        /// Trace of the fact that changed it; `None`: a deadline did.
        trace: Option<TraceId>,
    },
    /// Store a record: it must outlive a crash.
    Store(Record),
    /// Send a write to Teams.
    Write(TeamsWrite),
    /// Read the person's state in Teams at once: a client has started, and a Teams call may be over.
    ReadTeams(PersonId),
    /// The lag of a write was measured; for [`crate::TenantLag::record`].
    WriteLag {
        /// The person.
        person: PersonId,
        /// Time from the write to the first answer that showed it.
        lag: Duration,
    },
    /// The loop breaker paused writes for a person.
    WritingPaused {
        /// The person.
        person: PersonId,
        /// End of the pause.
        until: Timestamp,
    },
    /// The pause of a person is over, or the person was removed.
    WritingResumed(PersonId),
}
