//! One person in the engine: signals, the Teams mirror and the last published presence.

mod account;
mod reports;

use std::sync::Arc;

use super::Fact;
use crate::{
    Action, AppointmentOrigin, Choice, ClientSignal, Effect, LineId, MeetingSignal,
    MicrophoneLayer, PersonId, PersonPolicy, PersonRecord, Presence, Record, Signals, Slot,
    TeamsAccount, TeamsCall, TeamsWrite, Timestamp, Timing, TraceId,
    evaluate::{Decision, Facts, Silent, evaluate},
    mirror::{Command, Mirror, cause_trace},
    policy::Settings,
    record::SlotRecord,
};

/// Occasion to publish a presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publication {
    /// Also an unchanged presence: the person was added.
    Always,
    /// Only a changed presence.
    OfChanges,
}

/// One person in the engine.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) lines: Vec<LineId>,
    pub(super) account: TeamsAccount,
    /// Time of the last change of account or mode; at the latest the start of the process.
    pub(super) teams_since: Timestamp,
    pub(super) policy: Arc<PersonPolicy>,
    pub(super) signals: Signals,
    pub(super) mirror: Mirror,
    pub(super) at_rest: bool,
    pub(super) rest_since: Timestamp,
    /// The last published presence: only changes are published.
    pub(super) last_presence: Presence,
    /// The Teams call as the store has it.
    pub(super) stored_call: Option<TeamsCall>,
    /// Entry in the engine's list of deadlines; never later than the real deadline.
    pub(super) deadline: Option<Timestamp>,
}

// With a line, a client and a policy a person takes 945 bytes in `bench engine`; the limit is 1,024. A larger field is a
// decision: this line makes it one.
const _: () = assert!(size_of::<Person>() <= 784);

impl Person {
    pub(super) fn restore(
        record: PersonRecord,
        policy: Arc<PersonPolicy>,
        timing: &Timing,
        now: Timestamp,
    ) -> Self {
        let renew = policy.renew_do_not_disturb;
        let slots = Slot::ALL.map(|slot| {
            record.slots[slot as usize].map_or_else(Default::default, |record| {
                record.adopt(slot, renew, timing, now)
            })
        });
        // Clients reconnect within seconds of a start. A person without clients must not seem to have had
        // one for longer.
        let clients_gone_at = now + timing.client_return - policy.automatic.client_end_after;
        let mut person = Self {
            lines: record.lines,
            account: TeamsAccount::found(record.linked),
            teams_since: now,
            policy,
            signals: Signals {
                choice: record.choice,
                appointments: record.appointments,
                clients_gone_at,
                ..Signals::default()
            },
            mirror: Mirror::restore(slots, record.teams_call),
            at_rest: true,
            rest_since: now,
            last_presence: Presence::initial(now),
            stored_call: record.teams_call,
            deadline: None,
        };
        person.forget_teams();
        person
    }

    /// Whether the fact reports a client that was not connected.
    pub(super) fn is_client_start(&self, fact: &Fact) -> bool {
        matches!(fact, Fact::Client { client, .. }
            if !self.signals.clients.iter().any(|known| known.client == *client))
    }

    /// Whether a Teams call is believed that an answer of Teams could end.
    pub(super) fn has_teams_call(&self) -> bool {
        self.account.is_linked()
            && (self.signals.teams_call.is_some() || self.mirror.restored_call.is_some())
    }

