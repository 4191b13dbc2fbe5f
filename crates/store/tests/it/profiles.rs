//! Templates, personal profiles, appointments, relationships.

use std::sync::Arc;

use presence::{
    Appointment, AppointmentId, AppointmentOrigin, Forwarding, Origin, PersonId, Profile,
    Relationship, Status, Target,
};
use proptest::{prelude::Strategy, sample::subsequence};
use store::{Audience, ORGANISATION, ScopeKind, Store, StoreError, Template};

use crate::{CHANGE, NOW, after, audit_rows, open, people, refusal, with_people};

fn template(name: &str) -> Template {
    Template {
        profile: Profile {
            forwarding: Forwarding::All(Target::Voicemail),
            text: Some("Back soon".into()),
            ..Profile::central(name, Status::Busy)
        },
        scope: ORGANISATION.clone(),
        audience: Audience::Everyone,
        people: Vec::new(),
    }
}

fn personal(name: &str) -> Profile {
    Profile {
        origin: Origin::Personal,
        ..template(name).profile
    }
}

async fn names(store: &Store) -> Vec<Arc<str>> {
    let templates = store.templates().await.unwrap();
    templates
        .into_iter()
        .map(|template| template.profile.name)
        .collect()
}

// Targets that were stored before they were checked.
#[tokio::test]
async fn a_profile_with_an_unusable_target_stays_without_forwarding_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, _]) = with_people(&folder, ["anna", "bert"]).await;
    let profile = Profile {
        forwarding: Forwarding::All(Target::parse("1").unwrap()),
        ..personal("Lunch")
    };
    store.upsert_profile(anna, &profile, &CHANGE).await.unwrap();
    store
        .add_template(&template("Away"), &CHANGE)
        .await
        .unwrap();
    assert_eq!(store.unusable_targets().await.unwrap(), [""; 0]);
    crate::migration::run(
        &folder,
        &[
            "UPDATE personal_profiles SET target = 'outbound,00900123456'",
            "UPDATE templates SET forwarding = 'all', target = 'sip:a@b>, <sip:evil@c' WHERE name = 'Away'",
        ],
    )
    .await;
    let named = [
        format!("the profile Lunch of the person {anna}"),
        "the template Away in organisation".to_owned(),
    ];
    assert_eq!(store.unusable_targets().await.unwrap(), named);
    let stored = people(&store).await;
    let found = stored.iter().find(|person| person.id == anna).unwrap();
    assert_eq!(found.personal[0].forwarding, Forwarding::Off);
    let templates = store.templates().await.unwrap();
    assert_eq!(
        templates.last().unwrap().profile.forwarding,
        Forwarding::Off
    );
    // A target that is entered again is used.
    store.upsert_profile(anna, &profile, &CHANGE).await.unwrap();
    let stored = people(&store).await;
    let found = stored.iter().find(|person| person.id == anna).unwrap();
    assert_eq!(found.personal[0].forwarding, profile.forwarding);
}

