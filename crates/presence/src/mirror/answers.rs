//! Teams' answers to our writes.

use super::{Command, Mirror};
use crate::{
    Meaning, Timestamp,
    slot::{Action, ClearAnswer, Slot, SlotState},
    timing::Timing,
};

impl Mirror {
    /// Applies the acknowledgement of a write.
    pub(crate) fn on_acknowledged(
        &mut self,
        slot: Slot,
        action: Action,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Command> {
        if action == Action::Clear {
            self.left_over_until[slot as usize] = None;
        }
        match (self.slot_mut(slot), action) {
            (SlotState::Written(write), Action::Set | Action::Renew) => {
                write.acknowledged_at.get_or_insert(now);
                write.is_answered = true;
                write.expires_at = now + slot.lifetime(timing);
            }
            (&mut SlotState::Refused(write), Action::Set | Action::Renew) => {
                self.accept_late(slot, write, timing, now);
            }
            (SlotState::Clearing(clear), Action::Clear) => {
                clear.acknowledge(now);
            }
            // A later write has overtaken this one.
            _ => return Vec::new(),
        }
        vec![Command::Store(slot)]
    }

    /// Applies a 404 to a clear. Either the write never arrived, or the answer is wrong; the next answers of
    /// Graph show which.
    pub(crate) fn on_nothing_to_clear(&mut self, slot: Slot, now: Timestamp) -> Vec<Command> {
        self.left_over_until[slot as usize] = None;
        let SlotState::Clearing(clear) = self.slot_mut(slot) else {
            // A later write has overtaken this one.
            return Vec::new();
        };
        // The preferred slot is the person's too: a Do not disturb that Teams never showed as ours may be
        // the person's own and is not cleared.
        let may_be_there = slot == Slot::Session || clear.was_shown;
        if may_be_there && now < clear.expires_at {
            clear.deny(now);
        } else {
            clear.acknowledge(now);
        }
        vec![Command::Store(slot)]
    }

    /// Abandons an unconfirmed clear of our Do not disturb when two answers in a row show another state: the
    /// person chose it in Teams, or the answer to the clear was lost. A clear that still arrived would end
    /// the person's own choice.
    pub(super) fn abandon_clear(
        &mut self,
        before: Option<(Meaning, Timestamp)>,
        meaning: Meaning,
        asked_at: Timestamp,
    ) -> Option<[Command; 2]> {
        let slot = Slot::Preferred;
        let SlotState::Clearing(clear) = self.slot_mut(slot) else {
            return None;
        };
        if !clear.was_shown
            || clear.answer.acknowledged_at().is_some()
            || !meaning.is_chosen_over_do_not_disturb()
            || !before.is_some_and(|(meaning, received_at)| {
                meaning.is_chosen_over_do_not_disturb() && received_at > clear.requested_at
            })
        {
            return None;
        }
        clear.acknowledge(asked_at);
        Some([Command::Store(slot), Command::Write(slot, Action::Abandon)])
    }

    /// Repeats a clear that Teams answered with 404 while it still shows our write.
    pub(super) fn clear_again(
        &mut self,
        slot: Slot,
        timing: &Timing,
        meaning: Meaning,
        now: Timestamp,
    ) -> Option<Command> {
        let SlotState::Clearing(clear) = self.slot_mut(slot) else {
            return None;
        };
        let ClearAnswer::NotFound(denied_at) = clear.answer else {
            return None;
        };
        if meaning != slot.echo() || now < denied_at + timing.clear_again {
            return None;
        }
        clear.answer = ClearAnswer::Pending;
        Some(Command::Write(slot, Action::Clear))
    }
}
