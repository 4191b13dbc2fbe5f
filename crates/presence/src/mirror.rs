//! The Teams mirror of one person: distinguishes Teams' own state from the echo of our writes, and decides what
//! to write (docs/presence-rules.md, "What Offhook writes to Teams", "Teams calls and echoes"). Nothing learned
//! from Teams is written back: writes follow from PBX lines, meetings, appointments and the person's own choice.

mod answers;
mod breaker;
mod call;
mod deadline;
mod evidence;
mod slots;
mod unanswered;

use std::time::Duration;

use breaker::Breaker;
use evidence::Evidence;
pub(crate) use slots::cause_trace;

use crate::{
    Meaning, Observation, Signals, SlotRecord, TeamsAnswer, TeamsCall, Timestamp, TraceId,
    answer_order::{AnswerAge, AnswerOrder},
    policy::Settings,
    requests::do_not_disturb,
    slot::{
        Action, AnswerMatch, ClearAnswer, Echo, ReleaseReason, Slot, SlotClear, SlotRelease,
        SlotState, SlotWrite,
    },
    sync_mode::SyncMode,
    timing::Timing,
};

/// Our side of a person's Teams presence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// The two slots, by [`Slot`].
    pub(crate) slots: [SlotState; 2],
    /// The newest answer.
    order: AnswerOrder,
    breaker: Breaker,
    /// Latest time at which Microsoft drops a refused write that arrived after all, by [`Slot`]. Until then
    /// its clear is retried.
    left_over_until: [Option<Timestamp>; 2],
    /// A Teams call from before the start of the process, until Teams confirms or ends it.
    pub(crate) restored_call: Option<TeamsCall>,
}

/// An order of the mirror to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Store the slot, which changed.
    Store(Slot),
    /// Send a write to Teams.
    Write(Slot, Action),
    /// Writes are paused until this time.
    Paused(Timestamp),
    /// The pause of writes is over.
    Resumed,
    /// The lag of a write was measured.
    ReportLag(Duration),
}

impl Mirror {
    /// Restores the mirror from the store's records at a start.
    pub(crate) fn restore(slots: [SlotState; 2], restored_call: Option<TeamsCall>) -> Self {
        Self {
            slots,
            restored_call,
            ..Self::default()
        }
    }

    pub(crate) fn slot(&self, slot: Slot) -> &SlotState {
        &self.slots[slot as usize]
    }

    pub(crate) fn slot_mut(&mut self, slot: Slot) -> &mut SlotState {
        &mut self.slots[slot as usize]
    }

    /// Whether our write may hide a Teams call, or look like one.
    pub(crate) fn masks_calls(&self) -> bool {
        self.slots.iter().any(SlotState::may_echo)
    }

    /// Whether Do not disturb in an answer may be ours.
    fn do_not_disturb_may_echo(&self, timing: &Timing, now: Timestamp) -> bool {
        match self.slot(Slot::Preferred) {
            // Microsoft dropped our Do not disturb a short time ago: Graph may still show it.
            SlotState::Released(release) => release.may_echo(timing, now),
            state => state.may_echo(),
        }
    }

    /// Whether the last answer of Teams is older than an observation is fresh.
    pub(crate) fn is_stale(&self, signals: &Signals, timing: &Timing, now: Timestamp) -> bool {
        signals
            .observation
            .as_ref()
            .is_none_or(|seen| seen.received_at + timing.observation_fresh <= now)
    }

    /// End of the states that Teams itself shows, if no further answer comes.
    pub(crate) fn observed_until(&self, signals: &Signals, timing: &Timing) -> Option<Timestamp> {
        signals
            .observation
            .as_ref()
            .map(|seen| seen.received_at + timing.observation_fresh + timing.observation_stale)
    }

    /// Start and end of the pause of writes, if writes are paused.
    pub(crate) fn paused(&self) -> Option<(Timestamp, Timestamp)> {
        self.breaker.paused
    }

    /// Age of an answer of Graph: every decision about answers of the person begins here.
    pub(crate) fn age_of(&self, answer: &TeamsAnswer) -> AnswerAge {
        let asked_at = answer.asked_at;
        let mut writes = self.slots.iter().filter_map(SlotState::changed_at);
        match self.order.age_of(asked_at, answer.sequence.as_ref()) {
            AnswerAge::Newest if writes.any(|changed_at| asked_at < changed_at) => {
                AnswerAge::Outdated
            }
            age => age,
        }
    }

