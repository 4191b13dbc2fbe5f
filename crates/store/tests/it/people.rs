//! People: import, restart, location and group, deletion.

use presence::{
    Choice, PersonId, Record, ReleaseReason, Slot, SlotRecord, TeamsCall, TenantName, Timestamp,
};
use store::{
    Account, Durability, ImportPerson, ORGANISATION, OrganisationId, Progress, Role, ScopeKind,
    Store, StoreError, Subject, Template,
};

use crate::{CHANGE, NOW, open, people, person, refusal, with_people};

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store
        .import(&[person("anna", &["1001"])], &CHANGE)
        .await
        .unwrap();
    let id = people(&store).await[0].id;
    store
        .link_teams(
            id,
            &"11111111-2222-3333-4444-555555555555".into(),
            TenantName::main(),
        )
        .await
        .unwrap();
    let profile = "Do not disturb".into();
    let own = SlotRecord {
        written_at: NOW,
        expires_at: NOW + std::time::Duration::from_secs(300),
        acknowledged: true,
        cleared_at: Some(NOW),
        released: Some(ReleaseReason::Overridden),
    };
    let choice = Choice {
        profile,
        since: NOW,
        until: None,
    };
    let call = TeamsCall {
        since: NOW,
        confirmed_at: NOW,
    };
    let records = [
        Record::Slot {
            person: id,
            slot: Slot::Preferred,
            record: Some(own),
        },
        Record::TeamsCall {
            person: id,
            call: Some(call),
        },
        Record::Choice {
            person: id,
            choice: Some(choice.clone()),
        },
    ];
    store.commit(&records, Durability::Process).await.unwrap();
    store.database().close().await;

    let store = open(&folder).await;
    let found = people(&store).await.remove(0);
    assert_eq!(found.record.slots, [None, Some(own)]);
    assert_eq!(found.record.teams_call, Some(call));
    assert_eq!(found.record.choice, Some(choice));
    assert!(found.record.linked);

    let forget = [
        Record::Slot {
            person: id,
            slot: Slot::Preferred,
            record: None,
        },
        Record::TeamsCall {
            person: id,
            call: None,
        },
        Record::Choice {
            person: id,
            choice: None,
        },
    ];
    store.commit(&forget, Durability::Process).await.unwrap();
    let found = people(&store).await.remove(0);
    assert_eq!(
        (found.record.slots, found.record.teams_call),
        ([None, None], None)
    );
    assert_eq!(found.record.choice, None);
}

#[tokio::test]
async fn of_several_records_in_a_batch_the_last_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &[])], &CHANGE).await.unwrap();
    let id = people(&store).await[0].id;
    let call = |at: i64| {
        let at = Timestamp::from_milliseconds(at);
        Record::TeamsCall {
            person: id,
            call: Some(TeamsCall {
                since: at,
                confirmed_at: at,
            }),
        }
    };
    let unknown = Record::TeamsCall {
        person: PersonId(99),
        call: None,
    };
    store
        .commit(&[call(1), call(2), unknown], Durability::Process)
        .await
        .unwrap();
    let since = people(&store).await[0].record.teams_call.unwrap().since;
    assert_eq!(since, Timestamp::from_milliseconds(2));
}

#[tokio::test]
async fn a_record_about_nobody_is_dropped_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &[])], &CHANGE).await.unwrap();
    let id = people(&store).await[0].id;
    let call = TeamsCall {
        since: NOW,
        confirmed_at: NOW,
    };
    let records = [PersonId(99), id].map(|person| Record::TeamsCall {
        person,
        call: Some(call),
    });
    store.commit(&records, Durability::Process).await.unwrap();
    assert_eq!(people(&store).await[0].record.teams_call, Some(call));
}

