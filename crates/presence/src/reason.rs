//! Why a presence is what it is: one reason for each signal that counted or was overruled.

mod codes;
mod not_counted;
mod sentence;

use std::sync::Arc;

use crate::{AppointmentText, Confidence, LineId, Permission, Timestamp};
pub use codes::REASON_CODES;
pub use not_counted::NotCounted;
pub use sentence::{ReasonDetail, ReasonKind, WriteState};

/// The rule of the domain that looked at the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Profile rule 1: the person's manual choice of Do not disturb.
    ManualDoNotDisturb,
    /// Profile rule 2: an appointment in Do not disturb.
    AppointmentDoNotDisturb,
    /// Profile rule 3: Teams says Do not disturb or Presenting.
    TeamsDoNotDisturb,
    /// Profile rule 4: the appointment of a Teams call.
    TeamsCall,
    /// Profile rule 5: another appointment.
    Appointment,
    /// Profile rule 6: the person's manual choice.
    ManualChoice,
    /// Profile rule 7: the screen is locked.
    Locked,
    /// Profile rule 7: nobody touches keyboard or mouse.
    Inactive,
    /// Profile rule 7: no client runs.
    NoClient,
    /// Profile rule 7: no client runs, so that Teams says how the person is.
    TeamsBase,
    /// Profile rule 8: the person's manual Available profile.
    ManualAvailable,
    /// Profile rule 8: nothing else applies.
    Rest,
    /// Activity: own call on the telephone system.
    PbxCall,
    /// Activity: a meeting outside Teams.
    Meeting,
    /// Activity: shares the screen in Teams.
    Presenting,
    /// Activity: in a call in Teams.
    TeamsCallActivity,
    /// Activity: a program uses the microphone.
    Microphone,
    /// Activity: ringing.
    Ringing,
    /// What Teams shows, as detail.
    TeamsDetail,
    /// What Offhook wrote to Teams.
    OwnWrite,
    /// Writing is paused for this person.
    LoopBreaker,
    /// Why something does not count.
    NotCounted,
}

impl Rule {
    /// The name that the API uses, with the axis and the number of the domain document.
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

    /// What a viewer must be allowed to see to be told.
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

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A telephone line.
    Line(LineId),
    /// Microsoft Teams.
    Teams,
    /// The person.
    Person,
    /// A meeting server.
    Meeting,
    /// A desktop agent.
    Agent,
    /// A calendar.
    Calendar,
    /// The person's clients, or that there are none.
    Client,
    /// Nobody: the product's own rule.
    Offhook,
}

/// One signal and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The rule that looked at it.
    pub rule: Rule,
    /// Who said it.
    pub source: Source,
    /// What was said, in plain words.
    pub kind: ReasonKind,
    /// Since when.
    pub since: Timestamp,
    /// When it ends without renewal; `None`: by itself never.
    pub lease_end: Option<Timestamp>,
    /// It decided its axis; otherwise a rule before it did.
    pub counted: bool,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// What else there is to know.
    pub detail: Option<ReasonDetail>,
    /// What the appointment is about, if it is one.
    pub appointment: Option<AppointmentText>,
    /// The number or name of the other party, if it is a call on the telephone system.
    pub party: Option<Arc<str>>,
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

    pub(crate) fn stale(self, stale: bool) -> Self {
        let confidence = if stale {
            Confidence::Stale
        } else {
            self.confidence
        };
        Self { confidence, ..self }
    }
}
