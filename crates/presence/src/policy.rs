//! What holds for a person, taken from settings and profiles. People for whom the same holds share one.

use std::{sync::Arc, time::Duration};

use crate::{
    ClientSignal, ClientState, EffectiveSettings, MyProfiles, SyncMode, Timestamp, Timing,
};

/// What decides about a person besides the signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPolicy {
    /// What crosses between Teams and Offhook.
    pub mode: SyncMode,
    /// Without a client the person shows what Teams shows.
    pub base_from_teams: bool,
    /// Write Do not disturb again when Microsoft drops it.
    pub renew_do_not_disturb: bool,
    /// The person's profiles.
    pub profiles: MyProfiles,
    /// Automatic activation.
    pub automatic: Automatic,
}

/// What holds for one person, as the mirror takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) policy: &'a PersonPolicy,
    pub(crate) timing: &'a Timing,
}

/// Which profile comes into force by itself (profile rules 7 and 8). `None`: the trigger is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// While a client runs and nothing else applies.
    pub client_start: Option<Arc<str>>,
    /// When no client runs any more …
    pub client_end: Option<Arc<str>>,
    /// … for so long.
    pub client_end_after: Duration,
    /// When nobody touches keyboard or mouse …
    pub inactivity: Option<Arc<str>>,
    /// … for so long.
    pub inactivity_after: Duration,
    /// While the screen is locked.
    pub locked: Option<Arc<str>>,
}

impl Default for Automatic {
    fn default() -> Self {
        Self::from(&crate::ScopeChain::default().resolve(crate::SettingsGroup::Automatic, None))
    }
}

impl Automatic {
    /// When nobody is at a client any more, if nobody says otherwise meanwhile. A locked screen is one that nobody
    /// touches where locking has no profile of its own. `None`: somebody is there, or the client cannot tell.
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
    /// From the page of that name.
    fn from(page: &EffectiveSettings) -> Self {
        let after = |key| Duration::from_secs(page.seconds(key).into());
        let profile = |key| page.text(key).map(Into::into);
        Self {
            client_start: profile("client_start"),
            client_end: profile("client_end"),
            client_end_after: after("client_end_after"),
            inactivity: profile("inactivity"),
            inactivity_after: after("inactivity_after"),
            locked: profile("locked"),
        }
    }
}

impl PersonPolicy {
    /// From the resolved pages `teams` and `automatic` and the person's profiles.
    pub fn new(
        teams: &EffectiveSettings,
        automatic: &EffectiveSettings,
        profiles: MyProfiles,
    ) -> Self {
        Self {
            mode: teams.mode("mode"),
            base_from_teams: teams.flag("base_from_teams"),
            renew_do_not_disturb: teams.flag("renew_dnd"),
            profiles,
            automatic: automatic.into(),
        }
    }

    /// The product's defaults with another mode.
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
