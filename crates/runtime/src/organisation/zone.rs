//! The organisation's time zone, for times of calendars without a zone: the setting `time_zone` of the group `calendar` at the
//! organisation, or the server's zone until an administrator sets one.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use presence::{EffectiveSettings, SettingsGroup, setting_keys};

use super::{ORGANISATION, Snapshot};

/// The time zone of the server's system; UTC if the system has no known one.
#[derive(Clone, Debug)]
pub(super) struct ServerZone(Cow<'static, str>);

impl Default for ServerZone {
    fn default() -> Self {
        Self(Cow::Borrowed("UTC"))
    }
}

impl ServerZone {
    /// Reads the variable `TZ`, or the system's setting.
    pub(super) fn detect() -> Self {
        let zone = TimeZone::try_system().ok();
        let name = zone.as_ref().and_then(TimeZone::iana_name);
        let known = name.filter(|name| calendar::is_zone(name));
        known.map_or_else(Self::default, |name| Self(Cow::Owned(name.to_owned())))
    }
}

impl Snapshot {
    /// The time zone that an administrator has set for the organisation.
    pub fn chosen_zone(&self) -> Option<&str> {
        let page = self.overrides(ORGANISATION, SettingsGroup::Calendar)?;
        page.get(setting_keys::TIME_ZONE)
    }

    /// The organisation's time zone.
    pub fn zone(&self) -> &str {
        self.chosen_zone().unwrap_or(&self.server_zone.0)
    }

    /// The settings, with the organisation's time zone if no scope sets one.
    pub(super) fn with_zone(
        &self,
        page: SettingsGroup,
        mut resolved: EffectiveSettings,
    ) -> EffectiveSettings {
        if page == SettingsGroup::Calendar && resolved.get(setting_keys::TIME_ZONE).is_none() {
            resolved.set(setting_keys::TIME_ZONE, Some(self.zone()));
        }
        resolved
    }
}

#[cfg(test)]
mod tests {
    use presence::{SettingValues, SettingsGroup, setting_keys};
    use serde_json::json;

    use super::{ORGANISATION, Snapshot};
    use crate::organisation::Membership;

    fn page(zone: Option<&str>) -> Option<SettingValues> {
        let mut values = SettingValues::default();
        let body = json!({"time_zone": zone, "texts": false});
        let body = body.as_object().unwrap().clone();
        crate::values::merge(SettingsGroup::Calendar, body, &mut values).unwrap();
        Some(values)
    }

    // The default is the organisation's zone, not UTC.
    #[test]
    fn the_zone_of_calendars_is_the_organisations_unless_a_scope_has_its_own() {
        let mut snapshot = Snapshot::default();
        let lyon = Membership {
            location: Some("lyon".into()),
            group: None,
        };
        let zone = |snapshot: &Snapshot, membership: &Membership| {
            let resolved = snapshot.resolve_scope(membership, SettingsGroup::Calendar);
            resolved.get(setting_keys::TIME_ZONE).unwrap().to_owned()
        };
        assert_eq!(snapshot.chosen_zone(), None);
        assert_eq!(
            zone(&snapshot, &Membership::default()),
            "UTC",
            "the server's"
        );
        snapshot.set_overrides(
            ORGANISATION,
            SettingsGroup::Calendar,
            page(Some("Europe/Berlin")),
        );
        assert_eq!(zone(&snapshot, &Membership::default()), "Europe/Berlin");
        // Settings of its own, but no zone.
        snapshot.set_overrides("lyon", SettingsGroup::Calendar, page(None));
        assert_eq!(zone(&snapshot, &lyon), "Europe/Berlin");
        snapshot.set_overrides("lyon", SettingsGroup::Calendar, page(Some("Europe/Paris")));
        assert_eq!(zone(&snapshot, &lyon), "Europe/Paris");
    }
}
