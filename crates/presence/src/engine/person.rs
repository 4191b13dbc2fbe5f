//! One person in the engine: signals, the Teams mirror and the last published presence.

mod account;

use std::sync::Arc;

use super::Fact;
use crate::{
    AppointmentOrigin, ClientId, ClientSignal, ClientState, Effect, LineChange, LineId, LineSignal,
    LineState, MeetingSignal, MicrophoneLayer, PersonId, PersonPolicy, PersonRecord, Presence,
    ProgramSignal, Record, Signals, Slot, TeamsAccount, TeamsCall, TeamsWrite, Timestamp, Timing,
    evaluate::{Decision, Facts, Silent, evaluate},
    mirror::{Command, Mirror},
    policy::Settings,
    record::SlotRecord,
};

/// Most clients, meetings and programs that a person has at once: a source that exceeds this is faulty, and
/// further ones are ignored.
const SIGNALS_MAX: usize = 64;

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
    pub(super) fn apply(&mut self, fact: Fact, timing: &Timing, now: Timestamp) -> Vec<Command> {
        match fact {
            Fact::TeamsLinked => self.link(now),
            Fact::TeamsUnlinked => self.unlink(now),
            Fact::TeamsLoginEnded => self.end_login(now),
            Fact::TeamsAccountMissing { asked_at } => self.miss_account(asked_at, now),
            Fact::Lines(lines) => {
                self.signals
                    .lines
                    .retain(|signal| lines.contains(&signal.line) || signal.line.is_published());
                self.lines = lines;
            }
            Fact::Policy(policy) => {
                if policy.mode != self.policy.mode {
                    self.teams_since = now;
                }
                self.policy = policy;
                self.forget_teams();
            }
            Fact::Line(line, change) => self.report_line(line, change, timing, now),
            Fact::TeamsObserved(answer) => {
                return self.observe_teams(answer, timing, now);
            }
            Fact::TeamsAcknowledged(slot, action) => {
                return self.mirror.on_acknowledged(slot, action, timing, now);
            }
            Fact::TeamsNothingToClear(slot) => return self.mirror.on_nothing_to_clear(slot, now),
            Fact::TeamsRefused(slot, action) => self.mirror.on_refused(slot, action, timing),
            Fact::Choice(choice) => self.signals.choice = choice,
            Fact::Client {
                client,
                state,
                since,
                until,
            } => self.report_client(client, state, since.min(now), until),
            Fact::ClientEnded(client) => self.end_client(client, now),
            Fact::Meeting {
                meeting,
                audio,
                screen,
                until,
            } => self.report_meeting(meeting, audio, screen, until, now),
            Fact::MeetingEnded(meeting) => {
                self.signals
                    .meetings
                    .retain(|known| known.meeting != meeting);
            }
            Fact::Programs {
                client,
                programs,
                until,
            } => {
                let said = &mut self.signals.programs;
                said.retain(|program| program.client != client);
                said.extend(programs.into_iter().map(|(alias, since)| ProgramSignal {
                    client,
                    alias,
                    since: since.min(now),
                    until,
                }));
                said.truncate(SIGNALS_MAX);
            }
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

    fn report_client(
        &mut self,
        client: ClientId,
        state: ClientState,
        since: Timestamp,
        until: Timestamp,
    ) {
        let clients = &mut self.signals.clients;
        let has_room = clients.len() < SIGNALS_MAX;
        let signal = ClientSignal {
            client,
            state,
            since,
            until,
        };
        match clients.iter_mut().find(|known| known.client == client) {
            Some(known) if known.state == state => known.until = until,
            Some(known) => *known = signal,
            None if has_room => clients.push(signal),
            None => {}
        }
    }

    fn end_client(&mut self, client: ClientId, now: Timestamp) {
        let clients = &mut self.signals.clients;
        let before = clients.len();
        clients.retain(|known| known.client != client);
        // An agent's report ends with its connection, not only with its lease.
        self.signals
            .programs
            .retain(|program| program.client != client);
        if clients.is_empty() && before > 0 {
            self.signals.clients_gone_at = now;
        }
    }

    fn report_meeting(
        &mut self,
        meeting: Arc<str>,
        audio: bool,
        screen: bool,
        until: Timestamp,
        now: Timestamp,
    ) {
        let meetings = &mut self.signals.meetings;
        let has_room = meetings.len() < SIGNALS_MAX;
        let signal = MeetingSignal {
            meeting,
            audio,
            screen,
            since: now,
            until,
        };
        match meetings
            .iter_mut()
            .find(|known| known.meeting == signal.meeting)
        {
            Some(known) => {
                let since = if known.audio == audio {
                    known.since
                } else {
                    now
                };
                *known = MeetingSignal { since, ..signal };
            }
            None if has_room => meetings.push(signal),
            None => {}
        }
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

    fn report_line(&mut self, line: LineId, change: LineChange, timing: &Timing, now: Timestamp) {
        let (state, party, lease) = match change {
            LineChange::State {
                state,
                party,
                lease,
            } => (state, party, lease),
            LineChange::Stale => return self.limit_stale_line(line, now + timing.line_stale),
        };
        // A late report about a line that is no longer the person's.
        if !self.lines.contains(&line) && !line.is_published() {
            return;
        }
        let is_new = !self.signals.lines.iter().any(|known| known.line == line);
        if is_new && self.signals.lines.len() >= SIGNALS_MAX {
            return;
        }
        let answered = |state| matches!(state, LineState::Connected | LineState::Held);
        let signal = LineSignal {
            line,
            state,
            since: now,
            until: now + lease,
            party,
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
            None => {
                // Reserves one entry: nearly every person has one line, and there may be a million
                // people.
                self.signals.lines.reserve_exact(1);
                self.signals.lines.push(signal);
            }
        }
    }

    /// Marks a line as stale and ends its lease at `limit` at the latest.
    fn limit_stale_line(&mut self, line: LineId, limit: Timestamp) {
        let lines = self.signals.lines.iter_mut();
        for signal in lines.filter(|signal| signal.line == line) {
            signal.stale = true;
            signal.until = signal.until.min(limit);
        }
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
        publication: Publication,
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
