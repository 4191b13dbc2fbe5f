//! The Teams mirror of one person: tells Teams' own state from the echo of ours, and decides what to write
//! (domain rules 3.2 to 3.4). Nothing learned from Teams is ever written back: what is written follows from telephone
//! lines, meetings, appointments and the person's own choice alone.

mod answers;
mod deadline;
mod unanswered;

use crate::{
    Meaning, Observation, Signals, TeamsCall, TeamsState, Timestamp,
    evaluate::wants_do_not_disturb,
    own::{Action, Held, Own, Slot, Withdrawn, YieldReason, Yielded},
    settings::{Settings, SyncMode, Timing},
};

/// Our side of a person's Teams presence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// The two slots, by [`Slot`].
    pub(crate) own: [Own; 2],
    /// When each slot was last changed, for the least interval between writes.
    changed_at: [Option<Timestamp>; 2],
    /// When the last answer that was taken in had been asked for: one that was overtaken on its way is old news, and
    /// would look like a choice that the person made meanwhile.
    asked_at: Timestamp,
    /// When our states were last set, for the loop breaker.
    sets: Vec<Timestamp>,
    /// Writing is paused, since and until.
    pub(crate) paused: Option<(Timestamp, Timestamp)>,
    /// A Teams call remembered from before the start, until Teams confirms or denies it.
    pub(crate) remembered: Option<TeamsCall>,
}

/// What the mirror wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The slot changed and must be stored.
    Remember(Slot),
    /// Write to Teams.
    Write(Slot, Action),
    /// Writing was paused until then.
    Paused(Timestamp),
}

impl Mirror {
    /// What is known at a start.
    pub(crate) fn restore(own: [Own; 2], remembered: Option<TeamsCall>) -> Self {
        Self {
            own,
            remembered,
            ..Self::default()
        }
    }

    pub(crate) fn own(&self, slot: Slot) -> &Own {
        &self.own[slot as usize]
    }

    pub(crate) fn own_mut(&mut self, slot: Slot) -> &mut Own {
        &mut self.own[slot as usize]
    }

    /// Whether our own write may be what hides or feigns a Teams call.
    pub(crate) fn masks_calls(&self) -> bool {
        self.own.iter().any(Own::may_echo)
    }

    /// Whether Teams has not spoken for longer than an observation is fresh.
    pub(crate) fn is_stale(&self, signals: &Signals, timing: &Timing, now: Timestamp) -> bool {
        signals
            .observation
            .as_ref()
            .is_none_or(|seen| seen.received_at + timing.observation_fresh <= now)
    }

    /// When what Teams itself shows ends without a further observation.
    pub(crate) fn observed_until(&self, signals: &Signals, timing: &Timing) -> Option<Timestamp> {
        signals
            .observation
            .as_ref()
            .map(|seen| seen.received_at + timing.observation_fresh + timing.observation_stale)
    }

    /// When the Teams call ends without a further confirmation. A call that our own write masks cannot be confirmed:
    /// it is held, up to the limit.
    pub(crate) fn call_until(&self, signals: &Signals, timing: &Timing) -> Option<Timestamp> {
        let limit = signals.teams_call?.confirmed_at + timing.appointment_limit;
        match self.observed_until(signals, timing) {
            Some(observed) if !self.masks_calls() => Some(limit.min(observed)),
            _ => Some(limit),
        }
    }

