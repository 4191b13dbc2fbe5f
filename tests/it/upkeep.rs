//! Maintenance by administrators on the machine: backup and restore, explanations in a terminal, accounts; and state
//! that outlives a restart.

use end_to_end::{Installation, Server, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::SOON;

async fn two_people() -> (Installation, Server) {
    let installation = Installation::new("");
    installation
        .import(&[("anna", "1001"), ("bert", "1002")])
        .await;
    let server = installation.serve().await;
    (installation, server)
}

async fn profiles_of_history(server: &Server, name: &str) -> Vec<String> {
    let id = server.person(name).await;
    let path = format!("/api/v1/people/{id}/history");
    let history = server.ok(Method::GET, &path, None).await;
    let items = history["items"].as_array().unwrap().iter();
    let profile = |item: &Value| item["presence"]["profile"].as_str().unwrap().to_owned();
    items.map(profile).collect()
}

#[tokio::test]
async fn the_history_outlives_a_restart_where_an_administrator_wants_it() {
    let (installation, server) = two_people().await;
    let path = "/api/v1/scopes/organisation/settings/presence";
    let on = Some(json!({"history": true}));
    server.ok(Method::PUT, path, on).await;
    server.choose("anna", "Busy").await;
    server.choose("anna", "Do not disturb").await;
    let kept = async || {
        // Waits until the write-ahead log holds the choice: a kill before that would lose it.
        let file = installation.data("offhook.db");
        let bytes = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
        let words = b"\"profile\":\"Do not disturb\",\"chosen\"";
        bytes.windows(words.len()).any(|window| window == words)
    };
    eventually("on disk", SOON, true, kept).await;
    server.kill().await;
    let server = installation.serve().await;
    let profiles = profiles_of_history(&server, "anna").await;
    assert_eq!(profiles.last().unwrap(), "Do not disturb");
    assert!(profiles.contains(&"Busy".to_owned()), "{profiles:?}");
    // A state that continues over the restart has one entry in the history.
    let mut merged = profiles.clone();
    merged.dedup();
    assert_eq!(merged, profiles, "one row for one visible state");
    server
        .ok(Method::PUT, path, Some(json!({"history": false})))
        .await;
    assert_eq!(server.terminate().await, 0);
    let server = installation.serve().await;
    let profiles = profiles_of_history(&server, "anna").await;
    assert!(
        profiles.iter().all(|profile| profile == "Do not disturb"),
        "{profiles:?}"
    );
}

#[tokio::test]
async fn a_backup_of_a_running_server_brings_back_what_was_there() {
    let (installation, server) = two_people().await;
    server.choose("anna", "Do not disturb").await;
    let file = installation.data("monday.backup");
    let file = file.to_str().unwrap();
    let (code, out, errors) = installation.run("backup", &[file]).await;
    assert_eq!(code, 0, "{out}{errors}");
    server.choose("anna", "Busy").await;
    assert_eq!(server.terminate().await, 0);
    let (code, _, errors) = installation.run("restore", &[file]).await;
    assert_eq!(code, 1, "there is a database already");
    assert!(errors.contains("--force"), "{errors}");
    let (code, out, errors) = installation.run("restore", &[file, "--force"]).await;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("kept as"), "{out}");
    let server = installation.serve().await;
    assert_eq!(server.presence("anna").await["profile"], "Do not disturb");
}

