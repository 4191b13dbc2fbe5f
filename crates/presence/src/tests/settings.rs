//! Settings and the decision by the chain of scopes (docs/presence-rules.md, "Settings and scopes").

use std::{collections::BTreeSet, time::Duration};

use crate::{
    DecidingScope, PersonPolicy, SETTINGS, ScopeChain, Setting, SettingValues, SettingsGroup,
    SyncMode, UserOverride, Value, setting_keys, settings_group::TYPES,
};

fn values(set: impl FnOnce(&mut SettingValues)) -> SettingValues {
    let mut values = SettingValues::default();
    set(&mut values);
    values
}

fn mode(mode: SyncMode) -> SettingValues {
    values(|values| values.set(setting_keys::SYNC_MODE, mode))
}

fn saying(mut page: SettingValues, key: &'static str, may: bool) -> SettingValues {
    page.user_may_change.insert(key, may);
    page
}

#[test]
fn every_setting_resolves_to_its_default_on_a_fresh_installation() {
    for setting in SETTINGS {
        let resolved = ScopeChain::default().resolve(setting.group, None);
        assert_eq!(resolved.values.get(setting.key), Some(&setting.default));
        assert_eq!(resolved.decided_by, DecidingScope::Product);
        assert!(!setting.meaning.is_empty());
        let found = setting.group.setting(setting.key).unwrap();
        assert!(
            std::ptr::eq(found, setting),
            "{} is there once",
            setting.key
        );
    }
    let of_pages: usize = SettingsGroup::ALL
        .iter()
        .map(|page| page.settings().count())
        .sum();
    assert_eq!(of_pages, SETTINGS.len());
}

#[test]
fn every_default_is_of_the_type_of_its_key_alone() {
    for (setting, is_of_type) in SETTINGS.iter().zip(TYPES) {
        assert!(is_of_type(&setting.default), "{}", setting.key);
        let same_key = |other: &&Setting| (other.group, other.key) == (setting.group, setting.key);
        assert_eq!(
            SETTINGS.iter().filter(same_key).count(),
            1,
            "{}",
            setting.key
        );
        let other = match setting.default {
            Value::Flag(_) => Value::Mode(SyncMode::None),
            Value::Duration(_)
            | Value::Mode(_)
            | Value::Level(_)
            | Value::Policy(_)
            | Value::ProfileName(_)
            | Value::TimeZone(_)
            | Value::FeedAddress(_) => Value::Flag(true),
        };
        assert!(!is_of_type(&other), "{}", setting.key);
    }
    assert_eq!(SETTINGS.len(), TYPES.len());
}

#[test]
fn every_page_has_settings_and_a_name() {
    for page in SettingsGroup::ALL {
        assert!(page.settings().count() > 0, "{page:?}");
        assert_eq!(SettingsGroup::from_name(page.name()), Some(page));
    }
}

#[test]
fn every_number_has_limits_and_a_default_within_them() {
    for setting in SETTINGS {
        if let Value::Duration(default) = setting.default {
            let (least, greatest) = setting.range;
            let range = u64::from(least)..=u64::from(greatest);
            assert!(range.contains(&default.as_secs()), "{}", setting.key);
            assert!(greatest <= 24 * 3600, "{}", setting.key);
        }
    }
}

#[test]
fn every_profile_that_a_default_names_is_offered_at_first() {
    let profiles = crate::MyProfiles::default();
    for page in SettingsGroup::ALL {
        for (setting, name) in SettingValues::default().profiles(page) {
            assert!(profiles.named(name).is_some(), "{}: {name}", setting.key);
        }
    }
}

#[test]
fn at_first_nothing_crosses_to_teams_and_no_microphone_is_shown() {
    let teams = ScopeChain::default().resolve(SettingsGroup::Teams, None);
    assert_eq!(teams.get(setting_keys::SYNC_MODE), SyncMode::None);
    assert!(teams.get(setting_keys::BASE_FROM_TEAMS));
    assert!(!teams.get(setting_keys::RENEW_DND));
    let microphone = ScopeChain::default().resolve(SettingsGroup::Microphone, None);
    assert!(!microphone.get(setting_keys::MICROPHONE_ENABLED));
}

#[test]
fn the_nearest_individual_scope_decides() {
    let [organisation, location, group] = [
        mode(SyncMode::TelephonyOnly),
        mode(SyncMode::None),
        mode(SyncMode::TelephonyAndPresence),
    ];
    for (way, expected, decided_by) in [
        (
            ScopeChain::default(),
            SyncMode::None,
            DecidingScope::Product,
        ),
        (
            ScopeChain {
                organisation: Some(&organisation),
                ..ScopeChain::default()
            },
            SyncMode::TelephonyOnly,
            DecidingScope::Organisation,
        ),
        (
            ScopeChain {
                organisation: Some(&organisation),
                location: Some(&location),
                group: None,
            },
            SyncMode::None,
            DecidingScope::Location,
        ),
        (
            ScopeChain {
                organisation: Some(&organisation),
                location: Some(&location),
                group: Some(&group),
            },
            SyncMode::TelephonyAndPresence,
            DecidingScope::Group,
        ),
        (
            ScopeChain {
                organisation: Some(&organisation),
                location: None,
                group: Some(&group),
            },
            SyncMode::TelephonyAndPresence,
            DecidingScope::Group,
        ),
    ] {
        let resolved = way.resolve(SettingsGroup::Teams, None);
        assert_eq!(resolved.get(setting_keys::SYNC_MODE), expected);
        assert_eq!(resolved.decided_by, decided_by);
    }
}