    /// Takes in an answer of Graph that was asked for at `asked_at`.
    pub(crate) fn observe(
        &mut self,
        signals: &mut Signals,
        settings: Settings<'_>,
        state: TeamsState,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Vec<Wish> {
        let meaning = state.meaning();
        let older_than_write = self
            .own
            .iter()
            .filter_map(Own::changed_at)
            .any(|at| asked_at < at);
        let overtaken = self.is_overtaken(asked_at);
        if older_than_write || overtaken || settings.policy.mode == SyncMode::None {
            return Vec::new();
        }
        let unchanged = signals
            .observation
            .as_ref()
            .filter(|seen| seen.state == state);
        let since = unchanged.map_or(now, |seen| seen.since);
        // No information starts and ends nothing, and renews no lease either.
        if meaning == Meaning::Unknown {
            return Vec::new();
        }
        self.asked_at = asked_at;
        signals.observation = Some(Observation {
            state,
            since,
            received_at: now,
        });
        for slot in Slot::ALL {
            // Do not disturb hides our session: that its echo is not seen then does not say that it is over.
            let hides = slot == Slot::Session
                && matches!(meaning, Meaning::DoNotDisturb | Meaning::Presenting);
            if !hides {
                self.own_mut(slot).observe(now, meaning == slot.echo());
            }
        }
        let mut wishes = self.notice_override(signals, settings, meaning, now);
        wishes.extend(self.take_back_again(settings.timing, meaning, now));
        self.follow_call(signals, meaning, now);
        signals.presenting_since =
            (meaning == Meaning::Presenting).then(|| signals.presenting_since.unwrap_or(now));
        let own_echo = match self.own(Slot::Preferred) {
            // Microsoft dropped it a moment ago: what Graph still shows is ours.
            Own::Yielded(yielded) => yielded.may_echo(settings.timing, now),
            own => own.may_echo(),
        };
        let do_not_disturb =
            meaning == Meaning::DoNotDisturb && settings.policy.mode.presence() && !own_echo;
        // What our own write hides tells nothing. Calls and Do not disturb have rules of their own and leave the base as
        // it was, and Offline may be what is left of our Do not disturb where no Teams client runs.
        let hidden = self.own.iter().any(Own::is_held)
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
        wishes
    }

    /// The person chose something else in Teams while our Do not disturb held: from now on the slot is not ours.
    fn notice_override(
        &mut self,
        signals: &Signals,
        settings: Settings<'_>,
        meaning: Meaning,
        now: Timestamp,
    ) -> Vec<Wish> {
        let timing = settings.timing;
        let Own::Held(held) = self.own(Slot::Preferred) else {
            return Vec::new();
        };
        let landed = held.echoed_at.is_some()
            || held
                .acknowledged_at
                .is_some_and(|at| now >= at + timing.settle);
        let something_else = !matches!(
            meaning,
            Meaning::DoNotDisturb | Meaning::Presenting | Meaning::Offline | Meaning::Unknown
        );
        if !(landed && something_else) {
            return Vec::new();
        }
        // Teams counted its day from the request, we from the answer.
        if now + timing.settle >= held.expires_at {
            return self.end_day(signals, settings, now);
        }
        let reason = YieldReason::Overridden;
        *self.own_mut(Slot::Preferred) = Own::Yielded(Yielded { reason, at: now });
        vec![Wish::Remember(Slot::Preferred)]
    }

    /// Microsoft has dropped our Do not disturb: it is written again only if the setting says so. Otherwise it stays
    /// here, and the slot is not ours any more.
    fn end_day(
        &mut self,
        signals: &Signals,
        Settings { policy, timing }: Settings<'_>,
        now: Timestamp,
    ) -> Vec<Wish> {
        let slot = Slot::Preferred;
        let renew = policy.renew_do_not_disturb
            && policy.mode.presence()
            && wants_do_not_disturb(signals, policy, now);
        if renew {
            // Anew and not renewed: what Teams showed in between must not be taken for an override.
            let held = Held::new(now, slot.lifetime(timing), false);
            self.change(slot, Own::Held(held), now);
            return vec![Wish::Remember(slot), Wish::Write(slot, Action::Set)];
        }
        let reason = YieldReason::Expired;
        *self.own_mut(slot) = Own::Yielded(Yielded { reason, at: now });
        vec![Wish::Remember(slot)]
    }

    /// Starts, confirms, holds or ends the Teams call.
    fn follow_call(&mut self, signals: &mut Signals, meaning: Meaning, now: Timestamp) {
        let session_masks = self.own(Slot::Session).may_echo();
        let preferred_masks = self.own(Slot::Preferred).may_echo();
        let remembered = self.remembered.take();
        let known = signals.teams_call.or(remembered);
        let confirmed = || {
            let since = known.map_or(now, |call| call.since);
            Some(TeamsCall {
                since,
                confirmed_at: now,
            })
        };
        signals.teams_call = match meaning {
            // Our app session never says Presenting, and Presenting implies a call.
            Meaning::Presenting => confirmed(),
            Meaning::Call if !session_masks => confirmed(),
            Meaning::Call | Meaning::Unknown => known,
            // Offline with nothing of ours in the way: no client, so no call.
            Meaning::Offline if !session_masks => None,
            _ if session_masks || preferred_masks => known,
            _ => None,
        };
    }

    /// Ends what has outlived its lease.
    pub(crate) fn expire(
        &mut self,
        signals: &mut Signals,
        settings: Settings<'_>,
        now: Timestamp,
    ) -> Vec<Wish> {
        let timing = settings.timing;
        let mut wishes = Vec::new();
        for slot in Slot::ALL {
            let next = match self.own(slot) {
                // Its day begins when Teams takes it: until then it is only waiting to be sent.
                Own::Held(held)
                    if held.expires_at <= now
                        && slot == Slot::Preferred
                        && held.acknowledged_at.is_none() =>
                {
                    Own::Held(Held {
                        expires_at: now + slot.lifetime(timing),
                        ..*held
                    })
                }
                Own::Held(held) if held.expires_at <= now && slot == Slot::Preferred => {
                    wishes.extend(self.end_day(signals, settings, now));
                    continue;
                }
                // A lost session is written anew while the call lasts; its echo must not count meanwhile.
                Own::Held(held) if held.expires_at <= now => Own::Withdrawn(Withdrawn {
                    acknowledged_at: Some(held.expires_at),
                    ..Withdrawn::from_held(held, held.expires_at)
                }),
                Own::Withdrawn(withdrawn) if withdrawn.settled_at(timing) <= now => Own::None,
                _ => continue,
            };
            let lost = slot == Slot::Session && self.own(slot).is_held();
            *self.own_mut(slot) = next;
            wishes.push(Wish::Remember(slot));
            if lost {
                // A write that still waits to be sent must not come after the end.
                wishes.push(Wish::Write(slot, Action::Clear));
            }
        }
        if self.paused.is_some_and(|(_, until)| until <= now) {
            self.paused = None;
        }
        if self
            .call_until(signals, timing)
            .is_some_and(|end| end <= now)
        {
            signals.teams_call = None;
        }
        if self
            .observed_until(signals, timing)
            .is_some_and(|end| end <= now)
        {
            signals.presenting_since = None;
            signals.teams_do_not_disturb_since = None;
            signals.teams_base = None;
        }
        let limit = timing.appointment_limit;
        self.remembered = self
            .remembered
            .filter(|call| call.confirmed_at + limit > now);
        wishes
    }

    /// Makes the slots follow what the telephone lines and the person's choice ask for.
    pub(crate) fn follow_wants(
        &mut self,
        signals: &Signals,
        settings: Settings<'_>,
        linked: bool,
        lines_reported: bool,
        now: Timestamp,
    ) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for slot in Slot::ALL {
            // Without an account nothing is wanted there: what is ours is taken back.
            let wanted = linked
                && match slot {
                    Slot::Session => {
                        settings.policy.mode.telephony()
                            && (signals.in_pbx_call(now)
                                || signals.leading_meeting(now).is_some()
                                || self.adopting(lines_reported, now))
                    }
                    Slot::Preferred => {
                        settings.policy.mode.presence()
                            && wants_do_not_disturb(signals, settings.policy, now)
                    }
                };
            self.follow_want(slot, wanted, signals, settings.timing, now, &mut wishes);
        }
        wishes
    }

