//! Refused writes, and accounts that answers leave out.

use super::{Command, Mirror};
use crate::{
    Signals, Timestamp,
    answer_order::AnswerAge,
    slot::{Action, Echo, Slot, SlotState, SlotWrite},
    timing::Timing,
};

impl Mirror {
    /// Applies a refusal. A write that was never acknowledged is not in force and hides nothing; its record
    /// stays, because a retry may arrive at any time. Of an acknowledged write only the renewal failed: Teams
    /// keeps it until it expires. After a refused clear, which is retried, the write stays in force.
    pub(crate) fn on_refused(&mut self, slot: Slot, action: Action, timing: &Timing) {
        if let (SlotState::Clearing(clear), Action::Clear) = (self.slot_mut(slot), action) {
            clear.refuse();
            return;
        }
        let SlotState::Written(write) = *self.slot(slot) else {
            return;
        };
        *self.slot_mut(slot) = match action {
            Action::Set | Action::Renew if write.acknowledged_at.is_none() => {
                SlotState::Refused(write)
            }
            Action::Renew if slot == Slot::Session => {
                let rest = slot.lifetime(timing).saturating_sub(timing.session_renewal);
                let expires_at = write.expires_at.min(write.written_at + rest);
                SlotState::Written(SlotWrite {
                    expires_at,
                    is_answered: true,
                    ..write
                })
            }
            // A later write has overtaken this one.
            Action::Set | Action::Renew | Action::Clear | Action::Abandon => return,
        };
    }

    /// Sends a refused write again at intervals while its cause lasts: the queue may retry it much later, or
    /// not at all.
    pub(super) fn retry_refused(
        &mut self,
        slot: Slot,
        write: SlotWrite,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Command> {
        if write.written_at + timing.session_renewal > now {
            return Vec::new();
        }
        *self.slot_mut(slot) = SlotState::Refused(SlotWrite {
            written_at: now,
            expires_at: now + slot.lifetime(timing),
            ..write
        });
        vec![Command::Store(slot), Command::Write(slot, Action::Set)]
    }

    /// Abandons the clears of refused writes that Microsoft has dropped by now.
    pub(super) fn abandon_expired_clears(&mut self, now: Timestamp) -> Vec<Command> {
        let over = Slot::ALL.into_iter().filter(|slot| {
            let until = &mut self.left_over_until[*slot as usize];
            until.take_if(|until| *until <= now).is_some()
        });
        over.map(|slot| Command::Write(slot, Action::Abandon))
            .collect()
    }

    /// Applies the acknowledgement of a write that was refused before.
    pub(super) fn accept_late(
        &mut self,
        slot: Slot,
        write: SlotWrite,
        timing: &Timing,
        now: Timestamp,
    ) {
        *self.slot_mut(slot) = SlotState::Written(SlotWrite {
            written_at: now,
            expires_at: now + slot.lifetime(timing),
            acknowledged_at: Some(now),
            is_answered: true,
            // Teams may have shown any state while it refused.
            echo: Echo::Indistinct,
            ..write
        });
    }

    /// Ends all signals of Teams at once: answers requested at `asked_at` leave the account out. Our writes
    /// stay recorded. Returns false if a newer answer has been applied.
    pub(crate) fn on_account_missing(
        &mut self,
        signals: &mut Signals,
        asked_at: Timestamp,
    ) -> bool {
        if self.order.age_of(asked_at, None) == AnswerAge::Overtaken {
            return false;
        }
        self.order.skip_to(asked_at);
        self.restored_call = None;
        signals.observation = None;
        signals.teams_base = None;
        signals.teams_call = None;
        signals.presenting_since = None;
        signals.teams_do_not_disturb_since = None;
        true
    }
}
