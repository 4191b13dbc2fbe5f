//! Sentences of reasons: in English here, and as a code with a value for other languages.

use std::{fmt, sync::Arc};

use super::NotCounted;
use crate::{Slot, Status, TeamsState, slot::ReleaseReason};

/// State of a write of Offhook in Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteState {
    /// Teams has the write.
    InForce,
    /// Offhook is clearing the write; Microsoft has not confirmed that.
    BeingCleared,
    /// The write was cleared; its echo may still be seen.
    Cleared,
    /// Teams does not have the write.
    NotInForce,
}

/// Kind of a signal, or of another reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// The person chose the profile of this name.
    ChosenProfile(Arc<str>),
    /// An appointment is current.
    Appointment,
    /// A call in Teams counts as an appointment.
    TeamsCallAppointment,
    /// Teams shows Do not disturb.
    DoNotDisturbInTeams,
    /// The person shares the screen in Teams.
    PresentingInTeams,
    /// No client runs.
    NoClient,
    /// No client runs, and Teams shows this status.
    NoClientAsTeamsShows(Status),
    /// The screen is locked.
    Locked,
    /// Keyboard and mouse are not used.
    Inactive,
    /// No other rule applies.
    AtRest,
    /// A client runs, and no other rule applies.
    AtRestWithClient,
    /// A line is in a call.
    InACall,
    /// A line holds a call.
    CallOnHold,
    /// A line rings.
    Ringing,
    /// The person is in a meeting outside Teams.
    InAMeeting,
    /// The person is in a meeting outside Teams without audio.
    InAMeetingWithoutAudio,
    /// The person is in a call in Teams.
    InACallInTeams,
    /// The program of this alias uses the microphone.
    UsesMicrophone(Arc<str>),
    /// Teams shows this state.
    TeamsShows(TeamsState),
    /// Offhook wrote to the slot.
    OwnWrite(Slot, WriteState),
    /// Writes to Teams are paused.
    WritingPaused,
    /// A signal or a request does not count.
    NotCounted(NotCounted),
}

impl ReasonKind {
    /// Stable name of the sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChosenProfile(_) => "chose",
            Self::Appointment => "appointment",
            Self::TeamsCallAppointment => "teams-call-appointment",
            Self::DoNotDisturbInTeams => "do-not-disturb-in-teams",
            Self::PresentingInTeams => "presenting-in-teams",
            Self::NoClient => "no-client",
            Self::NoClientAsTeamsShows(_) => "no-client-as-teams-shows",
            Self::Locked => "locked",
            Self::Inactive => "untouched",
            Self::AtRest => "at-rest",
            Self::AtRestWithClient => "at-rest-with-client",
            Self::InACall => "in-a-call",
            Self::CallOnHold => "call-on-hold",
            Self::Ringing => "ringing",
            Self::InAMeeting => "in-a-meeting",
            Self::InAMeetingWithoutAudio => "in-a-meeting-without-audio",
            Self::InACallInTeams => "in-a-call-in-teams",
            Self::UsesMicrophone(_) => "uses-microphone",
            Self::TeamsShows(_) => "shows",
            Self::OwnWrite(Slot::Session, WriteState::InForce) => "session-in-force",
            Self::OwnWrite(Slot::Session, WriteState::BeingCleared) => "session-being-taken-back",
            Self::OwnWrite(Slot::Session, WriteState::Cleared) => "session-taken-back",
            Self::OwnWrite(Slot::Session, WriteState::NotInForce) => "session-not-in-force",
            Self::OwnWrite(Slot::Preferred, WriteState::InForce) => "preferred-in-force",
            Self::OwnWrite(Slot::Preferred, WriteState::BeingCleared) => {
                "preferred-being-taken-back"
            }
            Self::OwnWrite(Slot::Preferred, WriteState::Cleared) => "preferred-taken-back",
            Self::OwnWrite(Slot::Preferred, WriteState::NotInForce) => "preferred-not-in-force",
            Self::WritingPaused => "writing-paused",
            Self::NotCounted(why) => why.code(),
        }
    }

    /// Name or state in the sentence, if there is one.
    pub fn value(&self) -> Option<String> {
        match self {
            Self::ChosenProfile(profile) => Some(profile.to_string()),
            Self::NoClientAsTeamsShows(status) => Some(status.name().to_owned()),
            Self::UsesMicrophone(alias) => Some(alias.to_string()),
            Self::TeamsShows(state) => Some(state.to_string()),
            Self::Appointment
            | Self::TeamsCallAppointment
            | Self::DoNotDisturbInTeams
            | Self::PresentingInTeams
            | Self::NoClient
            | Self::Locked
            | Self::Inactive
            | Self::AtRest
            | Self::AtRestWithClient
            | Self::InACall
            | Self::CallOnHold
            | Self::Ringing
            | Self::InAMeeting
            | Self::InAMeetingWithoutAudio
            | Self::InACallInTeams
            | Self::OwnWrite(..)
            | Self::WritingPaused
            | Self::NotCounted(_) => None,
        }
    }
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChosenProfile(profile) => return write!(f, "chose {profile}"),
            Self::NoClientAsTeamsShows(status) => {
                return write!(f, "no client runs; Teams shows {}", status.words());
            }
            Self::UsesMicrophone(alias) => return write!(f, "{alias} uses the microphone"),
            Self::TeamsShows(state) => return write!(f, "shows {state}"),
            Self::OwnWrite(slot, state) => {
                f.write_str(match slot {
                    Slot::Session => "our app session Busy/InACall",
                    Slot::Preferred => "our Do not disturb",
                })?;
                return f.write_str(match state {
                    WriteState::InForce => " is in force in Teams",
                    WriteState::BeingCleared => {
                        " is being cleared; Microsoft has not confirmed that yet, and Offhook retries"
                    }
                    WriteState::Cleared => " was cleared; Teams may still show it for up to a minute",
                    WriteState::NotInForce => " is not in force in Teams",
                });
            }
            Self::NotCounted(why) => return why.fmt(f),
            Self::Appointment => "appointment",
            Self::TeamsCallAppointment => "appointment of the call in Teams",
            Self::DoNotDisturbInTeams => "Do not disturb in Teams",
            Self::PresentingInTeams => "shares the screen in Teams",
            Self::NoClient => "no client runs",
            Self::Locked => "the screen is locked",
            Self::Inactive => "keyboard and mouse are not used",
            Self::AtRest => "no other rule applies",
            Self::AtRestWithClient => "a client runs, and no other rule applies",
            Self::InACall => "in a call",
            Self::CallOnHold => "call on hold",
            Self::Ringing => "ringing",
            Self::InAMeeting => "in a meeting",
            Self::InAMeetingWithoutAudio => "in a meeting without audio",
            Self::InACallInTeams => "in a call in Teams",
            Self::WritingPaused => "writes to Teams are paused: another program overwrote Offhook's presence",
        }
        .fmt(f)
    }
}

