//! One person in the engine: the signals, what was written to Teams, and what was last told.

use crate::{
    Effect, LineId, LineSignal, LineState, PersonId, PersonRecord, Presence, Record, Settings,
    Signals, SyncMode, TeamsCall, TeamsWrite, Timestamp,
    evaluate::{Decision, Explain, Facts, Silent, evaluate},
    mirror::{Mirror, Wish},
    record::OwnRecord,
};

/// One person in the engine.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) lines: Vec<LineId>,
    pub(super) linked: bool,
    pub(super) signals: Signals,
    pub(super) mirror: Mirror,
    pub(super) at_rest: bool,
    pub(super) rest_since: Timestamp,
    /// What was last told, to tell only changes.
    pub(super) told: Presence,
    /// The Teams call as the store has it.
    pub(super) stored_call: Option<TeamsCall>,
    /// The entry in the engine's list of deadlines, never later than the true one.
    pub(super) deadline: Option<Timestamp>,
}

impl Person {
    pub(super) fn restore(record: PersonRecord, settings: &Settings, now: Timestamp) -> Self {
        let own = record
            .own
            .map(|own| own.map_or_else(Default::default, |own| own.adopt(&settings.timing, now)));
        Self {
            lines: record.lines,
            linked: record.linked,
            signals: Signals {
                choice: record.choice,
                ..Signals::default()
            },
            mirror: Mirror::restore(own, record.teams_call),
            at_rest: true,
            rest_since: now,
            told: Presence {
                status: crate::Status::Available,
                activity: None,
                profile: "".into(),
                since: now,
                confidence: crate::Confidence::Stale,
            },
            stored_call: record.teams_call,
            deadline: None,
        }
    }

    pub(super) fn report_line(
        &mut self,
        line: LineId,
        state: LineState,
        until: Timestamp,
        now: Timestamp,
    ) {
        // A last word about a line that was taken from the person.
        if !self.lines.contains(&line) {
            return;
        }
        let answered = |state| matches!(state, LineState::Connected | LineState::Held);
        let signal = LineSignal {
            line,
            state,
            since: now,
            until,
            stale: false,
        };
        match self
            .signals
            .lines
            .iter_mut()
            .find(|known| known.line == line)
        {
            Some(known) => {
                let goes_on = known.until > now
                    && (known.state == state || (answered(known.state) && answered(state)));
                let since = if goes_on { known.since } else { now };
                *known = LineSignal { since, ..signal };
            }
            None => self.signals.lines.push(signal),
        }
    }

    /// Ends every signal whose lease is over.
    pub(super) fn expire(&mut self, settings: &Settings, now: Timestamp) -> Vec<Wish> {
        self.signals.lines.retain(|line| line.until > now);
        if self.signals.choice_at(now).is_none() {
            self.signals.choice = None;
        }
        self.mirror.expire(&mut self.signals, settings, now)
    }

    /// Forgets what a mode no longer lets through.
    pub(super) fn forget_teams(&mut self, mode: SyncMode) {
        if !mode.presence() {
            self.signals.teams_do_not_disturb_since = None;
        }
        if !mode.telephony() {
            self.signals.observation = None;
            self.signals.teams_call = None;
            self.signals.presenting_since = None;
            self.mirror.remembered = None;
        }
    }

    pub(super) fn carry_out(&mut self, id: PersonId, wishes: Vec<Wish>, effects: &mut Vec<Effect>) {
        effects.extend(wishes.into_iter().map(|wish| match wish {
            Wish::Remember(slot) => Effect::Remember(Record::Own {
                person: id,
                slot,
                own: OwnRecord::of(self.mirror.own(slot)),
            }),
            Wish::Write(slot, action) => Effect::Write(TeamsWrite {
                person: id,
                slot,
                action,
            }),
            Wish::Paused(until) => Effect::WritingPaused { person: id, until },
        }));
    }

    /// Keeps the stored appointment in step: its start, its end, and now and then its confirmation.
    pub(super) fn remember_call(
        &mut self,
        id: PersonId,
        settings: &Settings,
        effects: &mut Vec<Effect>,
    ) {
        let call = self.signals.teams_call.or(self.mirror.remembered);
        let in_step = match (call, self.stored_call) {
            (Some(call), Some(stored)) => {
                call.since == stored.since
                    && call.confirmed_at.since(stored.confirmed_at)
                        < settings.timing.confirmation_interval
            }
            (None, None) => true,
            _ => false,
        };
        if !in_step {
            self.stored_call = call;
            effects.push(Effect::Remember(Record::TeamsCall { person: id, call }));
        }
    }

    pub(super) fn tell(
        &mut self,
        id: PersonId,
        settings: &Settings,
        now: Timestamp,
        is_new: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Decision {
            mut presence,
            at_rest,
        } = self.evaluate(settings, now, &mut Silent);
        if at_rest && !self.at_rest {
            self.rest_since = now;
            presence.since = now;
        }
        self.at_rest = at_rest;
        if is_new || presence != self.told {
            self.told = presence.clone();
            effects.push(Effect::Changed {
                person: id,
                presence,
            });
        }
    }

    pub(super) fn evaluate(
        &self,
        settings: &Settings,
        now: Timestamp,
        explain: &mut impl Explain,
    ) -> Decision {
        let facts = Facts {
            signals: &self.signals,
            mirror: &self.mirror,
            settings,
            linked: self.linked,
            lines: self.lines.len(),
            rest_since: self.rest_since,
        };
        evaluate(&facts, now, explain)
    }

    pub(super) fn next_deadline(&self, settings: &Settings, now: Timestamp) -> Option<Timestamp> {
        let lines = self.signals.lines.iter().map(|line| line.until);
        let choice = self.signals.choice.as_ref().and_then(|choice| choice.until);
        lines
            .chain(choice)
            .chain(self.mirror.deadline(&self.signals, &settings.timing, now))
            .filter(|at| *at > now)
            .min()
    }
}
