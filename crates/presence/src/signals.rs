//! Signals of one person: the reports of each source, with their leases (docs/presence-rules.md, "Leases").

use std::sync::Arc;

use crate::{
    Appointment, Choice, LineId, LineState, Meaning, Observation, TeamsCall, Timestamp, TraceId,
};

/// Report of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSignal {
    /// The line.
    pub line: LineId,
    /// State.
    pub state: LineState,
    /// Start of the idle time, ringing or call; hold does not start a new call.
    pub since: Timestamp,
    /// End of the lease.
    pub until: Timestamp,
    /// Number or name of the other party, if the PBX sends one.
    pub party: Option<Arc<str>>,
    /// The connection to the PBX is lost, and the lease was shortened.
    pub stale: bool,
    /// Trace of the report that set the state.
    pub trace: Option<TraceId>,
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

/// Knowledge about a line at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKnowledge {
    /// The PBX has confirmed no state that still counts.
    Unknown,
    /// The last confirmed state. The subscription was lost since; the state counts until its lease ends.
    Stale {
        /// State.
        state: LineState,
        /// Start of the state.
        since: Timestamp,
    },
    /// The PBX confirms the state, and the subscription is in force.
    Confirmed {
        /// State.
        state: LineState,
        /// Start of the state.
        since: Timestamp,
    },
}

impl LineKnowledge {
    /// Whether the line rings or is in a call.
    pub fn in_use(self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Stale { state, .. } | Self::Confirmed { state, .. } => state != LineState::Idle,
        }
    }
}

/// A client of a person. The caller chooses the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientId {
    /// An open web page, by the number of its connection.
    Page(u64),
    /// The connection of a desktop agent, by its number.
    Agent(u64),
    /// A client that reports over the API under a name, by a hash of the name.
    Named(u64),
}

/// State of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientState {
    /// The client cannot detect use.
    Unknown,
    /// Keyboard or mouse are in use.
    Active,
    /// Keyboard and mouse are not used.
    Inactive,
    /// The screen is locked.
    Locked,
}

impl ClientState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Active, Self::Inactive, Self::Locked];

    /// Name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Locked => "locked",
        }
    }

    /// The state called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Report of a connected client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSignal {
    /// The client.
    pub client: ClientId,
    /// State.
    pub state: ClientState,
    /// Start of the state.
    pub since: Timestamp,
    /// End of the lease.
    pub until: Timestamp,
    /// Trace of the report that set the state.
    pub trace: Option<TraceId>,
}

/// Report of a meeting outside Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingSignal {
    /// Name of the meeting at its source.
    pub meeting: Arc<str>,
    /// The person has audio.
    pub audio: bool,
    /// The person's screen is shared.
    pub screen: bool,
    /// Start of the participation with audio, or without.
    pub since: Timestamp,
    /// End of the lease.
    pub until: Timestamp,
    /// Trace of the report since which the person has audio, or has not.
    pub trace: Option<TraceId>,
}

/// Report of a program that uses the microphone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSignal {
    /// The agent that reports.
    pub client: ClientId,
    /// Alias in the table of programs.
    pub alias: Arc<str>,
    /// Start of the use.
    pub since: Timestamp,
    /// End of the lease.
    pub until: Timestamp,
    /// Trace of the first report of the use.
    pub trace: Option<TraceId>,
}

/// Live signals of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Lines that have reported.
    pub lines: Vec<LineSignal>,
    /// Connected clients.
    pub clients: Vec<ClientSignal>,
    /// Time at which the last client ended.
    pub clients_gone_at: Timestamp,
    /// Meetings outside Teams.
    pub meetings: Vec<MeetingSignal>,
    /// Programs that use the microphone.
    pub programs: Vec<ProgramSignal>,
    /// Appointments that are not over.
    pub appointments: Vec<Appointment>,
    /// The person's own choice.
    pub choice: Option<Choice>,
    /// Trace of the choice; `None` after a restart.
    pub choice_trace: Option<TraceId>,
    /// Teams' last state, for the explanation.
    pub observation: Option<Observation>,
    /// Teams' own last state apart from calls and Do not disturb, and its start: never an echo, never a
    /// masked state.
    pub teams_base: Option<(Meaning, Timestamp)>,
    /// The call in Teams.
    pub teams_call: Option<TeamsCall>,
    /// Time since which the person shares the screen in Teams.
    pub presenting_since: Option<Timestamp>,
    /// Time since which Teams shows a Do not disturb of its own.
    pub teams_do_not_disturb_since: Option<Timestamp>,
}

impl Signals {
    /// The choice, if it is not over at `now`.
    pub fn choice_at(&self, now: Timestamp) -> Option<&Choice> {
        self.choice
            .as_ref()
            .filter(|choice| choice.until.is_none_or(|until| until > now))
    }

    /// Knowledge about a line at `now`.
    pub fn line(&self, line: LineId, now: Timestamp) -> LineKnowledge {
        let mut live = self.lines.iter().filter(|signal| signal.until > now);
        match live.find(|signal| signal.line == line) {
            None => LineKnowledge::Unknown,
            Some(&LineSignal {
                state,
                since,
                stale: true,
                ..
            }) => LineKnowledge::Stale { state, since },
            Some(&LineSignal {
                state,
                since,
                stale: false,
                ..
            }) => LineKnowledge::Confirmed { state, since },
        }
    }

    /// The line that decides the activity: the longest call, else the longest ringing.
    pub fn leading_line(&self, now: Timestamp) -> Option<&LineSignal> {
        let first = |keep: &dyn Fn(&LineSignal) -> bool| {
            self.lines
                .iter()
                .filter(|line| keep(line))
                .min_by_key(|line| (line.since, line.line))
        };
        first(&|line| line.in_call(now)).or_else(|| first(&|line| line.ringing(now)))
    }

    /// Whether a line is in an answered call.
    pub fn in_pbx_call(&self, now: Timestamp) -> bool {
        self.lines.iter().any(|line| line.in_call(now))
    }

    /// The meeting with audio that began first.
    pub fn leading_meeting(&self, now: Timestamp) -> Option<&MeetingSignal> {
        self.meetings
            .iter()
            .filter(|meeting| meeting.audio && meeting.until > now)
            .min_by_key(|meeting| meeting.since)
    }

    /// Trace of the answer since which Teams shows its last state.
    pub(crate) fn teams_trace(&self) -> Option<TraceId> {
        self.observation.as_ref()?.trace
    }

    /// Ends every expired signal.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.lines.retain(|line| line.until > now);
        self.meetings.retain(|meeting| meeting.until > now);
        self.programs.retain(|program| program.until > now);
        self.appointments
            .retain(|appointment| appointment.end > now);
        if let Some(gone_at) = self.clients.iter().map(|client| client.until).max() {
            self.clients.retain(|client| client.until > now);
            if self.clients.is_empty() {
                self.clients_gone_at = gone_at;
            }
        }
        if self.choice_at(now).is_none() {
            self.choice = None;
            self.choice_trace = None;
        }
    }

    /// Times at which a signal starts or ends without an input.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let lines = self.lines.iter().map(|line| line.until);
        let clients = self.clients.iter().map(|client| client.until);
        let meetings = self.meetings.iter().map(|meeting| meeting.until);
        let programs = self.programs.iter().map(|program| program.until);
        let appointments = self
            .appointments
            .iter()
            .flat_map(|appointment| [appointment.start, appointment.end]);
        let choice = self.choice.as_ref().and_then(|choice| choice.until);
        lines
            .chain(clients)
            .chain(meetings)
            .chain(programs)
            .chain(appointments)
            .chain(choice)
    }
}
