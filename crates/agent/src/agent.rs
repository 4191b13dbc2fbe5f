//! Decides on the reports from the microphone, the server's table and the person's pause. Pure, so that tests need not
//! wait.

use std::collections::BTreeSet;

use agent_protocol::{
    Attention, PROGRAMS_MAX, Profiles, ProgramInUse, Report, Row, Table, VisibleState,
};

use crate::{
    attention::AttentionState,
    clock::milliseconds,
    lookup::Lookup,
    microphone::Capture,
    usage::{Hysteresis, Milliseconds, Usage},
};

/// State of the agent.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    lookup: Lookup,
    hysteresis: Hysteresis,
    usage: Usage,
    captures: Vec<Capture>,
    paused_until: Option<Milliseconds>,
    attention: AttentionState,
    /// Time at which `attention` was set.
    attention_at: Milliseconds,
    shown: VisibleState,
    profiles: Profiles,
    number: u64,
}

impl Agent {
    /// Sets the server's table.
    pub fn set_table(&mut self, table: Table, now: Milliseconds) {
        self.hysteresis = Hysteresis {
            on_after: table.on_after_milliseconds,
            off_after: table.off_after_milliseconds,
        };
        self.lookup = Lookup::new(table.rows);
        self.refresh(now);
    }

    /// Sets the processes that use the microphone now.
    pub fn set_captures(&mut self, captures: Vec<Capture>, now: Milliseconds) {
        self.captures = captures;
        self.refresh(now);
    }

    /// Pauses reports for `lasting` milliseconds; 0 ends the pause.
    pub fn pause(&mut self, lasting: Milliseconds, now: Milliseconds) {
        self.paused_until = (lasting > 0).then(|| now.saturating_add(lasting));
    }

    /// Shortens the pause to the rest by the time of day, because the clock of `now` stops while the computer sleeps.
    pub fn shorten_pause(&mut self, left: Milliseconds, now: Milliseconds) {
        if self.paused(now).is_some_and(|counted| left < counted) {
            self.pause(left, now);
        }
    }

    /// Sets the attention. An unchanged attention keeps its earlier start.
    pub fn set_attention(&mut self, state: AttentionState, now: Milliseconds) {
        let lasting = match self.attention.attention == state.attention {
            true => state.lasting.max(self.attention_lasting(now)),
            false => state.lasting,
        };
        self.attention = AttentionState { lasting, ..state };
        self.attention_at = now;
    }

    /// Duration of the attention, which may have started before the agent.
    fn attention_lasting(&self, now: Milliseconds) -> Milliseconds {
        let since = now.saturating_sub(self.attention_at);
        self.attention.lasting.saturating_add(since)
    }

    /// Sets the person's visible state.
    pub fn set_shown(&mut self, shown: VisibleState) {
        self.shown = shown;
    }

    /// Sets the profiles that the person may choose.
    pub fn set_profiles(&mut self, profiles: Profiles) {
        self.profiles = profiles;
    }

    /// Row of a process.
    fn row_of(&self, capture: &Capture) -> Option<&Row> {
        self.lookup.find(capture.names.iter().map(String::as_str))
    }

    fn refresh(&mut self, now: Milliseconds) {
        let rows = self
            .captures
            .iter()
            .filter_map(|capture| self.row_of(capture));
        let programs: BTreeSet<String> = rows.map(|row| row.process.clone()).collect();
        self.usage.update(&programs, now, self.hysteresis);
    }

    /// Processes of the rows that count, with the start of their use.
    fn counted(&self, now: Milliseconds) -> Vec<(&str, Milliseconds)> {
        if self.paused(now).is_some() {
            return Vec::new();
        }
        let mut counted = self.usage.counted(now, self.hysteresis);
        counted.retain(|(process, since)| {
            self.lookup.row(process).is_some_and(|row| {
                let most = row.max_use().map(milliseconds);
                most.is_none_or(|most| now.saturating_sub(*since) < most)
            })
        });
        counted.truncate(PROGRAMS_MAX);
        counted
    }

    /// Remaining time of the pause.
    pub fn paused(&self, now: Milliseconds) -> Option<Milliseconds> {
        let until = self.paused_until?;
        until.checked_sub(now).filter(|left| *left > 0)
    }