#[test]
fn switching_to_individual_starts_from_the_products_defaults() {
    let location = values(|values| {
        values.set(setting_keys::SYNC_MODE, SyncMode::TelephonyOnly);
        values.set(setting_keys::RENEW_DND, true);
    });
    let group = SettingValues::default();
    let way = ScopeChain {
        location: Some(&location),
        group: Some(&group),
        ..ScopeChain::default()
    };
    let resolved = way.resolve(SettingsGroup::Teams, None);
    assert_eq!(resolved.get(setting_keys::SYNC_MODE), SyncMode::None);
    assert!(!resolved.get(setting_keys::RENEW_DND));
}

#[test]
fn whether_people_may_change_a_setting_follows_its_kind_and_the_scope() {
    for setting in SETTINGS {
        let may = |page: &SettingValues| page.user_may_change(setting);
        let said = |may| saying(SettingValues::default(), setting.key, may);
        let (at_first, allowed, forbidden) = match setting.user_override {
            UserOverride::Never => (false, false, false),
            UserOverride::WhereAllowed => (false, true, false),
            UserOverride::UnlessForbidden => (true, true, false),
        };
        assert_eq!(may(&SettingValues::default()), at_first, "{}", setting.key);
        assert_eq!(may(&said(true)), allowed, "{}", setting.key);
        assert_eq!(may(&said(false)), forbidden, "{}", setting.key);
    }
}

#[test]
fn a_persons_own_value_counts_where_people_may_change_it() {
    let own = mode(SyncMode::TelephonyOnly);
    let scope = mode(SyncMode::TelephonyAndPresence);
    let way = |group| ScopeChain {
        group: Some(group),
        ..ScopeChain::default()
    };
    assert_eq!(
        way(&scope)
            .resolve(SettingsGroup::Teams, Some(&own))
            .get(setting_keys::SYNC_MODE),
        SyncMode::TelephonyOnly
    );
    let locked = saying(scope.clone(), "mode", false);
    let resolved = way(&locked).resolve(SettingsGroup::Teams, Some(&own));
    assert_eq!(
        resolved.get(setting_keys::SYNC_MODE),
        SyncMode::TelephonyAndPresence,
        "kept but not used"
    );
    assert_eq!(resolved.changeable, BTreeSet::new());
    let open = saying(scope.clone(), "mode", true);
    let resolved = way(&open).resolve(SettingsGroup::Teams, Some(&own));
    assert_eq!(
        resolved.get(setting_keys::SYNC_MODE),
        SyncMode::TelephonyOnly,
        "used again"
    );
    assert!(resolved.changeable.contains("mode"));
}

#[test]
fn a_person_without_a_value_of_their_own_follows_the_scope() {
    let scope = mode(SyncMode::TelephonyOnly);
    let way = ScopeChain {
        location: Some(&scope),
        ..ScopeChain::default()
    };
    for own in [None, Some(&SettingValues::default())] {
        assert_eq!(
            way.resolve(SettingsGroup::Teams, own)
                .get(setting_keys::SYNC_MODE),
            SyncMode::TelephonyOnly
        );
    }
}

#[test]
fn the_policy_follows_from_the_pages() {
    let teams = values(|values| {
        values.set(setting_keys::SYNC_MODE, SyncMode::TelephonyAndPresence);
        values.set(setting_keys::BASE_FROM_TEAMS, false);
        values.set(setting_keys::RENEW_DND, true);
    });
    let automatic = values(|values| {
        values.set(setting_keys::CLIENT_START_PROFILE, Some("Desk"));
        values.set(setting_keys::CLIENT_END_PROFILE, None);
        values.set(setting_keys::CLIENT_END_AFTER, Duration::from_secs(5));
        values.set(setting_keys::INACTIVITY_PROFILE, Some("Idle"));
        values.set(setting_keys::INACTIVITY_AFTER, Duration::from_secs(60));
        values.set(setting_keys::LOCKED_PROFILE, None);
    });
    let resolve = |page, values| {
        let way = ScopeChain {
            organisation: Some(values),
            ..ScopeChain::default()
        };
        way.resolve(page, None)
    };
    let profiles = crate::MyProfiles::default();
    let policy = PersonPolicy::new(
        &resolve(SettingsGroup::Teams, &teams),
        &resolve(SettingsGroup::Automatic, &automatic),
        profiles,
    );
    assert_eq!(policy.mode, SyncMode::TelephonyAndPresence);
    assert!(!policy.base_from_teams && policy.renew_do_not_disturb);
    assert_eq!(policy.automatic.client_start.as_deref(), Some("Desk"));
    assert_eq!(policy.automatic.client_end, None);
    assert_eq!(policy.automatic.client_end_after.as_secs(), 5);
    assert_eq!(policy.automatic.inactivity.as_deref(), Some("Idle"));
    assert_eq!(policy.automatic.inactivity_after.as_secs(), 60);
    assert_eq!(policy.automatic.locked, None);
}

#[test]
fn the_uses_of_a_profile_are_found_without_case_and_blanks() {
    let page = SettingValues::default();
    let used = |page_of, name| -> Vec<&str> {
        let uses = page.uses(page_of, name);
        uses.map(|setting: &Setting| setting.key).collect()
    };
    assert_eq!(used(SettingsGroup::Automatic, " ABSENT "), ["client_end"]);
    assert_eq!(used(SettingsGroup::Calendar, "appointment"), ["busy"]);
    assert!(used(SettingsGroup::Automatic, "Available").is_empty());
    // Every use is named, not only the first.
    assert_eq!(
        used(SettingsGroup::Automatic, "Be right back"),
        ["inactivity", "locked"]
    );
}
