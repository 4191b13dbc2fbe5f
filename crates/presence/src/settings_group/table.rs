//! Table of all settings: each with its default, its limits and its effect.

use std::borrow::Cow;

use super::{
    Setting, SettingsGroup,
    UserOverride::{self, Never, UnlessForbidden, WhereAllowed},
    Value::{self, Flag, Level, Mode, Policy, Profile, Text},
};
use crate::{APPOINTMENT_PROFILE, OwnerPolicy, Relationship, SyncMode};

const fn setting(
    group: SettingsGroup,
    key: &'static str,
    default: Value,
    user_override: UserOverride,
    meaning: &'static str,
) -> Setting {
    Setting {
        group,
        key,
        meaning,
        default,
        user_override,
        range: (0, u32::MAX),
    }
}

const fn seconds(
    group: SettingsGroup,
    key: &'static str,
    (default, range): (u32, (u32, u32)),
    user_override: UserOverride,
    meaning: &'static str,
) -> Setting {
    Setting {
        group,
        key,
        meaning,
        default: Value::Seconds(default),
        user_override,
        range,
    }
}

const fn profile(name: &'static str) -> Value {
    Profile(Some(Cow::Borrowed(name)))
}

/// A day: the longest delay of an automatic profile, in seconds.
const DAY: u32 = 24 * 3600;

/// Every setting.
pub static SETTINGS: [Setting; 24] = [
    setting(
        SettingsGroup::Presence,
        "relationship",
        Level(Relationship::Employee),
        Never,
        "default relationship of people here to all viewers; workgroups can give more, and a person's own setting can replace it",
    ),
    setting(
        SettingsGroup::Presence,
        "owner_policy",
        Policy(OwnerPolicy::ExtendAndRestrict),
        Never,
        "whether a person's own relationships may also give less than the default, or only more",
    ),
    setting(
        SettingsGroup::Presence,
        "history",
        Flag(false),
        Never,
        "keep the changes of the last 24 hours on disk, over restarts",
    ),
    setting(
        SettingsGroup::Teams,
        "mode",
        Mode(SyncMode::None),
        UnlessForbidden,
        "kinds of presence that cross between Teams and Offhook",
    ),
    setting(
        SettingsGroup::Teams,
        "base_from_teams",
        Flag(true),
        Never,
        "people without a client show their state in Teams, in the mode with presence",
    ),
    setting(
        SettingsGroup::Teams,
        "renew_dnd",
        Flag(false),
        Never,
        "write Do not disturb to Teams again when Microsoft drops it after 24 hours",
    ),
    setting(
        SettingsGroup::Microphone,
        "enabled",
        Flag(false),
        WhereAllowed,
        "show programs that use the microphone to colleagues of the team",
    ),
    seconds(
        SettingsGroup::Microphone,
        "on_after",
        (3, (0, 60)),
        Never,
        "seconds of microphone use before a program is shown",
    ),
    seconds(
        SettingsGroup::Microphone,
        "off_after",
        (1, (0, 60)),
        Never,
        "seconds for which a program is shown after its end",
    ),
    setting(
        SettingsGroup::Microphone,
        "history",
        Flag(false),
        Never,
        "include programs at the microphone in the history of the last 24 hours",
    ),
    setting(
        SettingsGroup::Profiles,
        "personal",
        Flag(true),
        Never,
        "people may create personal profiles",
    ),
    setting(
        SettingsGroup::Automatic,
        "client_start",
        Profile(None),
        UnlessForbidden,
        "profile while a client runs and no other rule applies",
    ),
    setting(
        SettingsGroup::Automatic,
        "client_end",
        profile("Absent"),
        UnlessForbidden,
        "profile when no client runs",
    ),
    seconds(
        SettingsGroup::Automatic,
        "client_end_after",
        (60, (0, DAY)),
        UnlessForbidden,
        "seconds after the end of the last client",
    ),
    setting(
        SettingsGroup::Automatic,
        "inactivity",
        profile("Be right back"),
        UnlessForbidden,
        "profile when keyboard and mouse are not used",
    ),
    seconds(
        SettingsGroup::Automatic,
        "inactivity_after",
        (600, (60, DAY)),
        UnlessForbidden,
        "seconds without use of keyboard and mouse",
    ),
    setting(
        SettingsGroup::Automatic,
        "locked",
        profile("Be right back"),
        UnlessForbidden,
        "profile while the screen is locked",
    ),
    setting(
        SettingsGroup::Calendar,
        "enabled",
        Flag(true),
        WhereAllowed,
        "calendar appointments put profiles in force",
    ),
    setting(
        SettingsGroup::Calendar,
        "feed",
        Text(None),
        UnlessForbidden,
        "address (https) or file of the person's iCalendar feed",
    ),
    setting(
        SettingsGroup::Calendar,
        "tentative",
        Flag(false),
        UnlessForbidden,
        "tentative appointments count as busy",
    ),
    setting(
        SettingsGroup::Calendar,
        "busy",
        profile(APPOINTMENT_PROFILE),
        UnlessForbidden,
        "profile during busy time",
    ),
    setting(
        SettingsGroup::Calendar,
        "out_of_office",
        profile("Absent"),
        UnlessForbidden,
        "profile during time out of office",
    ),
    setting(
        SettingsGroup::Calendar,
        "time_zone",
        Text(None),
        UnlessForbidden,
        "time zone of times without one, for example Europe/Berlin; null: the organisation's",
    ),
    setting(
        SettingsGroup::Calendar,
        "texts",
        Flag(true),
        UnlessForbidden,
        "import the subjects of appointments; otherwise only their times",
    ),
];
