//! The documented behaviour of the demo.

use std::time::Duration;

use end_to_end::{Demo, Installation, Lab, Server, Walker, eventually, stays};
use reqwest::Method;
use serde_json::json;
use thirtyfour::error::WebDriverResult;

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
const ANNA_TEAMS: &str = "anna@contoso.example";
const BERT_TEAMS: &str = "bert@contoso.example";

#[tokio::test]
async fn a_still_demo_synchronises_both_ways() {
    let demo = Demo::start(&["--still"]).await;
    let people = demo.server.ok(Method::GET, "/api/v1/people", None).await;
    assert_eq!(people["items"].as_array().unwrap().len(), 25);
    assert_eq!(people["items"][0]["lines"][0]["extension"], "1001");
    assert_eq!(people["next"], json!(null));
    let users = demo.teamsbox.control(Method::GET, "/users", None).await;
    assert_eq!(users.as_array().unwrap().len(), 25);
    demo.teamsbox.call(ANNA_TEAMS, "audio", BERT_TEAMS).await;
    for name in [ANNA, BERT] {
        let shown = || demo.server.shown(name);
        eventually(
            name,
            Duration::from_secs(3),
            "Busy OnThePhone teams".into(),
            shown,
        )
        .await;
    }
    // Any phone on this machine may watch.
    let lamp = Lab::dialogs_at(demo.sip_port, "1001");
    assert_eq!(lamp.last().unwrap().1, "confirmed", "{lamp:?}");
    demo.teamsbox.end_call(ANNA_TEAMS).await;
    eventually(ANNA, SOON, "Available".into(), || demo.server.shown(ANNA)).await;
    demo.server.choose(ANNA, "Do not disturb").await;
    let shown = || demo.teamsbox.shown(ANNA_TEAMS);
    eventually(ANNA, SOON, "DoNotDisturb/DoNotDisturb".into(), shown).await;
    assert_eq!(demo.server.terminate().await, 0);
}

