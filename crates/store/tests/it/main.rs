//! The store on a real SQLite file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod access;
mod backup;
mod damage;
mod directory;
mod full_disk;
mod left_writes;
mod migration;
mod people;
mod people_changes;
mod profiles;
mod requests;
mod retention;
mod scopes;
mod spreadsheets;
mod teams_accounts;
mod templates;

use std::{path::PathBuf, time::Duration};

use presence::{Extension, PersonId, TenantName, Timestamp};
use store::{
    AuditFilter, Change, Concern, DirectoryTarget, ImportPerson, OrganisationId, Store, StoreError,
    StoredPerson,
};

const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);
/// A change by a test.
const CHANGE: Change<'static> = Change {
    at: NOW,
    who: "tester",
    what: "test.change",
    target: "thing",
    before: None,
    after: None,
    concern: Concern::Administration,
    attempt: None,
};

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("offhook.db")
}

async fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&path(folder), OrganisationId::FIRST)
        .await
        .unwrap()
}

fn after(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn person(name: &str, extensions: &[&str]) -> ImportPerson {
    ImportPerson {
        name: name.into(),
        mail: format!("{name}@contoso.example"),
        user_principal_name: format!("{name}@contoso.example"),
        extensions: extensions
            .iter()
            .map(|text| Extension::stored(*text))
            .collect(),
        ..ImportPerson::default()
    }
}

/// The directory of an installation with a single tenant. New people have no location.
fn main_directory() -> DirectoryTarget<'static> {
    DirectoryTarget {
        tenant: TenantName::main(),
        location: None,
    }
}

async fn people(store: &Store) -> Vec<StoredPerson> {
    store.people(NOW).await.unwrap()
}

/// A store with these people, and their ids.
async fn with_people<const N: usize>(
    folder: &tempfile::TempDir,
    names: [&str; N],
) -> (Store, [PersonId; N]) {
    let store = open(folder).await;
    let ids = imported(&store, names).await;
    (store, ids)
}

/// Imports people; returns their ids.
async fn imported<const N: usize>(store: &Store, names: [&str; N]) -> [PersonId; N] {
    let everybody = names.map(|name| person(name, &[]));
    store.import(&everybody, &CHANGE).await.unwrap();
    let stored = people(store).await;
    let id = |name: &str| stored.iter().find(|person| person.name == name).unwrap().id;
    names.map(id)
}

async fn audit_rows(store: &Store) -> usize {
    let rows = store.audit(None, 10_000, &AuditFilter::default()).await;
    rows.unwrap().len()
}

/// The error of a refused change. Asserts that it left no row in the audit log.
async fn refusal<T: std::fmt::Debug>(
    store: &Store,
    deed: impl Future<Output = Result<T, StoreError>>,
) -> StoreError {
    let before = audit_rows(store).await;
    let error = deed.await.unwrap_err();
    assert_eq!(
        audit_rows(store).await,
        before,
        "noted although refused: {error}"
    );
    error
}
