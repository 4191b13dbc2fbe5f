//! The signals of one person: what each source says, and until when.

use crate::{Choice, LineId, LineState, Observation, TeamsCall, Timestamp};

/// What a telephone line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSignal {
    /// Which line.
    pub line: LineId,
    /// What it is doing.
    pub state: LineState,
    /// Since when it is idle, ringing or in a call; hold does not start a new call.
    pub since: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
    /// The connection to the telephone system is lost; the lease was cut short.
    pub stale: bool,
}

impl LineSignal {
    /// Whether the line is in an answered call at `now`.
    pub fn in_call(&self, now: Timestamp) -> bool {
        self.until > now && matches!(self.state, LineState::Connected | LineState::Held)
    }

    /// Whether the line rings at `now`.
    pub fn ringing(&self, now: Timestamp) -> bool {
        self.until > now && self.state == LineState::Ringing
    }
}

/// Everything that is live about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// The lines that have reported.
    pub lines: Vec<LineSignal>,
    /// The person's own choice.
    pub choice: Option<Choice>,
    /// What Teams last said, for the explanation.
    pub observation: Option<Observation>,
    /// The call in Teams.
    pub teams_call: Option<TeamsCall>,
    /// Since when the person shares the screen in Teams.
    pub presenting_since: Option<Timestamp>,
    /// Since when Teams is in Do not disturb by itself.
    pub teams_do_not_disturb_since: Option<Timestamp>,
}

impl Signals {
    /// The choice, if it still holds at `now`.
    pub fn choice_at(&self, now: Timestamp) -> Option<&Choice> {
        self.choice
            .as_ref()
            .filter(|choice| choice.until.is_none_or(|until| until > now))
    }

    /// The line that decides what the telephone system says: the longest call, else the longest ringing.
    pub fn leading_line(&self, now: Timestamp) -> Option<&LineSignal> {
        let first = |keep: &dyn Fn(&LineSignal) -> bool| {
            self.lines
                .iter()
                .filter(|line| keep(line))
                .min_by_key(|line| (line.since, line.line))
        };
        first(&|line| line.in_call(now)).or_else(|| first(&|line| line.ringing(now)))
    }

    /// Whether some line is in an answered call.
    pub fn in_pbx_call(&self, now: Timestamp) -> bool {
        self.lines.iter().any(|line| line.in_call(now))
    }
}
