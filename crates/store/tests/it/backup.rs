//! Backup during writes, and restore.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use store::{OrganisationId, PreparedRestore, Progress, Store, StoreError};

use crate::{CHANGE, NOW, open, path, people, person, with_people};

fn names_in(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn restore(
    backup: &Path,
    database: &Path,
    force: bool,
) -> Result<Option<PathBuf>, StoreError> {
    let prepared = PreparedRestore::new(backup, database, force).await?;
    prepared.apply().await
}

async fn refused(backup: &Path, database: &Path, force: bool) -> String {
    let error = restore(backup, database, force).await.unwrap_err();
    assert!(matches!(error, StoreError::Backup { .. }), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_backup_made_while_others_write_is_one_moment_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_]) = with_people(&folder, ["p0"]).await;
    let writing = store.clone();
    // Each import adds one person, and raises the revision by two: the person and the line.
    let writer = tokio::spawn(async move {
        for index in 1..200 {
            let extension = format!("1{index}");
            let next = person(&format!("p{index}"), &[&extension]);
            writing.import(&[next], &CHANGE).await.unwrap();
        }
    });
    while store.people_revision().await.unwrap() < 9 {
        tokio::task::yield_now().await;
    }
    let backup = folder.path().join("backup.db");
    store.database().backup(&backup).await.unwrap();
    writer.await.unwrap();
    let everybody = people(&store).await;
    assert_eq!(everybody.len(), 200);
    store.database().close().await;

    let elsewhere = tempfile::tempdir().unwrap();
    let restored = restore(&backup, &path(&elsewhere), false).await.unwrap();
    assert_eq!(restored, None);
    assert_eq!(names_in(&elsewhere), ["offhook.db"]);
    let store = open(&elsewhere).await;
    let found = people(&store).await;
    let revision = store.people_revision().await.unwrap();
    assert_eq!(
        2 * found.len() as u64,
        revision + 1,
        "the first person has no line"
    );
    assert!((5..200).contains(&found.len()), "{}", found.len());
    assert_eq!(found, everybody[..found.len()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_cancelled_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let everybody: Vec<_> = (0..5000)
        .map(|index| person(&format!("p{index}"), &[&format!("1{index}")]))
        .collect();
    store.import(&everybody, &CHANGE).await.unwrap();
    let before = names_in(&folder);
    let progress = Arc::new(Progress::default());
    let (making, watched) = (store.clone(), progress.clone());
    let to = folder.path().join("backup.db");
    let backup = tokio::spawn(async move { making.database().backup_watched(&to, &watched).await });
    while progress.done_and_total().1 == 0 {
        tokio::task::yield_now().await;
    }
    progress.cancel();
    let error = backup.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Cancelled), "{error}");
    assert_eq!(names_in(&folder), before);
    // The connection is usable again.
    let to = folder.path().join("whole.db");
    store.database().backup(&to).await.unwrap();
    assert_eq!(people(&store).await.len(), 5000);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_for_this_user_only_and_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let backup = folder.path().join("it's a backup.db");
    store.database().backup(&backup).await.unwrap();
    assert_eq!(
        fs::metadata(&backup).unwrap().permissions().mode() & 0o777,
        0o600
    );
    store.record_change(&CHANGE).await.unwrap();
    let before = fs::read(&backup).unwrap();
    let error = store
        .database()
        .backup(&backup)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("a backup.db: it exists already"), "{error}");
    assert_eq!(fs::read(&backup).unwrap(), before);
    let error = store
        .database()
        .backup(&folder.path().join("missing/x.db"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("missing/x.db"), "{error}");
    store.database().close().await;
    assert_eq!(names_in(&folder), ["it's a backup.db", "offhook.db"]);
}

#[tokio::test]
async fn what_a_restore_replaces_is_kept_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna]) = with_people(&folder, ["anna"]).await;
    let backup = folder.path().join("backup.db");
    store.database().backup(&backup).await.unwrap();
    store.delete_person(anna, &CHANGE).await.unwrap();
    let database = path(&folder);
    let error = refused(&backup, &database, false).await;
    assert!(error.contains("offhook.db: it exists already"), "{error}");
    assert!(people(&store).await.is_empty(), "nothing was touched");

    // As after a crash, the log holds changes that the database lacks. The restore moves them into the kept database.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["offhook.db", "offhook.db-wal"] {
        fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    fs::write(crashed.path().join("offhook.db-shm"), "").unwrap();
    store.database().close().await;
    for number in 1..=2 {
        let kept = restore(&backup, &path(&crashed), true)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            kept,
            crashed
                .path()
                .join(format!("offhook.db.before-restore-{number}"))
        );
    }
    assert_eq!(
        names_in(&crashed),
        [
            "offhook.db",
            "offhook.db.before-restore-1",
            "offhook.db.before-restore-2",
        ]
    );
    let count = async |path: &Path| {
        let store = Store::open(path, OrganisationId::FIRST).await.unwrap();
        let found = store.people(NOW).await.unwrap().len();
        store.database().close().await;
        found
    };
    assert_eq!(count(&path(&crashed)).await, 1);
    assert_eq!(
        count(&crashed.path().join("offhook.db.before-restore-1")).await,
        0
    );
    assert_eq!(
        count(&crashed.path().join("offhook.db.before-restore-2")).await,
        1
    );
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_]) = with_people(&folder, ["anna"]).await;
    let backup = folder.path().join("good");
    store.database().backup(&backup).await.unwrap();
    let in_use = refused(&path(&folder), &folder.path().join("new.db"), false).await;
    assert!(in_use.contains("-wal"), "{in_use}");
    store.database().close().await;
    let good = fs::read(&backup).unwrap();
    let mut torn = good.clone();
    torn.truncate(good.len() / 2);
    let mut damaged = good.clone();
    let middle = damaged.len() / 8..damaged.len() / 2;
    damaged[middle].fill(0x5a);
    // Every page is well-formed, but an index contradicts its table.
    let mut disagreeing = good.clone();
    let name = b"anna@contoso.example";
    let at = disagreeing
        .windows(name.len())
        .position(|bytes| bytes == name)
        .unwrap();
    disagreeing[at] = b'b';
    for (name, content) in [
        ("garbage", &b"no database at all".repeat(500)),
        ("empty", &Vec::new()),
        ("torn", &torn),
        ("damaged", &damaged),
        ("disagreeing", &disagreeing),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        let error = refused(&file, &path(&folder), true).await;
        assert!(
            error.contains(name) && error.contains("choose another backup"),
            "{error}"
        );
    }
    let error = refused(&folder.path().join("missing"), &path(&folder), true).await;
    assert!(error.contains("missing"), "{error}");
    for (statement, word) in [
        (
            "UPDATE _sqlx_migrations SET version = 99 WHERE version = 2",
            "newer version",
        ),
        (
            "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
            "not one of Offhook",
        ),
        ("DELETE FROM _sqlx_migrations", "empty"),
    ] {
        let other = tempfile::tempdir().unwrap();
        fs::write(path(&other), &good).unwrap();
        crate::migration::run(&other, &[statement]).await;
        let error = refused(&path(&other), &path(&folder), true).await;
        assert!(error.contains(word), "{error}");
    }
    let store = open(&folder).await;
    assert_eq!(people(&store).await.len(), 1);
    store.database().close().await;
    assert_eq!(
        names_in(&folder),
        [
            "damaged",
            "disagreeing",
            "empty",
            "garbage",
            "good",
            "offhook.db",
            "torn"
        ]
    );
}
