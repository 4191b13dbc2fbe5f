//! Records of writes to an account outlive its person, for every statement that deletes the person or changes the account.

use std::time::Duration;

use presence::{PersonId, Record, ReleaseReason, Slot, SlotRecord, TeamsUserId, TenantName};
use store::{
    DirectoryChange, DirectoryPerson, DirectoryTarget, Durability, ImportPerson, LeftWrite,
    NamedAccount, Owner, Store,
};

use crate::{
    CHANGE, NOW, after, main_directory, migration::run, open, people, person, with_people,
};

const ANNA: &str = "11111111-1111-1111-1111-111111111111";
const OTHER: &str = "22222222-2222-2222-2222-222222222222";
const DAY: Duration = Duration::from_secs(86_400);

fn own(acknowledged: bool) -> SlotRecord {
    SlotRecord {
        written_at: NOW,
        expires_at: NOW + DAY,
        acknowledged,
        cleared_at: None,
        released: None,
    }
}

async fn write(store: &Store, person: PersonId, slot: Slot, own: SlotRecord) {
    let own = Some(own);
    let record = Record::Slot {
        person,
        slot,
        record: own,
    };
    let written = store.commit(&[record], Durability::Process).await;
    written.unwrap();
}

fn in_directory(account: &str) -> DirectoryPerson {
    DirectoryPerson {
        teams_id: account.into(),
        name: "anna".into(),
        mail: "anna@contoso.example".into(),
        user_principal_name: "anna@contoso.example".into(),
    }
}

fn imported(account: &str) -> ImportPerson {
    ImportPerson {
        teams_id: Some(account.into()),
        ..person("anna", &[])
    }
}

async fn left(store: &Store) -> Vec<LeftWrite> {
    store.left_writes(after(1)).await.unwrap()
}

/// Ways in which a person loses an account.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Delete,
    Unlink,
    Replace,
    Import,
    Directory,
    Gone,
    Tenant,
}

#[tokio::test]
async fn a_write_belongs_to_the_account() {
    for loss in [
        Loss::Delete,
        Loss::Unlink,
        Loss::Replace,
        Loss::Import,
        Loss::Directory,
        Loss::Gone,
        Loss::Tenant,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
        for (person, account) in [(anna, ANNA), (bert, "b")] {
            store
                .link_teams(person, &account.into(), TenantName::main())
                .await
                .unwrap();
            write(&store, person, Slot::Preferred, own(false)).await;
        }
        assert_eq!(left(&store).await, [], "{loss:?}");
        let directory = |change| {
            let store = store.clone();
            async move {
                let refused = store
                    .apply_directory(&[change], main_directory(), &CHANGE)
                    .await;
                assert!(refused.unwrap().is_empty());
            }
        };
        match loss {
            Loss::Delete => store.delete_person(anna, &CHANGE).await.unwrap(),
            Loss::Unlink => store.unlink_teams(anna, None).await.unwrap(),
            Loss::Replace => store
                .link_teams(anna, &OTHER.into(), TenantName::main())
                .await
                .unwrap(),
            Loss::Import => {
                store.import(&[imported(OTHER)], &CHANGE).await.unwrap();
            }
            Loss::Directory => {
                let update = DirectoryChange::Update(anna, in_directory(OTHER));
                directory(update).await;
            }
            Loss::Gone => directory(DirectoryChange::Gone(anna)).await,
            Loss::Tenant => store
                .link_teams(anna, &ANNA.into(), &"other".into())
                .await
                .unwrap(),
        }
        store.database().close().await;

        let store = open(&folder).await;
        let expected = LeftWrite {
            tenant: "main".into(),
            account: ANNA.into(),
            slot: Slot::Preferred,
            person: anna,
            written_at: NOW,
            owner: Owner::Nobody,
        };
        assert_eq!(left(&store).await, [expected], "{loss:?}");
        // The left write does not count as a write to the new account.
        let stored = people(&store).await;
        let stored = stored.iter().find(|person| person.id == anna);
        assert!(
            stored.is_none_or(|anna| anna.record.slots == [None, None]),
            "{loss:?}"
        );
    }
}

