//! Changes of people by a directory, and sealed secrets.

use presence::{PersonId, TenantName};
use store::{
    DirectoryChange, DirectoryPerson, DirectoryTarget, SealedSecret, StoreError, UniqueField,
};

use crate::{CHANGE, NOW, main_directory, open, person};

fn account(id: &str, name: &str) -> DirectoryPerson {
    DirectoryPerson {
        teams_id: id.into(),
        name: name.into(),
        mail: format!("{name}@contoso.example"),
        user_principal_name: format!("{name}@contoso.example"),
    }
}

#[tokio::test]
async fn people_come_go_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let add = DirectoryChange::Add(account("a", "anna"));
    let revision = store.people_revision().await.unwrap();
    store
        .apply_directory(&[add], main_directory(), &CHANGE)
        .await
        .unwrap();
    assert!(store.people_revision().await.unwrap() > revision);
    let anna = store.people(NOW).await.unwrap()[0].id;
    store
        .import(&[person("anna", &["1001"])], &CHANGE)
        .await
        .unwrap();

    store
        .apply_directory(&[DirectoryChange::Gone(anna)], main_directory(), &CHANGE)
        .await
        .unwrap();
    assert_eq!(store.people(NOW).await.unwrap(), []);
    assert_eq!(
        store.gone_people(TenantName::main()).await.unwrap()[0].id,
        anna
    );

    // The person returns with another name and the same number.
    let back = DirectoryChange::Update(anna, account("a", "anna.becker"));
    store
        .apply_directory(&[back], main_directory(), &CHANGE)
        .await
        .unwrap();
    let people = store.people(NOW).await.unwrap();
    assert_eq!(
        (people[0].id, people[0].name.as_str()),
        (anna, "anna.becker")
    );
    assert_eq!(&*people[0].lines[0].1, "1001");

    store
        .apply_directory(&[DirectoryChange::Gone(anna)], main_directory(), &CHANGE)
        .await
        .unwrap();
    // A person who has left the directory loses the extension.
    store
        .import(&[person("bert", &["1001"])], &CHANGE)
        .await
        .unwrap();
    let later = NOW + std::time::Duration::from_secs(1);
    assert_eq!(store.forget_gone(NOW).await.unwrap(), 0);
    assert_eq!(store.forget_gone(later).await.unwrap(), 1);
    assert_eq!(store.gone_people(TenantName::main()).await.unwrap(), []);
    assert_eq!(store.people(NOW).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_of_a_person_who_keeps_it_is_refused_and_the_others_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.import(&[person("anna", &[])], &CHANGE).await.unwrap();
    let changes = [
        DirectoryChange::Add(account("b", "bert")),
        DirectoryChange::Add(account("c", "ANNA")),
    ];
    let refused = store
        .apply_directory(&changes, main_directory(), &CHANGE)
        .await;
    let refused = refused.unwrap();
    let places: Vec<usize> = refused.iter().map(|refused| refused.at).collect();
    assert_eq!(places, [1]);
    let why = &refused[0].why;
    let is_the_name = matches!(
        why,
        StoreError::Taken {
            field: UniqueField::SignInName,
            ..
        }
    );
    assert!(is_the_name, "{why}");
    assert_eq!(store.people(NOW).await.unwrap().len(), 2);
    let gone = DirectoryChange::Gone(PersonId(99));
    store
        .apply_directory(&[gone], main_directory(), &CHANGE)
        .await
        .unwrap();
}

/// An account with different sign-in name and mail address.
fn account_with(id: &str, upn: &str, mail: &str) -> DirectoryPerson {
    DirectoryPerson {
        teams_id: id.into(),
        name: id.into(),
        mail: mail.into(),
        user_principal_name: upn.into(),
    }
}

#[tokio::test]
async fn a_round_is_applied_as_a_whole_in_whichever_order_its_changes_stand() {
    use DirectoryChange::{Add, Gone, Update};
    let id = PersonId;
    // People 1 to 3 are a, b and c.
    let rounds = [
        // Swapped.
        (
            vec![
                Update(id(1), account_with("a", "b@x", "a@x")),
                Update(id(2), account_with("b", "a@x", "b@x")),
            ],
            vec![],
            "a b@x a@x, b a@x b@x, c c@x c@x",
        ),
        (
            vec![
                Update(id(1), account_with("a", "a@x", "b@x")),
                Update(id(2), account_with("b", "b@x", "a@x")),
            ],
            vec![],
            "a a@x b@x, b b@x a@x, c c@x c@x",
        ),
        // A name moves to another person; the receiver's change comes first.
        (
            vec![
                Update(id(1), account_with("a", "b@x", "b@x")),
                Update(id(2), account_with("b", "new@x", "new@x")),
            ],
            vec![],
            "a b@x b@x, b new@x new@x, c c@x c@x",
        ),
        // A new person takes the name of a person who leaves.
        (
            vec![Add(account_with("d", "a@x", "a@x")), Gone(id(1))],
            vec![],
            "b b@x b@x, c c@x c@x, d a@x a@x",
        ),
        // A refused change frees no name.
        (
            vec![
                Update(id(2), account_with("b", "a@x", "b@x")),
                Update(id(1), account_with("a", "c@x", "a@x")),
                Add(account_with("d", "d@x", "d@x")),
            ],
            vec![1, 0],
            "a a@x a@x, b b@x b@x, c c@x c@x, d d@x d@x",
        ),
    ];
    for (round, expected_refused, expected) in rounds {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        for name in ["a", "b", "c"] {
            let address = format!("{name}@x");
            let add = Add(account_with(name, &address, &address));
            store
                .apply_directory(&[add], main_directory(), &CHANGE)
                .await
                .unwrap();
        }
        let refused = store
            .apply_directory(&round, main_directory(), &CHANGE)
            .await
            .unwrap();
        let refused: Vec<usize> = refused.iter().map(|refused| refused.at).collect();
        assert_eq!(refused, expected_refused, "{expected}");
        let people = store.people(NOW).await.unwrap();
        let shown = people.iter().map(|person| {
            let (name, mail) = (&person.name, &person.mail);
            format!("{name} {} {mail}", person.user_principal_name)
        });
        assert_eq!(shown.collect::<Vec<_>>().join(", "), expected);
    }
}

