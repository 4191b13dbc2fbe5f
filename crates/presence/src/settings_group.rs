//! Settings: their groups, and the decision by the chain of scopes (docs/presence-rules.md, "Settings and
//! scopes"). [`SETTINGS`] has every setting once, with meaning, default and limits; API, store and engine follow
//! from it.

mod key;
mod table;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub use key::{FeedAddress, Key, ProfileName, SettingType, TimeZone};
#[cfg(test)]
pub(crate) use table::TYPES;
pub use table::{SETTINGS, setting_keys};

use crate::{OwnerPolicy, Relationship, SyncMode, profile::same_name};

/// A group of settings: a scope overrides all of them or none. The API and the interface call it a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingsGroup {
    /// Who may see what, and since when.
    Presence,
    /// Microsoft Teams.
    Teams,
    /// Microphone Sync.
    Microphone,
    /// My Profiles.
    Profiles,
    /// Automatic activation of profiles.
    Automatic,
    /// Calendars.
    Calendar,
}

impl SettingsGroup {
    /// Every group.
    pub const ALL: [Self; 6] = [
        Self::Presence,
        Self::Teams,
        Self::Microphone,
        Self::Profiles,
        Self::Automatic,
        Self::Calendar,
    ];

    /// Name in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Teams => "teams",
            Self::Microphone => "microphone",
            Self::Profiles => "profiles",
            Self::Automatic => "automatic",
            Self::Calendar => "calendar",
        }
    }

    /// The group called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// The settings of the group.
    pub fn settings(self) -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(move |setting| setting.group == self)
    }

    /// The setting of the group called `key`.
    pub fn setting(self, key: &str) -> Option<&'static Setting> {
        self.settings().find(|setting| setting.key == key)
    }
}

/// Value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A duration in whole seconds.
    Duration(Duration),
    /// A synchronisation mode.
    Mode(SyncMode),
    /// A relationship.
    Level(Relationship),
    /// A policy for owners' own relationships.
    Policy(OwnerPolicy),
    /// Name of a profile; `None`: no profile.
    ProfileName(Option<Cow<'static, str>>),
    /// Name of a time zone of the IANA database; `None`: that of the organisation.
    TimeZone(Option<Cow<'static, str>>),
    /// Address or file of a calendar feed; `None`: no feed.
    FeedAddress(Option<Cow<'static, str>>),
}

impl Value {
    /// Whether a setting of this type may be without a value.
    pub const fn is_optional(&self) -> bool {
        match self {
            Self::ProfileName(_) | Self::TimeZone(_) | Self::FeedAddress(_) => true,
            Self::Flag(_)
            | Self::Duration(_)
            | Self::Mode(_)
            | Self::Level(_)
            | Self::Policy(_) => false,
        }
    }
}

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its group.
    pub group: SettingsGroup,
    /// Its name in the group.
    pub key: &'static str,
    /// Its effect, in English.
    pub meaning: &'static str,
    /// Its value on a fresh installation.
    pub default: Value,
    /// Whether people may have a value of their own.
    pub user_override: UserOverride,
    /// Smallest and largest number of seconds, for durations.
    pub range: (u32, u32),
}

/// Whether people may have a value of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserOverride {
    /// Never.
    Never,
    /// If an administrator allows it; not on a fresh installation.
    WhereAllowed,
    /// Unless an administrator forbids it.
    UnlessForbidden,
}

/// Values of one scope or person for one group: the differences from the product's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingValues {
    /// Values by key.
    pub values: BTreeMap<&'static str, Value>,
    /// Whether people may change a setting, by key, if the scope decides it.
    pub user_may_change: BTreeMap<&'static str, bool>,
}

impl SettingValues {
    /// Value of a setting.
    pub fn value<'a>(&'a self, setting: &'static Setting) -> &'a Value {
        self.values.get(setting.key).unwrap_or(&setting.default)
    }

