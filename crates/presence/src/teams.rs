//! A person's state in Teams, and its meaning in Offhook (docs/presence-rules.md, "What a Teams state means").

use std::{fmt, sync::Arc, time::Duration};

use crate::{SequenceNumber, Timestamp, TraceId};

/// Meaning of a state in Teams. Words as in Graph's presence resource; see [`TeamsState::meaning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// `InACall` or `InAConferenceCall`.
    Call,
    /// `DoNotDisturb/Presenting`: a call with the screen shared.
    Presenting,
    /// Do not disturb in any other form.
    DoNotDisturb,
    /// Available, idle or not.
    Available,
    /// Busy without a call.
    Busy,
    /// Be right back.
    BeRightBack,
    /// Away.
    Away,
    /// Offline or appearing so.
    Offline,
    /// No information: starts and ends nothing.
    Unknown,
}

impl Meaning {
    /// Whether Teams shows this state only if our Do not disturb is not in force: Presenting hides our Do not
    /// disturb, and without a Teams client it shows as Offline.
    pub(crate) const fn is_chosen_over_do_not_disturb(self) -> bool {
        match self {
            Self::Call | Self::Available | Self::Busy | Self::BeRightBack | Self::Away => true,
            Self::DoNotDisturb | Self::Presenting | Self::Offline | Self::Unknown => false,
        }
    }
}

/// Availability and activity in Graph's words. Kept as text because Graph's lists change without notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsState {
    availability: Word,
    activity: Word,
}

/// A word of Graph. A known one needs no memory of its own.
#[derive(Clone, Debug)]
enum Word {
    Known(&'static str),
    Other(Arc<str>),
}

const KNOWN: [&str; 19] = [
    "Available",
    "AvailableIdle",
    "AvailableInactive",
    "Away",
    "BeRightBack",
    "Busy",
    "BusyIdle",
    "DoNotDisturb",
    "Focusing",
    "InACall",
    "InAConferenceCall",
    "InAMeeting",
    "Inactive",
    "Offline",
    "OffWork",
    "OutOfOffice",
    "PresenceUnknown",
    "Presenting",
    "UrgentInterruptionsOnly",
];

impl Word {
    fn new(text: &str) -> Self {
        KNOWN
            .iter()
            .find(|known| known.eq_ignore_ascii_case(text))
            .map_or_else(|| Self::Other(text.into()), |known| Self::Known(known))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Other(text) => text,
        }
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Word {}

impl TeamsState {
    /// Reads Graph's two words, in any case.
    pub fn new(availability: &str, activity: &str) -> Self {
        Self {
            availability: Word::new(availability),
            activity: Word::new(activity),
        }
    }

    /// Meaning of the state. The activity decides first: Graph lists some activities as availabilities too.
    pub fn meaning(&self) -> Meaning {
        let availability = self.availability.as_str();
        for word in [self.activity.as_str(), availability] {
            match word {
                "InACall" | "InAConferenceCall" => return Meaning::Call,
                "Presenting" => return Meaning::Presenting,
                "UrgentInterruptionsOnly" | "Focusing" => return Meaning::DoNotDisturb,
                _ => {}
            }
        }
        match availability {
            "Available" | "AvailableIdle" | "AvailableInactive" => Meaning::Available,
            "Busy" | "BusyIdle" | "InAMeeting" => Meaning::Busy,
            "DoNotDisturb" => Meaning::DoNotDisturb,
            "BeRightBack" => Meaning::BeRightBack,
            "Away" | "OutOfOffice" => Meaning::Away,
            "Offline" => Meaning::Offline,
            _ => Meaning::Unknown,
        }
    }
}

impl fmt::Display for TeamsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            self.availability.as_str(),
            self.activity.as_str()
        )
    }
}

/// An answer of Graph about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsAnswer {
    /// State in the answer.
    pub state: TeamsState,
    /// Time of the request.
    pub asked_at: Timestamp,
    /// Version of the person's presence, if Graph gave one.
    pub sequence: Option<SequenceNumber>,
    /// Lag of the tenant: [`crate::TenantLag::of`].
    pub tenant_lag: Option<Duration>,
}

/// The last answer of Graph that counted for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// State in the answer.
    pub state: TeamsState,
    /// Time of the first answer with this state.
    pub since: Timestamp,
    /// Time of the last answer with this state.
    pub received_at: Timestamp,
    /// Trace of the first answer with this state.
    pub trace: Option<TraceId>,
}

/// A call in Teams: an appointment in the person's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamsCall {
    /// Time of the first answer that showed the call.
    pub since: Timestamp,
    /// Time of the last answer that proved the call.
    pub confirmed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::{Meaning, TeamsState};

    #[test]
    fn graph_states_have_their_documented_meaning() {
        for (availability, activity, meaning) in [
            ("Busy", "InACall", Meaning::Call),
            ("Busy", "InAConferenceCall", Meaning::Call),
            ("inACall", "inACall", Meaning::Call),
            ("DoNotDisturb", "Presenting", Meaning::Presenting),
            ("DoNotDisturb", "DoNotDisturb", Meaning::DoNotDisturb),
            (
                "DoNotDisturb",
                "UrgentInterruptionsOnly",
                Meaning::DoNotDisturb,
            ),
            ("focusing", "focusing", Meaning::DoNotDisturb),
            ("Busy", "InAMeeting", Meaning::Busy),
            ("Busy", "Busy", Meaning::Busy),
            ("BusyIdle", "Inactive", Meaning::Busy),
            ("AvailableIdle", "Inactive", Meaning::Available),
            ("Available", "OutOfOffice", Meaning::Available),
            ("available", "available", Meaning::Available),
            ("BeRightBack", "BeRightBack", Meaning::BeRightBack),
            ("Away", "Away", Meaning::Away),
            ("Offline", "OffWork", Meaning::Offline),
            ("PresenceUnknown", "PresenceUnknown", Meaning::Unknown),
            ("Nonsense", "Nonsense", Meaning::Unknown),
        ] {
            assert_eq!(
                TeamsState::new(availability, activity).meaning(),
                meaning,
                "{availability}/{activity}"
            );
        }
    }

    #[test]
    fn an_unknown_value_of_graph_is_kept_as_text() {
        assert_eq!(
            TeamsState::new("Nonsense", "inacall").to_string(),
            "Nonsense/InACall"
        );
    }
}
