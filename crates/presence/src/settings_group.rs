//! Settings: their groups, and the decision by the chain of scopes (docs/presence-rules.md, "Settings and
//! scopes"). [`SETTINGS`] has every setting once, with meaning, default and limits; API, store and engine follow
//! from it.

mod table;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

pub use table::SETTINGS;

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
    /// A number of seconds.
    Seconds(u32),
    /// A synchronisation mode.
    Mode(SyncMode),
    /// A relationship.
    Level(Relationship),
    /// A policy for owners' own relationships.
    Policy(OwnerPolicy),
    /// Name of a profile; `None`: no profile.
    Profile(Option<Cow<'static, str>>),
    /// Free text, for example an address; `None`: nothing.
    Text(Option<Cow<'static, str>>),
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
    /// Smallest and largest number, for numbers.
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
            .filter_map(|setting| match self.value(setting) {
                Value::Profile(Some(name)) => Some((setting, &**name)),
                _ => None,
            })
    }

    /// Keys that are set, and not left to a default, to the profile called `name`.
    pub fn set_to(&self, name: &str) -> impl Iterator<Item = &'static str> {
        self.values
            .iter()
            .filter(move |(_, value)| {
                matches!(value, Value::Profile(Some(used)) if same_name(used, name))
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

    /// Value of a setting in the scopes, without people's own values; `None`: the group has no such setting.
    pub fn value_of(self, group: SettingsGroup, key: &str) -> Option<&'a Value> {
        let setting = group.setting(key)?;
        let decided = self.effective().0;
        Some(decided.map_or(&setting.default, |decided| decided.value(setting)))
    }

    /// Settings in effect for a person with values `own`. A value that the person may not change is kept by
    /// the caller and not used.
    pub fn resolve(self, group: SettingsGroup, own: Option<&SettingValues>) -> EffectiveSettings {
        let defaults = SettingValues::default();
        let (scope, decided_by) = self.effective();
        let scope = scope.unwrap_or(&defaults);
        let mut resolved = EffectiveSettings {
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
    /// Values by key.
    pub values: BTreeMap<&'static str, Value>,
    /// Keys that the person may change.
    pub changeable: BTreeSet<&'static str>,
    /// The scope that decided.
    pub decided_by: DecidingScope,
}

impl EffectiveSettings {
    /// A flag; a setting of another kind reads as false.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Value::Flag(true)))
    }

    /// A number of seconds; a setting of another kind reads as 0.
    pub fn seconds(&self, key: &str) -> u32 {
        match self.values.get(key) {
            Some(Value::Seconds(seconds)) => *seconds,
            _ => 0,
        }
    }

    /// The synchronisation mode; a setting of another kind reads as none.
    pub fn mode(&self, key: &str) -> SyncMode {
        match self.values.get(key) {
            Some(Value::Mode(mode)) => *mode,
            _ => SyncMode::None,
        }
    }

    /// Name of a profile, or free text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Profile(text) | Value::Text(text)) => text.as_deref(),
            _ => None,
        }
    }

    /// A relationship; a setting of another kind reads as unknown.
    pub fn level(&self, key: &str) -> Relationship {
        match self.values.get(key) {
            Some(Value::Level(level)) => *level,
            _ => Relationship::Unknown,
        }
    }

    /// A policy for owners' own relationships.
    pub fn policy(&self, key: &str) -> OwnerPolicy {
        match self.values.get(key) {
            Some(Value::Policy(policy)) => *policy,
            _ => OwnerPolicy::default(),
        }
    }
}
