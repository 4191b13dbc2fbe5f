//! What is shown of a person: status, activity, and how sure we are of it.

use std::{fmt, sync::Arc};

/// The coarse value with a fixed colour. There are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Green.
    Available,
    /// Yellow.
    BeRightBack,
    /// Red.
    Busy,
    /// Red with a bar; nothing overrules it.
    DoNotDisturb,
    /// Grey.
    Absent,
    /// Grey.
    Offline,
}

impl Status {
    /// The name that the API uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::BeRightBack => "BeRightBack",
            Self::Busy => "Busy",
            Self::DoNotDisturb => "DoNotDisturb",
            Self::Absent => "Absent",
            Self::Offline => "Offline",
        }
    }

    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Available,
        Self::BeRightBack,
        Self::Busy,
        Self::DoNotDisturb,
        Self::Absent,
        Self::Offline,
    ];

    /// The status called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// As people say it in English.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::BeRightBack => "Be right back",
            Self::Busy => "Busy",
            Self::DoNotDisturb => "Do not disturb",
            Self::Absent => "Absent",
            Self::Offline => "Offline",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the person is doing right now, shown on top of the status. It never decides forwarding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// A call that nobody has answered yet. Does not make the person busy.
    Ringing,
    /// In a call on the telephone system.
    OnThePhone,
    /// In a call in Microsoft Teams.
    OnThePhoneTeams,
    /// In a meeting with audio, outside Teams.
    InMeeting,
    /// Sharing the screen in Microsoft Teams.
    Presenting,
    /// A program uses the microphone; its alias.
    UsingApp(Arc<str>),
}

impl Activity {
    /// The kind as the API names it; both sorts of call are `OnThePhone` and differ in [`Self::via`].
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ringing => "Ringing",
            Self::OnThePhone | Self::OnThePhoneTeams => "OnThePhone",
            Self::InMeeting => "InMeeting",
            Self::Presenting => "Presenting",
            Self::UsingApp(_) => "UsingApp",
        }
    }

    /// The system in which it happens.
    pub const fn via(&self) -> &'static str {
        match self {
            Self::Ringing | Self::OnThePhone => "pbx",
            Self::OnThePhoneTeams | Self::Presenting => "teams",
            Self::InMeeting => "meeting",
            Self::UsingApp(_) => "microphone",
        }
    }

    /// The English words for it; displays translate them.
    pub fn label(&self) -> &str {
        match self {
            Self::Ringing => "Ringing",
            Self::OnThePhone => "On the phone",
            Self::OnThePhoneTeams => "On the phone (MS Teams)",
            Self::InMeeting => "In a meeting",
            Self::Presenting => "Presenting",
            Self::UsingApp(alias) => alias,
        }
    }

    /// Whether the activity raises the status to Busy.
    pub const fn makes_busy(&self) -> bool {
        !matches!(self, Self::Ringing)
    }
}

/// How far a presence can be trusted (domain rule 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Every source has spoken recently and nothing of ours stands in the way.
    Certain,
    /// Our own write was taken back a moment ago; its echo may still be what Teams shows.
    Likely,
    /// Our own write is in force in Teams and hides what Teams would show without it.
    Masked,
    /// A source has not spoken for longer than its lease.
    Stale,
}

impl Confidence {
    /// Every confidence, the best first.
    pub const ALL: [Self; 4] = [Self::Certain, Self::Likely, Self::Masked, Self::Stale];

    /// The name that the API uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Masked => "masked",
            Self::Stale => "stale",
        }
    }
}
