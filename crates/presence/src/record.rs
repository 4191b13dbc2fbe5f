//! What must outlive a crash, in the form in which a store keeps it.

use crate::{
    Appointment, Choice, LineId, PersonId, TeamsCall, Timestamp,
    own::{Cleared, Echo, Held, Own, Slot, Withdrawn, YieldReason, Yielded},
    settings::Timing,
};

/// One thing to keep. `None` means: forget it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What we wrote to a slot in Teams.
    Own {
        /// For whom.
        person: PersonId,
        /// Where.
        slot: Slot,
        /// What.
        own: Option<OwnRecord>,
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
pub struct OwnRecord {
    /// When it was first written.
    pub written_at: Timestamp,
    /// When Teams drops it by itself.
    pub expires_at: Timestamp,
    /// Teams has acknowledged it.
    pub acknowledged: bool,
    /// When Teams acknowledged that it was taken back.
    pub cleared_at: Option<Timestamp>,
    /// Why the slot is not ours, if it is not.
    pub yielded: Option<YieldReason>,
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
    pub own: [Option<OwnRecord>; 2],
}

impl OwnRecord {
    /// The stored form of a slot.
    pub(crate) fn of(own: &Own) -> Option<Self> {
        match own {
            Own::None => None,
            // A try that is under way may still succeed.
            Own::Held(held) | Own::Refused(held) => Some(Self {
                written_at: held.since,
                expires_at: held.expires_at,
                acknowledged: held.acknowledged_at.is_some(),
                cleared_at: None,
                yielded: None,
            }),
            Own::Withdrawn(withdrawn) => Some(Self {
                written_at: withdrawn.requested_at,
                expires_at: withdrawn.expires_at,
                acknowledged: true,
                cleared_at: withdrawn.cleared.acknowledged_at(),
                yielded: None,
            }),
            Own::Yielded(yielded) => Some(Self {
                written_at: yielded.at,
                expires_at: yielded.at,
                acknowledged: true,
                cleared_at: None,
                yielded: Some(yielded.reason),
            }),
        }
    }

    /// Adopts it after a start: as ours if Teams may still hold it. What was not confirmed as cleared counts as held,
    /// so that it is renewed or cleared again. A Do not disturb whose day ended meanwhile is not silently written anew,
    /// unless `renew` says so.
    pub(crate) fn adopt(&self, slot: Slot, renew: bool, timing: &Timing, now: Timestamp) -> Own {
        if let Some(reason) = self.yielded {
            return Own::Yielded(Yielded {
                reason,
                at: self.written_at,
            });
        }
        let withdrawn = |gone_at| {
            Own::Withdrawn(Withdrawn {
                requested_at: gone_at,
                cleared: Cleared::Acknowledged(gone_at),
                expires_at: self.expires_at,
                // How long it had been in force is not stored: the longest is taken.
                in_effect_from: gone_at - slot.lifetime(timing),
                echo: Echo::Awaited,
                shown_since: None,
                was_shown: false,
            })
        };
        match self.cleared_at {
            Some(cleared_at) => withdrawn(cleared_at),
            None if self.expires_at <= now
                && slot == Slot::Preferred
                && self.acknowledged
                && !renew =>
            {
                Own::Yielded(Yielded {
                    reason: YieldReason::Expired,
                    at: self.expires_at,
                })
            }
            None if self.expires_at <= now => withdrawn(self.expires_at),
            None => Own::Held(Held {
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
