//! What Teams answers to our writes, and which answers are believed.

use super::{Command, Mirror};
use crate::{
    Meaning, Timestamp,
    slot::{Action, ClearAnswer, Slot, SlotState},
    timing::Timing,
};

impl Mirror {
    /// Teams has acknowledged a write.
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
            // The answer to a write that a later one has overtaken.
            _ => return Vec::new(),
        }
        vec![Command::Store(slot)]
    }

    /// Teams says that there was nothing to take back. Either the write never came there, or this answer is wrong: which, is
    /// seen by what Teams shows.
    pub(crate) fn on_nothing_to_clear(&mut self, slot: Slot, now: Timestamp) -> Vec<Command> {
        self.left_over_until[slot as usize] = None;
        let SlotState::Clearing(clear) = self.slot_mut(slot) else {
            // The answer to a write that a later one has overtaken.
            return Vec::new();
        };
        // The preferred slot is the person's too: Do not disturb that Teams never showed as ours may be theirs and is not taken
        // back.
        let may_be_there = slot == Slot::Session || clear.was_shown;
        if may_be_there && now < clear.expires_at {
            clear.deny(now);
        } else {
            clear.acknowledge(now);
        }
        vec![Command::Store(slot)]
    }

    /// Two answers in a row show that our Do not disturb is over before Teams confirmed the clear: the person chose something
    /// else there, or the answer to the clear was lost. A clear that is still under way would end the person's own choice.
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

    /// Teams denied having our write and shows it all the same: it is asked again.
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
