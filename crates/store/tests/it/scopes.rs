//! The tree of scopes, and settings.

use presence::PersonId;
use proptest::prelude::Just;
use store::{ORGANISATION, ScopeId, ScopeKind, StoreError, Template};

use crate::{CHANGE, NOW, open, refusal, with_people};

#[tokio::test]
async fn ids_are_readable_unique_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let add = async |kind, parent: &ScopeId, name: &str| {
        store.add_scope(kind, parent, name, &CHANGE).await.unwrap()
    };
    let berlin = add(ScopeKind::Location, ORGANISATION, " Berlin ").await;
    let ulm = add(ScopeKind::Location, ORGANISATION, "Ulm").await;
    assert_eq!(berlin.as_str(), "berlin");
    let second = add(ScopeKind::Location, ORGANISATION, "Organisation").await;
    assert_eq!(second.as_str(), "organisation-2");
    for (parent, name, id) in [
        (&berlin, "Sales", "sales"),
        (&ulm, "Sales", "sales-2"),
        (&ulm, "Sales 2", "sales-2-2"),
        (&second, "Sales", "sales-3"),
    ] {
        assert_eq!(add(ScopeKind::Group, parent, name).await.as_str(), id);
    }
    store.rename_scope(&ulm, "ULM", &CHANGE).await.unwrap();
    store.rename_scope(&ulm, "Neu-Ulm", &CHANGE).await.unwrap();
    let scopes = store.scopes().await.unwrap();
    let names: Vec<_> = scopes
        .iter()
        .map(|scope| (scope.id.as_str(), scope.parent.as_str(), &*scope.name))
        .collect();
    assert_eq!(
        names,
        [
            ("berlin", "organisation", "Berlin"),
            ("ulm", "organisation", "Neu-Ulm"),
            ("organisation-2", "organisation", "Organisation"),
            ("sales", "berlin", "Sales"),
            ("sales-2", "ulm", "Sales"),
            ("sales-3", "organisation-2", "Sales"),
            ("sales-2-2", "ulm", "Sales 2"),
        ]
    );
    assert_eq!(
        (scopes[0].kind, scopes[3].kind),
        (ScopeKind::Location, ScopeKind::Group)
    );

    for (kind, parent, name, word) in [
        (
            ScopeKind::Location,
            "organisation",
            "BERLIN ",
            "called BERLIN already",
        ),
        (ScopeKind::Location, "berlin", "Mitte", "another kind"),
        (ScopeKind::Group, "organisation", "Sales", "another kind"),
        (ScopeKind::Group, "sales", "Sub", "another kind"),
        (ScopeKind::Group, "paris", "Sales", "no scope paris"),
        (ScopeKind::Group, "berlin", "  ", "name is empty"),
    ] {
        let error = refusal(&store, store.add_scope(kind, &parent.into(), name, &CHANGE)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    for (id, name, word) in [
        ("ulm", "berlin", "called berlin already"),
        ("ulm", "", "name is empty"),
        ("paris", "Paris", "no location or group paris"),
        ("organisation", "Us", "no location or group organisation"),
    ] {
        let error = refusal(&store, store.rename_scope(&id.into(), name, &CHANGE)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_scope_in_use_is_not_deleted_and_the_uses_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (10..40).map(|index| format!("p{index}")).collect();
    let names: [&str; 30] = std::array::from_fn(|index| &*names[index]);
    let (store, ids) = with_people(&folder, names).await;
    let berlin = store
        .add_scope(ScopeKind::Location, ORGANISATION, "Berlin", &CHANGE)
        .await
        .unwrap();
    let sales = store
        .add_scope(ScopeKind::Group, &berlin, "Sales", &CHANGE)
        .await
        .unwrap();
    let uses = async |id: &ScopeId| match refusal(&store, store.delete_scope(id, &CHANGE)).await {
        StoreError::InUse { value, uses, .. } => {
            assert_eq!(value, id.as_str());
            uses
        }
        error => panic!("{error}"),
    };
    assert_eq!(uses(&berlin).await, ["group Sales"]);
    store
        .set_membership(ids[0], Some(&berlin), Some(&sales), &CHANGE)
        .await
        .unwrap();
    assert_eq!(uses(&sales).await, ["person p10"]);
    for id in ids {
        store
            .set_membership(id, Some(&berlin), None, &CHANGE)
            .await
            .unwrap();
    }
    store.delete_scope(&sales, &CHANGE).await.unwrap();
    let template = store.templates().await.unwrap().remove(1);
    let of_berlin = Template {
        scope: berlin.clone(),
        ..template
    };
    store
        .change_template(ORGANISATION, &of_berlin, &CHANGE)
        .await
        .unwrap();
    let found = uses(&berlin).await;
    assert_eq!(found.len(), 21, "{found:?}");
    assert_eq!(
        (&*found[0], &*found[1], &*found[20]),
        ("template Busy", "person p10", "and 11 more")
    );
    for id in ids {
        store.set_membership(id, None, None, &CHANGE).await.unwrap();
    }
    let moved = Template {
        scope: ORGANISATION.clone(),
        ..of_berlin
    };
    store
        .change_template(&berlin, &moved, &CHANGE)
        .await
        .unwrap();
    store
        .set_settings(&berlin, "teams", Some("{}"), &CHANGE)
        .await
        .unwrap();
    store.delete_scope(&berlin, &CHANGE).await.unwrap();
    assert_eq!(
        store.all_settings().await.unwrap(),
        [],
        "its settings go with it"
    );
    for id in [&berlin, ORGANISATION] {
        refusal(&store, store.delete_scope(id, &CHANGE)).await;
    }
}

#[tokio::test]
async fn pages_are_kept_for_scopes_and_people() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let set = |value| store.set_settings(ORGANISATION, "teams", value, &CHANGE);
    set(Some(r#"{"mode":"none"}"#)).await.unwrap();
    set(Some(r#"{"mode":"telephony_only"}"#)).await.unwrap();
    let wanted = r#"{"mode":"telephony_only"}"#.to_owned();
    assert_eq!(
        store.settings(ORGANISATION, "teams").await.unwrap(),
        Some(wanted.clone())
    );
    assert_eq!(
        store.all_settings().await.unwrap(),
        [(ORGANISATION.clone(), "teams".into(), wanted.clone())]
    );
    store
        .set_personal_settings(anna, "teams", Some(&wanted), &CHANGE)
        .await
        .unwrap();
    assert_eq!(
        store.all_personal_settings().await.unwrap(),
        [(anna, "teams".into(), wanted)]
    );
    for (error, word) in [
        (refusal(&store, set(Some("{"))).await, "not JSON"),
        (
            refusal(
                &store,
                store.set_settings(&"paris".into(), "teams", None, &CHANGE),
            )
            .await,
            "no scope paris",
        ),
        (
            refusal(
                &store,
                store.set_personal_settings(PersonId(9), "teams", None, &CHANGE),
            )
            .await,
            "no person 9",
        ),
    ] {
        assert!(error.to_string().contains(word), "{error}");
    }
    set(None).await.unwrap();
    store
        .set_personal_settings(anna, "teams", None, &CHANGE)
        .await
        .unwrap();
    assert_eq!(store.all_settings().await.unwrap(), []);
    assert_eq!(store.all_personal_settings().await.unwrap(), []);
    assert!(store.person(anna, NOW).await.unwrap().is_some());
}

/// For arbitrary names, a parent accepts each name once, and every id is unique.
#[test]
fn any_names_can_be_scopes() {
    let name = proptest::prop_oneof![
        ".{1,20}",
        "[ab]{1,2}",
        "[äöü, .]{1,2}",
        Just("Köln".to_owned())
    ];
    let names = proptest::collection::vec(name, 1..12);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner =
        proptest::test_runner::TestRunner::new(proptest::test_runner::Config::with_cases(20));
    runner
        .run(&names, |names| {
            runtime.block_on(async {
                let folder = tempfile::tempdir().unwrap();
                let store = open(&folder).await;
                let mut taken = std::collections::BTreeSet::new();
                for name in names {
                    let trimmed = name.trim();
                    let is_name = !trimmed.is_empty() && !trimmed.chars().any(char::is_control);
                    let is_new = is_name && taken.insert(trimmed.to_lowercase());
                    let added = store
                        .add_scope(ScopeKind::Location, ORGANISATION, &name, &CHANGE)
                        .await;
                    assert_eq!(added.is_ok(), is_new, "{name:?}: {added:?}");
                }
                let ids: std::collections::BTreeSet<_> = store
                    .scopes()
                    .await
                    .unwrap()
                    .into_iter()
                    .map(|scope| scope.id)
                    .collect();
                assert_eq!(ids.len(), taken.len());
            });
            Ok(())
        })
        .unwrap();
}
