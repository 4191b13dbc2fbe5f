//! The words of presence: availability, activity and the pairs that may be written.
//!
//! Plain values, spelled as Microsoft Graph spells them. Nothing here knows about time or people.

use std::fmt;
use std::str::FromStr;

/// Declares an enum whose variants are spelled on the wire exactly as in the source.
macro_rules! wire_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// The value as it stands in Graph's JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            /// Reads the word without regard to case, because Graph types it as a plain string.
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                $(if text.eq_ignore_ascii_case(stringify!($variant)) {
                    return Ok(Self::$variant);
                })+
                Err(UnknownWord)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

wire_words! {
    /// The base state of a person.
    Availability {
        /// Reachable.
        Available,
        /// Reachable, but the device has been idle for a while.
        AvailableIdle,
        /// Not at the device.
        Away,
        /// Back soon; only ever chosen by hand.
        BeRightBack,
        /// Occupied.
        Busy,
        /// Wants no interruption.
        DoNotDisturb,
        /// No session, or chosen to look like it.
        Offline,
        /// Nothing is known, as for ids that name nobody.
        PresenceUnknown,
    }
}

wire_words! {
    /// What goes with an [`Availability`].
    Activity {
        /// Goes with `Available`.
        Available,
        /// The documented prose name of the first idle stage.
        AvailableInactive,
        /// The observed name of the first idle stage.
        Inactive,
        /// Goes with `Away`.
        Away,
        /// Goes with `BeRightBack`.
        BeRightBack,
        /// Goes with `Busy`.
        Busy,
        /// Goes with `DoNotDisturb`.
        DoNotDisturb,
        /// Time set aside for work without interruption.
        Focusing,
        /// In a call.
        InACall,
        /// In a conference call; only applications write it.
        InAConferenceCall,
        /// A meeting in the calendar runs.
        InAMeeting,
        /// Goes with `Offline` when nothing is signed in.
        Offline,
        /// Goes with `Offline` when chosen by hand.
        OffWork,
        /// Goes with `Available` while out of office.
        OutOfOffice,
        /// Goes with `PresenceUnknown`.
        PresenceUnknown,
        /// Sharing the screen.
        Presenting,
    }
}

wire_words! {
    /// The kinds of Teams client a person signs in with.
    Device {
        /// The desktop client.
        Desktop,
        /// The browser client.
        Web,
        /// The phone or tablet client.
        Mobile,
    }
}

impl Device {
    /// The name used in paths and in the ground truth.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Web => "web",
            Self::Mobile => "mobile",
        }
    }
}

/// A word that is not in the list it was looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

/// What a reader of presence sees: availability and activity together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Shown {
    /// The base state.
    pub availability: Availability,
    /// What goes with it.
    pub activity: Activity,
}

impl Shown {
    /// Reachable.
    pub const AVAILABLE: Self = Self::new(Availability::Available, Activity::Available);
    /// Not at the device.
    pub const AWAY: Self = Self::new(Availability::Away, Activity::Away);
    /// In a call.
    pub const IN_A_CALL: Self = Self::new(Availability::Busy, Activity::InACall);
    /// Sharing the screen.
    pub const PRESENTING: Self = Self::new(Availability::DoNotDisturb, Activity::Presenting);
    /// Nothing signed in.
    pub const OFFLINE: Self = Self::new(Availability::Offline, Activity::Offline);
    /// Nothing is known.
    pub const UNKNOWN: Self = Self::new(Availability::PresenceUnknown, Activity::PresenceUnknown);

    /// The five pairs an application may write to its session.
    pub const SESSION_PAIRS: [Self; 5] = [
        Self::AVAILABLE,
        Self::IN_A_CALL,
        Self::new(Availability::Busy, Activity::InAConferenceCall),
        Self::AWAY,
        Self::PRESENTING,
    ];

    /// The six pairs a person (or an application for a person) may prefer.
    pub const PREFERRED_PAIRS: [Self; 6] = [
        Self::AVAILABLE,
        Self::new(Availability::Busy, Activity::Busy),
        Self::new(Availability::DoNotDisturb, Activity::DoNotDisturb),
        Self::new(Availability::BeRightBack, Activity::BeRightBack),
        Self::AWAY,
        Self::new(Availability::Offline, Activity::OffWork),
    ];

    /// Joins the two words; says nothing about whether the pair makes sense.
    #[must_use]
    pub const fn new(availability: Availability, activity: Activity) -> Self {
        Self {
            availability,
            activity,
        }
    }

    /// Finds the pair spelled by two words in a list of permitted pairs.
    pub(crate) fn find(pairs: &[Self], availability: &str, activity: &str) -> Option<Self> {
        let availability = availability.parse().ok()?;
        let activity = activity.parse().ok()?;
        pairs
            .iter()
            .copied()
            .find(|pair| *pair == Self::new(availability, activity))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.availability, self.activity)
    }
}

/// How the first stage of the fade is spelled; the documentation and the field disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum IdleSpelling {
    /// `AvailableIdle/Inactive`, as seen on the wire.
    #[default]
    #[serde(rename = "AvailableIdle/Inactive")]
    AvailableIdleInactive,
    /// `Available/AvailableInactive`, as the prose has it.
    #[serde(rename = "Available/AvailableInactive")]
    AvailableAvailableInactive,
}

impl IdleSpelling {
    /// The pair this spelling stands for.
    #[must_use]
    pub const fn shown(self) -> Shown {
        match self {
            Self::AvailableIdleInactive => {
                Shown::new(Availability::AvailableIdle, Activity::Inactive)
            }
            Self::AvailableAvailableInactive => {
                Shown::new(Availability::Available, Activity::AvailableInactive)
            }
        }
    }
}
