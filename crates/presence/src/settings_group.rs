//! Settings: function pages, what each has, and how the scope tree decides (domain section 8). Every setting stands in
//! [`SETTINGS`] once, with its meaning, its default and its limits; API, store and engine follow from there.

mod table;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{OwnerPolicy, Relationship, SyncMode, profile::same_name};
pub use table::SETTINGS;

/// A function page: settings that are default or individual together.
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
    /// Every page.
    pub const ALL: [Self; 6] = [
        Self::Presence,
        Self::Teams,
        Self::Microphone,
        Self::Profiles,
        Self::Automatic,
        Self::Calendar,
    ];

    /// The name that API and store use.
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

    /// The page called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// The settings on it.
    pub fn settings(self) -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(move |setting| setting.group == self)
    }

    /// The setting called `key` on it.
    pub fn setting(self, key: &str) -> Option<&'static Setting> {
        self.settings().find(|setting| setting.key == key)
    }
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number of seconds.
    Seconds(u32),
    /// A sync mode.
    Mode(SyncMode),
    /// A relationship.
    Level(Relationship),
    /// How far an owner's own relationships go.
    Policy(OwnerPolicy),
    /// The name of a profile; none: no profile.
    Profile(Option<Cow<'static, str>>),
    /// Words of the person's own, for example an address; none: nothing.
    Text(Option<Cow<'static, str>>),
}

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Where it stands.
    pub group: SettingsGroup,
    /// Its name there.
    pub key: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Its value on a fresh installation.
    pub default: Value,
    /// Whether an administrator may let people change it, and lets them at first.
    pub user_override: UserOverride,
    /// The least and the greatest number, for numbers.
    pub range: (u32, u32),
}

/// Whether people may have a value of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserOverride {
    /// Never.
    Never,
    /// Where an administrator allows it; not at first.
    WhereAllowed,
    /// Unless an administrator forbids it.
    UnlessForbidden,
}

/// The settings of one page of one scope: what differs from the product's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingValues {
    /// Values by key.
    pub values: BTreeMap<&'static str, Value>,
    /// Whether people may change a setting, where that is said.
    pub user_may_change: BTreeMap<&'static str, bool>,
}

impl SettingValues {
    /// The value of a setting.
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

    /// The names of profiles that the page uses.
    pub fn profiles(&self, group: SettingsGroup) -> impl Iterator<Item = (&'static Setting, &str)> {
        group
            .settings()
            .filter_map(|setting| match self.value(setting) {
                Value::Profile(Some(name)) => Some((setting, &**name)),
                _ => None,
            })
    }

    /// The keys that are set here, and not left to a default, to the profile called `name`.
    pub fn set_to(&self, name: &str) -> impl Iterator<Item = &'static str> {
        self.values
            .iter()
            .filter(move |(_, value)| {
                matches!(value, Value::Profile(Some(used)) if same_name(used, name))
            })
            .map(|(key, _)| *key)
    }

    /// The settings of the page that use the profile called `name`.
    pub fn uses(&self, group: SettingsGroup, name: &str) -> impl Iterator<Item = &'static Setting> {
        self.profiles(group)
            .filter(move |(_, used)| same_name(used, name))
            .map(|(setting, _)| setting)
    }
}

/// What decided a page.
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

/// One page's individual settings along the way from the organisation to a person's configuration group; `None` where a
/// scope is *default*.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScopeChain<'a> {
    /// The organisation's.
    pub organisation: Option<&'a SettingValues>,
    /// The location's.
    pub location: Option<&'a SettingValues>,
    /// The configuration group's.
    pub group: Option<&'a SettingValues>,
}

impl<'a> ScopeChain<'a> {
    /// The settings that hold for everybody there: those of the nearest scope that is *individual*.
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

    /// What the scopes say of a setting, whatever people have of their own; `None`: the page has no such setting.
    pub fn value_of(self, group: SettingsGroup, key: &str) -> Option<&'a Value> {
        let setting = group.setting(key)?;
        let decided = self.effective().0;
        Some(decided.map_or(&setting.default, |decided| decided.value(setting)))
    }

    /// What holds for a person with values of its own. A value that the person may not change (any more) is kept by the
    /// caller and not used.
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

/// What holds for a person: every setting of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSettings {
    /// Values by key.
    pub values: BTreeMap<&'static str, Value>,
    /// The settings that the person may change.
    pub changeable: BTreeSet<&'static str>,
    /// The scope that decided.
    pub decided_by: DecidingScope,
}

impl EffectiveSettings {
    /// A flag; a setting of another kind reads as false.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Value::Flag(true)))
    }

    /// A number of seconds.
    pub fn seconds(&self, key: &str) -> u32 {
        match self.values.get(key) {
            Some(Value::Seconds(seconds)) => *seconds,
            _ => 0,
        }
    }

    /// The sync mode.
    pub fn mode(&self, key: &str) -> SyncMode {
        match self.values.get(key) {
            Some(Value::Mode(mode)) => *mode,
            _ => SyncMode::None,
        }
    }

    /// The name of a profile, or other words.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Profile(text) | Value::Text(text)) => text.as_deref(),
            _ => None,
        }
    }

    /// A relationship.
    pub fn level(&self, key: &str) -> Relationship {
        match self.values.get(key) {
            Some(Value::Level(level)) => *level,
            _ => Relationship::Unknown,
        }
    }

    /// How far an owner's own relationships go.
    pub fn policy(&self, key: &str) -> OwnerPolicy {
        match self.values.get(key) {
            Some(Value::Policy(policy)) => *policy,
            _ => OwnerPolicy::default(),
        }
    }
}