#[tokio::test]
async fn people_of_another_tenant_come_to_its_location() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let tenant = TenantName::new("fabrikam");
    let fabrikam = DirectoryTarget {
        tenant: &tenant,
        location: Some("Bonn"),
    };
    let add = DirectoryChange::Add(account("a", "anna"));
    store
        .apply_directory(&[add], fabrikam, &CHANGE)
        .await
        .unwrap();
    let anna = store.people(NOW).await.unwrap().remove(0);
    assert_eq!(
        (
            anna.teams_tenant.as_str(),
            anna.location.as_ref().map(store::ScopeId::as_str)
        ),
        ("fabrikam", Some("bonn"))
    );
    let named = store.scopes().await.unwrap().remove(0).tenant;
    assert_eq!(named, Some(tenant.clone()));
    let gone = DirectoryChange::Gone(anna.id);
    store
        .apply_directory(&[gone], fabrikam, &CHANGE)
        .await
        .unwrap();
    assert_eq!(store.gone_people(TenantName::main()).await.unwrap(), []);
    assert_eq!(store.gone_people(&tenant).await.unwrap().len(), 1);

    // A location of one tenant takes no people of another tenant.
    let add = DirectoryChange::Add(account("b", "bert"));
    let contoso = DirectoryTarget {
        tenant: &"contoso".into(),
        ..fabrikam
    };
    let refused = store
        .apply_directory(&[add], contoso, &CHANGE)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("fabrikam"), "{refused}");
}

#[tokio::test]
async fn an_account_is_in_a_tenant_until_it_is_unlinked() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let moved = store::ImportPerson {
        location: Some("Bonn".into()),
        teams_id: Some("aaaa".into()),
        ..person("anna", &[])
    };
    store
        .import(std::slice::from_ref(&moved), &CHANGE)
        .await
        .unwrap();
    store
        .name_tenant(&"bonn".into(), Some(&"fabrikam".into()), &CHANGE)
        .await
        .unwrap();
    let anna = store.people(NOW).await.unwrap().remove(0);
    assert!(anna.teams_tenant.is_main());
    store.unlink_teams(anna.id, None).await.unwrap();
    assert_eq!(store.people(NOW).await.unwrap()[0].teams_id, None);
    store.import(&[moved], &CHANGE).await.unwrap();
    let tenant = &store.people(NOW).await.unwrap()[0].teams_tenant;
    assert_eq!(tenant.as_str(), "fabrikam");
    store
        .link_teams(anna.id, &"bbbb".into(), &"contoso".into())
        .await
        .unwrap();
    let tenant = &store.people(NOW).await.unwrap()[0].teams_tenant;
    assert_eq!(tenant.as_str(), "contoso");
    let unknown = store
        .name_tenant(&"ulm".into(), None, &CHANGE)
        .await
        .unwrap_err();
    assert!(unknown.to_string().contains("ulm"), "{unknown}");
}

#[tokio::test]
async fn sealed_secrets_are_kept_replaced_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let secret = |name: &str, key: &str| SealedSecret {
        name: name.into(),
        key: key.into(),
        sealed: vec![1, 2, 3],
    };
    let both = [secret("refresh/1", "old"), secret("other", "old")];
    store.seal_secrets(&both).await.unwrap();
    store
        .seal_secrets(&[secret("refresh/1", "new")])
        .await
        .unwrap();
    let kept = store.sealed_secrets("refresh/").await.unwrap();
    assert_eq!(kept, [secret("refresh/1", "new")]);
    assert!(store.forget_secret("refresh/1").await.unwrap());
    assert!(!store.forget_secret("refresh/1").await.unwrap());
    assert_eq!(store.sealed_secrets("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_directory_does_to_each_person_is_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let apply = async |entry: DirectoryChange| {
        let entries = [entry];
        let done = store.apply_directory(&entries, main_directory(), &CHANGE);
        done.await.unwrap();
        let rows = store.audit(None, 1, &store::AuditFilter::default()).await;
        let row = rows.unwrap().remove(0);
        (row.what, row.after.unwrap())
    };
    let (what, after) = apply(DirectoryChange::Add(account("a", "anna"))).await;
    assert_eq!(what, "person.add");
    assert!(after.contains("\"teamsAccount\":\"a\""), "{after}");
    let anna = store.people(NOW).await.unwrap()[0].id;
    let (what, after) = apply(DirectoryChange::Gone(anna)).await;
    assert_eq!(what, "person.change");
    assert!(after.contains("\"gone\":true"), "{after}");
    let (_, after) = apply(DirectoryChange::Update(anna, account("a", "anna"))).await;
    assert!(after.contains("\"gone\":false"), "{after}");
}