#[tokio::test]
async fn importing_again_updates_and_a_taken_extension_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let first = store
        .import(
            &[person("anna", &["1001", "1002"]), person("bert", &["1003"])],
            &CHANGE,
        )
        .await
        .unwrap();
    assert_eq!((first.added, first.updated), (2, 0));
    let before = people(&store).await;
    let rehearsed = store
        .preview_import(
            &[person("ANNA", &["1002", "1004"])],
            &CHANGE,
            &Progress::default(),
        )
        .await
        .unwrap();
    assert_eq!(people(&store).await, before, "a rehearsal writes nothing");
    let second = store
        .import(&[person("ANNA", &["1002", "1004"])], &CHANGE)
        .await
        .unwrap();
    assert_eq!((second.added, second.updated), (0, 1));
    assert_eq!(second, rehearsed, "a rehearsal tells what is done");
    let after = people(&store).await;
    assert_eq!(after[0].id, before[0].id);
    assert_eq!(after[0].name, "ANNA");
    assert_eq!(
        after[0].lines[0], before[0].lines[1],
        "a line that stays keeps its number"
    );
    let error = store
        .import(
            &[person("carl", &["1005"]), person("dora", &["1003"])],
            &CHANGE,
        )
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("person dora: extension 1003 belongs to bert already"),
        "{error}"
    );
    assert_eq!(people(&store).await, after, "all or none");
    let progress = Progress::default();
    progress.cancel();
    let error = store
        .import_watched(&[person("dora", &[])], &CHANGE, &progress)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Cancelled), "{error}");
    assert_eq!(people(&store).await, after, "cancelled: nothing");
    let progress = Progress::default();
    store
        .import_watched(&[person("dora", &[])], &CHANGE, &progress)
        .await
        .unwrap();
    assert_eq!(progress.done_and_total(), (1, 1));
}

#[tokio::test]
async fn a_choice_that_ended_while_we_were_down_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &[])], &CHANGE).await.unwrap();
    let id = people(&store).await[0].id;
    let profile = "Busy".into();
    let choice = Choice {
        profile,
        since: NOW,
        until: Some(NOW),
    };
    store
        .commit(
            &[Record::Choice {
                person: id,
                choice: Some(choice),
            }],
            Durability::Process,
        )
        .await
        .unwrap();
    assert_eq!(people(&store).await[0].record.choice, None);
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(
        &folder.path().join("missing/offhook.db"),
        OrganisationId::FIRST,
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("missing/offhook.db"), "{error}");
}

#[tokio::test]
async fn writers_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let names: Vec<String> = (0..20).map(|index| format!("person-{index}")).collect();
    let everybody: Vec<ImportPerson> = names.iter().map(|name| person(name, &[])).collect();
    store.import(&everybody, &CHANGE).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for person in people(&store).await {
        let linking = store.clone();
        writers.spawn(async move {
            linking
                .link_teams(person.id, &person.name.as_str().into(), TenantName::main())
                .await
        });
        let committing = store.clone();
        let call = TeamsCall {
            since: NOW,
            confirmed_at: NOW,
        };
        let record = Record::TeamsCall {
            person: person.id,
            call: Some(call),
        };
        writers.spawn(async move { committing.commit(&[record], Durability::Process).await });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap().unwrap();
    }
}

#[tokio::test]
async fn two_people_with_one_mail_address_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let carl = ImportPerson {
        mail: "info@contoso.example".into(),
        ..person("carl", &["1003"])
    };
    let dora = ImportPerson {
        mail: "info@contoso.example".into(),
        ..person("dora", &["1004"])
    };
    let error = store
        .import(&[carl.clone(), dora], &CHANGE)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("info@contoso.example"),
        "{error}"
    );
    assert_eq!(people(&store).await, [], "all or none");
    let without_name = ImportPerson {
        user_principal_name: String::new(),
        ..carl.clone()
    };
    store.import(&[without_name], &CHANGE).await.unwrap();
    store.import(&[carl], &CHANGE).await.unwrap();
    assert_eq!(
        people(&store).await.len(),
        1,
        "somebody who gets a sign-in name later stays the same"
    );
}

