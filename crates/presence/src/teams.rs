//! What Teams shows of a person, and what that means here (domain rule 3.2).

use std::{fmt, sync::Arc, time::Duration};

use crate::{SequenceNumber, Timestamp};

/// What one answer of Graph means. Words as in Graph's presence resource; see [`TeamsState::meaning`].
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
    /// Whether Teams shows this only where our Do not disturb is not in force: Presenting hides it, and it is shown as Offline
    /// where no Teams client runs.
    pub(crate) const fn is_chosen_over_do_not_disturb(self) -> bool {
        match self {
            Self::Call | Self::Available | Self::Busy | Self::BeRightBack | Self::Away => true,
            Self::DoNotDisturb | Self::Presenting | Self::Offline | Self::Unknown => false,
        }
    }
}

/// Availability and activity as Graph wrote them. Kept as text because Graph's lists change without notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsState {
    availability: Word,
    activity: Word,
}

/// A word of Graph: one of the known ones costs no memory of its own.
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
    /// From Graph's two words, in any case.
    pub fn new(availability: &str, activity: &str) -> Self {
        Self {
            availability: Word::new(availability),
            activity: Word::new(activity),
        }
    }

    /// What it means. The activity is asked first: Graph lists some activities as availabilities too.
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
    /// What Graph said.
    pub state: TeamsState,
    /// When Graph was asked.
    pub asked_at: Timestamp,
    /// The version of the person's presence, if Graph gave one.
    pub sequence: Option<SequenceNumber>,
    /// How long the tenant takes to show a write: [`crate::TenantLag::of`].
    pub tenant_lag: Option<Duration>,
}

/// The last answer of Graph that counted for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What Graph said.
    pub state: TeamsState,
    /// When Graph began to say so.
    pub since: Timestamp,
    /// When Graph last said so.
    pub received_at: Timestamp,
}

/// A call in Teams: an appointment in the person's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamsCall {
    /// When it was first seen.
    pub since: Timestamp,
    /// When Teams last showed it beyond doubt.
    pub confirmed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::{Meaning, TeamsState};

    #[test]
    fn graph_words_mean_what_the_domain_says() {
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
    fn an_unknown_word_is_kept_as_text() {
        assert_eq!(
            TeamsState::new("Nonsense", "inacall").to_string(),
            "Nonsense/InACall"
        );
    }
}