    /// An adopted session is kept while the lines have not yet told whether the call still lasts.
    fn adopting(&self, lines_reported: bool, now: Timestamp) -> bool {
        matches!(self.own(Slot::Session), Own::Held(held)
            if !lines_reported && held.adopted_until.is_some_and(|until| until > now))
    }

    fn follow_want(
        &mut self,
        slot: Slot,
        wanted: bool,
        signals: &Signals,
        timing: &Timing,
        now: Timestamp,
        wishes: &mut Vec<Wish>,
    ) {
        let lifetime = slot.lifetime(timing);
        let distinct = *self.own(slot) == Own::None
            && signals
                .observation
                .as_ref()
                .is_some_and(|seen| seen.state.meaning() != slot.echo());
        match (*self.own(slot), wanted) {
            (Own::None | Own::Withdrawn(_), true) => {
                if slot == Slot::Preferred && signals.teams_do_not_disturb_since.is_some() {
                    let reason = YieldReason::AlreadyThere;
                    *self.own_mut(slot) = Own::Yielded(Yielded { reason, at: now });
                    wishes.push(Wish::Remember(slot));
                } else if self.may_change(slot, timing, now) && self.may_set(timing, now, wishes) {
                    self.change(slot, Own::Held(Held::new(now, lifetime, distinct)), now);
                    wishes.extend([Wish::Remember(slot), Wish::Write(slot, Action::Set)]);
                }
            }
            (Own::Held(held), true)
                if slot == Slot::Session && held.written_at + timing.session_renewal <= now =>
            {
                let renewed = Held {
                    written_at: now,
                    expires_at: now + lifetime,
                    ..held
                };
                *self.own_mut(slot) = Own::Held(renewed);
                wishes.extend([Wish::Remember(slot), Wish::Write(slot, Action::Renew)]);
            }
            // Stored before a crash but perhaps never sent. The session stays adopted until the lines have told.
            (Own::Held(held), true)
                if held.acknowledged_at.is_none()
                    && held.adopted_until.is_some_and(|until| {
                        slot == Slot::Preferred || held.written_at + timing.adoption_grace < until
                    }) =>
            {
                *self.own_mut(slot) = Own::Held(Held {
                    written_at: now,
                    expires_at: now + lifetime,
                    adopted_until: held.adopted_until.filter(|_| slot == Slot::Session),
                    ..held
                });
                wishes.extend([Wish::Remember(slot), Wish::Write(slot, Action::Set)]);
            }
            (Own::Held(held), false) => {
                self.change(slot, Own::Withdrawn(Withdrawn::from_held(&held, now)), now);
                wishes.extend([Wish::Remember(slot), Wish::Write(slot, Action::Clear)]);
            }
            (Own::Refused(held), true) => wishes.extend(self.insist(slot, held, timing, now)),
            // The next try must not succeed.
            (Own::Refused(_), false) => {
                *self.own_mut(slot) = Own::None;
                wishes.extend([Wish::Remember(slot), Wish::Write(slot, Action::Clear)]);
            }
            (Own::Yielded(yielded), false) if yielded.may_echo(timing, now) => {
                *self.own_mut(slot) = Own::Withdrawn(Withdrawn::dropped(yielded.at));
                wishes.push(Wish::Remember(slot));
            }
            (Own::Yielded(_), false) => {
                *self.own_mut(slot) = Own::None;
                wishes.push(Wish::Remember(slot));
            }
            _ => {}
        }
    }