    /// Value of the setting with a key of this group.
    pub fn get<T: SettingType>(&self, key: Key<T>) -> T::Read<'_> {
        let value = self.values.get(key.name).and_then(T::read);
        value.unwrap_or_else(|| key.default())
    }

    /// Sets the value of the setting with a key of this group.
    pub fn set<T: SettingType>(&mut self, key: Key<T>, value: T::Read<'_>) {
        self.values.insert(key.name, T::value(value));
    }

    /// Whether people may change a setting.
    pub fn user_may_change(&self, setting: &Setting) -> bool {
        match setting.user_override {
            UserOverride::Never => false,
            UserOverride::WhereAllowed => self
                .user_may_change
                .get(setting.key)
                .copied()
                .unwrap_or(false),
            UserOverride::UnlessForbidden => self
                .user_may_change
                .get(setting.key)
                .copied()
                .unwrap_or(true),
        }
    }

    /// Names of profiles in the group.
    pub fn profiles(&self, group: SettingsGroup) -> impl Iterator<Item = (&'static Setting, &str)> {
        group
            .settings()
            .filter_map(|setting| Some((setting, ProfileName::read(self.value(setting))??)))
    }

    /// Keys that are set, and not left to a default, to the profile called `name`.
    pub fn set_to(&self, name: &str) -> impl Iterator<Item = &'static str> {
        self.values
            .iter()
            .filter(move |(_, value)| {
                let used = ProfileName::read(value).flatten();
                used.is_some_and(|used| same_name(used, name))
            })
            .map(|(key, _)| *key)
    }

    /// Settings of the group that use the profile called `name`.
    pub fn uses(&self, group: SettingsGroup, name: &str) -> impl Iterator<Item = &'static Setting> {
        self.profiles(group)
            .filter(move |(_, used)| same_name(used, name))
            .map(|(setting, _)| setting)
    }
}

/// The scope that decided a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidingScope {
    /// No scope has settings of its own.
    Product,
    /// The organisation.
    Organisation,
    /// The location.
    Location,
    /// The configuration group.
    Group,
}

/// Settings of one group in the scopes of a person, from the organisation to the configuration group; `None`
/// where a scope inherits.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScopeChain<'a> {
    /// Settings of the organisation.
    pub organisation: Option<&'a SettingValues>,
    /// Settings of the location.
    pub location: Option<&'a SettingValues>,
    /// Settings of the configuration group.
    pub group: Option<&'a SettingValues>,
}

impl<'a> ScopeChain<'a> {
    /// Settings in effect: those of the nearest scope with settings of its own.
    pub fn effective(self) -> (Option<&'a SettingValues>, DecidingScope) {
        match self {
            Self {
                group: Some(group), ..
            } => (Some(group), DecidingScope::Group),
            Self {
                location: Some(location),
                ..
            } => (Some(location), DecidingScope::Location),
            Self {
                organisation: Some(organisation),
                ..
            } => (Some(organisation), DecidingScope::Organisation),
            _ => (None, DecidingScope::Product),
        }
    }

    /// Value of a setting in the scopes, without people's own values.
    pub fn get<T: SettingType>(self, key: Key<T>) -> T::Read<'a> {
        match self.effective().0 {
            Some(decided) => decided.get(key),
            None => key.default(),
        }
    }

    /// Settings in effect for a person with values `own`. A value that the person may not change is kept by
    /// the caller and not used.
    pub fn resolve(self, group: SettingsGroup, own: Option<&SettingValues>) -> EffectiveSettings {
        let defaults = SettingValues::default();
        let (scope, decided_by) = self.effective();
        let scope = scope.unwrap_or(&defaults);
        let mut resolved = EffectiveSettings {
            group,
            values: BTreeMap::new(),
            changeable: BTreeSet::new(),
            decided_by,
        };
        for setting in group.settings() {
            let may = scope.user_may_change(setting);
            let own = own.and_then(|own| own.values.get(setting.key));
            let value = own.filter(|_| may).unwrap_or(scope.value(setting));
            resolved.values.insert(setting.key, value.clone());
            if may {
                resolved.changeable.insert(setting.key);
            }
        }
        resolved
    }
}

/// Settings of a group in effect for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSettings {
    /// The group.
    pub group: SettingsGroup,
    /// Values by key.
    pub values: BTreeMap<&'static str, Value>,
    /// Keys that the person may change.
    pub changeable: BTreeSet<&'static str>,
    /// The scope that decided.
    pub decided_by: DecidingScope,
}

impl EffectiveSettings {
    /// Value of a setting of this group.
    pub fn get<T: SettingType>(&self, key: Key<T>) -> T::Read<'_> {
        debug_assert_eq!(key.group, self.group, "{}", key.name);
        let value = self.values.get(key.name).and_then(T::read);
        value.unwrap_or_default()
    }

    /// Replaces the value of a setting of this group.
    pub fn set<T: SettingType>(&mut self, key: Key<T>, value: T::Read<'_>) {
        debug_assert_eq!(key.group, self.group, "{}", key.name);
        self.values.insert(key.name, T::value(value));
    }
}
