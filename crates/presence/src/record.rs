//! What must outlive a crash, in the form in which a store keeps it.

use crate::{
    Appointment, Choice, LineId, PersonId, TeamsCall, Timestamp,
    slot::{ClearAnswer, Echo, ReleaseReason, Slot, SlotClear, SlotRelease, SlotState, SlotWrite},
    timing::Timing,
};

/// One thing to keep. `None` means: forget it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What we wrote to a slot in Teams.
    Slot {
        /// For whom.
        person: PersonId,
        /// Where.
        slot: Slot,
        /// What.
        record: Option<SlotRecord>,
    },
    /// The appointment of a Teams call.
    TeamsCall {
        /// Whose.
        person: PersonId,
        /// The call.
        call: Option<TeamsCall>,
    },
    /// The person's own choice.
    Choice {
        /// Whose.
        person: PersonId,
        /// What was chosen.
        choice: Option<Choice>,
    },
}

/// A write to Teams as it is stored: kind, time, expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRecord {
    /// When it was first written.
    pub written_at: Timestamp,
    /// When Teams drops it by itself.
    pub expires_at: Timestamp,
    /// Teams has acknowledged it.
    pub acknowledged: bool,
    /// When Teams acknowledged that it was taken back.
    pub cleared_at: Option<Timestamp>,
    /// Why the slot is not ours, if it is not.
    pub released: Option<ReleaseReason>,
}

/// What is known of a person at a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonRecord {
    /// The person's telephone lines that some source watches.
    pub lines: Vec<LineId>,
    /// The person has a Teams account.
    pub linked: bool,
    /// The person's own choice.
    pub choice: Option<Choice>,
    /// The appointments that are not over.
    pub appointments: Vec<Appointment>,
    /// The Teams call that was under way.
    pub teams_call: Option<TeamsCall>,
    /// What was in force in Teams, by [`Slot`].
    pub slots: [Option<SlotRecord>; 2],
}

impl SlotRecord {
    /// The stored form of a slot.
    pub(crate) fn of(state: &SlotState) -> Option<Self> {
        match state {
            SlotState::Empty => None,
            // A try that is under way may still succeed.
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

    /// Adopts it after a start: as ours if Teams may still hold it. What was not confirmed as cleared counts as held,
    /// so that it is renewed or cleared again. A Do not disturb whose day ended meanwhile is not silently written anew,
    /// unless `renew` says so.
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
                // How long it had been in force is not stored: the longest is taken.
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
                // Renewal is due by the expiry, not by the first write.
                written_at: self.expires_at - timing.session_lifetime,
                expires_at: self.expires_at,
                acknowledged_at: self.acknowledged.then_some(self.written_at),
                // The record does not say whether the last renewal of a session was.
                is_answered: self.acknowledged && slot == Slot::Preferred,
                echo: Echo::Indistinct,
                adopted_until: Some(now + timing.adoption_grace),
            }),
        }
    }
}
