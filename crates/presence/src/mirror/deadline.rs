//! Time of the next change in the Teams mirror that needs no input.

use super::Mirror;
use crate::{Signals, Slot, Timestamp, slot::SlotState, timing::Timing};

impl Mirror {
    /// Time of the next change that needs no input.
    pub(crate) fn deadline(
        &self,
        signals: &Signals,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let observed = signals
            .observation
            .as_ref()
            .map(|seen| seen.received_at + timing.observation_fresh);
        let session = match self.slot(Slot::Session) {
            SlotState::Written(write) => [
                Some(write.written_at + timing.session_renewal),
                write.adopted_until,
            ],
            SlotState::Empty
            | SlotState::Clearing(_)
            | SlotState::Refused(_)
            | SlotState::Released(_) => [None; 2],
        };
        let slots = Slot::ALL.into_iter().flat_map(|slot| {
            [
                self.slot(slot).deadline(timing),
                self.settable_at(slot, timing, now),
            ]
        });
        let dropped = self.slots.iter().filter_map(|state| match state {
            SlotState::Clearing(clear) if clear.answer.acknowledged_at().is_none() => {
                Some(clear.expires_at)
            }
            SlotState::Empty
            | SlotState::Written(_)
            | SlotState::Clearing(_)
            | SlotState::Released(_)
            | SlotState::Refused(_) => None,
        });
        let left_over = self.left_over_until.into_iter().flatten();
        let restored_call = self
            .restored_call
            .map(|call| call.confirmed_at + timing.appointment_limit);
        [
            self.call_until(signals, timing),
            self.observed_until(signals, timing),
            observed,
            self.paused().map(|(_, until)| until),
            restored_call,
        ]
        .into_iter()
        .chain(session)
        .chain(slots)
        .flatten()
        .chain(dropped)
        .chain(left_over)
        .filter(|at| *at > now)
        .min()
    }
}