    /// Applies an answer of Graph.
    pub(crate) fn observe(
        &mut self,
        signals: &mut Signals,
        settings: Settings<'_>,
        (answer, trace): (TeamsAnswer, Option<TraceId>),
        now: Timestamp,
    ) -> Vec<Command> {
        if settings.policy.mode == SyncMode::None || self.age_of(&answer) != AnswerAge::Newest {
            return Vec::new();
        }
        let TeamsAnswer {
            state, asked_at, ..
        } = answer;
        self.order.record(asked_at, answer.sequence);
        let meaning = state.meaning();
        let before = signals.observation.as_ref();
        let meaning_before = before.map_or(Meaning::Unknown, |seen| seen.state.meaning());
        let seen_before = before.map(|seen| (meaning_before, seen.received_at));
        let unchanged = before.filter(|seen| seen.state == state);
        let since = unchanged.map_or(now, |seen| seen.since);
        let trace = unchanged.map_or(trace, |seen| seen.trace);
        // An answer without information starts and ends nothing, and renews no lease.
        if meaning == Meaning::Unknown {
            return Vec::new();
        }
        signals.observation = Some(Observation {
            state,
            since,
            received_at: now,
            trace,
        });
        let mut commands = Vec::new();
        for slot in Slot::ALL {
            let evidence = Evidence {
                asked_at,
                shown: AnswerMatch::new(slot, meaning),
                before: AnswerMatch::new(slot, meaning_before),
                tenant_lag: answer.tenant_lag,
            };
            if evidence.shown == AnswerMatch::Other {
                self.breaker.answered(slot);
            }
            let stored = SlotRecord::of(self.slot(slot));
            let verdict = self.slot_mut(slot).observe(evidence, settings.timing);
            commands.extend(verdict.lag.map(Command::ReportLag));
            if verdict.is_over {
                *self.slot_mut(slot) = SlotState::Empty;
            }
            if SlotRecord::of(self.slot(slot)) != stored {
                commands.push(Command::Store(slot));
            }
        }
        commands.extend(self.detect_override(signals, settings, meaning, now));
        commands.extend(
            self.abandon_clear(seen_before, meaning, asked_at)
                .into_iter()
                .flatten(),
        );
        let again = Slot::ALL.map(|slot| self.clear_again(slot, settings.timing, meaning, now));
        commands.extend(again.into_iter().flatten());
        self.follow_call(signals, settings.timing, meaning, now);
        signals.presenting_since =
            (meaning == Meaning::Presenting).then(|| signals.presenting_since.unwrap_or(now));
        let own_echo = self.do_not_disturb_may_echo(settings.timing, now);
        let do_not_disturb =
            meaning == Meaning::DoNotDisturb && settings.policy.mode.presence() && !own_echo;
        // A state that our write hides proves nothing. Calls and Do not disturb have their own rules and
        // do not change the base. Offline may be our Do not disturb without a Teams client.
        let hidden = self.slots.iter().any(SlotState::is_written)
            || (meaning == Meaning::Offline && self.masks_calls());
        if !hidden
            && matches!(
                meaning,
                Meaning::Available
                    | Meaning::Busy
                    | Meaning::BeRightBack
                    | Meaning::Away
                    | Meaning::Offline
            )
            && signals.teams_base.is_none_or(|(base, _)| base != meaning)
        {
            signals.teams_base = Some((meaning, now));
        }
        signals.teams_do_not_disturb_since =
            do_not_disturb.then(|| signals.teams_do_not_disturb_since.unwrap_or(now));
        commands
    }

    /// Releases the slot if the person chose another state in Teams while our Do not disturb was in force.
    fn detect_override(
        &mut self,
        signals: &Signals,
        settings: Settings<'_>,
        meaning: Meaning,
        now: Timestamp,
    ) -> Vec<Command> {
        let timing = settings.timing;
        let SlotState::Written(write) = self.slot(Slot::Preferred) else {
            return Vec::new();
        };
        let landed = matches!(write.echo, Echo::Seen(_))
            || write
                .acknowledged_at
                .is_some_and(|at| now >= at + timing.settle);
        if !(landed && meaning.is_chosen_over_do_not_disturb()) {
            return Vec::new();
        }
        // Teams counts the day from the request, we count it from the answer.
        if now + timing.settle >= write.expires_at {
            return self.on_dropped_after_a_day(signals, settings, now);
        }
        let reason = ReleaseReason::Overridden;
        *self.slot_mut(Slot::Preferred) = SlotState::Released(SlotRelease { reason, at: now });
        vec![Command::Store(Slot::Preferred)]
    }

