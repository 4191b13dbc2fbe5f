//! A wrong clock of the machine, or a server that was off for long.

use end_to_end::{Installation, Server, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::SOON;

/// Starts the server with a clock that is wrong by `offset`; the monotonic clock stays right.
async fn serve_at(installation: &Installation, offset: &str) -> Server {
    let mut folders = std::fs::read_dir("/usr/lib").unwrap();
    let library = folders.find_map(|folder| {
        let library = folder.unwrap().path().join("faketime/libfaketime.so.1");
        library.exists().then_some(library)
    });
    let library = library.expect("apt-get install faketime");
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME", offset),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    installation.serve_with(&environment).await
}

/// Numbers of earlier audit rows and of appointments, and whether a repeated request is answered from memory.
async fn kept(server: &Server) -> (usize, usize, bool) {
    let rows = "/api/v1/audit?what=scope.&limit=1000";
    let rows = server.ok(Method::GET, rows, None).await;
    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/appointments");
    let appointments = server.ok(Method::GET, &path, None).await;
    let again = post(server).await;
    let count = |answer: &serde_json::Value| answer["items"].as_array().unwrap().len();
    (count(&rows), count(&appointments), again.is_success())
}

/// Repeats a request with its idempotency key: answered from memory, or else refused as a duplicate.
async fn post(server: &Server) -> StatusCode {
    let body = Some(json!({"kind": "location", "name": "Berlin"}));
    let key = [("idempotency-key", "one")];
    let path = "/api/v1/scopes";
    server.with_headers(Method::POST, path, &key, body).await.0
}

async fn clock_trouble(server: &Server) -> Option<String> {
    let mut troubles = server.troubles().await.into_iter();
    troubles.find(|trouble| trouble.starts_with("\"clock\""))
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_deletes_nothing_until_it_is_confirmed() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    assert!(post(&server).await.is_success());
    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/appointments");
    let body = json!({"start": "2031-01-01T10:00:00Z", "end": "2031-01-01T11:00:00Z", "text": "fair", "profile": "Busy"});
    server.ok(Method::POST, &path, Some(body)).await;
    let before = kept(&server).await;
    assert_eq!(before, (1, 1, true));
    assert_eq!(server.terminate().await, 0);

    // Past the retention of the audit log, and of all other data.
    for round in 0..2 {
        let server = serve_at(&installation, "+9000d").await;
        let asks = async || clock_trouble(&server).await.is_some();
        eventually("the clock is in question", SOON, true, asks).await;
        let trouble = clock_trouble(&server).await.unwrap();
        for part in [
            "jumped from 20",
            "correct this machine's clock",
            "offhook confirm-clock",
        ] {
            assert!(trouble.contains(part), "{trouble}");
        }
        // Past appointments are not listed, but are not deleted either.
        let (rows, _, answer) = kept(&server).await;
        assert_eq!((rows, answer), (1, true), "round {round}");
        // A regular stop does not count as a confirmation of the clock.
        assert_eq!(server.terminate().await, 0);
    }

    // The server follows a corrected clock.
    let server = installation.serve().await;
    assert_eq!(clock_trouble(&server).await, None);
    assert_eq!(kept(&server).await, before);
    assert_eq!(server.terminate().await, 0);

    let server = serve_at(&installation, "+9000d").await;
    let asks = async || clock_trouble(&server).await.is_some();
    eventually("the clock is in question", SOON, true, asks).await;
    let confirm = "/api/v1/clock/confirm";
    let (status, _) = server.api(Method::POST, confirm, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(clock_trouble(&server).await, None);
    assert_eq!(server.terminate().await, 0);
    let server = serve_at(&installation, "+9000d").await;
    let rows = async || kept(&server).await.0;
    eventually("what is too old is deleted", SOON, 0, rows).await;
}

/// Sessions expire, whether or not the clock is confirmed.
#[tokio::test]
async fn a_link_expires_by_a_clock_that_is_in_question() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    assert_eq!(server.terminate().await, 0);
    let (_, link, _) = installation.run("link", &[]).await;
    let _server = serve_at(&installation, "+800d").await;
    let opened = reqwest::get(link.trim()).await.unwrap();
    assert_eq!(opened.status(), StatusCode::UNAUTHORIZED);
}
