//! Accounts, sessions, sign-in links and API keys.

use presence::PersonId;
use store::{Account, ORGANISATION, Role, ScopeKind, Session, StoreError, Subject};

use crate::{CHANGE, NOW, after, open, refusal, with_people};

fn account(name: &str, role: Role) -> Account {
    Account {
        id: 0,
        name: name.into(),
        password_hash: Some("$argon2id$secret".into()),
        person: None,
        role,
        location: None,
        created_at: NOW,
    }
}

#[tokio::test]
async fn a_link_works_once_and_a_session_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let id = store
        .add_account(&account("Anna", Role::Person), &CHANGE)
        .await
        .unwrap();
    let later = after(60);
    store
        .add_sign_in_link(&[1; 32], Some(id), later)
        .await
        .unwrap();
    store.add_sign_in_link(&[6; 32], None, later).await.unwrap();
    let exchange = async |link: u8, session: u8, now| {
        let (link, session) = ([link; 32], [session; 32]);
        let exchanged = store.exchange_link(&link, &session, later, now);
        exchanged.await.unwrap()
    };
    assert!(!exchange(9, 2, NOW).await, "unknown");
    assert!(!exchange(1, 2, later).await, "expired");
    assert!(exchange(1, 2, NOW).await);
    assert!(!exchange(1, 3, NOW).await, "used");
    assert!(exchange(6, 7, NOW).await);
    let session = async |hash: u8, now| store.session(&[hash; 32], now).await.unwrap();
    let of_anna = session(2, NOW).await.unwrap().account.unwrap();
    assert_eq!((of_anna.id, of_anna.role), (id, Role::Person));
    assert_eq!(session(7, NOW).await, Some(Session { account: None }));
    assert_eq!(session(3, NOW).await, None);
    assert_eq!(session(2, later).await, None);

    store.add_session(&[8; 32], Some(id), later).await.unwrap();
    store.delete_session(&[8; 32]).await.unwrap();
    assert_eq!(session(8, NOW).await, None);
    assert!(session(2, NOW).await.is_some());
    store.delete_sessions_of(id).await.unwrap();
    assert_eq!(session(2, NOW).await, None);
    store.add_session(&[8; 32], Some(id), later).await.unwrap();
    store.delete_account(id, &CHANGE).await.unwrap();
    assert_eq!(session(8, NOW).await, None, "and not the administrator's");
    for error in [
        store
            .add_session(&[5; 32], Some(id), later)
            .await
            .unwrap_err(),
        store
            .add_sign_in_link(&[5; 32], Some(id), later)
            .await
            .unwrap_err(),
    ] {
        assert!(
            matches!(
                error,
                StoreError::NotFound {
                    subject: Subject::Account,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_account_is_found_by_its_name_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let berlin = store
        .add_scope(ScopeKind::Location, ORGANISATION, "Berlin", &CHANGE)
        .await
        .unwrap();
    let id = store
        .add_account(&account(" Anna ", Role::Person), &CHANGE)
        .await
        .unwrap();
    let found = store.account_by_name("ANNA ").await.unwrap().unwrap();
    assert_eq!(
        (found.id, &*found.name, found.created_at),
        (id, "Anna", NOW)
    );
    assert!(!format!("{found:?}").contains("secret"), "{found:?}");
    let changed = Account {
        person: Some(anna),
        role: Role::LocationAdmin,
        location: Some(berlin.to_string()),
        password_hash: None,
        ..found.clone()
    };
    store.change_account(&changed, &CHANGE).await.unwrap();
    let kept = Account {
        password_hash: found.password_hash,
        ..changed.clone()
    };
    assert_eq!(
        store.accounts().await.unwrap(),
        [kept],
        "the password stays"
    );
    store.set_password(id, None, &CHANGE).await.unwrap();
    assert_eq!(store.account(id).await.unwrap(), Some(changed));
    let error = refusal(&store, store.delete_scope(&berlin, &CHANGE)).await;
    assert!(error.to_string().contains("account Anna"), "{error}");
    store.delete_person(anna, &CHANGE).await.unwrap();
    assert_eq!(store.accounts().await.unwrap(), []);
}

#[tokio::test]
async fn an_account_that_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let anna = account("Anna", Role::SystemAdmin);
    let id = store.add_account(&anna, &CHANGE).await.unwrap();
    let bert = account("bert", Role::Person);
    let somewhere = |role, location: &str| Account {
        location: Some(location.into()),
        ..account("bert", role)
    };
    for (wrong, word) in [
        (account("ANNA", Role::Person), "ANNA already"),
        (account(" ", Role::Person), "name is empty"),
        (account("bert", Role::LocationAdmin), "needs a location"),
        (
            somewhere(Role::SystemAdmin, "organisation"),
            "only a location's",
        ),
        (
            somewhere(Role::LocationAdmin, "organisation"),
            "no location organisation",
        ),
        (
            Account {
                person: Some(PersonId(9)),
                ..bert.clone()
            },
            "no person 9",
        ),
    ] {
        let error = refusal(&store, store.add_account(&wrong, &CHANGE)).await;
        assert!(error.to_string().contains(word), "{error}");
    }
    let missing = Account { id: id + 1, ..bert };
    for error in [
        refusal(&store, store.change_account(&missing, &CHANGE)).await,
        refusal(&store, store.set_password(id + 1, None, &CHANGE)).await,
        refusal(&store, store.delete_account(id + 1, &CHANGE)).await,
    ] {
        assert!(
            matches!(
                error,
                StoreError::NotFound {
                    subject: Subject::Account,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_api_key_may_do_what_it_was_made_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    assert!(!store.has_any_api_key().await.unwrap());
    let id = store
        .add_api_key(&[4; 32], "wallboard", &["read"], &CHANGE)
        .await
        .unwrap();
    let key = store.api_key(&[4; 32]).await.unwrap().unwrap();
    assert_eq!(
        (&key.id, &*key.name, key.scopes.as_slice()),
        (&id, "wallboard", &["read".to_owned()][..])
    );
    assert_eq!(store.api_keys().await.unwrap(), [key]);
    assert_eq!(store.api_key(&[5; 32]).await.unwrap(), None);
    let error = refusal(&store, store.add_api_key(&[5; 32], "x", &["fly"], &CHANGE)).await;
    assert!(error.to_string().contains("\"fly\""), "{error}");
    let error = refusal(&store, store.add_api_key(&[4; 32], "again", &[], &CHANGE)).await;
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let error = refusal(&store, store.delete_api_key("nothing", &CHANGE)).await;
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    store.delete_api_key(&id, &CHANGE).await.unwrap();
    assert!(!store.has_any_api_key().await.unwrap());
}

#[tokio::test]
async fn an_account_has_its_fifty_newest_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let add = async |name: &str| {
        let account = account(name, Role::Person);
        store.add_account(&account, &CHANGE).await.unwrap()
    };
    let (anna, bert) = (add("Anna").await, add("Bert").await);
    let at = |second: u64| after(60 + second);
    store
        .add_session(&[100; 32], Some(bert), at(0))
        .await
        .unwrap();
    store.add_session(&[101; 32], None, at(0)).await.unwrap();
    for number in 0..60 {
        let hash = [number; 32];
        let session = store.add_session(&hash, Some(anna), at(number.into()));
        session.await.unwrap();
    }
    for (hash, lives) in [
        (0, false),
        (9, false),
        (10, true),
        (59, true),
        (100, true),
        (101, true),
    ] {
        let session = store.session(&[hash; 32], NOW).await.unwrap();
        assert_eq!(session.is_some(), lives, "{hash}");
    }
    // A sign-in link does not bypass the limit.
    store
        .add_sign_in_link(&[1; 32], Some(anna), at(0))
        .await
        .unwrap();
    let exchanged = store.exchange_link(&[1; 32], &[60; 32], at(60), NOW);
    assert!(exchanged.await.unwrap());
    assert_eq!(store.session(&[10; 32], NOW).await.unwrap(), None);
}
