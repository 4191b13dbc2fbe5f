//! The explanation names the reason why a source does not count, and a presence from an account that Microsoft has
//! deleted ends at once.

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{HEALS, SOON};

const PEOPLE: [(&str, &str); 2] = [("anna", ""), ("bert", "")];

async fn stage(mode: &str, accounts: &[&str]) -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    for name in accounts {
        teamsbox.add_user(name).await;
    }
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    server.set_mode(mode).await;
    (teamsbox, installation, server)
}

/// The reason codes of sources that do not count.
async fn codes(server: &Server, name: &str) -> Vec<String> {
    let text = server.explanation(name).await;
    let explanation: Value = serde_json::from_str(&text).unwrap();
    let reasons = explanation["reasons"].as_array().unwrap().iter();
    let of_rule = |reason: &&Value| reason["rule"] == "Teams: what does not count";
    let reasons = reasons.filter(of_rule);
    reasons
        .map(|reason| {
            assert_eq!(reason["counted"], false, "{reason}");
            reason["code"].as_str().unwrap().to_owned()
        })
        .collect()
}

async fn reports(server: &Server, name: &str, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    eventually(name, SOON, expected, || codes(server, name)).await;
}

async fn meets(server: &Server, name: &str) {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/meetings/daily");
    let audio = Some(json!({"audio": true}));
    server.ok(Method::PUT, &path, audio).await;
}

#[tokio::test]
async fn the_mode_and_a_missing_account_are_named() {
    let (teamsbox, installation, server) = stage("none", &["anna"]).await;
    for (name, _) in PEOPLE {
        reports(&server, name, &["mode-none"]).await;
    }
    server.set_mode("telephony_only").await;
    reports(&server, "anna", &[]).await;
    reports(&server, "bert", &["no-teams-account"]).await;
    teamsbox.choose("anna", "DoNotDisturb").await;
    let in_teams = "do-not-disturb-in-teams-not-carried";
    reports(&server, "anna", &[in_teams]).await;
    server.choose("anna", "Do not disturb").await;
    let here = "do-not-disturb-here-not-carried";
    reports(&server, "anna", &[in_teams, here]).await;
    let (code, out, _) = installation.run("explain", &["anna"]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("not written to Teams"), "{out}");
    server.set_mode("telephony_and_presence").await;
    reports(&server, "anna", &[]).await;
}

#[tokio::test]
async fn a_refused_write_is_named_until_microsoft_takes_it() {
    let (teamsbox, _installation, server) =
        stage("telephony_and_presence", &["anna", "bert"]).await;
    for name in ["anna", "bert"] {
        let observed = async || server.explanation(name).await.contains("shows Available");
        eventually("linked and observed", SOON, true, observed).await;
    }
    let operations = ["setPresence", "setUserPreferredPresence"];
    let refuse = json!({"graph": {"status": 403, "operations": operations}});
    teamsbox.faults(refuse).await;
    meets(&server, "anna").await;
    server.choose("bert", "Do not disturb").await;
    reports(&server, "anna", &["session-refused"]).await;
    reports(&server, "bert", &["preferred-refused"]).await;
    for name in ["anna", "bert"] {
        let explanation = server.explanation(name).await;
        assert!(!explanation.contains("in-force"), "{explanation}");
    }
    // The presence that Teams shows still counts.
    teamsbox.call("anna", "audio", "bert").await;
    let call = async || {
        let explanation = server.explanation("anna").await;
        explanation.contains("in-a-call-in-teams")
    };
    eventually("a call in Teams", SOON, true, call).await;
    assert_eq!(server.presence("anna").await["confidence"], "certain");
    teamsbox.end_call("anna").await;
    teamsbox.faults(json!({})).await;
    meets(&server, "anna").await;
    let taken = async || {
        let (anna, bert) = (codes(&server, "anna").await, codes(&server, "bert").await);
        (anna.len(), bert.len(), teamsbox.shown("anna").await)
    };
    let expected = (0, 0, "Busy/InACall".to_owned());
    eventually("taken after all", HEALS, expected, taken).await;
}

#[tokio::test]
async fn an_account_that_is_deleted_during_a_call_ends_at_once_and_comes_back() {
    let (teamsbox, _installation, server) =
        stage("telephony_and_presence", &["anna", "bert"]).await;
    let call = "Busy OnThePhone teams".to_owned();
    teamsbox.call("anna", "audio", "bert").await;
    eventually("anna", SOON, call.clone(), || server.shown("anna")).await;
    let anna = teamsbox.state("anna").await;
    teamsbox
        .control(Method::DELETE, "/users/anna@contoso.example", None)
        .await;
    reports(&server, "anna", &["teams-account-missing"]).await;
    let shown = server.shown("anna").await;
    assert!(!shown.contains("OnThePhone"), "{shown}");
    let troubles = async || server.troubles().await.join("\n");
    let named = async || {
        let troubles = troubles().await;
        troubles.contains("missing teams accounts") && troubles.contains("anna")
    };
    eventually("a named problem", SOON, true, named).await;
    let (_, metrics) = server.api(Method::GET, "/metrics", None).await;
    let metrics = metrics.as_str().unwrap();
    assert!(
        metrics.contains("offhook_teams_accounts_missing{tenant=\"main\"} 1"),
        "{metrics}"
    );
    // The other person's account is unchanged.
    reports(&server, "bert", &[]).await;

    let restored = json!({
        "id": anna["id"],
        "displayName": "anna",
        "userPrincipalName": "anna@contoso.example",
        "clients": ["desktop"],
    });
    teamsbox
        .control(Method::POST, "/users", Some(restored))
        .await;
    reports(&server, "anna", &[]).await;
    eventually("ready", SOON, true, || server.is_ready()).await;
    teamsbox.call("anna", "audio", "bert").await;
    eventually("anna", SOON, call, || server.shown("anna")).await;
}
