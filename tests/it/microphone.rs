//! Microphone Sync with PulseAudio, real recorders, real Chromium and our agent, and after a kill of each of them.

use std::path::Path;

use end_to_end::{Agent, CHROMIUM, Demo, Installation, Server, Session, Sound, eventually, stays};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{HEALS, SOON};

pub(crate) const ZOOM: &str = "Busy UsingApp microphone";
pub(crate) const REST: &str = "Available";
const AWAY: &str = "BeRightBack";

pub(crate) struct Stage {
    pub(crate) _installation: Installation,
    pub(crate) server: Server,
    pub(crate) sound: Sound,
    pub(crate) agent: Agent,
}

/// Anna has an agent; Bert is of her team, Carl is not.
pub(crate) async fn stage() -> Stage {
    let (installation, server, sound) = without_agent().await;
    let agent = Agent::start(&server, server.url(), "anna", &sound).await;
    Stage {
        _installation: installation,
        server,
        sound,
        agent,
    }
}

pub(crate) async fn without_agent() -> (Installation, Server, Sound) {
    let (installation, server) = without_sound().await;
    (installation, server, Sound::start().await)
}

async fn without_sound() -> (Installation, Server) {
    let installation = Installation::new("");
    let people = [("anna", "1001"), ("bert", "1002"), ("carl", "1003")];
    installation.import(&people).await;
    let server = installation.serve().await;
    let page = "/api/v1/scopes/organisation/settings/microphone";
    let enabled = json!({"individual": true, "enabled": true});
    server.ok(Method::PUT, page, Some(enabled)).await;
    let (anna, bert) = (server.person("anna").await, server.person("bert").await);
    let path = format!("/api/v1/people/{anna}/relationships/{bert}");
    let team = json!({"level": "TeamColleague"});
    server.ok(Method::PUT, &path, Some(team)).await;
    (installation, server)
}

pub(crate) async fn anna(server: &Server) -> String {
    server.shown("anna").await
}

/// Adds a program to the table under one name and activates it under another; returns its address.
pub(crate) async fn listed(server: &Server, new: &str, process: &str, alias: &str) -> String {
    let table = "/api/v1/scopes/organisation/programs";
    let added = json!({"process": new, "alias": alias});
    server.ok(Method::POST, table, Some(added)).await;
    let active = json!({"process": process, "alias": alias, "active": true});
    let one = format!("{table}/{process}");
    server.ok(Method::PUT, &one, Some(active)).await;
    one
}

pub(crate) async fn devices(server: &Server) -> Value {
    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/devices");
    server.ok(Method::GET, &path, None).await["items"].clone()
}

#[tokio::test]
async fn a_recorder_is_shown_to_the_team_and_to_nobody_else() {
    let Stage {
        _installation,
        server,
        sound,
        agent,
    } = stage().await;
    let bert = server.signed_in_as("bert").await;
    let carl = server.signed_in_as("carl").await;
    eventually("a client", SOON, REST.into(), || anna(&server)).await;
    let before = carl.presence("anna").await;

    let mut zoom = sound.record("Zoom", "mic");
    eventually("bert sees it", SOON, ZOOM.into(), || bert.shown("anna")).await;
    let seen = bert.presence("anna").await;
    assert_eq!(seen["activity"]["label"], "Zoom Meeting", "{seen}");
    assert_eq!(
        carl.presence("anna").await,
        before,
        "carl sees nothing of it"
    );
    let report = agent.run(&["report", "--dry-run"]).await.1;
    assert!(
        report.contains("Zoom Meeting uses the microphone: reported"),
        "{report}"
    );
    let shown = agent.run(&["status"]).await.1;
    assert!(
        shown.contains("You are shown as: Busy – Zoom Meeting"),
        "{shown}"
    );
    assert_eq!(
        devices(&server).await[0]["reporting"],
        json!(["Zoom Meeting"])
    );
    // No history is recorded unless an administrator enables it.
    let id = server.person("anna").await;
    let history = format!("/api/v1/people/{id}/history");

    zoom.kill().await.unwrap();
    eventually("its end", SOON, REST.into(), || bert.shown("anna")).await;
    let history = server.ok(Method::GET, &history, None).await;
    assert!(!history.to_string().contains("Zoom"), "{history}");
}

