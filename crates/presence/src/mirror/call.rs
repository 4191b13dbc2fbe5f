//! The Teams call of a person: start, confirmation, end, and its hold under our writes.

use super::Mirror;
use crate::{
    Meaning, Signals, TeamsCall, Timestamp,
    slot::{ClearAnswer, Slot, SlotState},
    timing::Timing,
};

impl Mirror {
    /// End of the Teams call without a further confirmation. A call that our own write masks cannot be
    /// confirmed: it is held up to the limit.
    pub(crate) fn call_until(&self, signals: &Signals, timing: &Timing) -> Option<Timestamp> {
        let confirmed_at = signals.teams_call?.confirmed_at;
        let limit = confirmed_at + timing.appointment_limit;
        let [session, preferred] = &self.slots;
        if preferred.may_echo() && !session.may_echo() {
            return Some(limit.min(confirmed_at + timing.call_under_do_not_disturb));
        }
        match self.observed_until(signals, timing) {
            Some(observed) if !self.masks_calls() => Some(limit.min(observed)),
            _ => Some(limit),
        }
    }

    /// Starts, confirms, holds or ends the Teams call by an answer that shows `meaning`.
    pub(super) fn follow_call(
        &mut self,
        signals: &mut Signals,
        timing: &Timing,
        meaning: Meaning,
        now: Timestamp,
    ) {
        let session = *self.slot(Slot::Session);
        let in_force = match session {
            SlotState::Written(_) => true,
            // Until the clear is acknowledged the session counts as alive; after a 404 only while
            // Teams shows it.
            SlotState::Clearing(clear) => {
                matches!(clear.answer, ClearAnswer::Pending | ClearAnswer::Refused)
                    && now < clear.expires_at
            }
            SlotState::Empty | SlotState::Refused(_) | SlotState::Released(_) => false,
        };
        let restored_call = self.restored_call.take();
        let known = signals.teams_call.or(restored_call);
        let confirmed = || {
            let since = known.map_or(now, |call| call.since);
            Some(TeamsCall {
                since,
                confirmed_at: now,
            })
        };
        signals.teams_call = match meaning {
            // Our app session never shows Presenting, and Presenting implies a call.
            Meaning::Presenting => confirmed(),
            Meaning::Call if !session.may_echo() => confirmed(),
            Meaning::Call | Meaning::Unknown => known,
            Meaning::DoNotDisturb | Meaning::Offline
                if self.do_not_disturb_may_echo(timing, now) =>
            {
                known
            }
            // A state that the person chose by hand hides both a call and our session.
            _ if in_force => known,
            // Neither a call nor our write explains the state.
            Meaning::DoNotDisturb
            | Meaning::Available
            | Meaning::Busy
            | Meaning::BeRightBack
            | Meaning::Away
            | Meaning::Offline => None,
        };
    }

    /// Ends a Teams call after its lease.
    pub(crate) fn expire_call(&self, signals: &mut Signals, timing: &Timing, now: Timestamp) {
        let end = self.call_until(signals, timing);
        if end.is_some_and(|end| end <= now) {
            signals.teams_call = None;
        }
    }
}
