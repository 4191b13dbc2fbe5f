//! Settings and the decision by the chain of scopes (docs/presence-rules.md, "Settings and scopes").

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    DecidingScope, PersonPolicy, SETTINGS, ScopeChain, Setting, SettingValues, SettingsGroup,
    SyncMode, UserOverride, Value,
};

fn values(of: impl IntoIterator<Item = (&'static str, Value)>) -> SettingValues {
    SettingValues {
        values: of.into_iter().collect(),
        user_may_change: BTreeMap::new(),
    }
}

fn mode(mode: SyncMode) -> SettingValues {
    values([("mode", Value::Mode(mode))])
}

fn saying(mut page: SettingValues, key: &'static str, may: bool) -> SettingValues {
    page.user_may_change.insert(key, may);
    page
}

#[test]
fn every_setting_resolves_to_its_default_on_a_fresh_installation() {
    for setting in &SETTINGS {
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
fn every_page_has_settings_and_a_name() {
    for page in SettingsGroup::ALL {
        assert!(page.settings().count() > 0, "{page:?}");
        assert_eq!(SettingsGroup::from_name(page.name()), Some(page));
    }
}

#[test]
fn every_number_has_limits_and_a_default_within_them() {
    for setting in &SETTINGS {
        if let Value::Seconds(default) = setting.default {
            let (least, greatest) = setting.range;
            assert!((least..=greatest).contains(&default), "{}", setting.key);
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
    assert_eq!(teams.mode("mode"), SyncMode::None);
    assert!(teams.flag("base_from_teams"));
    assert!(!teams.flag("renew_dnd"));
    let microphone = ScopeChain::default().resolve(SettingsGroup::Microphone, None);
    assert!(!microphone.flag("enabled"));
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
        assert_eq!(resolved.mode("mode"), expected);
        assert_eq!(resolved.decided_by, decided_by);
    }
}

#[test]
fn switching_to_individual_starts_from_the_products_defaults() {
    let location = values([
        ("mode", Value::Mode(SyncMode::TelephonyOnly)),
        ("renew_dnd", Value::Flag(true)),
    ]);
    let group = SettingValues::default();
    let way = ScopeChain {
        location: Some(&location),
        group: Some(&group),
        ..ScopeChain::default()
    };
    let resolved = way.resolve(SettingsGroup::Teams, None);
    assert_eq!(resolved.mode("mode"), SyncMode::None);
    assert!(!resolved.flag("renew_dnd"));
}

#[test]
fn whether_people_may_change_a_setting_follows_its_kind_and_the_scope() {
    for setting in &SETTINGS {
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
            .mode("mode"),
        SyncMode::TelephonyOnly
    );
    let locked = saying(scope.clone(), "mode", false);
    let resolved = way(&locked).resolve(SettingsGroup::Teams, Some(&own));
    assert_eq!(
        resolved.mode("mode"),
        SyncMode::TelephonyAndPresence,
        "kept but not used"
    );
    assert_eq!(resolved.changeable, BTreeSet::new());
    let open = saying(scope.clone(), "mode", true);
    let resolved = way(&open).resolve(SettingsGroup::Teams, Some(&own));
    assert_eq!(resolved.mode("mode"), SyncMode::TelephonyOnly, "used again");
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
            way.resolve(SettingsGroup::Teams, own).mode("mode"),
            SyncMode::TelephonyOnly
        );
    }
}

#[test]
fn the_policy_follows_from_the_pages() {
    let teams = values([
        ("mode", Value::Mode(SyncMode::TelephonyAndPresence)),
        ("base_from_teams", Value::Flag(false)),
        ("renew_dnd", Value::Flag(true)),
    ]);
    let automatic = values([
        ("client_start", Value::Profile(Some("Desk".into()))),
        ("client_end", Value::Profile(None)),
        ("client_end_after", Value::Seconds(5)),
        ("inactivity", Value::Profile(Some("Idle".into()))),
        ("inactivity_after", Value::Seconds(60)),
        ("locked", Value::Profile(None)),
    ]);
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
