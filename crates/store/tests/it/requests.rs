//! Requests with an idempotency key: recorded with their changes, answered afterwards.

use presence::Relationship;
use store::{
    Attempt, Change, OrganisationId, Outcome, Store, StoreError, StoredAnswer, StoredRequest,
};

use crate::{CHANGE, NOW, after, audit_rows, migration, open, path, refusal};

fn attempt(who: &str, nonce: &str) -> Attempt {
    Attempt {
        key: "k".into(),
        who: who.into(),
        fingerprint: "f".into(),
        nonce: nonce.into(),
    }
}

fn answer(body: &str) -> StoredAnswer {
    StoredAnswer {
        status: 201,
        body: body.into(),
    }
}

async fn add_workgroup(store: &Store, name: &str, attempt: &Attempt) -> Result<u64, StoreError> {
    let change = Change {
        attempt: Some(attempt),
        ..CHANGE
    };
    let level = Relationship::TeamColleague;
    store
        .upsert_workgroup(None, name, level, &[], &change)
        .await
}

async fn outcome(store: &Store, who: &str) -> Option<Outcome> {
    let found = store.stored_request("k", who).await.unwrap();
    found.map(|found| found.outcome)
}

#[tokio::test]
async fn a_request_is_recorded_with_its_change_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let first = attempt("anna", "1");
    refusal(&store, add_workgroup(&store, "  ", &first)).await;
    assert_eq!(outcome(&store, "anna").await, None, "nothing was changed");
    let id = add_workgroup(&store, "Support", &first).await.unwrap();
    // As after a kill, uncommitted changes are lost.
    store.database().close().await;
    let store = open(&folder).await;
    let made = Some(id.to_string());
    assert_eq!(
        store.stored_request("k", "anna").await.unwrap(),
        Some(StoredRequest {
            fingerprint: "f".into(),
            outcome: Outcome::Done { made },
        })
    );
    assert!(store.store_answer(&first, &answer("1"), NOW).await.unwrap());
    let answered = Outcome::Answered(answer("1"));
    assert_eq!(outcome(&store, "anna").await, Some(answered));
}

#[tokio::test]
async fn another_attempt_at_a_request_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let first = attempt("anna", "1");
    add_workgroup(&store, "Support", &first).await.unwrap();
    let second = attempt("anna", "2");
    let error = refusal(&store, add_workgroup(&store, "Sales", &second)).await;
    assert!(matches!(error, StoreError::Repeated { .. }), "{error}");
    assert!(
        !store
            .store_answer(&second, &answer("2"), NOW)
            .await
            .unwrap()
    );
    assert_eq!(store.workgroups().await.unwrap().len(), 1);
    // An attempt may commit several transactions, and callers do not share keys.
    add_workgroup(&store, "Sales", &first).await.unwrap();
    let bert = attempt("bert", "3");
    add_workgroup(&store, "Development", &bert).await.unwrap();
    assert_eq!(store.workgroups().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_request_that_changes_nothing_is_stored_with_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let first = attempt("anna", "1");
    assert!(store.store_answer(&first, &answer("1"), NOW).await.unwrap());
    assert_eq!(audit_rows(&store).await, 0);
    assert_eq!(
        outcome(&store, "anna").await,
        Some(Outcome::Answered(answer("1")))
    );
    assert_eq!(outcome(&store, "bert").await, None);
    assert_eq!(store.forget_requests(NOW).await.unwrap(), 0);
    assert_eq!(store.forget_requests(after(1)).await.unwrap(), 1);
    assert_eq!(outcome(&store, "anna").await, None);
}

#[tokio::test]
async fn answers_of_an_older_version_stay() {
    let folder = tempfile::tempdir().unwrap();
    migration::of_version(&folder, 5).await;
    let data = "INSERT INTO idempotency (key, who, fingerprint, status, body, at)
                VALUES ('k', 'anna', 'f', 201, 'old', 1)";
    migration::run(&folder, &[data]).await;
    let store = Store::open(&path(&folder), OrganisationId::FIRST)
        .await
        .unwrap();
    assert_eq!(
        outcome(&store, "anna").await,
        Some(Outcome::Answered(answer("old")))
    );
}