    /// Creates the next report, with a number of its own.
    pub fn report(&mut self, now: Milliseconds) -> Report {
        self.number += 1;
        let in_use = |(process, since): (&str, Milliseconds)| ProgramInUse {
            process: process.to_owned(),
            milliseconds: now.saturating_sub(since),
        };
        let paused_milliseconds = self.paused(now);
        let attention = match paused_milliseconds {
            Some(_) => AttentionState::default(),
            None => AttentionState {
                lasting: self.attention_lasting(now),
                ..self.attention
            },
        };
        Report {
            number: self.number,
            programs: self.counted(now).into_iter().map(in_use).collect(),
            attention: attention.attention,
            attention_milliseconds: attention.lasting,
            paused_milliseconds,
        }
    }

    /// Content of a report without times: a change makes a report due at once.
    pub fn summary(&self, now: Milliseconds) -> (Vec<String>, Attention, bool) {
        let programs = self.counted(now).into_iter();
        (
            programs.map(|(process, _)| process.to_owned()).collect(),
            self.attention.attention,
            self.paused(now).is_some(),
        )
    }

    /// Next time at which the summary may change without an event.
    pub fn deadline(&self, now: Milliseconds) -> Option<Milliseconds> {
        let ignored = self
            .counted(now)
            .into_iter()
            .filter_map(|(process, since)| {
                let most = self.lookup.row(process)?.max_use()?;
                Some(since + milliseconds(most))
            });
        let paused = self.paused_until.filter(|until| *until > now);
        let deadline = self.usage.deadline(now, self.hysteresis);
        ignored.chain(paused).chain(deadline).min()
    }

    /// Status for the person: listed programs by the names that colleagues see, with true for the reported ones. Programs
    /// that are not listed are only counted.
    pub fn details(&self, now: Milliseconds) -> StatusDetails {
        let counted = self.counted(now);
        let mut described = StatusDetails::default();
        for capture in &self.captures {
            let Some(row) = self.row_of(capture) else {
                described.unlisted += 1;
                continue;
            };
            let is_reported = counted.iter().any(|(process, _)| *process == row.process);
            let line = (row.alias.clone(), is_reported);
            if !described.listed.contains(&line) {
                described.listed.push(line);
            }
        }
        described.shown = self.shown.clone();
        described.profiles = self.profiles.clone();
        described.rows = self.lookup.rows().len();
        described.paused = self.paused(now);
        described.attention = self.attention.attention;
        described
    }
}