#[tokio::test]
async fn what_is_no_meeting_is_not_shown() {
    let Stage {
        _installation,
        server,
        sound,
        agent,
    } = stage().await;
    eventually("a client", SOON, REST.into(), || anna(&server)).await;
    // A recording of the loudspeaker, and a program that is not listed.
    let _monitor = sound.record("Zoom", "speaker.monitor");
    let _other = sound.record("secret-tool", "mic");
    let unlisted = async || agent.status().await["described"]["unlisted"].clone();
    eventually("it is seen on the machine", SOON, json!(1), unlisted).await;
    stays("not shown", SOON, REST.into(), || anna(&server)).await;
    let status = agent.status().await.to_string();
    assert!(!status.contains("secret-tool"), "{status}");

    // A program that an administrator adds and activates counts at once.
    let one = listed(&server, "Secret-Tool.exe", "secret-tool", "Acme Meet").await;
    eventually("it counts", HEALS, ZOOM.into(), || anna(&server)).await;
    server.ok(Method::DELETE, &one, None).await;
    eventually("not any more", HEALS, REST.into(), || anna(&server)).await;
}

#[tokio::test]
async fn a_browser_that_records_is_a_meeting() {
    let Stage {
        _installation,
        server,
        sound,
        agent: _agent,
    } = stage().await;
    listed(&server, "chromium", "chromium", "Meeting in the browser").await;
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("meeting.html");
    let script = "<script>navigator.mediaDevices.getUserMedia({ audio: true })</script>";
    std::fs::write(&page, script).unwrap();
    let profile = format!(
        "--user-data-dir={}",
        folder.path().join("profile").display()
    );
    let page = format!("file://{}", page.display());
    let mut arguments = CHROMIUM.to_vec();
    // Only the permission prompt is faked; the microphone is the sound server's.
    arguments.extend(["--use-fake-ui-for-media-stream", &profile, &page]);
    let mut browser = sound.run(Path::new("chromium"), &arguments);
    eventually("it is shown", HEALS, ZOOM.into(), || anna(&server)).await;
    let label = server.presence("anna").await["activity"]["label"].clone();
    assert_eq!(label, "Meeting in the browser");
    browser.kill().await.unwrap();
    eventually("its end", HEALS, REST.into(), || anna(&server)).await;
}

#[tokio::test]
async fn whatever_is_killed_nothing_sticks() {
    let Stage {
        _installation,
        server,
        mut sound,
        mut agent,
    } = stage().await;
    let _zoom = sound.record("Zoom", "mic");
    eventually("it is shown", SOON, ZOOM.into(), || anna(&server)).await;

    agent.kill().await;
    let gone = async || !anna(&server).await.contains("microphone");
    eventually("the agent is killed", SOON, true, gone).await;
    agent.restart();
    eventually("it is back", HEALS, ZOOM.into(), || anna(&server)).await;

    sound.kill().await;
    eventually("the sound server is killed", SOON, REST.into(), || {
        anna(&server)
    })
    .await;
    let trouble = async || agent.status().await["microphone_trouble"].is_string();
    eventually("the agent says so", SOON, true, trouble).await;
    sound.restart().await;
    let _zoom = sound.record("Zoom", "mic");
    eventually("it is back", HEALS, ZOOM.into(), || anna(&server)).await;
}

#[tokio::test]
async fn the_same_holds_with_pipewire() {
    let (_installation, server) = without_sound().await;
    let mut sound = Sound::start_pipewire().await;
    let agent = Agent::start(&server, server.url(), "anna", &sound).await;
    let shown = || anna(&server);
    eventually("a client", SOON, REST.into(), shown).await;
    let unlisted = async || agent.status().await["described"]["unlisted"].clone();
    let _monitor = sound.record("Zoom", "speaker.monitor");
    let _other = sound.record("secret-tool", "mic");
    eventually("only the microphone is one", SOON, json!(1), unlisted).await;
    stays("not shown", SOON, REST.into(), shown).await;

    let mut zoom = sound.record("Zoom", "mic");
    eventually("by PulseAudio's protocol", SOON, ZOOM.into(), shown).await;
    zoom.kill().await.unwrap();
    eventually("its end", SOON, REST.into(), shown).await;
    // With PipeWire's protocol, only the client object names the program, not the recording stream.
    let _zoom = sound.record_natively("Zoom", "mic");
    eventually("by PipeWire's own", SOON, ZOOM.into(), shown).await;

    sound.kill().await;
    eventually("it is killed", SOON, REST.into(), shown).await;
    sound.restart().await;
    let _zoom = sound.record("Zoom", "mic");
    eventually("it is back", HEALS, ZOOM.into(), shown).await;
}