#[tokio::test]
async fn the_day_moves_and_can_be_paused() {
    let demo = Demo::start(&[]).await;
    let metric = async |name: &str| {
        let metrics = demo.server.api(Method::GET, "/metrics", None).await.1;
        let line = metrics
            .as_str()
            .unwrap()
            .lines()
            .find(|line| line.starts_with(name))
            .map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    let written = r#"offhook_graph_requests_total{call="setPresence",outcome="ok"}"#;
    let busy = async || metric(written).await > 0.0;
    eventually(
        "a telephone call reached Teams",
        Duration::from_secs(30),
        true,
        busy,
    )
    .await;
    let day = demo
        .server
        .ok(Method::PUT, "/demo/day", Some(json!({"running": false})))
        .await;
    assert_eq!(day["running"], false);
    // Effects of the last beat may still be under way.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let sets = metric(written).await;
    stays("paused", Duration::from_secs(3), sets, || metric(written)).await;
}

#[tokio::test]
async fn a_demo_with_a_driven_clock_covers_a_day_in_seconds() {
    let demo = Demo::start(&["--still", "--clock", "manual"]).await;
    let (server, teamsbox) = (&demo.server, &demo.teamsbox);
    teamsbox.call(ANNA_TEAMS, "audio", BERT_TEAMS).await;
    eventually(ANNA, SOON, "Busy OnThePhone teams".into(), || {
        server.shown(ANNA)
    })
    .await;
    let since = server.presence(ANNA).await["since"].clone();
    server.choose("Carla Moreno", "Do not disturb").await;
    let carla = || teamsbox.shown("carla@contoso.example");
    eventually("Carla", SOON, "DoNotDisturb/DoNotDisturb".into(), carla).await;

    teamsbox.advance("PT13H").await;
    assert_eq!(
        server.shown(ANNA).await,
        "Busy OnThePhone teams",
        "a live call is never cut"
    );
    assert_eq!(server.presence(ANNA).await["since"], since);
    assert_eq!(server.presence(ANNA).await["confidence"], "certain");
    teamsbox.advance("PT12H").await;
    assert_eq!(
        teamsbox.shown("carla@contoso.example").await,
        "Available/Available",
        "dropped after a day"
    );
    assert_eq!(
        server.shown("Carla Moreno").await,
        "DoNotDisturb",
        "and kept here"
    );
    assert!(
        server
            .explanation("Carla Moreno")
            .await
            .contains("after 24 hours")
    );

    teamsbox.end_call(ANNA_TEAMS).await;
    teamsbox.advance("PT10S").await;
    assert_eq!(server.shown(ANNA).await, "Available");
    assert!(server.is_ready().await, "{:?}", server.troubles().await);
}

#[tokio::test]
async fn phone_and_teams_client_show_cause_and_effect() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let administrator = demo.server.system_administrator().await;
    let walker = Walker::open(&administrator, "en").await?;
    walker.go("/demo").await?;
    walker.look("/demo").await?;
    let anna = demo.server.person(ANNA).await;
    let script = format!(
        "const row = document.getElementById('board').contentDocument.querySelector('[data-person=\"{anna}\"]');
         return row?.dataset.status ?? ''"
    );
    let row = async || walker.script(&script).await;
    let teams = async || walker.text("#teams-status").await;
    let press = async |button: &str| {
        let script = format!("document.getElementById('{button}').click()");
        walker.script(&script).await;
    };
    eventually("the board", SOON, json!("Available"), row).await;

    press("call-1002").await;
    eventually("a telephone call", SOON, json!("Busy"), row).await;
    eventually("the call in Teams", SOON, "In a call".into(), teams).await;
    let display = async || walker.text("#phone-display").await;
    let answered = format!("In a call with {BERT}");
    eventually("the colleague answers", SOON, answered, display).await;
    let measured = async || {
        let effect = walker.text("#effect").await;
        effect.contains("On the board after") && effect.contains("Teams shows")
    };
    eventually("the measured times", SOON, true, measured).await;
    press("hang-up").await;
    eventually("the end of the call", SOON, json!("Available"), row).await;
    eventually("in Teams", SOON, "Available".into(), teams).await;

    press("be-called").await;
    let can_answer = async || {
        let script = "return !document.getElementById('answer').disabled";
        walker.script(script).await
    };
    eventually("the phone rings", SOON, json!(true), can_answer).await;
    press("answer").await;
    eventually("an answered call", SOON, json!("Busy"), row).await;
    press("hang-up").await;
    eventually("the end of the call", SOON, json!("Available"), row).await;

    press("teams-share").await;
    eventually("a shared screen", SOON, json!("DoNotDisturb"), row).await;
    press("teams-share").await;
    eventually("no shared screen", SOON, json!("Available"), row).await;
    press("phone-dnd").await;
    eventually("Do not disturb", SOON, "Do not disturb".into(), teams).await;

    walker.click("[name=viewer][value=employee]").await;
    walker.look("/demo").await?;
    let frame = "const board = document.getElementById('board').contentDocument;
        return [board.querySelector('#account-menu .account span')?.textContent ?? '',
            board.querySelector('a[href^=\"/admin\"]') !== null]";
    let viewer = async || walker.script(frame).await;
    eventually(
        "the employee",
        SOON,
        json!([format!("Signed in as {BERT}"), false]),
        viewer,
    )
    .await;
    walker.click("[name=viewer][value=receptionist]").await;
    let farid = json!(["Signed in as Farid Haddad", false]);
    eventually("the receptionist", SOON, farid, viewer).await;
    walker.click("[name=language][value=de]").await;
    walker.look("/demo").await?;
    walker.browser.close().await
}

#[tokio::test]
async fn the_page_works_without_scripts_and_only_in_the_demo() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person(ANNA).await;
    let form = async |path: &str, name: &str, value: &str| {
        let fields = [("person", &*anna), (name, value)];
        demo.server.form(path, &fields).await
    };
    let (status, page) = form("/demo/phone", "press", "call-1002").await;
    assert_eq!(status.as_u16(), 200, "{page}");
    assert!(page.contains("Calling Bert Lindqvist"), "{page}");
    eventually(ANNA, SOON, true, async || {
        demo.server.shown(ANNA).await.starts_with("Busy")
    })
    .await;
    let (_, page) = form("/demo/day", "running", "true").await;
    assert!(page.contains("Pause the day"), "{page}");
    for (path, name, value) in [
        ("/demo/phone", "press", "explode"),
        ("/demo/teams", "press", ""),
    ] {
        let (status, page) = form(path, name, value).await;
        assert_eq!(status.as_u16(), 200, "{path}: {page}");
    }

    let server = Installation::new("").serve().await;
    for path in ["/demo/view-as", "/demo/phone", "/demo/teams", "/demo/day"] {
        let fields = [("person", "1"), ("viewer", "administrator")];
        let (status, _) = server.form(path, &fields).await;
        assert_eq!(status.as_u16(), 404, "{path}");
    }
    assert_eq!(
        server.status(Method::GET, "/demo", None).await.as_u16(),
        404
    );
    let policy = async |server: &Server| {
        let answer = server.open("/", &[]).await;
        let policy = answer.headers()["content-security-policy"].to_str();
        policy.unwrap().to_owned()
    };
    assert!(policy(&server).await.contains("frame-ancestors 'none'"));
    assert!(
        policy(&demo.server)
            .await
            .contains("frame-ancestors 'self'")
    );
}