/// Additional sentence of a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonDetail {
    /// The chosen profile was deleted or is inactive.
    ProfileGone,
    /// A choice of the person suspends the appointment.
    Suspended,
    /// A choice in Offhook does not end Do not disturb in Teams.
    EndItInTeams,
    /// Only the screen is shared: no effect.
    OnlyTheScreen,
    /// Another program may overwrite Offhook's writes.
    SecondSynchronisation,
    /// Teams has not acknowledged the write.
    NotAcknowledged,
    /// Microsoft refused the clear.
    ClearRefused,
    /// Teams shows this state instead.
    HiddenBy(TeamsState),
    /// Reason why the slot was released.
    Released(ReleaseReason),
}

impl ReasonDetail {
    /// Stable name of the sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProfileGone => "profile-gone",
            Self::Suspended => "suspended",
            Self::EndItInTeams => "end-it-in-teams",
            Self::OnlyTheScreen => "only-the-screen",
            Self::SecondSynchronisation => "second-synchronisation",
            Self::NotAcknowledged => "not-acknowledged",
            Self::ClearRefused => "clear-refused",
            Self::HiddenBy(_) => "hidden-by",
            Self::Released(ReleaseReason::Overridden) => "overridden",
            Self::Released(ReleaseReason::Expired) => "expired",
            Self::Released(ReleaseReason::AlreadyThere) => "already-there",
        }
    }

    /// State in the sentence, if there is one.
    pub fn value(&self) -> Option<String> {
        match self {
            Self::HiddenBy(state) => Some(state.to_string()),
            Self::ProfileGone
            | Self::Suspended
            | Self::EndItInTeams
            | Self::OnlyTheScreen
            | Self::SecondSynchronisation
            | Self::NotAcknowledged
            | Self::ClearRefused
            | Self::Released(_) => None,
        }
    }
}

impl fmt::Display for ReasonDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HiddenBy(state) => return write!(f, "hidden in Teams, which shows {state}"),
            Self::ProfileGone => "the profile was deleted or is not active",
            Self::Suspended => "suspended by the person's choice",
            Self::EndItInTeams => "Do not disturb is set in Teams; end it there",
            Self::OnlyTheScreen => "only the screen is shared: no effect in Offhook or Teams",
            Self::SecondSynchronisation => {
                "check that no second presence synchronisation is active for this person"
            }
            Self::NotAcknowledged => "Teams has not acknowledged it yet",
            Self::ClearRefused => "Microsoft refused to clear it; Offhook retries",
            Self::Released(reason) => reason.explanation(),
        }
        .fmt(f)
    }
}
