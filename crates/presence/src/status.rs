//! Status, activity and confidence of a person.

use std::{fmt, sync::Arc};

/// Status with a fixed colour. There are no others (docs/presence-rules.md, "Statuses").
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
    /// Name in the API.
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

    /// The status with these [`words`](Self::words), which are also the names of the built-in profiles.
    pub fn from_words(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.words() == words)
    }

    /// Words for people, in English.
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

/// Present activity of a person, shown with the status (docs/presence-rules.md, "Which activity is shown"). It
/// never decides call forwarding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// An unanswered call. Does not make the person busy.
    Ringing,
    /// In a call on the PBX.
    OnThePhone,
    /// In a call in Microsoft Teams.
    OnThePhoneTeams,
    /// In a meeting with audio, outside Teams.
    InMeeting,
    /// Sharing the screen in Microsoft Teams.
    Presenting,
    /// A program with this alias uses the microphone.
    UsingApp(Arc<str>),
}

impl Activity {
    /// Kind in the API; both kinds of call are `OnThePhone` and differ in [`Self::via`].
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ringing => "Ringing",
            Self::OnThePhone | Self::OnThePhoneTeams => "OnThePhone",
            Self::InMeeting => "InMeeting",
            Self::Presenting => "Presenting",
            Self::UsingApp(_) => "UsingApp",
        }
    }

    /// System of the activity, in the API.
    pub const fn via(&self) -> &'static str {
        match self {
            Self::Ringing | Self::OnThePhone => "pbx",
            Self::OnThePhoneTeams | Self::Presenting => "teams",
            Self::InMeeting => "meeting",
            Self::UsingApp(_) => "microphone",
        }
    }

    /// Words for people, in English; displays translate them.
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

/// Confidence of a presence (docs/presence-rules.md, "Confidence").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Every source has reported recently, and no write of ours hides a state.
    Certain,
    /// Our write was cleared a short time ago; Teams may still show its echo.
    Likely,
    /// Our write is in force in Teams and hides what Teams would show without it.
    Masked,
    /// A source has not reported for longer than its lease.
    Stale,
}

impl Confidence {
    /// Every confidence, the best first.
    pub const ALL: [Self; 4] = [Self::Certain, Self::Likely, Self::Masked, Self::Stale];

    /// Name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Masked => "masked",
            Self::Stale => "stale",
        }
    }
}
