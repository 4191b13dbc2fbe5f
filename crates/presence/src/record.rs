//! Records that must outlive a crash, in the form that a store keeps.

use crate::{
    Appointment, Choice, LineId, PersonId, TeamsCall, Timestamp,
    slot::{ClearAnswer, Echo, ReleaseReason, Slot, SlotClear, SlotRelease, SlotState, SlotWrite},
    timing::Timing,
};

/// A record to store. `None` deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Our write to a slot in Teams.
    Slot {
        /// The person.
        person: PersonId,
        /// The slot.
        slot: Slot,
        /// The write.
        record: Option<SlotRecord>,
    },
    /// The Teams call of a person.
    TeamsCall {
        /// The person.
        person: PersonId,
        /// The call.
        call: Option<TeamsCall>,
    },
    /// The person's own choice.
    Choice {
        /// The person.
        person: PersonId,
        /// The choice.
        choice: Option<Choice>,
    },
}

/// A write to Teams in its stored form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRecord {
    /// Time of the first write, clear or release.
    pub written_at: Timestamp,
    /// Time at which Teams drops the write.
    pub expires_at: Timestamp,
    /// Teams has acknowledged the write.
    pub acknowledged: bool,
    /// Time at which Teams acknowledged the clear.
    pub cleared_at: Option<Timestamp>,
    /// Reason of the release, if the slot was released.
    pub released: Option<ReleaseReason>,
}

/// Records of a person at a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonRecord {
    /// The person's lines that a source watches.
    pub lines: Vec<LineId>,
    /// The person has a Teams account.
    pub linked: bool,
    /// The person's own choice.
    pub choice: Option<Choice>,
    /// The appointments that are not over.
    pub appointments: Vec<Appointment>,
    /// The Teams call that was under way.
    pub teams_call: Option<TeamsCall>,
    /// Our writes in Teams, by [`Slot`].
    pub slots: [Option<SlotRecord>; 2],
}

impl SlotRecord {
    /// Stored form of a slot.
    pub(crate) fn of(state: &SlotState) -> Option<Self> {
        match state {
            SlotState::Empty => None,
            // A retry that is under way may still take effect.
            SlotState::Written(write) | SlotState::Refused(write) => Some(Self {
                written_at: write.since,
                expires_at: write.expires_at,
                acknowledged: write.acknowledged_at.is_some(),
                cleared_at: None,
                released: None,
            }),
            SlotState::Clearing(clear) => Some(Self {
                written_at: clear.requested_at,
                expires_at: clear.expires_at,
                acknowledged: true,
                cleared_at: clear.answer.acknowledged_at(),
                released: None,
            }),
            SlotState::Released(release) => Some(Self {
                written_at: release.at,
                expires_at: release.at,
                acknowledged: true,
                cleared_at: None,
                released: Some(release.reason),
            }),
        }
    }

    /// Adopts the record after a start. A write without a confirmed clear counts as in force, so that it is
    /// renewed or cleared. A Do not disturb after its day is written again only with `renew`.
    pub(crate) fn adopt(
        &self,
        slot: Slot,
        renew: bool,
        timing: &Timing,
        now: Timestamp,
    ) -> SlotState {
        if let Some(reason) = self.released {
            return SlotState::Released(SlotRelease {
                reason,
                at: self.written_at,
            });
        }
        let clear = |gone_at| {
            SlotState::Clearing(SlotClear {
                requested_at: gone_at,
                answer: ClearAnswer::Acknowledged(gone_at),
                expires_at: self.expires_at,
                // The start of the write is not stored: the longest lifetime is assumed.
                in_effect_from: gone_at - slot.lifetime(timing),
                echo: Echo::Awaited,
                shown_since: None,
                was_shown: false,
            })
        };
        match self.cleared_at {
            Some(cleared_at) => clear(cleared_at),
            None if self.expires_at <= now
                && slot == Slot::Preferred
                && self.acknowledged
                && !renew =>
            {
                SlotState::Released(SlotRelease {
                    reason: ReleaseReason::Expired,
                    at: self.expires_at,
                })
            }
            None if self.expires_at <= now => clear(self.expires_at),
            None => SlotState::Written(SlotWrite {
                since: self.written_at,
                // The renewal follows from the expiry, not from the first write.
                written_at: self.expires_at - timing.session_lifetime,
                expires_at: self.expires_at,
                acknowledged_at: self.acknowledged.then_some(self.written_at),
                // The record does not hold whether the last renewal was acknowledged.
                is_answered: self.acknowledged && slot == Slot::Preferred,
                echo: Echo::Indistinct,
                adopted_until: Some(now + timing.adoption_grace),
            }),
        }
    }
}
