//! What Teams answers to our writes, and which answers are believed.

use super::{Mirror, Wish};
use crate::{
    Meaning, Timestamp,
    own::{Action, Cleared, Own, Slot},
    settings::Timing,
};

impl Mirror {
    /// Teams has acknowledged a write.
    pub(crate) fn acknowledge(
        &mut self,
        slot: Slot,
        action: Action,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Wish> {
        if action == Action::Clear {
            self.left_over_until[slot as usize] = None;
        }
        match (self.own_mut(slot), action) {
            (Own::Held(held), Action::Set | Action::Renew) => {
                held.acknowledged_at.get_or_insert(now);
                held.is_answered = true;
                held.expires_at = now + slot.lifetime(timing);
            }
            (&mut Own::Refused(held), Action::Set | Action::Renew) => {
                self.take_after_all(slot, held, timing, now);
            }
            (Own::Withdrawn(withdrawn), Action::Clear) => {
                withdrawn.acknowledge(now);
            }
            // The answer to a write that a later one has overtaken.
            _ => return Vec::new(),
        }
        vec![Wish::Remember(slot)]
    }

    /// Teams says that there was nothing to take back. Either the write never came there, or this answer is wrong: which, is
    /// seen by what Teams shows.
    pub(crate) fn had_nothing(&mut self, slot: Slot, now: Timestamp) -> Vec<Wish> {
        self.left_over_until[slot as usize] = None;
        let Own::Withdrawn(withdrawn) = self.own_mut(slot) else {
            // The answer to a write that a later one has overtaken.
            return Vec::new();
        };
        // The preferred slot is the person's too: Do not disturb that Teams never showed as ours may be theirs and is not taken
        // back.
        let may_be_there = slot == Slot::Session || withdrawn.was_shown;
        if may_be_there && now < withdrawn.expires_at {
            withdrawn.deny(now);
        } else {
            withdrawn.acknowledge(now);
        }
        vec![Wish::Remember(slot)]
    }

    /// Two answers in a row show that our Do not disturb is over before Teams confirmed the clear: the person chose something
    /// else there, or the answer to the clear was lost. A clear that is still under way would end the person's own choice.
    pub(super) fn leave_slot(
        &mut self,
        before: Option<(Meaning, Timestamp)>,
        meaning: Meaning,
        asked_at: Timestamp,
    ) -> Option<[Wish; 2]> {
        let slot = Slot::Preferred;
        let Own::Withdrawn(withdrawn) = self.own_mut(slot) else {
            return None;
        };
        if !withdrawn.was_shown
            || withdrawn.cleared.acknowledged_at().is_some()
            || !meaning.is_chosen_over_do_not_disturb()
            || !before.is_some_and(|(meaning, received_at)| {
                meaning.is_chosen_over_do_not_disturb() && received_at > withdrawn.requested_at
            })
        {
            return None;
        }
        withdrawn.acknowledge(asked_at);
        Some([Wish::Remember(slot), Wish::Write(slot, Action::Leave)])
    }

    /// Teams denied having our write and shows it all the same: it is asked again.
    pub(super) fn take_back_again(
        &mut self,
        slot: Slot,
        timing: &Timing,
        meaning: Meaning,
        now: Timestamp,
    ) -> Option<Wish> {
        let Own::Withdrawn(withdrawn) = self.own_mut(slot) else {
            return None;
        };
        let Cleared::Denied(denied_at) = withdrawn.cleared else {
            return None;
        };
        if meaning != slot.echo() || now < denied_at + timing.clear_again {
            return None;
        }
        withdrawn.cleared = Cleared::Pending;
        Some(Wish::Write(slot, Action::Clear))
    }
}
