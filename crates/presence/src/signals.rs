//! The signals of one person: what each source says, and until when.

use std::sync::Arc;

use crate::{Appointment, Choice, LineId, LineState, Meaning, Observation, TeamsCall, Timestamp};

/// What a telephone line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSignal {
    /// Which line.
    pub line: LineId,
    /// What it is doing.
    pub state: LineState,
    /// Since when it is idle, ringing or in a call; hold does not start a new call.
    pub since: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
    /// The number or name of the other party, if the system tells it.
    pub party: Option<Arc<str>>,
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

/// What is known of a telephone line at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKnowledge {
    /// The PBX has confirmed no state, or none that still counts.
    Unknown,
    /// The last confirmed state; the subscription has been lost since, and the state counts for a little while longer.
    Stale {
        /// What the line was doing.
        state: LineState,
        /// Since when.
        since: Timestamp,
    },
    /// The PBX says so, and its subscription is in force.
    Confirmed {
        /// What the line is doing.
        state: LineState,
        /// Since when.
        since: Timestamp,
    },
}

impl LineKnowledge {
    /// Whether the line rings or is in a call, as far as is known.
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

/// What a client knows of the person at the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientState {
    /// It cannot tell.
    Unknown,
    /// Keyboard or mouse are in use.
    Active,
    /// Nobody touches them.
    Inactive,
    /// The screen is locked.
    Locked,
}

impl ClientState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Active, Self::Inactive, Self::Locked];

    /// The name that the API uses.
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

/// A client that is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSignal {
    /// Which.
    pub client: ClientId,
    /// What it says.
    pub state: ClientState,
    /// Since when.
    pub since: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
}

/// A meeting that the person takes part in, outside Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingSignal {
    /// Its name at its source.
    pub meeting: Arc<str>,
    /// The person speaks and listens.
    pub audio: bool,
    /// The person's screen is shared.
    pub screen: bool,
    /// Since when the person is in it with audio, or at all.
    pub since: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
}

/// A program that uses the microphone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSignal {
    /// The agent that says so.
    pub client: ClientId,
    /// What it is called in the table of programs.
    pub alias: Arc<str>,
    /// Since when.
    pub since: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
}

/// Everything that is live about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// The lines that have reported.
    pub lines: Vec<LineSignal>,
    /// The clients that are connected.
    pub clients: Vec<ClientSignal>,
    /// When the last client ended.
    pub clients_gone_at: Timestamp,
    /// The meetings outside Teams.
    pub meetings: Vec<MeetingSignal>,
    /// The programs that use the microphone.
    pub programs: Vec<ProgramSignal>,
    /// The appointments that are not over.
    pub appointments: Vec<Appointment>,
    /// The person's own choice.
    pub choice: Option<Choice>,
    /// What Teams last said, for the explanation.
    pub observation: Option<Observation>,
    /// What Teams itself last showed apart from calls and Do not disturb, and since when: never an echo, never masked.
    pub teams_base: Option<(Meaning, Timestamp)>,
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

    /// What is known of a line at `now`.
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

    /// The meeting with audio that began first.
    pub fn leading_meeting(&self, now: Timestamp) -> Option<&MeetingSignal> {
        self.meetings
            .iter()
            .filter(|meeting| meeting.audio && meeting.until > now)
            .min_by_key(|meeting| meeting.since)
    }

    /// Ends every signal whose lease is over by itself.
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
        }
    }

    /// When some signal here changes by itself.
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
