//! Long jobs run in the background, report their progress, and leave nothing behind when cancelled.

use std::fmt::Write;

use end_to_end::{Demo, Installation, Server, Teamsbox, Walker, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;

use crate::{HEALS, SOON};

/// Enough people to see the import in progress.
const MANY: usize = 60_000;
const LATER: [(&str, &str); 1] = [("prefer", "respond-async")];

fn table(people: usize) -> String {
    let mut table = "name,mail,UPN,extension\n".to_owned();
    for index in 0..people {
        writeln!(
            table,
            "P{index},p{index}@contoso.example,,{}",
            500_000 + index
        )
        .unwrap();
    }
    table
}

/// Starts a job, and returns its address.
async fn begin(server: &Server, path: &str, body: Value) -> String {
    let (status, _, text) = server
        .with_headers(Method::POST, path, &LATER, Some(body))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{text}");
    let work: Value = serde_json::from_str(&text).unwrap();
    format!("/api/v1/work/{}", work["id"].as_str().unwrap())
}

async fn state(server: &Server, work: &str) -> String {
    let work = server.ok(Method::GET, work, None).await;
    work["state"].as_str().unwrap().to_owned()
}

async fn count(server: &Server) -> usize {
    let people = server
        .ok(Method::GET, "/api/v1/people?limit=500", None)
        .await;
    people["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn an_import_that_is_cancelled_leaves_everything_as_it_was() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let before = count(server).await;
    let work = begin(server, "/api/v1/people/import", json!({"csv": table(MANY)})).await;
    assert_eq!(state(server, &work).await, "running");
    let begun = async || {
        let work = server.ok(Method::GET, &work, None).await;
        (work["done"].as_u64() > Some(0), work["total"].as_u64())
    };
    eventually("begun", SOON, (true, Some(MANY as u64)), begun).await;
    server.ok(Method::DELETE, &work, None).await;
    eventually("cancelled", HEALS, "cancelled".into(), || {
        state(server, &work)
    })
    .await;
    assert_eq!(count(server).await, before);

    // An uncancelled job finishes, with the same result as a synchronous request.
    let work = begin(server, "/api/v1/people/import", json!({"csv": table(3)})).await;
    eventually("done", HEALS, "done".into(), || state(server, &work)).await;
    let done = server.ok(Method::GET, &work, None).await;
    assert_eq!(done["result"]["added"], 3, "{done}");
    assert_eq!((&done["done"], &done["total"]), (&json!(3), &json!(3)));
    assert_eq!(count(server).await, before + 3);
    let backup = begin(server, "/api/v1/backups", Value::Null).await;
    eventually("backup", HEALS, "done".into(), || state(server, &backup)).await;
    // A refusal is reported at the job's address.
    let taken = "name,mail,UPN,extension\nX,x@contoso.example,,500000\n";
    let work = begin(server, "/api/v1/people/import", json!({"csv": taken})).await;
    eventually("failed", HEALS, "failed".into(), || state(server, &work)).await;
    let failed = server.ok(Method::GET, &work, None).await;
    let problem = failed["problem"].as_str().unwrap();
    assert!(problem.contains("500000 belongs to P0"), "{problem}");
}

#[tokio::test]
async fn a_synchronisation_that_is_cancelled_lets_the_next_begin() {
    let teamsbox = Teamsbox::start(0).await;
    let rest = [
        Installation::teams(teamsbox.url()),
        "[directory]\nentra = true\n".to_owned(),
    ];
    let installation = Installation::new(&rest.concat());
    let server = installation.serve().await;
    let path = "/api/v1/directory/synchronise";
    server.ok(Method::POST, path, Some(json!({}))).await;
    teamsbox.add_user("zoe").await;
    teamsbox.faults(json!({"delayMilliseconds": 60_000})).await;
    let work = begin(&server, path, json!({})).await;
    assert_eq!(state(&server, &work).await, "running");
    server.ok(Method::DELETE, &work, None).await;
    eventually("cancelled", SOON, "cancelled".into(), || {
        state(&server, &work)
    })
    .await;
    teamsbox.faults(json!({})).await;
    let done = server.ok(Method::POST, path, Some(json!({}))).await;
    assert_eq!(done["items"][0]["name"], "zoe", "{done}");
}

#[tokio::test]
async fn the_page_shows_how_far_it_is_and_cancels() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let work = begin(
        &server,
        "/api/v1/people/import",
        json!({"csv": table(MANY)}),
    )
    .await;
    let page = work.replace("/api/v1", "/admin");
    let walker = Walker::open(&server, "de").await?;
    walker.go(&page).await?;
    assert!(walker.text("#work").await.contains("läuft"));
    walker.click("#cancel button").await;
    let ended = async || walker.text("#work").await.contains("abgebrochen");
    eventually("told by itself", HEALS, true, ended).await;
    let is_over = async || {
        let form = "return document.querySelector('#cancel') === null";
        walker.script(form).await
    };
    eventually("nothing to cancel", SOON, json!(true), is_over).await;
    walker.browser.close().await
}
