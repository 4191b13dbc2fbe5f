//! Templates of scopes, migration of templates that were offered in several scopes, and inactive profiles.

use presence::{Forwarding, Origin, PersonId, Profile, Status};
use store::{Audience, ORGANISATION, ScopeKind, Store, StoreError, Template};

use crate::{CHANGE, audit_rows, migration, open, people, refusal, with_people};

fn template(name: &str, scope: &str) -> Template {
    Template {
        profile: Profile::central(name, Status::Busy),
        scope: scope.into(),
        audience: Audience::Everyone,
        people: Vec::new(),
    }
}

/// Name and scope of each template.
async fn places(store: &Store) -> Vec<(String, String)> {
    let templates = store.templates().await.unwrap().into_iter();
    let places = templates.map(|one| (one.profile.name.to_string(), one.scope.to_string()));
    places.collect()
}

/// Locations Berlin with the group Sales, and Lyon. Anna is in Sales, Bert in Berlin, Clara in Lyon, Dora in no location.
const PLACES: &str = "
    INSERT INTO scopes (id, kind, parent, name, key) VALUES
        ('berlin', 'location', 'organisation', 'Berlin', 'berlin'),
        ('lyon', 'location', 'organisation', 'Lyon', 'lyon'),
        ('sales', 'group', 'berlin', 'Sales', 'sales');
    INSERT INTO people (id, name, mail, user_principal_name, location, configuration_group) VALUES
        (1, 'Anna', 'a@contoso.example', '', 'berlin', 'sales'),
        (2, 'Bert', 'b@contoso.example', '', 'berlin', NULL),
        (3, 'Clara', 'c@contoso.example', '', 'lyon', NULL),
        (4, 'Dora', 'd@contoso.example', '', NULL, NULL);";

/// Templates offered in one scope, two locations, the organisation and a location, a location and its group, and no scope.
const TEMPLATES: &str = "
    INSERT INTO templates (key, name, status, forwarding, target, text, active, position) VALUES
        ('ms teams', 'MS Teams', 'Busy', 'all', 'voicemail', 'In Teams', 1, 6),
        ('canteen', ' Canteen', 'BeRightBack', 'off', NULL, NULL, 0, 7),
        ('lunch', 'LUNCH', 'BeRightBack', 'off', NULL, NULL, 1, 8),
        ('night', 'Night', 'Absent', 'external', '1001', NULL, 1, 9),
        ('draft', 'Draft', 'Absent', 'off', NULL, NULL, 1, 10);
    UPDATE templates SET position = -1 WHERE key = 'absent';
    INSERT INTO template_offers (template, scope) VALUES
        ('ms teams', 'organisation'), ('ms teams', 'lyon'),
        ('canteen', 'berlin'), ('canteen', 'lyon'),
        ('lunch', 'sales'), ('lunch', 'berlin');
    INSERT INTO template_people (template, person) VALUES
        ('ms teams', 3), ('ms teams', 4), ('canteen', 2), ('canteen', 4), ('lunch', 1), ('lunch', 2), ('lunch', 3),
        ('night', 1), ('night', 4);
    INSERT INTO personal_profiles (person, key, name, status, forwarding, position)
    VALUES (1, 'lunch', 'Lunch', 'Absent', 'off', 0);
    INSERT INTO profile_orders (person, names) VALUES (1, '[\"lunch\",\"ms TEAMS\"]');
    INSERT INTO choices (person, profile, since) VALUES (4, 'night', 1);
    INSERT INTO pages (scope, page, value) VALUES ('lyon', 'automatic', '{\"locked\":\"CANTEEN\"}');
    INSERT INTO audit (at, who, what, target, after) VALUES (1, 'eve', 'template.set', 'Night', '{\"offers\":[]}');";

#[tokio::test]
async fn two_scopes_have_templates_of_one_name_and_one_scope_has_not() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let ulm = store
        .add_scope(ScopeKind::Location, ORGANISATION, "Ulm", &CHANGE)
        .await
        .unwrap();
    let of_ulm = Template {
        audience: Audience::Assigned,
        people: vec![anna],
        ..template("busy", ulm.as_str())
    };
    store.add_template(&of_ulm, &CHANGE).await.unwrap();
    let pair = |name: &str, scope: &str| (name.to_owned(), scope.to_owned());
    let beside = [pair("Busy", "organisation"), pair("busy", "ulm")];
    assert_eq!(places(&store).await[1..3], beside, "one place in the order");
    let twice = template(" BUSY ", ulm.as_str());
    let error = refusal(&store, store.add_template(&twice, &CHANGE)).await;
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let to_organisation = Template {
        scope: ORGANISATION.clone(),
        ..of_ulm.clone()
    };
    let moving = store.change_template(&ulm, &to_organisation, &CHANGE);
    let error = refusal(&store, moving).await;
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let list = ["Absent", "BUSY"].map(String::from);
    store.order_templates(&list, &CHANGE).await.unwrap();
    let first = [
        pair("Absent", "organisation"),
        pair("Busy", "organisation"),
        pair("busy", "ulm"),
    ];
    assert_eq!(places(&store).await[..3], first);
    store
        .delete_template(ORGANISATION, "Busy", &CHANGE)
        .await
        .unwrap();
    store
        .change_template(&ulm, &to_organisation, &CHANGE)
        .await
        .unwrap();
    let templates = store.templates().await.unwrap();
    assert!(templates.contains(&to_organisation), "{templates:?}");
}

