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
        "what people here let everybody else see, unless a workgroup gives more or they say otherwise",
    ),
    setting(
        SettingsGroup::Presence,
        "owner_policy",
        Policy(OwnerPolicy::ExtendAndRestrict),
        Never,
        "whether people may let others see less than that, or only more",
    ),
    setting(
        SettingsGroup::Presence,
        "history",
        Flag(false),
        Never,
        "keep the changes of the last 24 hours on disk, so that they outlive a restart",
    ),
    setting(
        SettingsGroup::Teams,
        "mode",
        Mode(SyncMode::None),
        UnlessForbidden,
        "what crosses between Teams and Offhook",
    ),
    setting(
        SettingsGroup::Teams,
        "base_from_teams",
        Flag(true),
        Never,
        "people without a client show what Teams shows, in the mode with presence",
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
        "programs that use the microphone are shown to colleagues of the team",
    ),
    seconds(
        SettingsGroup::Microphone,
        "on_after",
        (3, (0, 60)),
        Never,
        "a program is shown when it has used the microphone for so long",
    ),
    seconds(
        SettingsGroup::Microphone,
        "off_after",
        (1, (0, 60)),
        Never,
        "a program is shown for so long after its end",
    ),
    setting(
        SettingsGroup::Microphone,
        "history",
        Flag(false),
        Never,
        "programs are part of what is remembered of the last 24 hours",
    ),
    setting(
        SettingsGroup::Profiles,
        "personal",
        Flag(true),
        Never,
        "people may make profiles of their own",
    ),
    setting(
        SettingsGroup::Automatic,
        "client_start",
        Profile(None),
        UnlessForbidden,
        "the profile while a client runs and nothing else applies",
    ),
    setting(
        SettingsGroup::Automatic,
        "client_end",
        profile("Absent"),
        UnlessForbidden,
        "the profile when no client runs any more",
    ),
    seconds(
        SettingsGroup::Automatic,
        "client_end_after",
        (60, (0, DAY)),
        UnlessForbidden,
        "how long after the last client's end",
    ),
    setting(
        SettingsGroup::Automatic,
        "inactivity",
        profile("Be right back"),
        UnlessForbidden,
        "the profile when nobody touches keyboard or mouse",
    ),
    seconds(
        SettingsGroup::Automatic,
        "inactivity_after",
        (600, (60, DAY)),
        UnlessForbidden,
        "how long without a touch",
    ),
    setting(
        SettingsGroup::Automatic,
        "locked",
        profile("Be right back"),
        UnlessForbidden,
        "the profile while the screen is locked",
    ),
    setting(
        SettingsGroup::Calendar,
        "enabled",
        Flag(true),
        WhereAllowed,
        "appointments of the calendar put profiles in force",
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
        "the profile of busy time",
    ),
    setting(
        SettingsGroup::Calendar,
        "out_of_office",
        profile("Absent"),
        UnlessForbidden,
        "the profile of time out of office",
    ),
    setting(
        SettingsGroup::Calendar,
        "time_zone",
        Text(None),
        UnlessForbidden,
        "the zone of times that name none, for example Europe/Berlin; null: the organisation's",
    ),
    setting(
        SettingsGroup::Calendar,
        "texts",
        Flag(true),
        UnlessForbidden,
        "take over what appointments are about; otherwise only that there is one",
    ),
];
