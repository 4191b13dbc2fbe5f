//! The policy of a person, derived from settings and profiles. People with equal policies share one.

use std::{sync::Arc, time::Duration};

use crate::{
    ClientSignal, ClientState, EffectiveSettings, Key, MyProfiles, ProfileName, SyncMode,
    Timestamp, Timing, setting_keys,
};

/// Settings and profiles that decide about a person besides the signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPolicy {
    /// Kinds of presence that cross between Teams and Offhook.
    pub mode: SyncMode,
    /// Without a client the person's status is that of Teams.
    pub base_from_teams: bool,
    /// Write Do not disturb again when Microsoft drops it after a day.
    pub renew_do_not_disturb: bool,
    /// The person's profiles.
    pub profiles: MyProfiles,
    /// Automatic activation of profiles.
    pub automatic: Automatic,
}

/// The policy of one person and the engine's times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) policy: &'a PersonPolicy,
    pub(crate) timing: &'a Timing,
}

/// Profiles that come into force automatically (docs/presence-rules.md, "Automatic activation"). `None`: the
/// trigger is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// Profile while a client runs and no other rule applies.
    pub client_start: Option<Arc<str>>,
    /// Profile when no client runs …
    pub client_end: Option<Arc<str>>,
    /// … for this time.
    pub client_end_after: Duration,
    /// Profile when keyboard and mouse are not used …
    pub inactivity: Option<Arc<str>>,
    /// … for this time.
    pub inactivity_after: Duration,
    /// Profile while the screen is locked.
    pub locked: Option<Arc<str>>,
}

impl Default for Automatic {
    fn default() -> Self {
        Self::from(&crate::ScopeChain::default().resolve(crate::SettingsGroup::Automatic, None))
    }
}

impl Automatic {
    /// Time at which the person counts as away from a client, if its state stays the same; `None` if the
    /// client is in use or cannot detect it. If the trigger for a locked screen is off, a locked screen
    /// counts as unused.
    pub(crate) fn away_at(&self, client: &ClientSignal) -> Option<Timestamp> {
        match client.state {
            ClientState::Unknown | ClientState::Active => None,
            ClientState::Locked if self.locked.is_some() => Some(client.since),
            ClientState::Locked | ClientState::Inactive => {
                Some(client.since + self.inactivity_after)
            }
        }
    }
}

impl From<&EffectiveSettings> for Automatic {
    /// Reads the settings of the group `automatic`.
    fn from(page: &EffectiveSettings) -> Self {
        let profile = |key: Key<ProfileName>| page.get(key).map(Into::into);
        Self {
            client_start: profile(setting_keys::CLIENT_START_PROFILE),
            client_end: profile(setting_keys::CLIENT_END_PROFILE),
            client_end_after: page.get(setting_keys::CLIENT_END_AFTER),
            inactivity: profile(setting_keys::INACTIVITY_PROFILE),
            inactivity_after: page.get(setting_keys::INACTIVITY_AFTER),
            locked: profile(setting_keys::LOCKED_PROFILE),
        }
    }
}

impl PersonPolicy {
    /// Builds the policy from the effective settings of the groups `teams` and `automatic` and the person's
    /// profiles.
    pub fn new(
        teams: &EffectiveSettings,
        automatic: &EffectiveSettings,
        profiles: MyProfiles,
    ) -> Self {
        Self {
            mode: teams.get(setting_keys::SYNC_MODE),
            base_from_teams: teams.get(setting_keys::BASE_FROM_TEAMS),
            renew_do_not_disturb: teams.get(setting_keys::RENEW_DND),
            profiles,
            automatic: automatic.into(),
        }
    }

    /// The policy of a fresh installation with another mode.
    pub fn with_mode(mode: SyncMode) -> Self {
        let page = |page| crate::ScopeChain::default().resolve(page, None);
        let policy = Self::new(
            &page(crate::SettingsGroup::Teams),
            &page(crate::SettingsGroup::Automatic),
            MyProfiles::default(),
        );
        Self { mode, ..policy }
    }
}

impl Default for PersonPolicy {
    fn default() -> Self {
        Self::with_mode(SyncMode::None)
    }
}
