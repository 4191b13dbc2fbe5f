//! Updates of the slots: sets, renewals and clears that follow from the causes of the person.

use super::{
    Command, Mirror,
    breaker::{self, Cause},
};
use crate::{
    PersonPolicy, Signals, Timestamp, TraceId,
    policy::Settings,
    requests::{DoNotDisturbRequest, do_not_disturb},
    slot::{Action, ReleaseReason, Slot, SlotClear, SlotRelease, SlotState, SlotWrite},
    timing::Timing,
};

impl Mirror {
    /// Updates the slots from the lines, meetings, appointments and the person's choice.
    pub(crate) fn update_slots(
        &mut self,
        signals: &Signals,
        settings: Settings<'_>,
        linked: bool,
        lines_reported: bool,
        now: Timestamp,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        for slot in Slot::ALL {
            // Without an account no slot has a cause: our writes are cleared.
            let cause = match slot {
                _ if !linked => None,
                Slot::Session if settings.policy.mode.telephony() => {
                    self.call_cause(signals, lines_reported, now)
                }
                Slot::Preferred if settings.policy.mode.presence() => {
                    do_not_disturb(signals, settings.policy, now).map(Cause::from)
                }
                Slot::Session | Slot::Preferred => None,
            };
            self.update_slot(slot, cause, signals, settings.timing, now, &mut commands);
        }
        commands
    }

    /// Cause of our session: the leading call, else the leading meeting.
    fn call_cause(&self, signals: &Signals, lines_reported: bool, now: Timestamp) -> Option<Cause> {
        let call = signals
            .leading_line(now)
            .filter(|line| line.in_call(now))
            .map(|line| Cause::Call(line.line, line.since));
        let meeting = || {
            let meeting = signals.leading_meeting(now)?;
            Some(Cause::Meeting(meeting.meeting.clone()))
        };
        let adopted = || self.adopting(lines_reported, now).then_some(Cause::Adopted);
        call.or_else(meeting).or_else(adopted)
    }

    /// Whether the session was adopted at the start and the lines have not yet reported whether its call
    /// lasts.
    fn adopting(&self, lines_reported: bool, now: Timestamp) -> bool {
        matches!(self.slot(Slot::Session), SlotState::Written(write)
            if !lines_reported && write.adopted_until.is_some_and(|until| until > now))
    }

    fn update_slot(
        &mut self,
        slot: Slot,
        wanted: Option<Cause>,
        signals: &Signals,
        timing: &Timing,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let lifetime = slot.lifetime(timing);
        match (*self.slot(slot), wanted) {
            (before @ (SlotState::Empty | SlotState::Clearing(_)), Some(cause)) => {
                if slot == Slot::Preferred && signals.teams_do_not_disturb_since.is_some() {
                    let reason = ReleaseReason::AlreadyThere;
                    *self.slot_mut(slot) = SlotState::Released(SlotRelease { reason, at: now });
                    commands.push(Command::Store(slot));
                } else if self
                    .settable_at(slot, timing, now)
                    .is_none_or(|at| at <= now)
                {
                    match self.breaker.set(slot, cause, timing, now) {
                        breaker::Verdict::Allowed => {
                            let echo = before.next_echo(slot, signals);
                            *self.slot_mut(slot) =
                                SlotState::Written(SlotWrite::new(now, lifetime, echo));
                            self.left_over_until[slot as usize] = None;
                            commands
                                .extend([Command::Store(slot), Command::Write(slot, Action::Set)]);
                        }
                        breaker::Verdict::Pauses(until) => commands.push(Command::Paused(until)),
                        breaker::Verdict::Refused => {}
                    }
                }
            }
            (SlotState::Written(write), Some(_))
                if slot == Slot::Session && write.written_at + timing.session_renewal <= now =>
            {
                let renewed = SlotWrite {
                    written_at: now,
                    expires_at: now + lifetime,
                    is_answered: false,
                    ..write
                };
                *self.slot_mut(slot) = SlotState::Written(renewed);
                commands.extend([Command::Store(slot), Command::Write(slot, Action::Renew)]);
            }
            // The write was stored before a crash but perhaps never sent. The session stays adopted
            // until the lines have reported.
            (SlotState::Written(write), Some(_))
                if write.acknowledged_at.is_none()
                    && write.adopted_until.is_some_and(|until| {
                        slot == Slot::Preferred || write.written_at + timing.adoption_grace < until
                    }) =>
            {
                *self.slot_mut(slot) = SlotState::Written(SlotWrite {
                    written_at: now,
                    expires_at: now + lifetime,
                    is_answered: false,
                    adopted_until: write.adopted_until.filter(|_| slot == Slot::Session),
                    ..write
                });
                commands.extend([Command::Store(slot), Command::Write(slot, Action::Set)]);
            }
            (SlotState::Written(write), None) => {
                let mut clear = SlotClear::from_write(&write, lifetime, now);
                let shown = signals.observation.as_ref();
                clear.was_shown |= shown.is_some_and(|seen| {
                    seen.state.meaning() == slot.echo() && seen.received_at >= write.since
                });
                *self.slot_mut(slot) = SlotState::Clearing(clear);
                commands.extend([Command::Store(slot), Command::Write(slot, Action::Clear)]);
            }
            (SlotState::Refused(write), Some(_)) => {
                commands.extend(self.retry_refused(slot, write, timing, now))
            }
            // A retry that is under way must not take effect.
            (SlotState::Refused(_), None) => {
                *self.slot_mut(slot) = SlotState::Empty;
                self.left_over_until[slot as usize] = Some(now + lifetime);
                commands.extend([Command::Store(slot), Command::Write(slot, Action::Clear)]);
            }
            (SlotState::Released(release), None) if release.may_echo(timing, now) => {
                *self.slot_mut(slot) =
                    SlotState::Clearing(SlotClear::dropped(release.at, lifetime));
                commands.push(Command::Store(slot));
            }
            (SlotState::Released(_), None) => {
                *self.slot_mut(slot) = SlotState::Empty;
                commands.push(Command::Store(slot));
            }
            _ => {}
        }
    }

    /// Earliest time of the next set of a slot that was cleared.
    pub(super) fn settable_at(
        &self,
        slot: Slot,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Timestamp> {
        match self.slot(slot) {
            SlotState::Clearing(clear) => {
                let cleared_at = clear.requested_at;
                Some(self.breaker.settable_at(slot, cleared_at, timing, now))
            }
            SlotState::Empty
            | SlotState::Written(_)
            | SlotState::Refused(_)
            | SlotState::Released(_) => None,
        }
    }
}

/// Trace of the call, meeting or choice that a set of this slot writes; `None` for an appointment, which has no trace.
pub(crate) fn cause_trace(
    signals: &Signals,
    policy: &PersonPolicy,
    slot: Slot,
    now: Timestamp,
) -> Option<TraceId> {
    match slot {
        Slot::Session => match signals.leading_line(now).filter(|line| line.in_call(now)) {
            Some(line) => line.trace,
            None => signals.leading_meeting(now)?.trace,
        },
        Slot::Preferred => match do_not_disturb(signals, policy, now)? {
            DoNotDisturbRequest::Choice(_) => signals.choice_trace,
            DoNotDisturbRequest::Appointment(_) => None,
        },
    }
}
