//! Files of the database that other programs remove or replace: the server never starts with an empty database in
//! their place, and acknowledges no change that would be lost at its end.

use std::{fs, os::unix::fs::symlink};

use end_to_end::{Installation, Server, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{SOON, durability::open_from_outside};

/// An installation with one person, after a first run of its server.
async fn ran() -> Installation {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    rename(&server, "Anna", StatusCode::OK).await;
    server.kill().await;
    installation
}

async fn rename(server: &Server, name: &str, expected: StatusCode) {
    let body = Some(json!({"name": name}));
    let (status, answer) = server.api(Method::PATCH, "/api/v1/people/1", body).await;
    assert_eq!(status, expected, "{answer}");
}

#[tokio::test]
async fn a_missing_an_empty_and_a_foreign_database_are_not_replaced_by_an_empty_one() {
    for what in ["missing", "empty", "dangling", "foreign"] {
        let installation = ran().await;
        let database = installation.data("offhook.db");
        match what {
            "empty" => fs::write(&database, "").unwrap(),
            "foreign" => {
                fs::remove_file(&database).unwrap();
                let _ = fs::remove_file(installation.data("offhook.db-wal"));
                let make = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); \
                            d.execute('create table x (a)'); d.commit()";
                let python = tokio::process::Command::new("python3")
                    .args(["-c", make, database.to_str().unwrap()])
                    .status();
                assert!(python.await.unwrap().success());
            }
            _ => fs::remove_file(&database).unwrap(),
        }
        if what == "dangling" {
            symlink(installation.file("elsewhere.db"), &database).unwrap();
        }
        let (code, _, errors) = installation.run("serve", &[]).await;
        assert_eq!(code, 1, "{what}: {errors}");
        assert!(errors.contains("offhook.db"), "{what}: {errors}");
        assert!(
            errors.contains("restore") || errors.contains("another program"),
            "{what}: {errors}"
        );
    }
    // A first start creates the database.
    let server = Installation::new("").serve().await;
    assert!(server.is_ready().await);
}

#[tokio::test]
async fn a_database_that_is_taken_away_takes_no_changes() {
    for what in ["offhook.db", "offhook.db-wal"] {
        let installation = Installation::new("");
        installation.import(&[("anna", "1001")]).await;
        let server = installation.serve().await;
        rename(&server, "Anna", StatusCode::OK).await;
        fs::rename(installation.data(what), installation.file("away")).unwrap();
        rename(&server, "Berta", StatusCode::SERVICE_UNAVAILABLE).await;
        let trouble = async || server.troubles().await.join("\n").contains("replaced");
        eventually(what, SOON, true, trouble).await;
        // After the files are back, changes work again.
        fs::rename(installation.file("away"), installation.data(what)).unwrap();
        rename(&server, "Carla", StatusCode::OK).await;
    }
}

#[tokio::test]
async fn a_configuration_and_a_key_that_lead_to_the_database_are_not_opened() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let doctor = async || {
        let (status, answer) = server.api(Method::POST, "/api/v1/doctor", None).await;
        assert_eq!(status, StatusCode::OK);
        answer.to_string()
    };
    let config = installation.file("offhook.toml");
    let text = fs::read_to_string(&config).unwrap();
    let index = installation.data("offhook.db-shm");
    // With another data folder in the configuration, the comparison still uses the database that the server has open.
    let other = text.replace("data = \"data\"", "data = \"data2\"");
    let key = format!("{other}\n[secrets]\nkey_file = \"{}\"\n", index.display());
    fs::write(&config, key).unwrap();
    let report = doctor().await;
    fs::remove_file(&config).unwrap();
    symlink(installation.data("offhook.db"), &config).unwrap();
    let of_link = doctor().await;
    assert!(of_link.contains("it is the database"), "{of_link}");
    fs::remove_file(&config).unwrap();
    fs::write(&config, text).unwrap();
    // Another program that opens and closes the database does not delete the log, because the server holds its locks.
    open_from_outside(&installation.data("offhook.db")).await;
    assert!(installation.data("offhook.db-wal").exists(), "{report}");
    rename(&server, "Anna", StatusCode::OK).await;
    server.kill().await;
    let server = installation.serve().await;
    let people = server.ok(Method::GET, "/api/v1/people", None).await;
    assert_eq!(people["items"][0]["name"], "Anna", "{report}");
}

#[tokio::test]
async fn one_restore_is_carried_out_at_a_time() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let backup = server.ok(Method::POST, "/api/v1/backups", None).await;
    let path = format!(
        "/api/v1/backups/{}/restore",
        backup["name"].as_str().unwrap()
    );
    let restore = || server.api(Method::POST, &path, None);
    let (one, two, three) = tokio::join!(restore(), restore(), restore());
    let answers = [one, two, three].map(|(status, _)| status);
    let accepted = answers
        .iter()
        .filter(|status| **status == StatusCode::ACCEPTED);
    assert_eq!(accepted.count(), 1, "{answers:?}");
    let begun_again = async || installation.data("offhook.db.before-restore-1").exists();
    eventually("restored", SOON, true, begun_again).await;
    let answers = async || reqwest::get(installation.url("/healthz")).await.is_ok();
    eventually("serving", SOON, true, answers).await;
    assert!(!installation.data("offhook.db.before-restore-2").exists());
}
