//! Links of people to Teams accounts.

use presence::{PersonId, TenantName};
use store::NamedAccount;

use crate::{CHANGE, audit_rows, migration::run, open, people, person, with_people};

/// Triggers that fail a statement of the change.
const NO_LINK: &str = "CREATE TRIGGER fault BEFORE UPDATE OF teams_id ON people BEGIN SELECT raise(ABORT, 'fault'); END";
const NO_NAMES: &str = "CREATE TRIGGER fault BEFORE INSERT ON teams_account_names BEGIN SELECT raise(ABORT, 'fault'); END";
const NAMES_STAY: &str = "CREATE TRIGGER fault BEFORE DELETE ON teams_account_names BEGIN SELECT raise(ABORT, 'fault'); END";
const NO_AUDIT: &str =
    "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END";

#[tokio::test]
async fn a_link_and_its_audit_row_are_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let account = NamedAccount {
        object_id: "aaaa".into(),
        sign_in_name: Some("anna@contoso.example".into()),
        display_name: None,
    };
    let state = async || {
        let linked = people(&store).await[0].teams_id.is_some();
        let named = store.teams_account_names(anna).await.unwrap().is_some();
        (linked, named, audit_rows(&store).await)
    };
    let link = async || {
        let main = TenantName::main();
        store
            .link_named_account(anna, &account, main, &CHANGE)
            .await
    };
    let unlink = async || store.unlink_teams(anna, Some(&CHANGE)).await;
    let (_, _, rows) = state().await;
    for fault in [NO_LINK, NO_NAMES, NO_AUDIT] {
        run(&folder, &[fault]).await;
        link().await.unwrap_err();
        assert_eq!(state().await, (false, false, rows), "{fault}");
        run(&folder, &["DROP TRIGGER fault"]).await;
    }
    link().await.unwrap();
    assert_eq!(state().await, (true, true, rows + 1));
    for fault in [NO_LINK, NAMES_STAY, NO_AUDIT] {
        run(&folder, &[fault]).await;
        unlink().await.unwrap_err();
        assert_eq!(state().await, (true, true, rows + 1), "{fault}");
        run(&folder, &["DROP TRIGGER fault"]).await;
    }
    unlink().await.unwrap();
    assert_eq!(state().await, (false, false, rows + 2));
}

#[tokio::test]
async fn a_teams_account_belongs_to_one_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store
        .import(&[person("anna", &[]), person("bert", &[])], &CHANGE)
        .await
        .unwrap();
    let ids: Vec<PersonId> = people(&store)
        .await
        .iter()
        .map(|person| person.id)
        .collect();
    store
        .link_teams(ids[0], &"aaaa".into(), TenantName::main())
        .await
        .unwrap();
    store
        .link_teams(ids[0], &"aaaa".into(), TenantName::main())
        .await
        .unwrap();
    store.may_link_teams(ids[0], &"aaaa".into()).await.unwrap();
    for error in [
        store
            .may_link_teams(ids[1], &"AAAA".into())
            .await
            .unwrap_err(),
        store
            .link_teams(ids[1], &"AAAA".into(), TenantName::main())
            .await
            .unwrap_err(),
    ] {
        assert!(error.to_string().contains("belongs to anna"), "{error}");
    }
}