    /// Applies a fact.
    pub(super) fn apply(
        &mut self,
        fact: Fact,
        trace: Option<TraceId>,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Command> {
        match fact {
            Fact::TeamsLinked => self.link(now),
            Fact::TeamsUnlinked => self.unlink(now),
            Fact::TeamsLoginEnded => self.end_login(now),
            Fact::TeamsAccountMissing { asked_at } => self.miss_account(asked_at, now),
            Fact::Lines(lines) => self.watch_lines(lines),
            Fact::Policy(policy) => self.set_policy(policy, now),
            Fact::Line(line, change) => self.apply_line(line, change, (trace, timing), now),
            Fact::TeamsObserved(answer) => {
                return self.observe_teams(answer, trace, timing, now);
            }
            Fact::TeamsAcknowledged(slot, action) => {
                return self.mirror.on_acknowledged(slot, action, timing, now);
            }
            Fact::TeamsNothingToClear(slot) => return self.mirror.on_nothing_to_clear(slot, now),
            Fact::TeamsRefused(slot, action) => self.mirror.on_refused(slot, action, timing),
            Fact::Choice(choice) => self.choose(choice, trace),
            Fact::Client {
                client,
                state,
                since,
                until,
            } => self.report_client(ClientSignal {
                client,
                state,
                since: since.min(now),
                until,
                trace,
            }),
            Fact::ClientEnded(client) => self.end_client(client, now),
            Fact::Meeting {
                meeting,
                audio,
                screen,
                until,
            } => self.report_meeting(MeetingSignal {
                meeting,
                audio,
                screen,
                since: now,
                until,
                trace,
            }),
            Fact::MeetingEnded(meeting) => {
                self.signals
                    .meetings
                    .retain(|known| known.meeting != meeting);
            }
            Fact::Programs {
                client,
                programs,
                until,
            } => self.report_programs(client, programs, (until, trace), now),
            Fact::Appointment(appointment) => {
                let list = &mut self.signals.appointments;
                list.retain(|known| known.id != appointment.id);
                list.push(appointment);
            }
            Fact::AppointmentDeleted(id) => {
                self.signals
                    .appointments
                    .retain(|appointment| appointment.id != id);
            }
            Fact::Calendar(appointments) => {
                let list = &mut self.signals.appointments;
                list.retain(|known| known.origin != AppointmentOrigin::Calendar);
                list.extend(appointments);
            }
        }
        Vec::new()
    }

    fn set_policy(&mut self, policy: Arc<PersonPolicy>, now: Timestamp) {
        if policy.mode != self.policy.mode {
            self.teams_since = now;
        }
        self.policy = policy;
        self.forget_teams();
    }

    fn choose(&mut self, choice: Option<Choice>, trace: Option<TraceId>) {
        self.signals.choice_trace = trace.filter(|_| choice.is_some());
        self.signals.choice = choice;
    }

    /// Updates the slots in Teams from the signals.
    pub(super) fn update_slots(
        &mut self,
        timing: &Timing,
        reported: bool,
        now: Timestamp,
    ) -> Vec<Command> {
        let settings = Settings {
            policy: &self.policy,
            timing,
        };
        let is_linked = self.account.is_linked();
        let commands = self
            .mirror
            .update_slots(&self.signals, settings, is_linked, reported, now);
        // Our Do not disturb shortens the lease of a Teams call.
        self.mirror.expire_call(&mut self.signals, timing, now);
        commands
    }

    /// Ends every expired signal.
    pub(super) fn expire(&mut self, timing: &Timing, now: Timestamp) -> Vec<Command> {
        self.signals.expire(now);
        let settings = Settings {
            policy: &self.policy,
            timing,
        };
        self.mirror.expire(&mut self.signals, settings, now)
    }

    /// Drops the signals of Teams that the mode does not let through, and all of them if the person has no
    /// account.
    fn forget_teams(&mut self) {
        if !(self.account.is_linked() && self.policy.mode.presence()) {
            self.signals.teams_do_not_disturb_since = None;
        }
        if !(self.account.is_linked() && self.policy.mode.telephony()) {
            self.signals.observation = None;
            self.signals.teams_base = None;
            self.signals.teams_call = None;
            self.signals.presenting_since = None;
            self.mirror.restored_call = None;
        }
    }

    pub(super) fn push_effects(
        &mut self,
        id: PersonId,
        commands: Vec<Command>,
        trace: Option<TraceId>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        effects.extend(commands.into_iter().map(|command| match command {
            Command::Store(slot) => Effect::Store(Record::Slot {
                person: id,
                slot,
                record: SlotRecord::of(self.mirror.slot(slot)),
            }),
            Command::Write(slot, action) => Effect::Write(TeamsWrite {
                person: id,
                slot,
                action,
                trace: match action {
                    Action::Set => cause_trace(&self.signals, &self.policy, slot, now).or(trace),
                    Action::Clear => trace,
                    Action::Renew | Action::Abandon => None,
                },
            }),
            Command::Resumed => Effect::WritingResumed(id),
            Command::ReportLag(lag) => Effect::WriteLag { person: id, lag },
            Command::Paused(until) => Effect::WritingPaused { person: id, until },
        }));
    }

    /// Stores the Teams call when it starts or ends, and its confirmation at intervals.
    pub(super) fn store_call(&mut self, id: PersonId, timing: &Timing, effects: &mut Vec<Effect>) {
        let call = self.signals.teams_call.or(self.mirror.restored_call);
        let in_step = match (call, self.stored_call) {
            (Some(call), Some(stored)) => {
                call.since == stored.since
                    && call.confirmed_at.since(stored.confirmed_at) < timing.confirmation_interval
            }
            (None, None) => true,
            _ => false,
        };
        if !in_step {
            self.stored_call = call;
            effects.push(Effect::Store(Record::TeamsCall { person: id, call }));
        }
    }

    pub(super) fn publish(
        &mut self,
        id: PersonId,
        timing: &Timing,
        now: Timestamp,
        (publication, trace): (Publication, Option<TraceId>),
        effects: &mut Vec<Effect>,
    ) {
        let Decision {
            mut presence,
            at_rest,
        } = evaluate(
            &self.facts(timing, MicrophoneLayer::Included),
            now,
            &mut Silent,
        );
        if at_rest && !self.at_rest {
            self.rest_since = now;
            presence = evaluate(
                &self.facts(timing, MicrophoneLayer::Included),
                now,
                &mut Silent,
            )
            .presence;
        }
        self.at_rest = at_rest;
        if publication == Publication::Always || presence != self.last_presence {
            self.last_presence = presence.clone();
            effects.push(Effect::Changed {
                person: id,
                presence,
                trace,
            });
        }
    }

    pub(super) fn facts<'a>(
        &'a self,
        timing: &'a Timing,
        microphone: MicrophoneLayer,
    ) -> Facts<'a> {
        Facts {
            signals: &self.signals,
            mirror: &self.mirror,
            policy: &self.policy,
            timing,
            account: self.account,
            teams_since: self.teams_since,
            lines: self.lines.len(),
            rest_since: self.rest_since,
            microphone,
        }
    }

    pub(super) fn next_deadline(&self, timing: &Timing, now: Timestamp) -> Option<Timestamp> {
        let automatic = &self.policy.automatic;
        let gone = self
            .signals
            .clients
            .is_empty()
            .then(|| self.signals.clients_gone_at + automatic.client_end_after);
        let clients = self.signals.clients.iter();
        let away = clients.filter_map(|client| automatic.away_at(client));
        self.signals
            .deadlines()
            .chain(gone)
            .chain(away)
            .chain(self.mirror.deadline(&self.signals, timing, now))
            .filter(|at| *at > now)
            .min()
    }
}