#[tokio::test]
async fn a_template_is_added_changed_and_deleted_but_never_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let ulm = store
        .add_scope(ScopeKind::Location, ORGANISATION, "Ulm", &CHANGE)
        .await
        .unwrap();
    let new = Template {
        scope: ulm.clone(),
        people: vec![anna, bert],
        ..template("Straße")
    };
    store.add_template(&new, &CHANGE).await.unwrap();
    assert_eq!(store.templates().await.unwrap().last(), Some(&new));
    let mut changed = Template {
        scope: ulm.clone(),
        ..template(" STRASSE")
    };
    let change = |template: Template| {
        let (store, ulm) = (store.clone(), ulm.clone());
        async move { store.change_template(&ulm, &template, &CHANGE).await }
    };
    let error = refusal(&store, change(changed.clone())).await;
    let missing = "no template STRASSE in ulm";
    assert!(error.to_string().contains(missing), "{error}");
    changed.profile.name = " STRAßE ".into();
    changed.profile.active = false;
    changed.profile.forwarding = Forwarding::ExternalOnly(Target::parse("1").unwrap());
    let error = refusal(&store, store.add_template(&changed, &CHANGE)).await;
    assert!(
        matches!(&error, StoreError::Exists { value, .. } if value == "STRAßE in ulm"),
        "{error}"
    );
    change(changed.clone()).await.unwrap();
    changed.profile.name = "Straße".into();
    assert_eq!(store.templates().await.unwrap().last(), Some(&changed));
    let moved = Template {
        scope: "paris".into(),
        ..changed.clone()
    };
    let assigned = Template {
        people: vec![PersonId(99)],
        ..changed.clone()
    };
    let own = Template {
        profile: personal("Straße"),
        ..changed.clone()
    };
    for (wrong, word) in [
        (moved, "no scope paris"),
        (assigned, "no person 99"),
        (own, "this one is personal"),
        (template(""), "name is empty"),
    ] {
        let error = refusal(&store, change(wrong)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(
        store.templates().await.unwrap().last(),
        Some(&changed),
        "all or none"
    );
    let delete = || store.delete_template(&ulm, "straße ", &CHANGE);
    delete().await.unwrap();
    assert_eq!(names(&store).await.len(), 6);
    let error = refusal(&store, delete()).await;
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn an_order_that_names_something_unknown_or_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let list = |names: [&str; 2]| names.map(String::from);
    store
        .order_templates(&list(["absent", "Busy "]), &CHANGE)
        .await
        .unwrap();
    let order = names(&store).await;
    assert_eq!(
        order[..3],
        ["Absent".into(), "Busy".into(), Arc::from("Available")]
    );
    for (wrong, word) in [
        (["Busy", "Bust"], "no template Bust"),
        (["Busy", "busy"], "twice"),
    ] {
        let error = refusal(&store, store.order_templates(&list(wrong), &CHANGE)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(names(&store).await, order);
    let twice = list(["Busy", "busy "]);
    let error = refusal(&store, store.order_profiles(anna, &twice, &CHANGE)).await;
    assert!(error.to_string().contains("twice"), "{error}");
}

/// Listed templates come first, in the listed order; the others follow in their present order; none is lost.
#[test]
fn any_part_of_the_templates_can_be_put_first() {
    let wanted = subsequence((0..6).collect::<Vec<usize>>(), 0..=6).prop_shuffle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(open(&folder));
    let mut runner =
        proptest::test_runner::TestRunner::new(proptest::test_runner::Config::with_cases(50));
    runner
        .run(&wanted, |wanted| {
            runtime.block_on(async {
                let before = names(&store).await;
                let first: Vec<Arc<str>> =
                    wanted.iter().map(|index| before[*index].clone()).collect();
                let list: Vec<String> = first.iter().map(ToString::to_string).collect();
                store.order_templates(&list, &CHANGE).await.unwrap();
                let rest = before.into_iter().filter(|name| !first.contains(name));
                let expected: Vec<_> = first.iter().cloned().chain(rest).collect();
                assert_eq!(names(&store).await, expected);
            });
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn personal_profiles_belong_to_one_person() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    for name in ["Zoo", "Attic", "Busy"] {
        store
            .upsert_profile(anna, &personal(name), &CHANGE)
            .await
            .unwrap();
    }
    store
        .upsert_profile(bert, &personal("zoo"), &CHANGE)
        .await
        .unwrap();
    let changed = Profile {
        status: Status::Absent,
        text: None,
        ..personal("ZOO")
    };
    store.upsert_profile(anna, &changed, &CHANGE).await.unwrap();
    let order = ["Busy".to_owned(), "Gone".to_owned()];
    store.order_profiles(anna, &order, &CHANGE).await.unwrap();
    let found = people(&store).await;
    let zoo = Profile {
        name: "Zoo".into(),
        ..changed
    };
    assert_eq!(
        found[0].personal,
        [zoo, personal("Attic"), personal("Busy")]
    );
    assert_eq!(found[0].order, order);
    assert_eq!(
        (found[1].personal.as_slice(), found[1].order.len()),
        (&[personal("zoo")][..], 0)
    );
    assert_eq!(
        store.person(anna, NOW).await.unwrap().as_ref(),
        Some(&found[0])
    );
    store.delete_profile(anna, "zoo", &CHANGE).await.unwrap();
    store.order_profiles(anna, &[], &CHANGE).await.unwrap();
    let found = people(&store).await;
    assert_eq!(
        (
            found[0].personal.len(),
            found[0].order.len(),
            found[1].personal.len()
        ),
        (2, 0, 1)
    );
    let nobody = PersonId(99);
    for (error, word) in [
        (
            refusal(&store, store.delete_profile(anna, "zoo", &CHANGE)).await,
            "no personal profile zoo",
        ),
        (
            refusal(
                &store,
                store.upsert_profile(nobody, &personal("x"), &CHANGE),
            )
            .await,
            "no person 99",
        ),
        (
            refusal(&store, store.order_profiles(nobody, &[], &CHANGE)).await,
            "no person 99",
        ),
        (
            refusal(&store, store.upsert_profile(anna, &personal(" "), &CHANGE)).await,
            "name is empty",
        ),
        (
            refusal(
                &store,
                store.upsert_profile(anna, &template("x").profile, &CHANGE),
            )
            .await,
            "central",
        ),
    ] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

fn appointment(text: &str, from: u64, to: u64, origin: AppointmentOrigin) -> Appointment {
    Appointment {
        id: AppointmentId(0),
        start: after(from),
        end: after(to),
        text: text.into(),
        colour: "#3f51b5".into(),
        profile: "Appointment".into(),
        fallback: Status::Busy,
        private: true,
        origin,
    }
}

#[tokio::test]
async fn appointments_are_kept_until_they_are_long_over() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let talk = appointment("Talk", 60, 120, AppointmentOrigin::Manual);
    let id = store.add_appointment(anna, &talk, &CHANGE).await.unwrap();
    let moved = Appointment {
        id,
        start: after(90),
        private: false,
        ..talk.clone()
    };
    store
        .change_appointment(anna, &moved, &CHANGE)
        .await
        .unwrap();
    assert_eq!(
        people(&store).await[0].appointments,
        std::slice::from_ref(&moved)
    );
    assert_eq!(
        store
            .person(anna, after(120))
            .await
            .unwrap()
            .unwrap()
            .appointments,
        []
    );
    let between = async |from, to| {
        store
            .appointments(anna, after(from), after(to))
            .await
            .unwrap()
            .len()
    };
    assert_eq!((between(0, 90).await, between(0, 91).await), (0, 1));
    assert_eq!((between(119, 200).await, between(120, 200).await), (1, 0));
    let backwards = Appointment {
        end: after(90),
        ..moved.clone()
    };
    for (error, word) in [
        (
            refusal(&store, store.change_appointment(anna, &backwards, &CHANGE)).await,
            "ends before it begins",
        ),
        (
            refusal(&store, store.change_appointment(bert, &moved, &CHANGE)).await,
            "no appointment",
        ),
        (
            refusal(&store, store.delete_appointment(bert, id, &CHANGE)).await,
            "no appointment",
        ),
    ] {
        assert!(error.to_string().contains(word), "{error}");
    }
    for (person, wrong, word) in [
        (anna, &backwards, "ends before"),
        (PersonId(99), &talk, "no person 99"),
    ] {
        let error = refusal(&store, store.add_appointment(person, wrong, &CHANGE)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(store.forget_appointments(after(120)).await.unwrap(), 0);
    assert_eq!(store.forget_appointments(after(121)).await.unwrap(), 1);
    let again = store.add_appointment(anna, &talk, &CHANGE).await.unwrap();
    assert_ne!(again, id);
    store
        .delete_appointment(anna, again, &CHANGE)
        .await
        .unwrap();
    assert_eq!(people(&store).await[0].appointments, []);
}

#[tokio::test]
async fn a_calendar_is_replaced_as_a_whole_and_keeps_what_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let entry = |text, from| appointment(text, from, from + 10, AppointmentOrigin::Calendar);
    let manual = appointment("Own", 5, 6, AppointmentOrigin::Manual);
    store.add_appointment(anna, &manual, &CHANGE).await.unwrap();
    store
        .replace_calendar(bert, &[entry("a", 10)])
        .await
        .unwrap();
    let first = store
        .replace_calendar(anna, &[entry("a", 10), entry("a", 10), entry("b", 20)])
        .await
        .unwrap();
    let noted = audit_rows(&store).await;
    let second = store
        .replace_calendar(anna, &[entry("c", 5), entry("b", 20), entry("a", 10)])
        .await
        .unwrap();
    assert_eq!((second[1].id, second[2].id), (first[2].id, first[0].id));
    assert!(first.iter().all(|old| old.id != second[0].id));
    let stored = people(&store).await;
    let texts: Vec<&str> = stored[0]
        .appointments
        .iter()
        .map(|entry| &*entry.text)
        .collect();
    assert_eq!(texts, ["Own", "c", "a", "b"]);
    assert_eq!(stored[1].appointments.len(), 1);
    for (person, wrong, word) in [
        (anna, manual, "of a calendar"),
        (
            anna,
            Appointment {
                end: NOW,
                ..entry("x", 1)
            },
            "ends before",
        ),
        (PersonId(99), entry("x", 1), "no person 99"),
    ] {
        let error = store.replace_calendar(person, &[wrong]).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(people(&store).await, stored, "all or none");
    assert_eq!(audit_rows(&store).await, noted);
}

#[tokio::test]
async fn relationships_and_workgroups_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let set = |viewer, level| store.set_relationship(anna, viewer, level, &CHANGE);
    set(bert, Some(Relationship::Assistant)).await.unwrap();
    set(bert, Some(Relationship::Blocked)).await.unwrap();
    assert_eq!(
        store.relationships().await.unwrap(),
        [(anna, bert, Relationship::Blocked)]
    );
    for (viewer, word) in [(anna, "their own presence"), (PersonId(99), "no person 99")] {
        let error = refusal(&store, set(viewer, None)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    set(bert, None).await.unwrap();
    assert_eq!(store.relationships().await.unwrap(), []);

    let level = Relationship::TeamColleague;
    let put = async |id, name: &str, members: &[PersonId]| {
        store
            .upsert_workgroup(id, name, level, members, &CHANGE)
            .await
    };
    let sales = put(None, "Sales", &[bert, anna, bert]).await.unwrap();
    let audit = put(None, "Audit", &[]).await.unwrap();
    assert_eq!(put(Some(sales), "SALES", &[bert]).await.unwrap(), sales);
    let found = store.workgroups().await.unwrap();
    assert_eq!(
        (found[0].id, &*found[0].name, found[0].members.len()),
        (audit, "Audit", 0)
    );
    assert_eq!(
        (found[1].id, &*found[1].name, found[1].level),
        (sales, "SALES", level)
    );
    assert_eq!(found[1].members, [bert]);
    for (id, name, members, word) in [
        (None, "sales ", &[][..], "called sales already"),
        (Some(audit), "Sales", &[], "called Sales already"),
        (Some(99), "New", &[], "no workgroup 99"),
        (None, "", &[], "name is empty"),
        (None, "New", &[PersonId(99)], "no person 99"),
    ] {
        let error = refusal(&store, put(id, name, members)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(store.workgroups().await.unwrap(), found, "all or none");
    store.delete_workgroup(sales, &CHANGE).await.unwrap();
    let error = refusal(&store, store.delete_workgroup(sales, &CHANGE)).await;
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
}
