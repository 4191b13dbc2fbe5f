//! The loop breaker: pauses writes for a person if another program overwrites them
//! (docs/presence-rules.md, "The loop breaker"). Only a set that repeats an earlier one, after Teams has shown
//! another state, can belong to a loop. New calls, meetings and choices never do, however many there are in a
//! minute.

use std::sync::Arc;

use crate::{
    AppointmentId, LineId, Timestamp, requests::DoNotDisturbRequest, slot::Slot, timing::Timing,
};

/// Most sets kept. A loop needs seven; a switchboard has ten a minute.
const SETS_MAX: usize = 32;

/// Cause of a write to Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A call on a line, by its start.
    Call(LineId, Timestamp),
    /// A meeting, by its name at its source.
    Meeting(Arc<str>),
    /// The person's choice, by its start.
    Choice(Timestamp),
    /// An appointment.
    Appointment(AppointmentId),
    /// A call from before the start of the process, while the lines have not reported.
    Adopted,
}

impl From<DoNotDisturbRequest<'_>> for Cause {
    fn from(request: DoNotDisturbRequest<'_>) -> Self {
        match request {
            DoNotDisturbRequest::Choice(choice) => Self::Choice(choice.since),
            DoNotDisturbRequest::Appointment(appointment) => Self::Appointment(appointment.id),
        }
    }
}

/// A set that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    slot: Slot,
    cause: Cause,
    at: Timestamp,
    /// Teams has shown another state since.
    answered: bool,
    /// A set with the same cause came before, and Teams showed another state in between.
    repeats: bool,
}

/// The sets of the last minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    sets: Vec<Set>,
    /// Start and end of the pause, if writes are paused.
    pub(super) paused: Option<(Timestamp, Timestamp)>,
}

/// Decision about a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The set is sent.
    Allowed,
    /// The set is held back during a pause.
    Refused,
    /// The set closes a loop: sets pause until this time.
    Pauses(Timestamp),
}

impl Breaker {
    /// Records that Teams shows another state than the one that we set.
    pub(super) fn answered(&mut self, slot: Slot) {
        for set in self.sets.iter_mut().filter(|set| set.slot == slot) {
            set.answered = true;
        }
    }

    /// Drops sets that no longer count and ends a pause that is over. Returns true if a pause ended.
    pub(super) fn expire(&mut self, timing: &Timing, now: Timestamp) -> bool {
        if !self.sets.is_empty()
            && let Some(limits) = timing.loop_breaker
        {
            self.sets.retain(|set| set.at + limits.within > now);
            self.sets.shrink_to_fit();
        }
        self.paused.take_if(|(_, until)| *until <= now).is_some()
    }

    /// Earliest time of the next set of a slot that was cleared at `cleared_at`: `now`, or later if the slot
    /// was set three times within ten seconds.
    pub(super) fn settable_at(
        &self,
        slot: Slot,
        cleared_at: Timestamp,
        timing: &Timing,
        now: Timestamp,
    ) -> Timestamp {
        let sets = self.sets.iter().filter(|set| set.slot == slot);
        let recent = sets.filter(|set| set.at + timing.flapping_within > now);
        if recent.count() < timing.flapping_sets {
            now
        } else {
            cleared_at + timing.write_interval
        }
    }

    /// Decides about a set, and records it if it is allowed.
    pub(super) fn set(
        &mut self,
        slot: Slot,
        cause: Cause,
        timing: &Timing,
        now: Timestamp,
    ) -> Verdict {
        let Some(limits) = timing.loop_breaker else {
            return Verdict::Allowed;
        };
        if self.paused.is_some() {
            return Verdict::Refused;
        }
        let before = |set: &Set| set.slot == slot && set.cause == cause && set.answered;
        let repeats = self.sets.iter().any(before);
        let repeated = self.sets.iter().filter(|set| set.repeats).count();
        if repeats && repeated >= usize::from(limits.repetitions) {
            let until = now + limits.pause;
            self.paused = Some((now, until));
            self.sets = Vec::new();
            return Verdict::Pauses(until);
        }
        if self.sets.len() >= SETS_MAX {
            self.sets.remove(0);
        }
        self.sets.push(Set {
            slot,
            cause,
            at: now,
            answered: false,
            repeats,
        });
        Verdict::Allowed
    }
}