#[tokio::test]
async fn what_is_over_is_not_left() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert, carla]) = with_people(&folder, ["anna", "bert", "carla"]).await;
    for (person, account) in [(anna, ANNA), (bert, "b"), (carla, "c")] {
        store
            .link_teams(person, &account.into(), TenantName::main())
            .await
            .unwrap();
    }
    let cleared = SlotRecord {
        cleared_at: Some(NOW),
        ..own(true)
    };
    let yielded = SlotRecord {
        released: Some(ReleaseReason::Overridden),
        ..own(true)
    };
    write(&store, anna, Slot::Session, cleared).await;
    write(&store, anna, Slot::Preferred, yielded).await;
    write(&store, bert, Slot::Preferred, own(true)).await;
    // Another spelling of the object id is the same account.
    store
        .import(&[person("Bert", &["1001"])], &CHANGE)
        .await
        .unwrap();
    for person in [anna, carla] {
        store.delete_person(person, &CHANGE).await.unwrap();
    }
    assert_eq!(left(&store).await, []);
    store.delete_person(bert, &CHANGE).await.unwrap();
    assert_eq!(left(&store).await.len(), 1);
    assert_eq!(store.left_writes(NOW + DAY).await.unwrap(), []);
    assert_eq!(left(&store).await, [], "expired writes are forgotten");
}

#[tokio::test]
async fn a_left_write_names_the_owner_of_the_account_and_is_forgotten_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    store
        .link_teams(anna, &ANNA.into(), TenantName::main())
        .await
        .unwrap();
    write(&store, anna, Slot::Preferred, own(true)).await;
    store.delete_person(anna, &CHANGE).await.unwrap();
    store
        .link_teams(bert, &ANNA.into(), TenantName::main())
        .await
        .unwrap();
    assert_eq!(left(&store).await[0].owner, Owner::Person);
    write(&store, bert, Slot::Preferred, own(true)).await;
    let before = left(&store).await.remove(0);
    assert_eq!((before.owner, before.person), (Owner::Writer, anna));
    // A later left write of the same slot is another one and stays.
    let later = SlotRecord {
        written_at: after(5),
        ..own(true)
    };
    write(&store, bert, Slot::Preferred, later).await;
    store.unlink_teams(bert, None).await.unwrap();
    store.forget_left_write(&before).await.unwrap();
    let again = left(&store).await.remove(0);
    assert_eq!((again.owner, again.person), (Owner::Nobody, bert));
    store.forget_left_write(&again).await.unwrap();
    assert_eq!(left(&store).await, []);
}

#[tokio::test]
async fn an_object_id_that_is_stored_in_upper_case_is_the_same_account() {
    const LETTERS: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    // As earlier versions stored it.
    const IN_UPPER_CASE: &str = "UPDATE people SET teams_id = upper(teams_id)";
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let account = TeamsUserId::new(LETTERS);
    let tenant = TenantName::new("fabrikam");
    store.link_teams(anna, &account, &tenant).await.unwrap();
    let names = NamedAccount {
        object_id: account.clone(),
        sign_in_name: Some("anna@fabrikam.example".into()),
        display_name: None,
    };
    store.set_teams_account_names(anna, &names).await.unwrap();
    write(&store, anna, Slot::Preferred, own(true)).await;
    run(&folder, &[IN_UPPER_CASE]).await;

    assert_eq!(people(&store).await[0].teams_id, Some(account.clone()));
    assert_eq!(store.teams_account_names(anna).await.unwrap(), Some(names));
    store.may_link_teams(bert, &account).await.unwrap_err();
    // A spreadsheet and the directory name the account in either case: the person keeps it, with tenant and writes.
    for spelling in [LETTERS.to_owned(), LETTERS.to_uppercase()] {
        let row = imported(&spelling);
        store.import(&[row], &CHANGE).await.unwrap();
        let anna = people(&store).await.remove(0);
        assert_eq!(anna.teams_tenant, tenant, "{spelling}");
        let update = DirectoryChange::Update(anna.id, in_directory(&spelling));
        let fabrikam = DirectoryTarget {
            tenant: &tenant,
            location: None,
        };
        let refused = store.apply_directory(&[update], fabrikam, &CHANGE).await;
        assert!(refused.unwrap().is_empty());
        assert_eq!(left(&store).await, [], "{spelling}");
        run(&folder, &[IN_UPPER_CASE]).await;
    }
    store.delete_person(anna, &CHANGE).await.unwrap();
    let write = left(&store).await.remove(0);
    assert_eq!(write.account, account);
    store.forget_left_write(&write).await.unwrap();
    assert_eq!(left(&store).await, []);
}
