//! No acknowledged change is lost, even if other programs open the database and the server is killed.

use std::{collections::BTreeSet, fs, path::Path};

use end_to_end::{Installation, Server, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::process::Command;

use crate::SOON;

/// Opens, reads and closes the database as another program does.
pub(crate) async fn open_from_outside(database: &Path) {
    const PROGRAM: &str = "import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=10)
database.execute('select count(*) from people').fetchone()
database.close()";
    let mut python = Command::new("python3");
    python.args(["-c", PROGRAM]).arg(database);
    let output = python.output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

/// The files on which a process holds POSIX locks, as `device:inode`.
fn locked_files(pid: u32) -> BTreeSet<String> {
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let locks = locks.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_ours = fields.get(1) == Some(&"POSIX") && fields.get(4) == Some(&&*pid.to_string());
        is_ours.then(|| fields[5].to_owned())
    });
    locks.collect()
}

/// Checks that the server holds its locks, lets another program open and close the database, and makes a change.
async fn holds_its_locks(server: &Server, installation: &Installation, what: &str) {
    let locked = locked_files(server.pid());
    assert_eq!(
        locked.len(),
        2,
        "database and index after {what}: {locked:?}"
    );
    open_from_outside(&installation.data("offhook.db")).await;
    assert!(
        installation.data("offhook.db-wal").exists(),
        "the log was deleted after {what}"
    );
    let body = json!({"kind": "location", "name": what});
    server.ok(Method::POST, "/api/v1/scopes", Some(body)).await;
}

async fn links_are_no_backups(server: &Server, installation: &Installation) {
    let backups = installation.data("backups");
    for (name, file) in [
        ("offhook-hard.db", "offhook.db"),
        ("offhook-hard-index.db", "offhook.db-shm"),
    ] {
        fs::hard_link(installation.data(file), backups.join(name)).unwrap();
        let path = format!("/api/v1/backups/{name}/restore");
        let (status, problem) = server.api(Method::POST, &path, None).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("choose a backup"), "{detail}");
    }
    std::os::unix::fs::symlink(
        installation.data("offhook.db"),
        backups.join("offhook-soft.db"),
    )
    .unwrap();
    let soft = "/api/v1/backups/offhook-soft.db/restore";
    let (status, problem) = server.api(Method::POST, soft, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
}

#[tokio::test]
async fn the_server_keeps_its_locks_whatever_it_is_asked_for() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let mut changes = Vec::new();
    let mut check = async |what: &'static str| {
        holds_its_locks(&server, &installation, what).await;
        changes.push(what);
    };
    check("the start").await;

    server.ok(Method::POST, "/api/v1/doctor", None).await;
    check("the doctor").await;
    // The doctor reads the configuration again, with each file that it names.
    for file in ["offhook.db", "offhook.db-wal", "offhook.db-shm"] {
        let file = installation.data(file);
        let key = format!("[secrets]\nkey_file = {file:?}\n");
        let authority = format!(
            "{}authority_file = {file:?}\n",
            Installation::pbx(5060, "tls", "x")
        );
        let password = format!(
            "{}password_file = {file:?}\n",
            Installation::pbx(5060, "udp", "x").replace("password =", "#")
        );
        for rest in [key, authority, password] {
            installation.configure(&rest);
            server.ok(Method::POST, "/api/v1/doctor", None).await;
        }
    }
    installation.configure("");
    check("a doctor with a configuration that names the database").await;

    let made = server.ok(Method::POST, "/api/v1/backups", None).await;
    check("a backup").await;
    let people =
        json!({"csv": "name,mail,UPN,extension\nbert,b@contoso.example,b@contoso.example,1002\n"});
    server
        .ok(Method::POST, "/api/v1/people/import", Some(people))
        .await;
    check("an import").await;
    let (status, _, table) = server
        .with_headers(Method::GET, "/admin/audit.csv", &[], None)
        .await;
    assert!(
        status.is_success() && table.contains("people.import"),
        "{status} {table}"
    );
    check("an export").await;

    links_are_no_backups(&server, &installation).await;
    check("backups that are links to the database").await;

    server.kill().await;
    let server = installation.serve().await;
    let scopes = server
        .ok(Method::GET, "/api/v1/scopes", None)
        .await
        .to_string();
    for change in changes {
        assert!(scopes.contains(change), "{change:?} is lost: {scopes}");
    }

    let path = format!("/api/v1/backups/{}/restore", made["name"].as_str().unwrap());
    server.ok(Method::POST, &path, None).await;
    let kept = installation.data("offhook.db.before-restore-1");
    let begun_again =
        async || kept.exists() && reqwest::get(installation.url("/healthz")).await.is_ok();
    eventually("begun again", SOON, true, begun_again).await;
    for what in ["a restore", "a restore and a change"] {
        holds_its_locks(&server, &installation, what).await;
    }
    server.kill().await;
    let server = installation.serve().await;
    let scopes = server
        .ok(Method::GET, "/api/v1/scopes", None)
        .await
        .to_string();
    assert!(scopes.contains("a restore and a change"), "{scopes}");
}