    /// The person goes: what is ours may be taken back at once.
    pub(crate) fn let_go(&mut self) {
        self.remembered = None;
        self.changed_at = [None; 2];
    }

    fn change(&mut self, slot: Slot, own: Own, now: Timestamp) {
        *self.own_mut(slot) = own;
        self.changed_at[slot as usize] = Some(now);
    }

    /// When the slot may be changed next.
    fn changeable_at(&self, slot: Slot, timing: &Timing) -> Option<Timestamp> {
        self.changed_at[slot as usize].map(|at| at + timing.write_interval)
    }

    /// Setting keeps its distance from the last change; taking back never waits.
    fn may_change(&self, slot: Slot, timing: &Timing, now: Timestamp) -> bool {
        self.changeable_at(slot, timing).is_none_or(|at| at <= now)
    }

    /// The loop breaker: taking back is always allowed, setting only so often.
    fn may_set(&mut self, timing: &Timing, now: Timestamp, wishes: &mut Vec<Wish>) -> bool {
        let Some(breaker) = timing.loop_breaker else {
            return true;
        };
        if self.paused.is_some() {
            return false;
        }
        self.sets.retain(|at| *at + breaker.within > now);
        if self.sets.len() >= usize::from(breaker.alternations) {
            let until = now + breaker.pause;
            self.paused = Some((now, until));
            self.sets = Vec::new();
            wishes.push(Wish::Paused(until));
            return false;
        }
        self.sets.push(now);
        true
    }
}