    /// Handles the end of our Do not disturb after Microsoft's day: writes it again if the setting allows it
    /// and the request still holds. Otherwise it stays in force in Offhook, and the slot is released.
    fn on_dropped_after_a_day(
        &mut self,
        signals: &Signals,
        Settings { policy, timing }: Settings<'_>,
        now: Timestamp,
    ) -> Vec<Command> {
        let slot = Slot::Preferred;
        let renew = policy.renew_do_not_disturb
            && policy.mode.presence()
            && do_not_disturb(signals, policy, now).is_some();
        if renew {
            // A new write, not a renewal: a state that Teams shows in between must not count as an
            // override.
            let write = SlotWrite::new(now, slot.lifetime(timing), Echo::Indistinct);
            *self.slot_mut(slot) = SlotState::Written(write);
            return vec![Command::Store(slot), Command::Write(slot, Action::Set)];
        }
        let reason = ReleaseReason::Expired;
        *self.slot_mut(slot) = SlotState::Released(SlotRelease { reason, at: now });
        vec![Command::Store(slot)]
    }

    /// Ends every state after its lease.
    pub(crate) fn expire(
        &mut self,
        signals: &mut Signals,
        settings: Settings<'_>,
        now: Timestamp,
    ) -> Vec<Command> {
        let timing = settings.timing;
        let mut commands = self.abandon_expired_clears(now);
        for slot in Slot::ALL {
            let next = match self.slot(slot) {
                // Microsoft's day begins when Teams accepts the write; until then the write waits
                // to be sent.
                SlotState::Written(write)
                    if write.expires_at <= now
                        && slot == Slot::Preferred
                        && write.acknowledged_at.is_none() =>
                {
                    SlotState::Written(SlotWrite {
                        expires_at: now + slot.lifetime(timing),
                        ..*write
                    })
                }
                SlotState::Written(write) if write.expires_at <= now && slot == Slot::Preferred => {
                    commands.extend(self.on_dropped_after_a_day(signals, settings, now));
                    continue;
                }
                // A session that Microsoft dropped is written again while the call lasts; the echo
                // of the first one must not count.
                SlotState::Written(write) if write.expires_at <= now => {
                    SlotState::Clearing(SlotClear {
                        answer: ClearAnswer::Acknowledged(write.expires_at),
                        expires_at: write.expires_at,
                        ..SlotClear::from_write(write, slot.lifetime(timing), write.expires_at)
                    })
                }
                // Microsoft has dropped the write: there is nothing to clear, and a late clear of
                // Do not disturb would end the person's own choice.
                SlotState::Clearing(clear)
                    if clear.expires_at <= now && clear.answer.acknowledged_at().is_none() =>
                {
                    commands.push(Command::Write(slot, Action::Abandon));
                    SlotState::Clearing(SlotClear {
                        answer: ClearAnswer::Acknowledged(clear.expires_at),
                        ..*clear
                    })
                }
                SlotState::Clearing(clear) if clear.ends_at(timing) <= now => SlotState::Empty,
                _ => continue,
            };
            let lost = slot == Slot::Session && self.slot(slot).is_written();
            *self.slot_mut(slot) = next;
            commands.push(Command::Store(slot));
            if lost {
                // A write that still waits to be sent must not arrive after the end.
                self.left_over_until[slot as usize] = Some(now + slot.lifetime(timing));
                commands.push(Command::Write(slot, Action::Clear));
            }
        }
        if self.breaker.expire(timing, now) {
            commands.push(Command::Resumed);
        }
        self.expire_call(signals, timing, now);
        if self
            .observed_until(signals, timing)
            .is_some_and(|end| end <= now)
        {
            signals.presenting_since = None;
            signals.teams_do_not_disturb_since = None;
            signals.teams_base = None;
        }
        let limit = timing.appointment_limit;
        self.restored_call = self
            .restored_call
            .filter(|call| call.confirmed_at + limit > now);
        commands
    }

    /// Releases the person, who is removed: nothing waits for a confirmation any more.
    pub(crate) fn release(&mut self) -> Vec<Command> {
        self.restored_call = None;
        let paused = self.breaker.paused.take();
        paused.map(|_| Command::Resumed).into_iter().collect()
    }
}
