//! What the engine wants done.

use std::time::Duration;

use crate::{
    PersonId, Presence, Record, Timestamp,
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
}

/// One consequence of an input. Records come before the write that they belong to and must be durable before it is
/// sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The person's presence changed.
    Changed {
        /// The person.
        person: PersonId,
        /// The new presence.
        presence: Presence,
    },
    /// Something that must outlive a crash.
    Store(Record),
    /// Something to write to Teams.
    Write(TeamsWrite),
    /// Ask Teams at once what it shows of the person: a client started, and a Teams call is believed that may be over.
    ReadTeams(PersonId),
    /// Teams took so long to show a write of ours; for [`crate::TenantLag::record`].
    WriteLag {
        /// The person.
        person: PersonId,
        /// From the write to the first answer that showed it.
        lag: Duration,
    },
    /// The loop breaker paused writing for this person.
    WritingPaused {
        /// The person.
        person: PersonId,
        /// End of the pause.
        until: Timestamp,
    },
    /// The pause is over, or the person is gone.
    WritingResumed(PersonId),
}
