//! Graph's change notifications: a service account signs in by device code, subscriptions are created and renewed, and
//! forged notifications change nothing.

use end_to_end::{Installation, Program, Server, Teamsbox, certify, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

/// A configuration with a certificate for Graph's encryption.
fn configure(installation: &Installation, teamsbox: &Teamsbox) {
    let (certificate, key) = (
        installation.file("offhook.crt"),
        installation.file("offhook.key"),
    );
    certify("DNS:offhook", &certificate, &key);
    let url = installation.url("/teams/notifications");
    let teams = Installation::teams(teamsbox.url());
    installation.configure(&format!(
        "{teams}[notifications]\nurl = \"{url}\"\ncertificate_file = \"offhook.crt\"\nprivate_key_file = \"offhook.key\"\n"
    ));
}

async fn sign_in(installation: &Installation, teamsbox: &Teamsbox, user: &str) {
    let config = installation.file("offhook.toml");
    let arguments = [
        "service-account",
        "add",
        "--config",
        config.to_str().unwrap(),
    ];
    let mut program = Program::start("offhook", &arguments, &[]);
    let line = program.line().await;
    let code = line.split_whitespace().last().unwrap();
    let answer = json!({"userCode": code, "user": user, "action": "allow"});
    teamsbox
        .control(Method::POST, "/device", Some(answer))
        .await;
    let line = program.line().await;
    assert!(line.starts_with(user), "{line}");
}

async fn counted(server: &Server, outcome: &str) -> u64 {
    let (_, _, text) = server
        .with_headers(Method::GET, "/metrics", &[], None)
        .await;
    let wanted = format!("offhook_notifications_total{{outcome=\"{outcome}\"}} ");
    let found = text.lines().find_map(|line| line.strip_prefix(&wanted));
    found.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn graph_tells_of_changes_and_what_is_forged_changes_nothing() {
    let teamsbox = Teamsbox::start(0).await;
    for name in ["anna", "bert", "robot"] {
        teamsbox.add_user(name).await;
    }
    let knobs =
        json!({"httpWebhooks": true, "notificationMean": "PT0.1S", "notificationCap": "PT0.2S"});
    teamsbox.control(Method::PATCH, "/knobs", Some(knobs)).await;
    let installation = Installation::new("");
    configure(&installation, &teamsbox);
    installation
        .import(&[("anna", "1001"), ("bert", "1002")])
        .await;
    sign_in(&installation, &teamsbox, "robot@contoso.example").await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    // New people are searched every half minute; a restart searches at once.
    eventually("linked", SOON, "certain".into(), async || {
        let presence = server.presence("anna").await;
        presence["confidence"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    })
    .await;
    assert_eq!(server.terminate().await, 0);
    let server = installation.serve().await;
    let subscribed = async || {
        let listed = teamsbox.control(Method::GET, "/subscriptions", None).await;
        listed[0]["rich"] == true && listed[0]["people"] == 2
    };
    eventually("subscribed", SOON, true, subscribed).await;

    teamsbox
        .call("anna@contoso.example", "audio", "bert@contoso.example")
        .await;
    let is_counted = async || counted(&server, "taken").await >= 2;
    eventually("told", SOON, true, is_counted).await;
    eventually("anna", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("anna")
    })
    .await;

    let faults = json!({"notifications": {"wrongClientState": true}});
    teamsbox.faults(faults).await;
    teamsbox.end_call("anna@contoso.example").await;
    let dropped = async || counted(&server, "wrong_client_state").await >= 1;
    eventually("dropped", SOON, true, dropped).await;
    // The sweep still reads the real presence.
    eventually("anna", SOON, "Available".into(), || server.shown("anna")).await;
    teamsbox.faults(Value::Object(serde_json::Map::new())).await;

    // Anyone can send a notification.
    let path = "/teams/notifications";
    for body in [
        json!({}),
        json!({"value": [{"subscriptionId": "x"}]}),
        json!(["nonsense"]),
    ] {
        let (status, ..) = server
            .with_headers(Method::POST, path, &[], Some(body))
            .await;
        assert_eq!(status, 202);
    }
    let (status, _, text) = server
        .with_headers(
            Method::POST,
            &format!("{path}?validationToken=a%3Cb%3E+c"),
            &[],
            None,
        )
        .await;
    assert_eq!((status.as_u16(), text.as_str()), (200, "a<b> c"));
}

#[tokio::test]
async fn without_the_configuration_there_is_no_such_address() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let path = "/teams/notifications?validationToken=x";
    let (status, ..) = server.with_headers(Method::POST, path, &[], None).await;
    assert_eq!(status, 404);
}