#[tokio::test]
async fn a_running_server_begins_again_with_a_backup() {
    let (installation, server) = two_people().await;
    server.choose("anna", "Do not disturb").await;
    let file = installation.data("monday.backup");
    let file = file.to_str().unwrap();
    let (code, out, errors) = installation.run("backup", &[file]).await;
    assert_eq!(code, 0, "{out}{errors}");
    let profile = async || server.presence("anna").await["profile"].clone();

    server.choose("anna", "Busy").await;
    let (code, _, errors) = installation.run("restore", &[file]).await;
    assert_eq!(code, 1, "there is a database already");
    assert!(errors.contains("--force"), "{errors}");
    assert_eq!(profile().await, "Busy");
    let (code, out, errors) = installation.run("restore", &[file, "--force"]).await;
    assert_eq!(code, 0, "{out}{errors}");
    assert_eq!(profile().await, "Do not disturb");
    let done = "/api/v1/audit?what=backup.restore";
    let done = server.ok(Method::GET, done, None).await;
    assert_eq!(done["items"].as_array().unwrap().len(), 1, "{done}");
    assert_eq!(
        std::fs::read_dir(installation.data("backups"))
            .unwrap()
            .count(),
        0,
        "the copy that was handed over is gone"
    );
    assert!(installation.data("offhook.db.before-restore-1").exists());

    let made = server.ok(Method::POST, "/api/v1/backups", None).await;
    let name = made["name"].as_str().unwrap();
    server.choose("anna", "Busy").await;
    let form = [("form", "restore"), ("key", name)];
    let (status, page) = server.form("/admin/backup", &form).await;
    assert!(status.is_success() && page.contains(name), "{page}");
    let address = server.url().strip_prefix("http://").unwrap();
    let replaced = installation.data("offhook.db.before-restore-2");
    let restored = async || replaced.exists() && TcpStream::connect(address).await.is_ok();
    eventually("from the page", SOON, true, restored).await;
    assert_eq!(profile().await, "Do not disturb");
}

#[tokio::test]
async fn a_server_that_begins_again_can_be_ended_meanwhile() {
    let (installation, server) = two_people().await;
    let made = server.ok(Method::POST, "/api/v1/backups", None).await;
    let path = format!("/api/v1/backups/{}/restore", made["name"].as_str().unwrap());
    let (status, asked) = server.api(Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{asked}");
    let kept = installation.data("offhook.db.before-restore-1");
    eventually("under way", SOON, true, async || kept.exists()).await;
    assert_eq!(server.terminate().await, 0);
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_the_server_goes_on() {
    let (installation, server) = two_people().await;
    let made = server.ok(Method::POST, "/api/v1/backups", None).await;
    let name = made["name"].as_str().unwrap();
    server.choose("anna", "Busy").await;
    let file = installation.data("backups").join(name);
    std::fs::write(&file, "no database").unwrap();
    let path = format!("/api/v1/backups/{name}/restore");
    let (status, problem) = server.api(Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("choose another backup"), "{detail}");
    let file = file.to_str().unwrap();
    let (code, _, errors) = installation.run("restore", &[file, "--force"]).await;
    assert_eq!(code, 1);
    assert!(errors.contains("choose another backup"), "{errors}");
    assert_eq!(server.presence("anna").await["profile"], "Busy");
}

#[tokio::test]
async fn a_terminal_tells_why() {
    let (installation, server) = two_people().await;
    server.choose("anna", "Do not disturb").await;
    for name in ["anna", "ANNA@contoso.example", "1001", "1"] {
        let (code, out, errors) = installation.run("explain", &[name]).await;
        assert_eq!(code, 0, "{errors}");
        assert!(out.contains("own Do not disturb"), "{out}");
    }
    let (code, _, errors) = installation.run("explain", &["nobody"]).await;
    assert_eq!(code, 1);
    assert!(errors.contains("nobody"), "{errors}");
}

#[tokio::test]
async fn an_account_from_the_command_line_signs_in_by_its_link() {
    let (installation, server) = two_people().await;
    let add = ["add", "Anna", "--person", "anna@contoso.example"];
    let (code, link, errors) = installation.run("user", &add).await;
    assert_eq!(code, 0, "{errors}");
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let opened = browser.get(link.trim()).send().await.unwrap();
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let session = installation.url("/api/v1/session");
    let who = browser.get(&session).header("cookie", cookie);
    let who: Value = who.send().await.unwrap().json().await.unwrap();
    let anna = server.person("anna").await;
    assert_eq!(who, json!({"name": "Anna", "person": anna, "admin": false}));
    let (code, out, _) = installation.run("user", &["list"]).await;
    assert_eq!((code, out.contains("Anna")), (0, true));
    assert_eq!(installation.run("user", &["delete", "anna"]).await.0, 0);
    let gone = browser.get(&session).header("cookie", cookie).send().await;
    assert_eq!(gone.unwrap().status(), 401);
    let (code, _, errors) = installation.run("user", &["link", "anna"]).await;
    assert_eq!(code, 1);
    assert!(errors.contains("user list"), "{errors}");
}