#[tokio::test]
async fn the_person_pauses_it_and_removes_the_device() {
    let Stage {
        _installation,
        server,
        sound,
        agent,
    } = stage().await;
    let _zoom = sound.record("Zoom", "mic");
    eventually("it is shown", SOON, ZOOM.into(), || anna(&server)).await;
    let id = server.person("anna").await;
    let device = devices(&server).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/people/{id}/devices/{device}");
    let far = json!({"paused_until": "2999-01-01T00:00:00Z"});
    let (status, refused) = server.api(Method::PATCH, &path, Some(far)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");

    // Paused on the command line, and on the page.
    assert_eq!(agent.run(&["pause", "--minutes", "5"]).await.0, 0);
    eventually("paused", SOON, REST.into(), || anna(&server)).await;
    let paused = server.ok(Method::GET, &path, None).await;
    assert!(paused["paused_until"].is_string(), "{paused}");
    let on = json!({"paused_until": null});
    server.ok(Method::PATCH, &path, Some(on)).await;
    eventually("it goes on", SOON, ZOOM.into(), || anna(&server)).await;

    // No other person may read or pause the microphone sync.
    let bert = server.signed_in_as("bert").await;
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(bert.api(method, &path, None).await.0, StatusCode::FORBIDDEN);
    }
    server.ok(Method::DELETE, &path, None).await;
    eventually("removed", SOON, true, async || {
        !anna(&server).await.contains("microphone")
    })
    .await;
    let is_reported = async || agent.run(&["status"]).await.1.contains("pair it again");
    eventually("the agent says so", HEALS, true, is_reported).await;
    assert_eq!(
        server.api(Method::GET, &path, None).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_page_says_that_it_is_off_and_switches_it_on() {
    let demo = Demo::start(&["--still"]).await;
    let admin = demo.server.system_administrator().await;
    let off = "Microphone Sync is off here";
    let here = "/admin/microphone";
    let page = async || {
        let read = admin.with_headers(Method::GET, here, &[], None).await;
        read.2
    };
    assert!(page().await.contains(off));
    let (status, shown) = admin.form(here, &[("form", "enable")]).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert!(!page().await.contains(off));
    let settings = "/api/v1/scopes/organisation/settings/microphone";
    let now = admin.ok(Method::GET, settings, None).await;
    assert_eq!(
        (&now["enabled"], &now["on_after"]),
        (&json!(true), &json!(3))
    );
}

#[tokio::test]
async fn who_locks_the_screen_is_soon_back() {
    let (_installation, server, sound) = without_agent().await;
    let mut agent = Agent::start(&server, server.url(), "anna", &sound).await;
    let status = async |agent: &Agent| agent.status().await["described"]["attention"].clone();
    assert_eq!(status(&agent).await, "unknown", "there is no logind");
    agent.kill().await;
    let session = Session::start().await;
    agent.belongs_to(&session);
    agent.restart();
    agent.connected().await;
    let attention = async || status(&agent).await;
    eventually("at the computer", SOON, json!("active"), attention).await;
    eventually("available", SOON, REST.into(), || anna(&server)).await;

    session.lock(true).await;
    eventually("locked", SOON, json!("locked"), attention).await;
    eventually("away", SOON, AWAY.into(), || anna(&server)).await;
    session.lock(false).await;
    eventually("back", SOON, REST.into(), || anna(&server)).await;

    // Long before the agent's start: the server counts from the agent's start.
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    session
        .idle(Some(now - std::time::Duration::from_secs(3_600)))
        .await;
    eventually("idle", SOON, json!("idle"), attention).await;
    eventually("inactive", SOON, AWAY.into(), || anna(&server)).await;
    session.idle(None).await;
    eventually("back", SOON, REST.into(), || anna(&server)).await;

    // A bus that ends reports nothing.
    session.lock(true).await;
    eventually("away", SOON, AWAY.into(), || anna(&server)).await;
    drop(session);
    eventually("not known", SOON, json!("unknown"), attention).await;
    eventually("at rest", SOON, REST.into(), || anna(&server)).await;
}