#[tokio::test]
async fn people_are_placed_where_their_group_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let location = async |name| {
        let added = store.add_scope(ScopeKind::Location, ORGANISATION, name, &CHANGE);
        added.await.unwrap()
    };
    let (berlin, ulm) = (location("Berlin").await, location("Ulm").await);
    let sales = store
        .add_scope(ScopeKind::Group, &berlin, "Sales", &CHANGE)
        .await
        .unwrap();
    let paris = "paris".into();
    let place = |location, group| store.set_membership(anna, location, group, &CHANGE);
    place(Some(&berlin), Some(&sales)).await.unwrap();
    let found = store.person(anna, NOW).await.unwrap().unwrap();
    assert_eq!(
        (found.location, found.group),
        (Some(berlin.clone()), Some(sales.clone()))
    );
    for (location, group, word) in [
        (Some(&ulm), Some(&sales), "belongs to the location berlin"),
        (None, Some(&sales), "belongs to the location berlin"),
        (Some(&paris), None, "no location paris"),
        (Some(&sales), None, "no location sales"),
        (Some(&berlin), Some(&ulm), "no configuration group ulm"),
    ] {
        let error = refusal(&store, place(location, group)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    let error = refusal(
        &store,
        store.set_membership(PersonId(99), None, None, &CHANGE),
    )
    .await;
    assert!(error.to_string().contains("no person 99"), "{error}");

    let moved = |location: &str| ImportPerson {
        location: Some(location.into()),
        ..person("anna", &[])
    };
    store.import(&[moved(" BERLIN")], &CHANGE).await.unwrap();
    assert_eq!(
        people(&store).await[0].group,
        Some(sales.clone()),
        "she is there already"
    );
    store.import(&[person("anna", &[])], &CHANGE).await.unwrap();
    assert_eq!(
        people(&store).await[0].location,
        Some(berlin.clone()),
        "no word of it"
    );
    store.import(&[moved("Köln")], &CHANGE).await.unwrap();
    let found = people(&store).await.remove(0);
    assert_eq!(
        (
            found.location.as_ref().map(store::ScopeId::as_str),
            found.group
        ),
        (Some("koeln"), None)
    );
    place(None, None).await.unwrap();
    assert_eq!(people(&store).await[0].location, None);
}

#[tokio::test]
async fn a_deleted_person_takes_everything_along() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let template = Template {
        people: vec![anna, bert],
        ..store.templates().await.unwrap().remove(0)
    };
    store
        .change_template(ORGANISATION, &template, &CHANGE)
        .await
        .unwrap();
    let members = [anna, bert];
    let level = presence::Relationship::Assistant;
    store
        .upsert_workgroup(None, "Team", level, &members, &CHANGE)
        .await
        .unwrap();
    store
        .set_relationship(anna, bert, Some(level), &CHANGE)
        .await
        .unwrap();
    store
        .set_relationship(bert, anna, Some(level), &CHANGE)
        .await
        .unwrap();
    store
        .set_personal_settings(anna, "teams", Some("{}"), &CHANGE)
        .await
        .unwrap();
    store
        .add_history(&[(anna, NOW, "{}".into())])
        .await
        .unwrap();
    let account = Account {
        id: 0,
        name: "anna".into(),
        password_hash: None,
        person: Some(anna),
        role: Role::Person,
        location: None,
        created_at: NOW,
    };
    store.add_account(&account, &CHANGE).await.unwrap();
    store.delete_person(anna, &CHANGE).await.unwrap();
    assert_eq!(store.person(anna, NOW).await.unwrap(), None);
    assert_eq!(people(&store).await.len(), 1);
    assert_eq!(store.templates().await.unwrap()[0].people, [bert]);
    assert_eq!(store.workgroups().await.unwrap()[0].members, [bert]);
    assert_eq!(store.relationships().await.unwrap(), []);
    assert_eq!(store.all_personal_settings().await.unwrap(), []);
    assert_eq!(store.history(anna, NOW).await.unwrap(), []);
    assert_eq!(store.accounts().await.unwrap(), []);
    let error = refusal(&store, store.delete_person(anna, &CHANGE)).await;
    assert!(
        matches!(
            error,
            StoreError::NotFound {
                subject: Subject::Person,
                ..
            }
        ),
        "{error}"
    );
    store.import(&[person("anna", &[])], &CHANGE).await.unwrap();
    assert_ne!(
        people(&store).await[1].id,
        anna,
        "a number is never given again"
    );
}

#[tokio::test]
async fn more_people_than_a_block_has_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let values = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
        INSERT INTO people (id, name, mail, user_principal_name, teams_id, location, configuration_group) SELECT 3 * i, 'p' || i, '', 'p' || i, NULL, NULL, NULL FROM n;
        INSERT INTO lines SELECT 2 * id, id, id FROM people WHERE id % 2 = 0 ORDER BY id DESC;
        INSERT INTO lines SELECT 2 * id + 1, id, 'second ' || id FROM people WHERE id % 2 = 0;
        INSERT INTO choices SELECT id, 'Busy', id, NULL FROM people WHERE id % 5 = 0";
    crate::migration::run(&folder, &[values]).await;
    let everybody = people(&store).await;
    assert_eq!(everybody.len(), 9000);
    for (index, person) in (1_u64..).zip(&everybody) {
        let id = person.id.0;
        assert_eq!((id, &*person.name), (3 * index, &*format!("p{index}")));
        let extensions: Vec<&str> = person.lines.iter().map(|(_, text)| &**text).collect();
        let expected = [id.to_string(), format!("second {id}")];
        assert_eq!(extensions, expected[..if id % 2 == 0 { 2 } else { 0 }]);
        assert_eq!(person.record.lines.len(), extensions.len());
        let since = person
            .record
            .choice
            .as_ref()
            .map(|choice| choice.since.milliseconds());
        assert_eq!(since, (id % 5 == 0).then(|| id.cast_signed()));
    }
}
