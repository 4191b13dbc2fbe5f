//! A temporarily full disk.

use std::{path::Path, process::Command};

use presence::PersonId;
use store::{Change, Durability, OrganisationId, ScopeKind, Store, StoreError};

use crate::{CHANGE, NOW, after, person};

/// Detaches a file system when dropped.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // Lazily, because the database may still be open.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(folder);
    mount.status().is_ok_and(|status| status.success())
}

/// Runs the test again in a mount namespace of its own; prints a warning if the system does not allow that.
fn run_unshared(test: &str) {
    const UNSHARED: &str = "OFFHOOK_UNSHARED";
    let may_unshare = Command::new("unshare").args(["-rm", "true"]).status();
    if std::env::var_os(UNSHARED).is_some() || !may_unshare.is_ok_and(|done| done.success()) {
        eprintln!("NOT TESTED: {test} needs to mount a file system, which is not allowed here");
        return;
    }
    let mut again = Command::new("unshare");
    again.arg("-rm").arg(std::env::current_exe().unwrap());
    let status = again.args(["--exact", test]).env(UNSHARED, "1").status();
    assert!(status.unwrap().success());
}

/// Changes of every kind: with and without a transaction, durable and quick.
async fn changes(store: &Store, id: PersonId, number: u64) -> Vec<Result<(), StoreError>> {
    let large = Change {
        after: Some(format!("{:?}", "x".repeat(20_000))),
        ..CHANGE
    };
    let name = format!("location {number}");
    let people = [person(&format!("person{number}"), &[])];
    let record = presence::Record::Choice {
        person: id,
        choice: None,
    };
    let rows = [(id, after(number), "{}".repeat(10_000))];
    let hash = std::array::from_fn(|at| number.to_le_bytes()[at % 8]);
    vec![
        store.record_change(&large).await,
        store
            .add_scope(ScopeKind::Location, store::ORGANISATION, &name, &large)
            .await
            .map(drop),
        store.import(&people, &large).await.map(drop),
        store
            .commit_with_changes([&record], &[], Durability::Process)
            .await,
        store
            .commit_with_changes([&record], std::slice::from_ref(&large), Durability::Power)
            .await,
        store.replace_calendar(id, &[]).await.map(drop),
        store.add_history(&rows).await,
        store.add_session(&hash, None, NOW).await,
        store.database().probe().await,
    ]
}

#[tokio::test]
async fn changes_work_at_once_when_a_full_disk_has_space_again() {
    let folder = tempfile::tempdir().unwrap();
    if !mount(folder.path(), "size=3m") {
        return run_unshared("full_disk::changes_work_at_once_when_a_full_disk_has_space_again");
    }
    let _mounted = Mounted(folder.path());
    let store = Store::open(&crate::path(&folder), OrganisationId::FIRST)
        .await
        .unwrap();
    let [anna] = crate::imported(&store, ["anna"]).await;
    let mut number = 0;
    let mut refused = 0;
    // Long enough for each kind of refusal on each connection of both pools.
    while refused < 200 {
        assert!(number < 10_000, "the disk does not become full");
        let tasks = (0..6).map(|task| {
            let store = store.clone();
            tokio::spawn(async move { changes(&store, anna, number + task).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            let results = task.await.unwrap();
            refused += results.iter().filter(|result| result.is_err()).count();
        }
        // The server does the same; the disk may refuse it too.
        let _ = store.database().checkpoint().await;
        number += 6;
    }
    assert!(store.database().probe().await.is_err());
    assert!(mount(folder.path(), "remount,size=60m"));
    for round in 0..20 {
        for result in changes(&store, anna, 20_000 + round).await {
            result.unwrap();
        }
    }
    store.database().checkpoint().await.unwrap();
    store.database().check().await.unwrap();
    store.database().close().await;
}
