//! Table of all settings: each with its key, default, limits and effect.

use std::{borrow::Cow, time::Duration};

use super::{
    FeedAddress, Key, ProfileName, Setting, SettingsGroup, TimeZone,
    UserOverride::{Never, UnlessForbidden, WhereAllowed},
    Value::{self, Flag, Level, Mode, Policy},
};
use crate::{APPOINTMENT_PROFILE, OwnerPolicy, Relationship, SyncMode};

/// Makes a key and a row of [`SETTINGS`] of each setting: constant, type of the values, name, default, whether people may have
/// a value of their own, effect, and the limits of a number.
macro_rules! settings {
    ($($group:ident { $(
        $constant:ident: $type:ty = $name:literal, $default:expr, $user_override:expr, $meaning:literal
        $(, $range:expr)?;
    )* })*) => {
        /// The keys of all settings.
        pub mod setting_keys {
            use super::*;

            $($(
                #[doc = concat!("Setting `", $name, "`: ", $meaning, ".")]
                pub const $constant: Key<$type> = Key::new(SettingsGroup::$group, $name);
            )*)*
        }

        /// Every setting.
        pub static SETTINGS: &[Setting] = &[$($(
            Setting {
                group: setting_keys::$constant.group,
                key: setting_keys::$constant.name,
                meaning: $meaning,
                default: $default,
                user_override: $user_override,
                range: settings!(@range $($range)?),
            },
        )*)*];

        /// For each setting, whether a value is of the type of its key.
        #[cfg(test)]
        pub(crate) static TYPES: &[fn(&Value) -> bool] = &[$($(
            |value| <$type as super::SettingType>::read(value).is_some(),
        )*)*];
    };
    (@range) => {
        (0, u32::MAX)
    };
    (@range $range:expr) => {
        $range
    };
}

const fn profile(name: &'static str) -> Value {
    Value::ProfileName(Some(Cow::Borrowed(name)))
}

const fn seconds(seconds: u64) -> Value {
    Value::Duration(Duration::from_secs(seconds))
}

/// A day: the longest delay of an automatic profile, in seconds.
const DAY: u32 = 24 * 3600;

settings! {
    Presence {
        RELATIONSHIP: Relationship = "relationship", Level(Relationship::Employee), Never,
            "default relationship of people here to all viewers; workgroups can give more, and a person's own setting can replace it";
        OWNER_POLICY: OwnerPolicy = "owner_policy", Policy(OwnerPolicy::ExtendAndRestrict), Never,
            "whether a person's own relationships may also give less than the default, or only more";
        KEEP_HISTORY: bool = "history", Flag(false), Never,
            "keep the changes of the last 24 hours on disk, over restarts";
    }
    Teams {
        SYNC_MODE: SyncMode = "mode", Mode(SyncMode::None), UnlessForbidden,
            "kinds of presence that cross between Teams and Offhook";
        BASE_FROM_TEAMS: bool = "base_from_teams", Flag(true), Never,
            "people without a client show their state in Teams, in the mode with presence";
        RENEW_DND: bool = "renew_dnd", Flag(false), Never,
            "write Do not disturb to Teams again when Microsoft drops it after 24 hours";
    }
    Microphone {
        MICROPHONE_ENABLED: bool = "enabled", Flag(false), WhereAllowed,
            "show programs that use the microphone to colleagues of the team";
        MICROPHONE_ON_AFTER: Duration = "on_after", seconds(3), Never,
            "seconds of microphone use before a program is shown", (0, 60);
        MICROPHONE_OFF_AFTER: Duration = "off_after", seconds(1), Never,
            "seconds for which a program is shown after its end", (0, 60);
        MICROPHONE_HISTORY: bool = "history", Flag(false), Never,
            "include programs at the microphone in the history of the last 24 hours";
    }
    Profiles {
        PERSONAL_PROFILES: bool = "personal", Flag(true), Never,
            "people may create personal profiles";
    }
    Automatic {
        CLIENT_START_PROFILE: ProfileName = "client_start", Value::ProfileName(None), UnlessForbidden,
            "profile while a client runs and no other rule applies";
        CLIENT_END_PROFILE: ProfileName = "client_end", profile("Absent"), UnlessForbidden,
            "profile when no client runs";
        CLIENT_END_AFTER: Duration = "client_end_after", seconds(60), UnlessForbidden,
            "seconds after the end of the last client", (0, DAY);
        INACTIVITY_PROFILE: ProfileName = "inactivity", profile("Be right back"), UnlessForbidden,
            "profile when keyboard and mouse are not used";
        INACTIVITY_AFTER: Duration = "inactivity_after", seconds(600), UnlessForbidden,
            "seconds without use of keyboard and mouse", (60, DAY);
        LOCKED_PROFILE: ProfileName = "locked", profile("Be right back"), UnlessForbidden,
            "profile while the screen is locked";
    }
    Calendar {
        CALENDAR_ENABLED: bool = "enabled", Flag(true), WhereAllowed,
            "calendar appointments put profiles in force";
        FEED_ADDRESS: FeedAddress = "feed", Value::FeedAddress(None), UnlessForbidden,
            "address (https) or file of the person's iCalendar feed";
        TENTATIVE_IS_BUSY: bool = "tentative", Flag(false), UnlessForbidden,
            "tentative appointments count as busy";
        BUSY_PROFILE: ProfileName = "busy", profile(APPOINTMENT_PROFILE), UnlessForbidden,
            "profile during busy time";
        OUT_OF_OFFICE_PROFILE: ProfileName = "out_of_office", profile("Absent"), UnlessForbidden,
            "profile during time out of office";
        TIME_ZONE: TimeZone = "time_zone", Value::TimeZone(None), UnlessForbidden,
            "time zone of times without one, for example Europe/Berlin; null: the organisation's";
        APPOINTMENT_TEXTS: bool = "texts", Flag(true), UnlessForbidden,
            "import the subjects of appointments; otherwise only their times";
    }
}