#[tokio::test]
async fn a_profile_of_ones_own_that_is_switched_off_is_kept_so() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    for active in [false, true, false] {
        let profile = Profile {
            active,
            origin: Origin::Personal,
            ..Profile::central("Lunch", Status::Busy)
        };
        store.upsert_profile(anna, &profile, &CHANGE).await.unwrap();
        assert_eq!(people(&store).await[0].personal, [profile]);
    }
}

fn told(template: &Template) -> String {
    let people: Vec<String> = template.people.iter().map(ToString::to_string).collect();
    format!(
        "{} {} {:?} {} {} {:?}",
        template.scope,
        template.profile.name,
        template.audience,
        template.profile.status.name(),
        template.profile.forwarding.kind(),
        people.join(",")
    )
}

#[tokio::test]
async fn a_template_of_several_scopes_becomes_one_of_each_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    migration::of_version(&folder, 11).await;
    migration::run(&folder, &[PLACES, TEMPLATES]).await;
    let store = open(&folder).await;
    let templates = store.templates().await.unwrap();
    let told: Vec<String> = templates.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "organisation Absent Everyone Absent off \"\"",
            "organisation Available Everyone Available off \"\"",
            "organisation Busy Everyone Busy off \"\"",
            "organisation Be right back Everyone BeRightBack off \"\"",
            "organisation Do not disturb Everyone DoNotDisturb do_not_disturb \"\"",
            "organisation Appointment Everyone Busy off \"\"",
            "lyon MS Teams Everyone Busy all \"3\"",
            "organisation MS Teams Everyone Busy all \"4\"",
            "berlin  Canteen Everyone BeRightBack off \"2,4\"",
            "lyon  Canteen Everyone BeRightBack off \"\"",
            "berlin LUNCH Everyone BeRightBack off \"2,3\"",
            "sales LUNCH Everyone BeRightBack off \"1\"",
            "organisation Night Assigned Absent external \"1,4\"",
            "organisation Draft Assigned Absent off \"\"",
        ]
    );
    for template in &templates {
        let is_canteen = template.profile.name.contains("Canteen");
        assert_eq!(template.profile.active, !is_canteen);
        let is_teams = &*template.profile.name == "MS Teams";
        let text = is_teams.then_some("In Teams");
        assert_eq!(template.profile.text.as_deref(), text);
    }
    let stored = people(&store).await;
    let anna = &stored[0];
    assert_eq!(&*anna.personal[0].name, "Lunch");
    assert!(
        anna.personal[0].active,
        "P15: own profiles stay switched on"
    );
    assert_eq!(anna.order, ["lunch", "ms TEAMS"]);
    let choice = stored[3].record.choice.as_ref().unwrap();
    assert_eq!(&*choice.profile, "night");
    let page = store.settings(&"lyon".into(), "automatic").await.unwrap();
    assert_eq!(page.as_deref(), Some(r#"{"locked":"CANTEEN"}"#));
    assert_eq!(audit_rows(&store).await, 1);
    // The migrated database works like a new one.
    store
        .delete_template(&"lyon".into(), "canteen", &CHANGE)
        .await
        .unwrap();
    store.delete_person(PersonId(4), &CHANGE).await.unwrap();
    let nights = store.templates().await.unwrap();
    let night = nights.iter().find(|one| &*one.profile.name == "Night");
    assert_eq!(night.unwrap().people, [PersonId(1)]);
    assert_eq!(night.unwrap().audience, Audience::Assigned);
}

#[tokio::test]
async fn only_a_do_not_disturb_that_nobody_has_touched_refuses_calls_from_now_on() {
    let set = "INSERT INTO audit (at, who, what, target) VALUES (1, 'eve', 'template.set', ' DO not disturb')";
    let of = |statement: &'static str| {
        format!("UPDATE templates SET {statement} WHERE key = 'do not disturb'").leak()
    };
    for (before, refuses) in [
        ("SELECT 1", true),
        // Another place in the order is no change of the template, and neither is a row about another template.
        (
            "UPDATE templates SET position = 0 WHERE key = 'do not disturb'",
            true,
        ),
        (
            "INSERT INTO audit (at, who, what, target) VALUES (1, 'eve', 'template.set', 'Busy')",
            true,
        ),
        (set, false),
        (of("status = 'Busy'"), false),
        (of("text = 'x'"), false),
        (of("active = 0"), false),
        (of("name = 'do not disturb'"), false),
        (
            "INSERT INTO template_people (template, person) VALUES ('do not disturb', 1)",
            false,
        ),
        (
            "INSERT INTO template_offers (template, scope) VALUES ('do not disturb', 'lyon')",
            false,
        ),
        (
            "DELETE FROM template_offers WHERE template = 'do not disturb'",
            false,
        ),
        (
            "UPDATE template_offers SET scope = 'lyon' WHERE template = 'do not disturb'",
            false,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        migration::of_version(&folder, 11).await;
        migration::run(&folder, &[PLACES, before]).await;
        let templates = open(&folder).await.templates().await.unwrap();
        let ours = templates
            .iter()
            .filter(|one| one.profile.name.eq_ignore_ascii_case("do not disturb"));
        let refused = ours
            .filter(|one| one.profile.forwarding == Forwarding::DoNotDisturb)
            .count();
        assert_eq!(refused, usize::from(refuses), "{before}");
    }
    let folder = tempfile::tempdir().unwrap();
    migration::of_version(&folder, 11).await;
    migration::run(&folder, &[of("forwarding = 'all', target = '1001'")]).await;
    let templates = open(&folder).await.templates().await.unwrap();
    let kinds: Vec<&str> = templates
        .iter()
        .map(|one| one.profile.forwarding.kind())
        .collect();
    assert_eq!(kinds, ["off", "off", "off", "all", "off", "off"]);
}
