//! Reasons of a presence: one for each signal that counted or was overruled (docs/presence-rules.md,
//! "Explanation").

mod codes;
mod not_counted;
mod sentence;

use std::sync::Arc;

pub use codes::REASON_CODES;
pub use not_counted::NotCounted;
pub use sentence::{ReasonDetail, ReasonKind, WriteState};

use crate::{AppointmentText, Confidence, LineId, Permission, Timestamp, TraceId};

/// The rule that judged a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Profile rule 1: the person's choice of Do not disturb.
    ManualDoNotDisturb,
    /// Profile rule 2: an appointment in Do not disturb.
    AppointmentDoNotDisturb,
    /// Profile rule 3: Teams shows Do not disturb or Presenting.
    TeamsDoNotDisturb,
    /// Profile rule 4: the appointment of a Teams call.
    TeamsCall,
    /// Profile rule 5: another appointment.
    Appointment,
    /// Profile rule 6: the person's choice.
    ManualChoice,
    /// Profile rule 7: the screen is locked.
    Locked,
    /// Profile rule 7: keyboard and mouse are not used.
    Inactive,
    /// Profile rule 7: no client runs.
    NoClient,
    /// Profile rule 7: no client runs, and Teams' state counts.
    TeamsBase,
    /// Profile rule 8: the person's choice of an Available profile.
    ManualAvailable,
    /// Profile rule 8: no other rule applies.
    Rest,
    /// Activity: call on a PBX line.
    PbxCall,
    /// Activity: meeting outside Teams.
    Meeting,
    /// Activity: shares the screen in Teams.
    Presenting,
    /// Activity: call in Teams.
    TeamsCallActivity,
    /// Activity: a program uses the microphone.
    Microphone,
    /// Activity: a line rings.
    Ringing,
    /// Teams' last state; decides nothing.
    TeamsDetail,
    /// Offhook's write to Teams.
    OwnWrite,
    /// Writes for the person are paused.
    LoopBreaker,
    /// A signal or a request does not count.
    NotCounted,
}

impl Rule {
    /// Name in the API: the axis, and the number of a profile rule (docs/presence-rules.md, "Which profile is
    /// in force").
    pub const fn name(self) -> &'static str {
        match self {
            Self::ManualDoNotDisturb => "profile 1: own Do not disturb",
            Self::AppointmentDoNotDisturb => "profile 2: appointment in Do not disturb",
            Self::TeamsDoNotDisturb => "profile 3: Do not disturb in Teams",
            Self::TeamsCall => "profile 4: call in Teams",
            Self::Appointment => "profile 5: appointment",
            Self::ManualChoice => "profile 6: own choice",
            Self::Locked => "profile 7: locked screen",
            Self::Inactive => "profile 7: inactivity",
            Self::NoClient => "profile 7: no client",
            Self::TeamsBase => "profile 7: no client, as Teams shows",
            Self::ManualAvailable => "profile 8: own choice of Available",
            Self::Rest => "profile 8: at rest",
            Self::PbxCall => "activity: call on the telephone system",
            Self::Meeting => "activity: meeting",
            Self::Presenting => "activity: presenting in Teams",
            Self::TeamsCallActivity => "activity: call in Teams",
            Self::Microphone => "activity: program at the microphone",
            Self::Ringing => "activity: ringing",
            Self::TeamsDetail => "Teams: what it shows",
            Self::OwnWrite => "Teams: what Offhook wrote",
            Self::LoopBreaker => "Teams: loop breaker",
            Self::NotCounted => "Teams: what does not count",
        }
    }

    /// Whether the profile that the rule puts in force is the person's own choice.
    pub const fn is_own_choice(self) -> bool {
        matches!(
            self,
            Self::ManualDoNotDisturb | Self::ManualChoice | Self::ManualAvailable
        )
    }

    /// Permission that a viewer needs to see the reason.
    pub const fn permission(self) -> Permission {
        match self {
            Self::ManualDoNotDisturb | Self::ManualChoice | Self::ManualAvailable => {
                Permission::SeeChosenProfile
            }
            Self::AppointmentDoNotDisturb | Self::Appointment => Permission::SeeAppointment,
            Self::Locked | Self::Inactive | Self::NoClient | Self::Rest => Permission::SeeProfile,
            Self::Microphone => Permission::SeeMicrophone,
            Self::TeamsDoNotDisturb
            | Self::TeamsCall
            | Self::TeamsBase
            | Self::PbxCall
            | Self::Meeting
            | Self::Presenting
            | Self::TeamsCallActivity
            | Self::Ringing
            | Self::TeamsDetail
            | Self::OwnWrite
            | Self::LoopBreaker
            | Self::NotCounted => Permission::SeeActivity,
        }
    }
}

/// Source of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A line.
    Line(LineId),
    /// Microsoft Teams.
    Teams,
    /// The person.
    Person,
    /// A source of meetings outside Teams.
    Meeting,
    /// A desktop agent.
    Agent,
    /// A calendar.
    Calendar,
    /// The person's clients, or their absence.
    Client,
    /// Offhook's own rule, without a source.
    Offhook,
}

/// A signal and its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The rule that judged the signal.
    pub rule: Rule,
    /// Source of the signal.
    pub source: Source,
    /// Kind of the signal; its `Display` is an English sentence.
    pub kind: ReasonKind,
    /// Start of the signal.
    pub since: Timestamp,
    /// End of the lease; `None`: no lease.
    pub lease_end: Option<Timestamp>,
    /// The signal decided its axis; otherwise an earlier rule did.
    pub counted: bool,
    /// Confidence of the signal.
    pub confidence: Confidence,
    /// Additional sentence.
    pub detail: Option<ReasonDetail>,
    /// Subject of the appointment, for an appointment.
    pub appointment: Option<AppointmentText>,
    /// Number or name of the other party, for a call on a PBX line.
    pub party: Option<Arc<str>>,
    /// Trace of the fact that set the signal. For Teams: of the answer since which Teams shows its last state.
    pub trace: Option<TraceId>,
}

impl Reason {
    pub(crate) fn new(rule: Rule, source: Source, kind: ReasonKind, since: Timestamp) -> Self {
        Self {
            rule,
            source,
            kind,
            since,
            lease_end: None,
            counted: false,
            confidence: Confidence::Certain,
            detail: None,
            appointment: None,
            party: None,
            trace: None,
        }
    }

    pub(crate) fn until(self, lease_end: Option<Timestamp>) -> Self {
        Self { lease_end, ..self }
    }

    pub(crate) fn detail(self, detail: impl Into<Option<ReasonDetail>>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    pub(crate) fn appointment(self, about: AppointmentText) -> Self {
        Self {
            appointment: Some(about),
            ..self
        }
    }

    pub(crate) fn with(self, party: Option<Arc<str>>) -> Self {
        Self { party, ..self }
    }

    pub(crate) fn traced(self, trace: Option<TraceId>) -> Self {
        Self { trace, ..self }
    }

    pub(crate) fn stale(self, stale: bool) -> Self {
        let confidence = if stale {
            Confidence::Stale
        } else {
            self.confidence
        };
        Self { confidence, ..self }
    }
}