/// Status for the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StatusDetails {
    /// Listed programs that use the microphone, with true for the reported ones.
    pub listed: Vec<(String, bool)>,
    /// Number of other programs that use the microphone; they are never reported.
    pub unlisted: usize,
    /// Number of rows in the table.
    pub rows: usize,
    /// Remaining time of the pause in milliseconds.
    pub paused: Option<Milliseconds>,
    /// Visible state of the person.
    pub shown: VisibleState,
    /// Profiles that the person may choose, and the chosen one.
    pub profiles: Profiles,
    /// Presence of a person at the computer.
    pub attention: Attention,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Milliseconds = 3_600_000;

    fn table(rows: &[(&str, Option<u32>)]) -> Table {
        let row = |(process, hours): &(&str, Option<u32>)| Row {
            process: (*process).to_owned(),
            alias: format!("{process} Meeting"),
            ignore_after_hours: *hours,
            also: Vec::new(),
        };
        Table {
            on_after_milliseconds: 3_000,
            off_after_milliseconds: 1_000,
            rows: rows.iter().map(row).collect(),
        }
    }

    fn capture(names: &[&str]) -> Capture {
        Capture {
            pid: 1,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn reported(agent: &mut Agent, now: Milliseconds) -> Vec<(String, u64)> {
        let report = agent.report(now).programs.into_iter();
        report
            .map(|used| (used.process, used.milliseconds))
            .collect()
    }

    #[test]
    fn a_computer_that_slept_through_a_pause_goes_on() {
        let mut agent = Agent::default();
        agent.pause(2 * HOUR, 0);
        agent.shorten_pause(2 * HOUR + 1, 0);
        assert_eq!(
            agent.paused(0),
            Some(2 * HOUR),
            "a pause never becomes longer"
        );
        agent.shorten_pause(HOUR, 1_000);
        assert_eq!(agent.paused(1_000), Some(HOUR));
        agent.shorten_pause(0, 2_000);
        assert_eq!(agent.paused(2_000), None);
    }

    #[test]
    fn unlisted_programs_are_neither_reported_nor_named() {
        let mut agent = Agent::default();
        agent.set_table(table(&[("Zoom", None)]), 0);
        agent.set_captures(vec![capture(&["secret-tool"]), capture(&["zoom"])], 0);
        assert_eq!(reported(&mut agent, 5_000), [("Zoom".into(), 5_000)]);
        let described = agent.details(5_000);
        assert_eq!(described.listed, [("Zoom Meeting".to_owned(), true)]);
        assert_eq!(described.unlisted, 1);
    }

    #[test]
    fn a_table_that_changes_counts_at_once() {
        let mut agent = Agent::default();
        agent.set_captures(vec![capture(&["Zoom"])], 0);
        assert!(reported(&mut agent, 10_000).is_empty());
        agent.set_table(table(&[("Zoom", None)]), 10_000);
        assert_eq!(agent.deadline(10_000), Some(13_000));
        assert_eq!(reported(&mut agent, 13_000), [("Zoom".into(), 3_000)]);
        agent.set_table(table(&[]), 14_000);
        assert!(reported(&mut agent, 14_000).is_empty());
    }

    #[test]
    fn a_pause_hides_everything_and_ends_by_itself() {
        let mut agent = Agent::default();
        agent.set_table(table(&[("Zoom", None)]), 0);
        agent.set_captures(vec![capture(&["Zoom"])], 0);
        agent.set_attention(
            AttentionState {
                attention: Attention::Locked,
                lasting: 0,
            },
            1_000,
        );
        agent.pause(60_000, 5_000);
        let report = agent.report(6_000);
        assert_eq!(report.attention, Attention::Unknown);
        assert_eq!(
            (report.programs.len(), report.paused_milliseconds),
            (0, Some(59_000))
        );
        assert_eq!(agent.deadline(6_000), Some(65_000));
        assert_eq!(reported(&mut agent, 65_000), [("Zoom".into(), 65_000)]);
        assert_eq!(agent.report(65_000).attention, Attention::Locked);
        agent.pause(60_000, 65_000);
        agent.pause(0, 66_000);
        assert_eq!(reported(&mut agent, 66_000), [("Zoom".into(), 66_000)]);
        agent.pause(u64::MAX, 66_000);
        assert!(reported(&mut agent, 1 << 50).is_empty());
    }

    #[test]
    fn a_use_beyond_the_maximum_is_ignored() {
        let mut agent = Agent::default();
        agent.set_table(table(&[("CiscoCollabHost", Some(2))]), 0);
        agent.set_captures(vec![capture(&["CiscoCollabHost"])], 0);
        assert_eq!(reported(&mut agent, 2 * HOUR - 1).len(), 1);
        assert_eq!(agent.deadline(5_000), Some(2 * HOUR));
        assert!(reported(&mut agent, 2 * HOUR).is_empty());
        assert_eq!(agent.deadline(2 * HOUR), None);
    }

    #[test]
    fn attention_keeps_its_earliest_start() {
        let mut agent = Agent::default();
        let state = |attention, lasting| AttentionState { attention, lasting };
        let mut set = |state, now| {
            agent.set_attention(state, now);
            let report = agent.report(now);
            (report.attention, report.attention_milliseconds)
        };
        use Attention::{Active, Idle, Locked, Unknown};
        assert_eq!(set(state(Active, 0), 1_000), (Active, 0));
        assert_eq!(set(state(Idle, 60_000), 90_000), (Idle, 60_000));
        assert_eq!(set(state(Idle, 0), 95_000), (Idle, 65_000));
        assert_eq!(set(state(Locked, 0), 96_000), (Locked, 0));
        assert_eq!(set(state(Locked, 0), 97_000), (Locked, 1_000));
        // The attention started before the agent.
        assert_eq!(set(state(Idle, 500_000), 98_000), (Idle, 500_000));
        assert_eq!(set(AttentionState::default(), 99_000), (Unknown, 0));
    }

    #[test]
    fn two_streams_of_one_program_are_one_program() {
        let mut agent = Agent::default();
        agent.set_table(table(&[("Zoom", None)]), 0);
        agent.set_captures(vec![capture(&["zoom"]), capture(&["aomhost", "zoom"])], 0);
        agent.set_captures(vec![capture(&["aomhost", "zoom"])], 2_000);
        assert_eq!(reported(&mut agent, 3_000), [("Zoom".into(), 3_000)]);
    }
}
