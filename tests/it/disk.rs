//! Disk faults: a full disk that gets space again, and overwritten pages of the database.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    time::Duration,
};

use end_to_end::{Installation, Server, SmallDisk, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SOON;

/// Longest time from free space to successful changes.
const RECOVERY_MAX: Duration = Duration::from_secs(1);
const PAGE: usize = 4096;

/// Makes a change of each kind, distinguished by `number`; returns the status of each.
async fn changes(server: &Server, anna: &str, number: usize) -> Vec<(String, StatusCode)> {
    let text = "x".repeat(900);
    let hour = number % 24;
    let changes = [
        (
            Method::POST,
            "/api/v1/scopes".to_owned(),
            json!({"kind": "location", "name": format!("location {number}")}),
        ),
        (
            Method::PUT,
            format!("/api/v1/people/{anna}/profile"),
            json!({"profile": if number.is_multiple_of(2) { "Busy" } else { "Absent" }}),
        ),
        (
            Method::PATCH,
            format!("/api/v1/people/{anna}"),
            json!({"name": format!("anna {number}")}),
        ),
        (
            Method::POST,
            format!("/api/v1/people/{anna}/appointments"),
            json!({"start": format!("2031-01-01T{hour:02}:00:00Z"), "end": format!("2031-01-01T{hour:02}:30:00Z"), "text": text, "profile": "Busy"}),
        ),
        (
            Method::PUT,
            "/api/v1/scopes/organisation/settings/presence".to_owned(),
            json!({"history": number.is_multiple_of(2)}),
        ),
        (
            Method::POST,
            "/api/v1/people/import".to_owned(),
            json!({"csv": format!("name,mail,UPN,extension\np{number},p{number}@b.example,p{number}@b.example,{}\n", 2_000 + number)}),
        ),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in changes {
        let (status, answer) = server.api(method.clone(), &path, Some(body)).await;
        answers.push((format!("{method} {path}: {answer}"), status));
    }
    answers
}

async fn store_trouble(server: &Server) -> Option<String> {
    let troubles = server.troubles().await;
    troubles
        .into_iter()
        .find(|trouble| trouble.starts_with("\"store\": "))
}

#[tokio::test]
async fn changes_work_within_a_second_when_a_full_disk_has_space_again() {
    let installation = Installation::new("");
    let test = "disk::changes_work_within_a_second_when_a_full_disk_has_space_again";
    let Some(disk) = SmallDisk::mount(&installation.file("data"), test) else {
        return;
    };
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let anna = server.person("anna").await;
    let filler = installation.data("filler");
    let mut number = 0;
    for space in ["the file that filled it is gone", "it is larger"] {
        // Fails when the disk is full; the file keeps the space.
        let _ = fs::write(&filler, vec![1; 60 << 20]);
        let mut refused = 0;
        while refused < 60 {
            number += 1;
            assert!(number < 2_000, "the disk does not become full");
            for (what, status) in changes(&server, &anna, number).await {
                let is_refused = status == StatusCode::SERVICE_UNAVAILABLE;
                assert!(is_refused || status.is_success(), "{what}: {status}");
                refused += usize::from(is_refused);
            }
        }
        let named = async || {
            store_trouble(&server)
                .await
                .is_some_and(|trouble| trouble.contains("full"))
        };
        eventually("readiness names the full disk", RECOVERY_MAX, true, named).await;
        assert!(!server.is_ready().await);
        if disk_has_file(&filler) && space.contains("gone") {
            fs::remove_file(&filler).unwrap();
        } else {
            disk.enlarge();
        }
        let mut works = false;
        let recovered = tokio::time::timeout(RECOVERY_MAX, async {
            while !works {
                number += 1;
                let done = changes(&server, &anna, number).await;
                works = done.iter().all(|(_, status)| status.is_success());
            }
        });
        assert!(
            recovered.await.is_ok(),
            "{space}: changes are refused still"
        );
        for _ in 0..10 {
            number += 1;
            for (what, status) in changes(&server, &anna, number).await {
                assert!(status.is_success(), "{space}: {what}: {status}");
            }
        }
        eventually("ready again", RECOVERY_MAX * 2, Vec::new(), || {
            server.troubles()
        })
        .await;
    }
    server.kill().await;
    let server = installation.serve().await;
    let scopes = server
        .ok(Method::GET, "/api/v1/scopes?limit=1000", None)
        .await;
    assert!(
        scopes.to_string().contains(&format!("location {number}")),
        "{scopes}"
    );
    assert_eq!(server.terminate().await, 0);
}

fn disk_has_file(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok()
}

fn overwrite(file: &Path, pages: impl Iterator<Item = u64>, bytes: &[u8; PAGE]) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    for page in pages {
        file.write_all_at(bytes, page * PAGE as u64).unwrap();
    }
}

fn pages_of(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len() / PAGE as u64
}

/// Damage of the database is found at the start and reported.
#[tokio::test]
async fn a_damaged_database_does_not_start_and_the_backups_are_named() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    server.choose("anna", "Do not disturb").await;
    let made = server.ok(Method::POST, "/api/v1/backups", None).await;
    let backup = installation
        .data("backups")
        .join(made["name"].as_str().unwrap());
    let backup = backup.to_str().unwrap();
    assert_eq!(server.terminate().await, 0);

    let database = installation.data("offhook.db");
    let whole = fs::read(&database).unwrap();
    for page in [0, 1, 2] {
        overwrite(&database, std::iter::once(page), &[0; PAGE]);
        let (code, out, errors) = installation.run("serve", &[]).await;
        assert_eq!(code, 1, "page {page}: {out}{errors}");
        for named in [
            database.to_str().unwrap(),
            "damaged",
            "offhook restore",
            backup,
        ] {
            assert!(
                errors.contains(named),
                "page {page}: {named} is not in {errors}"
            );
        }
        fs::write(&database, &whole).unwrap();
    }
    overwrite(&database, 1..4, &[0xA5; PAGE]);
    let (code, out, errors) = installation.run("restore", &[backup, "--force"]).await;
    assert_eq!(code, 0, "{out}{errors}");
    let server = installation.serve().await;
    assert_eq!(server.presence("anna").await["profile"], "Do not disturb");
}

