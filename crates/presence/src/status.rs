//! What is shown of a person: status, activity, and how sure we are of it.

use std::fmt;

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
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the person is doing right now, shown on top of the status. It never decides forwarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// A call that nobody has answered yet. Does not make the person busy.
    Ringing,
    /// In a call on the telephone system.
    OnThePhone,
    /// In a call in Microsoft Teams.
    OnThePhoneTeams,
    /// Sharing the screen in Microsoft Teams.
    Presenting,
}

impl Activity {
    /// The kind as the API names it; both sorts of call are `OnThePhone` and differ in [`Self::via`].
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Ringing => "Ringing",
            Self::OnThePhone | Self::OnThePhoneTeams => "OnThePhone",
            Self::Presenting => "Presenting",
        }
    }

    /// The system in which it happens.
    pub const fn via(self) -> &'static str {
        match self {
            Self::Ringing | Self::OnThePhone => "pbx",
            Self::OnThePhoneTeams | Self::Presenting => "teams",
        }
    }

    /// The English words for it; displays translate them.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ringing => "Ringing",
            Self::OnThePhone => "On the phone",
            Self::OnThePhoneTeams => "On the phone (MS Teams)",
            Self::Presenting => "Do not disturb",
        }
    }

    /// Whether the activity raises the status to Busy.
    pub const fn makes_busy(self) -> bool {
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
