//! Reports of the sources about lines, clients, meetings and programs.

use std::sync::Arc;

use super::Person;
use crate::{
    ClientId, ClientSignal, LineChange, LineId, LineSignal, LineState, MeetingSignal,
    ProgramSignal, Timestamp, Timing, TraceId,
};

/// Most clients, meetings and programs that a person has at once: a source that exceeds this is faulty, and
/// further ones are ignored.
const SIGNALS_MAX: usize = 64;

impl Person {
    /// Replaces the watched lines; signals of lines that stay are kept.
    pub(super) fn watch_lines(&mut self, lines: Vec<LineId>) {
        self.signals
            .lines
            .retain(|signal| lines.contains(&signal.line) || signal.line.is_published());
        self.lines = lines;
    }

    /// Replaces the programs that use the microphone on the client's machine.
    pub(super) fn report_programs(
        &mut self,
        client: ClientId,
        programs: Vec<(Arc<str>, Timestamp)>,
        (until, trace): (Timestamp, Option<TraceId>),
        now: Timestamp,
    ) {
        let known = &mut self.signals.programs;
        let reported: Vec<_> = programs
            .into_iter()
            .map(|(alias, since)| {
                let before = known
                    .iter()
                    .find(|program| program.client == client && program.alias == alias);
                ProgramSignal {
                    client,
                    since: since.min(now),
                    until,
                    trace: before.map_or(trace, |program| program.trace),
                    alias,
                }
            })
            .collect();
        known.retain(|program| program.client != client);
        known.extend(reported);
        known.truncate(SIGNALS_MAX);
    }

    pub(super) fn report_client(&mut self, signal: ClientSignal) {
        let clients = &mut self.signals.clients;
        let has_room = clients.len() < SIGNALS_MAX;
        match clients
            .iter_mut()
            .find(|known| known.client == signal.client)
        {
            Some(known) if known.state == signal.state => known.until = signal.until,
            Some(known) => *known = signal,
            None if has_room => clients.push(signal),
            None => {}
        }
    }

    pub(super) fn end_client(&mut self, client: ClientId, now: Timestamp) {
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

    pub(super) fn report_meeting(&mut self, signal: MeetingSignal) {
        let meetings = &mut self.signals.meetings;
        let has_room = meetings.len() < SIGNALS_MAX;
        match meetings
            .iter_mut()
            .find(|known| known.meeting == signal.meeting)
        {
            Some(known) => {
                let (since, trace) = if known.audio == signal.audio {
                    (known.since, known.trace)
                } else {
                    (signal.since, signal.trace)
                };
                *known = MeetingSignal {
                    since,
                    trace,
                    ..signal
                };
            }
            None if has_room => meetings.push(signal),
            None => {}
        }
    }

    /// Applies a report about a line.
    pub(super) fn apply_line(
        &mut self,
        line: LineId,
        change: LineChange,
        (trace, timing): (Option<TraceId>, &Timing),
        now: Timestamp,
    ) {
        match change {
            LineChange::State {
                state,
                party,
                lease,
            } => {
                let signal = LineSignal {
                    line,
                    state,
                    since: now,
                    until: now + lease,
                    party,
                    stale: false,
                    trace,
                };
                self.report_line(signal, now);
            }
            LineChange::Stale => self.limit_stale_line(line, now + timing.line_stale),
        }
    }

    /// Applies the state of a line, which begins at `now` unless it continues the state before.
    fn report_line(&mut self, report: LineSignal, now: Timestamp) {
        let (line, state) = (report.line, report.state);
        // A late report about a line that is no longer the person's.
        if !self.lines.contains(&line) && !line.is_published() {
            return;
        }
        let is_new = !self.signals.lines.iter().any(|known| known.line == line);
        if is_new && self.signals.lines.len() >= SIGNALS_MAX {
            return;
        }
        let answered = |state| matches!(state, LineState::Connected | LineState::Held);
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
                // A repeated report renews the lease; the fact is the report that set the state.
                let is_repeated = goes_on && known.state == state;
                let trace = if is_repeated {
                    known.trace
                } else {
                    report.trace
                };
                *known = LineSignal {
                    since,
                    trace,
                    ..report
                };
            }
            None => {
                // Reserves one entry: nearly every person has one line, and there may be a million
                // people.
                self.signals.lines.reserve_exact(1);
                self.signals.lines.push(report);
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
}
