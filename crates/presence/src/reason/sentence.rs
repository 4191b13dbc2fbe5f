//! What reasons say, and what else there is to know of them: in English here, and with a code and a value for whoever says it
//! in another language.

use std::{fmt, sync::Arc};

use super::NotCounted;
use crate::{Slot, Status, TeamsState, slot::ReleaseReason};

/// What became of something that Offhook wrote to Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteState {
    /// Teams has it.
    InForce,
    /// It is to be taken back, which Microsoft has not confirmed.
    BeingCleared,
    /// It was taken back, and may still be seen for a moment.
    Cleared,
    /// Teams does not have it.
    NotInForce,
}

/// What a signal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// This profile was chosen.
    ChosenProfile(Arc<str>),
    /// An appointment runs.
    Appointment,
    /// A call in Teams is an appointment.
    TeamsCallAppointment,
    /// Teams is in Do not disturb.
    DoNotDisturbInTeams,
    /// The screen is shared in Teams.
    PresentingInTeams,
    /// No client runs.
    NoClient,
    /// No client runs, and this is what Teams shows.
    NoClientAsTeamsShows(Status),
    /// The screen is locked.
    Locked,
    /// Nobody touches keyboard or mouse.
    Inactive,
    /// Nothing else applies.
    AtRest,
    /// A client runs and nothing else applies.
    AtRestWithClient,
    /// A line is in a call.
    InACall,
    /// A line holds a call.
    CallOnHold,
    /// A line rings.
    Ringing,
    /// A meeting server has the person in a meeting.
    InAMeeting,
    /// The same without being heard.
    InAMeetingWithoutAudio,
    /// Teams has the person in a call.
    InACallInTeams,
    /// A program of this name uses the microphone.
    UsesMicrophone(Arc<str>),
    /// This is what Teams shows.
    TeamsShows(TeamsState),
    /// Offhook wrote something there.
    OwnWrite(Slot, WriteState),
    /// Offhook writes nothing for a while.
    WritingPaused,
    /// Something does not count.
    NotCounted(NotCounted),
}

impl ReasonKind {
    /// A stable name of the sentence.
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

    /// The name or state in it, if there is one.
    pub fn value(&self) -> Option<String> {
        match self {
            Self::ChosenProfile(profile) => Some(profile.to_string()),
            Self::NoClientAsTeamsShows(status) => Some(status.name().to_owned()),
            Self::UsesMicrophone(alias) => Some(alias.to_string()),
            Self::TeamsShows(state) => Some(state.to_string()),
            _ => None,
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
                        " is being taken back; Microsoft has not confirmed it yet, and Offhook tries again"
                    }
                    WriteState::Cleared => " was taken back; it may still be seen for a moment",
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
            Self::Inactive => "nobody touches keyboard or mouse",
            Self::AtRest => "nothing else applies",
            Self::AtRestWithClient => "a client runs and nothing else applies",
            Self::InACall => "in a call",
            Self::CallOnHold => "call on hold",
            Self::Ringing => "ringing",
            Self::InAMeeting => "in a meeting",
            Self::InAMeetingWithoutAudio => "in a meeting without audio",
            Self::InACallInTeams => "in a call in Teams",
            Self::WritingPaused => "writing to Teams is paused: too many changes within a minute",
        }
        .fmt(f)
    }
}

/// What else there is to know of a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonDetail {
    /// The profile that was chosen is gone or not active.
    ProfileGone,
    /// The person chose something while it ran.
    Suspended,
    /// A choice made here does not end what Teams says.
    EndItInTeams,
    /// A shared screen alone changes nothing.
    OnlyTheScreen,
    /// Somebody may answer what Offhook writes.
    SecondSynchronisation,
    /// Teams has not said that it has it.
    NotAcknowledged,
    /// Microsoft refused to take the write back.
    ClearRefused,
    /// Teams shows this instead.
    HiddenBy(TeamsState),
    /// Why a write is not in force.
    Released(ReleaseReason),
}

impl ReasonDetail {
    /// A stable name of the sentence.
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

    /// The state in it, if there is one.
    pub fn value(&self) -> Option<String> {
        match self {
            Self::HiddenBy(state) => Some(state.to_string()),
            _ => None,
        }
    }
}

impl fmt::Display for ReasonDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HiddenBy(state) => return write!(f, "hidden in Teams, which shows {state}"),
            Self::ProfileGone => "there is no such profile any more, or it is not active",
            Self::Suspended => "suspended by the choice that the person made during it",
            Self::EndItInTeams => "Teams says Do not disturb; end it there",
            Self::OnlyTheScreen => "only the screen is shared: nothing changes on either side",
            Self::SecondSynchronisation => {
                "check that no second presence synchronisation is active for this person"
            }
            Self::NotAcknowledged => "Teams has not acknowledged it yet",
            Self::ClearRefused => "Microsoft refused to take it back; Offhook tries again",
            Self::Released(reason) => reason.explanation(),
        }
        .fmt(f)
    }
}