#[tokio::test]
async fn pages_that_are_damaged_while_the_server_runs_do_not_end_it() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let anna = server.person("anna").await;
    for number in 0..5 {
        changes(&server, &anna, number).await;
    }
    let (database, log) = (
        installation.data("offhook.db"),
        installation.data("offhook.db-wal"),
    );
    // With an empty write-ahead log all pages are read from the file.
    let emptied = async || {
        let python = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('pragma wal_checkpoint(truncate)').fetchone())";
        let mut python_run = tokio::process::Command::new("python3");
        python_run.args(["-c", python]).arg(&database);
        assert!(python_run.status().await.unwrap().success());
        fs::metadata(&log).is_ok_and(|log| log.len() == 0)
    };
    eventually("the log is empty", SOON, true, emptied).await;
    let mut noise = [0; PAGE];
    for (at, byte) in noise.iter_mut().enumerate() {
        *byte = u8::try_from(at * 7919 % 251).unwrap();
    }
    for (number, bytes) in [[0; PAGE], noise].iter().enumerate() {
        overwrite(&database, 1..pages_of(&database), bytes);
        for path in [
            "people",
            "audit",
            "scopes",
            "templates",
            "accounts",
            "keys",
            "work",
            "backups",
            &format!("people/{anna}/history"),
            &format!("people/{anna}/appointments"),
            &format!("people/{anna}/profiles"),
            &format!("people/{anna}/relationships"),
            &format!("people/{anna}/devices"),
        ] {
            let (status, answer) = server
                .api(Method::GET, &format!("/api/v1/{path}"), None)
                .await;
            let is_expected = status.is_success()
                || status == StatusCode::SERVICE_UNAVAILABLE
                || status == StatusCode::NOT_FOUND;
            assert!(is_expected, "{path}: {status} {answer}");
        }
        for (what, status) in changes(&server, &anna, 100 + number).await {
            assert!(
                status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE,
                "{what}: {status}"
            );
        }
        let doctor = server.ok(Method::POST, "/api/v1/doctor", None).await;
        let faults: Vec<&Value> = doctor["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["fault"])
            .collect();
        assert!(faults.contains(&&json!("database.damaged")), "{doctor}");
        let named = async || {
            let trouble = store_trouble(&server).await;
            trouble.is_some_and(|trouble| trouble.contains("damaged"))
        };
        eventually("readiness names the damage", SOON, true, named).await;
    }
    assert_eq!(server.terminate().await, 0);
}
