//! The agent's icon in the tray of a real Xfce panel, and the same actions on the command line.

use std::time::Duration;

use end_to_end::{Agent, Desktop, Server, eventually};
use reqwest::Method;
use serde_json::json;

use crate::{HEALS, SOON, microphone::without_agent};

const RED: [u8; 4] = [0xff, 0xc4, 0x2b, 0x2b];

/// Creates a profile of Anna's own.
async fn lunch(server: &Server) {
    let id = server.person("anna").await;
    let path = format!("/api/v1/people/{id}/profiles");
    let lunch = json!({"name": "Lunch_break", "status": "BeRightBack"});
    server.ok(Method::POST, &path, Some(lunch)).await;
}

async fn reads(desktop: &Desktop, text: &str, limit: Duration) {
    let has = async || match desktop.menu().await {
        menu if menu.lines().any(|line| line == text) => Ok(()),
        menu => Err(menu),
    };
    eventually(&format!("{text:?} in the menu"), limit, Ok(()), has).await;
}

async fn shows(desktop: &Desktop, presence: &str, limit: Duration) {
    let shown = async || desktop.shown().await;
    eventually("the menu's first line", limit, presence.into(), shown).await;
}

#[tokio::test]
async fn the_tray_shows_what_is_and_does_what_is_clicked() {
    let (_installation, server, sound) = without_agent().await;
    lunch(&server).await;
    let mut desktop = Desktop::start().await;
    let mut agent = Agent::start(&server, server.url(), "anna", &sound).await;
    agent.kill().await;
    agent.is_on(&desktop);
    agent.restart();
    desktop.icon().await;
    shows(&desktop, "Available", HEALS).await;
    reads(&desktop, "No listed program uses the microphone", SOON).await;
    let middle = async || desktop.colour().await;
    assert_ne!(middle().await, RED);

    let mut zoom = sound.record("Zoom", "mic");
    shows(&desktop, "Busy – Zoom Meeting", SOON).await;
    reads(&desktop, "Zoom Meeting uses the microphone: reported", SOON).await;
    eventually("red", SOON, RED, middle).await;

    // A pause, visible to colleagues at once, and its end.
    let shown = async || server.shown("anna").await;
    desktop.click("For 1 hour").await;
    eventually("paused", SOON, "Available".into(), shown).await;
    reads(&desktop, "Resume reporting", SOON).await;
    desktop.click("Resume reporting").await;
    shows(&desktop, "Busy – Zoom Meeting", SOON).await;
    zoom.kill().await.unwrap();
    shows(&desktop, "Available", SOON).await;

    // Activates a personal profile, then the automatic one.
    desktop.click("Lunch_break (Be right back)").await;
    eventually("chosen", SOON, "BeRightBack".into(), shown).await;
    reads(&desktop, "*Lunch_break (Be right back)", SOON).await;
    desktop.click("Automatic").await;
    eventually("automatic", SOON, "Available".into(), shown).await;
    reads(&desktop, "*Automatic", SOON).await;
    let audit = server
        .ok(Method::GET, "/api/v1/audit?what=profile.choose", None)
        .await;
    assert!(
        audit.to_string().contains("at the desktop agent"),
        "{audit}"
    );

    desktop.click("Open board").await;
    let opened = async || desktop.opened();
    let page = format!("{}\n", server.url());
    eventually("the board", SOON, page, opened).await;

    // systemd's restrictions of a service would apply to its browser too.
    agent.kill().await;
    agent.is_a_service();
    agent.restart();
    desktop.icon().await;
    shows(&desktop, "Available", HEALS).await;
    desktop.click("Open board").await;
    let beside = format!("--user --collect --quiet -- xdg-open {}\n", server.url());
    let opened = async || desktop.opened().ends_with(&beside);
    eventually("the board", SOON, true, opened).await;

    // The icon returns after a crash of the panel.
    desktop.kill_panel().await;
    desktop.start_panel().await;
    desktop.icon().await;
    shows(&desktop, "Available", SOON).await;
}

#[tokio::test]
async fn profiles_are_chosen_on_the_command_line_too() {
    let (_installation, server, sound) = without_agent().await;
    lunch(&server).await;
    let agent = Agent::start(&server, server.url(), "anna", &sound).await;
    let listed = async || {
        agent
            .run(&["profile"])
            .await
            .1
            .contains("  Lunch_break (BeRightBack)\n")
    };
    eventually("they are listed", SOON, true, listed).await;

    let (code, output, errors) = agent.run(&["profile", "lunch_BREAK"]).await;
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("Lunch_break is active"), "{output}");
    assert_eq!(server.shown("anna").await, "BeRightBack");
    let listed = agent.run(&["profile"]).await.1;
    assert!(listed.contains("* Lunch_break (BeRightBack)\n"), "{listed}");

    let (code, _, errors) = agent.run(&["profile", "Holiday"]).await;
    assert_eq!(code, 1);
    assert!(
        errors.contains(r#"there is no profile "Holiday"; there are:"#),
        "{errors}"
    );
    assert_eq!(server.shown("anna").await, "BeRightBack", "as before");
    let (code, _, errors) = agent.run(&["profile", "--automatic"]).await;
    assert_eq!(code, 0, "{errors}");
    let shown = async || server.shown("anna").await;
    eventually("automatic", SOON, "Available".into(), shown).await;

    // A choice made elsewhere reaches the agent, even if the visible presence stays the same.
    let id = server.person("anna").await;
    let path = format!("/api/v1/people/{id}/profile");
    let available = json!({"profile": "Available"});
    server.ok(Method::PUT, &path, Some(available)).await;
    let listed = async || agent.run(&["profile"]).await.1.contains("* Available");
    eventually("it is marked", SOON, true, listed).await;
}
