//! The people who changed after a revision, for every statement that changes a person, also by another process.

use presence::{Extension, PersonId, TenantName};
use proptest::{prelude::*, test_runner::TestRunner};
use store::{DirectoryChange, DirectoryPerson, PeopleChanges, PersonChange, Store};

use super::{CHANGE, NOW, main_directory, open, people, person, with_people};

/// The ids of the people who changed after a revision, with the names of those who still exist.
async fn since(store: &Store, revision: u64) -> (u64, Vec<(PersonId, Option<String>)>) {
    let PeopleChanges { revision, people } =
        store.people_changed_since(revision, NOW).await.unwrap();
    let names = people.into_iter();
    let names = names.map(|(id, stored)| (id, stored.map(|person| person.name)));
    (revision, names.collect())
}

#[tokio::test]
async fn every_kind_of_change_names_the_person_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert, carla]) = with_people(&folder, ["anna", "bert", "carla"]).await;
    let location = store
        .add_scope(
            store::ScopeKind::Location,
            store::ORGANISATION,
            "Lyon",
            &CHANGE,
        )
        .await
        .unwrap();
    let mut revision = store.people_revision().await.unwrap();
    let mut expect = async |what: &str, expected: &[(PersonId, Option<&str>)]| {
        let (next, changed) = since(&store, revision).await;
        let expected = expected.iter();
        let expected: Vec<_> = expected
            .map(|(id, name)| (*id, name.map(str::to_owned)))
            .collect();
        assert_eq!(changed, expected, "{what}");
        assert_eq!(next > revision, !changed.is_empty(), "{what}");
        revision = next;
    };
    expect("nothing", &[]).await;

    let renamed = PersonChange {
        name: Some("Anna".into()),
        ..PersonChange::default()
    };
    store.change_person(anna, &renamed, &CHANGE).await.unwrap();
    expect("a name, in case only", &[(anna, Some("Anna"))]).await;
    store.change_person(anna, &renamed, &CHANGE).await.unwrap();
    expect("the same again", &[]).await;
    let with_line = PersonChange {
        extensions: Some(vec![Extension::stored("1001")]),
        ..PersonChange::default()
    };
    store
        .change_person(anna, &with_line, &CHANGE)
        .await
        .unwrap();
    expect("a line", &[(anna, Some("Anna"))]).await;
    store
        .set_membership(bert, Some(&location), None, &CHANGE)
        .await
        .unwrap();
    expect("a place", &[(bert, Some("bert"))]).await;
    store
        .link_teams(carla, &"aaaa".into(), TenantName::main())
        .await
        .unwrap();
    expect("an account", &[(carla, Some("carla"))]).await;
    store.unlink_teams(carla, None).await.unwrap();
    expect("no account", &[(carla, Some("carla"))]).await;

    // The import moves the line: both people changed, and one is new.
    let moved = [person("Anna", &[]), person("dora", &["1001"])];
    store.import(&moved, &CHANGE).await.unwrap();
    let dora = people(&store).await.pop().unwrap().id;
    expect("an import", &[(anna, Some("Anna")), (dora, Some("dora"))]).await;
    let gone = [DirectoryChange::Gone(dora)];
    store
        .apply_directory(&gone, main_directory(), &CHANGE)
        .await
        .unwrap();
    expect("gone from the directory", &[(dora, None)]).await;
    let back = DirectoryPerson {
        teams_id: "dddd".into(),
        name: "dora".into(),
        mail: String::new(),
        user_principal_name: String::new(),
    };
    let back = [DirectoryChange::Update(dora, back)];
    store
        .apply_directory(&back, main_directory(), &CHANGE)
        .await
        .unwrap();
    expect("back again", &[(dora, Some("dora"))]).await;
    store.delete_person(bert, &CHANGE).await.unwrap();
    store.delete_person(dora, &CHANGE).await.unwrap();
    expect("deleted", &[(bert, None), (dora, None)]).await;
    store
        .set_relationship(anna, carla, Some(presence::Relationship::Blocked), &CHANGE)
        .await
        .unwrap();
    expect("a relationship is no change of a person", &[]).await;
}

#[tokio::test]
async fn an_import_that_was_only_rehearsed_changes_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = with_people(&folder, ["anna"]).await;
    let revision = store.people_revision().await.unwrap();
    let new = [person("bert", &["1002"])];
    store
        .preview_import(&new, &CHANGE, &store::Progress::default())
        .await
        .unwrap();
    assert_eq!(since(&store, revision).await, (revision, Vec::new()));
}

/// Changed people are returned as in the list of all people, also with gaps between their numbers and in ranges longer
/// than one block.
#[test]
fn the_changed_people_are_as_the_list_of_all_people_has_them() {
    const PEOPLE: usize = 4_500;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(async {
        let store = open(&folder).await;
        let everybody: Vec<_> = (0..PEOPLE)
            .map(|number| person(&format!("p{number}"), &[]))
            .collect();
        store.import(&everybody, &CHANGE).await.unwrap();
        store
    });
    let all = runtime.block_on(since(&store, 0)).1;
    assert_eq!(all.len(), PEOPLE);
    let numbers = prop::collection::btree_set(1..=PEOPLE as u64, 0..12);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(16));
    let held = runner.run(&numbers, |numbers| {
        runtime.block_on(async {
            let revision = store.people_revision().await.unwrap();
            for (turn, number) in numbers.iter().enumerate() {
                let account = format!("{revision}-{turn}");
                let id = PersonId(*number);
                store
                    .link_teams(id, &account.as_str().into(), TenantName::main())
                    .await
                    .unwrap();
            }
            let changed = store.people_changed_since(revision, NOW).await.unwrap();
            let ids: Vec<u64> = changed.people.iter().map(|(id, _)| id.0).collect();
            assert!(ids.iter().eq(&numbers), "{ids:?} {numbers:?}");
            for (id, stored) in changed.people {
                assert_eq!(stored, store.person(id, NOW).await.unwrap());
            }
        });
        Ok(())
    });
    held.unwrap();
}
