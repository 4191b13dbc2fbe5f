//! Values of presence: availability, activity, and the pairs that clients can write, in Graph's spelling.

use std::{fmt, str::FromStr};

/// Declares an enum with variants that are spelled in JSON exactly as in the source.
macro_rules! wire_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// The value in Graph's JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            /// Parses a value regardless of case, because Graph declares it as a plain string.
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
    /// The availability of a person.
    Availability {
        /// Reachable.
        Available,
        /// Reachable, but the device has been idle for a while.
        AvailableIdle,
        /// Not at the device.
        Away,
        /// Back soon; only set manually.
        BeRightBack,
        /// Occupied.
        Busy,
        /// Not to be disturbed.
        DoNotDisturb,
        /// No session, or set manually to appear offline.
        Offline,
        /// Unknown, for example for ids without a person.
        PresenceUnknown,
    }
}

wire_words! {
    /// The activity that accompanies an [`Availability`].
    Activity {
        /// Accompanies `Available`.
        Available,
        /// The documented name of the first idle stage.
        AvailableInactive,
        /// The observed name of the first idle stage.
        Inactive,
        /// Accompanies `Away`.
        Away,
        /// Accompanies `BeRightBack`.
        BeRightBack,
        /// Accompanies `Busy`.
        Busy,
        /// Accompanies `DoNotDisturb`.
        DoNotDisturb,
        /// Focus time.
        Focusing,
        /// In a call.
        InACall,
        /// In a conference call; only applications write it.
        InAConferenceCall,
        /// A meeting of the calendar is in progress.
        InAMeeting,
        /// Accompanies `Offline` without a session.
        Offline,
        /// Accompanies `Offline` if it was set manually.
        OffWork,
        /// Accompanies `Available` while the person is out of office.
        OutOfOffice,
        /// Accompanies `PresenceUnknown`.
        PresenceUnknown,
        /// Sharing the screen.
        Presenting,
    }
}

wire_words! {
    /// The kinds of Teams client.
    Device {
        /// The desktop client.
        Desktop,
        /// The web client.
        Web,
        /// The phone or tablet client.
        Mobile,
    }
}

impl Device {
    /// The name in paths and JSON of the control plane.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Web => "web",
            Self::Mobile => "mobile",
        }
    }
}

/// The error of an unknown value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

/// A pair of availability and activity, as readers of presence see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Shown {
    /// The availability.
    pub availability: Availability,
    /// The activity.
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
    /// No session.
    pub const OFFLINE: Self = Self::new(Availability::Offline, Activity::Offline);
    /// Unknown.
    pub const UNKNOWN: Self = Self::new(Availability::PresenceUnknown, Activity::PresenceUnknown);

    /// The five pairs that an application can write to its session.
    pub const SESSION_PAIRS: [Self; 5] = [
        Self::AVAILABLE,
        Self::IN_A_CALL,
        Self::new(Availability::Busy, Activity::InAConferenceCall),
        Self::AWAY,
        Self::PRESENTING,
    ];

    /// The six pairs of the preferred presence.
    pub const PREFERRED_PAIRS: [Self; 6] = [
        Self::AVAILABLE,
        Self::new(Availability::Busy, Activity::Busy),
        Self::new(Availability::DoNotDisturb, Activity::DoNotDisturb),
        Self::new(Availability::BeRightBack, Activity::BeRightBack),
        Self::AWAY,
        Self::new(Availability::Offline, Activity::OffWork),
    ];

    /// A pair of any availability and activity. The combination is not checked.
    #[must_use]
    pub const fn new(availability: Availability, activity: Activity) -> Self {
        Self {
            availability,
            activity,
        }
    }

    /// The pair with the given names among permitted pairs; `None` if it is not permitted.
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

/// Spelling of the first stage of the fade. The documentation and observed answers disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum IdleSpelling {
    /// `AvailableIdle/Inactive`, as in observed answers.
    #[default]
    #[serde(rename = "AvailableIdle/Inactive")]
    AvailableIdleInactive,
    /// `Available/AvailableInactive`, as in the text of the documentation.
    #[serde(rename = "Available/AvailableInactive")]
    AvailableAvailableInactive,
}

impl IdleSpelling {
    /// The pair of this spelling.
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
