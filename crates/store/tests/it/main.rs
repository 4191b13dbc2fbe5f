//! The store on a real SQLite file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use presence::{
    Choice, MyProfiles, OwnRecord, PersonId, Record, Slot, SyncMode, TeamsCall, Timestamp,
    YieldReason,
};
use store::{Durability, ImportPerson, Store, StoreError, StoredPerson};

const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

async fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("offhook.db"))
        .await
        .unwrap()
}

fn person(name: &str, extensions: &[&str]) -> ImportPerson {
    ImportPerson {
        name: name.into(),
        mail: format!("{name}@contoso.example"),
        user_principal_name: format!("{name}@contoso.example"),
        teams_id: None,
        extensions: extensions.iter().map(ToString::to_string).collect(),
    }
}

async fn people(store: &Store) -> Vec<StoredPerson> {
    store.people(&MyProfiles::default(), NOW).await.unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &["1001"])]).await.unwrap();
    let id = people(&store).await[0].id;
    store
        .link_teams(id, "11111111-2222-3333-4444-555555555555")
        .await
        .unwrap();
    let profile = MyProfiles::default()
        .named("Do not disturb")
        .cloned()
        .unwrap();
    let own = OwnRecord {
        written_at: NOW,
        expires_at: NOW + std::time::Duration::from_secs(300),
        acknowledged: true,
        cleared_at: Some(NOW),
        yielded: Some(YieldReason::Overridden),
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
        Record::Own {
            person: id,
            slot: Slot::Preferred,
            own: Some(own),
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
    store
        .set_organisation_mode(SyncMode::TelephonyOnly)
        .await
        .unwrap();
    store.close().await;

    let store = open(&folder).await;
    let found = people(&store).await.remove(0);
    assert_eq!(found.record.own, [None, Some(own)]);
    assert_eq!(found.record.teams_call, Some(call));
    assert_eq!(found.record.choice, Some(choice));
    assert!(found.record.linked);
    assert_eq!(
        store.organisation_mode().await.unwrap(),
        SyncMode::TelephonyOnly
    );

    let forget = [
        Record::Own {
            person: id,
            slot: Slot::Preferred,
            own: None,
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
        (found.record.own, found.record.teams_call),
        ([None, None], None)
    );
    assert_eq!(found.record.choice, None);
}

#[tokio::test]
async fn of_several_records_in_a_batch_the_last_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &[])]).await.unwrap();
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
    store.import(&[person("anna", &[])]).await.unwrap();
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
        .import(&[person("anna", &["1001", "1002"]), person("bert", &["1003"])])
        .await
        .unwrap();
    assert_eq!((first.added, first.updated), (2, 0));
    let before = people(&store).await;
    let second = store
        .import(&[person("ANNA", &["1002", "1004"])])
        .await
        .unwrap();
    assert_eq!((second.added, second.updated), (0, 1));
    let after = people(&store).await;
    assert_eq!(after[0].id, before[0].id);
    assert_eq!(after[0].name, "ANNA");
    assert_eq!(
        after[0].lines[0], before[0].lines[1],
        "a line that stays keeps its number"
    );
    let error = store
        .import(&[person("carl", &["1005"]), person("dora", &["1003"])])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Taken { value, owner, .. } if value == "1003" && owner == "bert"),
        "{error}"
    );
    assert_eq!(people(&store).await, after, "all or none");
}

#[tokio::test]
async fn a_teams_account_belongs_to_one_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store
        .import(&[person("anna", &[]), person("bert", &[])])
        .await
        .unwrap();
    let ids: Vec<PersonId> = people(&store)
        .await
        .iter()
        .map(|person| person.id)
        .collect();
    store.link_teams(ids[0], "aaaa").await.unwrap();
    store.link_teams(ids[0], "aaaa").await.unwrap();
    let error = store.link_teams(ids[1], "AAAA").await.unwrap_err();
    assert!(error.to_string().contains("belongs to anna"), "{error}");
}

#[tokio::test]
async fn a_choice_that_ended_while_we_were_down_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &[])]).await.unwrap();
    let id = people(&store).await[0].id;
    let profile = MyProfiles::default().named("Busy").cloned().unwrap();
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
async fn a_link_works_once_and_a_session_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let later = NOW + std::time::Duration::from_secs(60);
    store.add_sign_in_link(&[1; 32], later).await.unwrap();
    assert!(
        !store
            .exchange_link(&[9; 32], &[2; 32], later, NOW)
            .await
            .unwrap()
    );
    assert!(
        !store
            .exchange_link(&[1; 32], &[2; 32], later, later)
            .await
            .unwrap(),
        "expired"
    );
    assert!(
        store
            .exchange_link(&[1; 32], &[2; 32], later, NOW)
            .await
            .unwrap()
    );
    assert!(
        !store
            .exchange_link(&[1; 32], &[3; 32], later, NOW)
            .await
            .unwrap(),
        "used"
    );
    assert!(store.has_session(&[2; 32], NOW).await.unwrap());
    assert!(!store.has_session(&[3; 32], NOW).await.unwrap());
    assert!(!store.has_session(&[2; 32], later).await.unwrap());
    assert!(!store.has_any_api_key().await.unwrap());
    store.add_api_key(&[4; 32], NOW).await.unwrap();
    assert!(store.has_api_key(&[4; 32]).await.unwrap());
    assert!(!store.has_api_key(&[5; 32]).await.unwrap());
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(&folder.path().join("missing/offhook.db"))
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
    store.import(&everybody).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for person in people(&store).await {
        let linking = store.clone();
        writers.spawn(async move { linking.link_teams(person.id, &person.name).await });
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
    let error = store.import(&[carl.clone(), dora]).await.unwrap_err();
    assert!(
        error.to_string().contains("info@contoso.example"),
        "{error}"
    );
    assert_eq!(people(&store).await, [], "all or none");
    let without_name = ImportPerson {
        user_principal_name: String::new(),
        ..carl.clone()
    };
    store.import(&[without_name, carl]).await.unwrap();
    assert_eq!(
        people(&store).await.len(),
        1,
        "somebody who gets a sign-in name later stays the same"
    );
}
