//! The loop breaker: stops writing for a person whose state another program answers with one of its own. It looks at
//! provenance: only a set that repeats an earlier one, after Teams has shown something else, can belong to a loop. New
//! calls, meetings and choices never do, however many a minute.

use std::sync::Arc;

use crate::{
    AppointmentId, LineId, Timestamp, requests::DoNotDisturbRequest, slot::Slot, timing::Timing,
};

/// The most sets recorded. A loop needs seven; a switchboard has ten a minute.
const REMEMBERED_MAX: usize = 32;

/// The call, meeting or choice that a write to Teams stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A call on this line since then.
    Call(LineId, Timestamp),
    /// A meeting, by its name at its source.
    Meeting(Arc<str>),
    /// The person's choice of that moment.
    Choice(Timestamp),
    /// An appointment.
    Appointment(AppointmentId),
    /// A session of before the start, while the lines have not reported.
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

/// One set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    slot: Slot,
    cause: Cause,
    at: Timestamp,
    /// Teams has shown something else since.
    answered: bool,
    /// The same was set before and answered.
    repeats: bool,
}

/// The sets of the last minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    sets: Vec<Set>,
    /// Writing is paused, since and until.
    pub(super) paused: Option<(Timestamp, Timestamp)>,
}

/// The breaker's decision about a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The set is sent.
    Allowed,
    /// The set is held back during a pause.
    Refused,
    /// The set closes a loop: sets pause until this moment.
    Pauses(Timestamp),
}

impl Breaker {
    /// Records that Teams shows a state other than the set one.
    pub(super) fn answered(&mut self, slot: Slot) {
        for set in self.sets.iter_mut().filter(|set| set.slot == slot) {
            set.answered = true;
        }
    }

    /// Forgets sets that no longer count, and ends a pause that is over; true if there was one.
    pub(super) fn expire(&mut self, timing: &Timing, now: Timestamp) -> bool {
        if !self.sets.is_empty()
            && let Some(limits) = timing.loop_breaker
        {
            self.sets.retain(|set| set.at + limits.within > now);
            self.sets.shrink_to_fit();
        }
        self.paused.take_if(|(_, until)| *until <= now).is_some()
    }

    /// The earliest time for the next set of a slot that was cleared at `cleared_at`: now, but a little later for a slot that was
    /// set three times within ten seconds.
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

    /// Decides about a set and records an allowed one.
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
        if self.sets.len() >= REMEMBERED_MAX {
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
