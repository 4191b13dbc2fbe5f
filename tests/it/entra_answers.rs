//! Sign-ins and tokens that Microsoft refuses: `/readyz` names the remedy, and synchronisation recovers without a
//! restart.

use end_to_end::{Installation, Server, Teamsbox, eventually};
use serde_json::{Value, json};

use crate::{HEALS, SOON, telephone::PEOPLE};

async fn stage(teamsbox: &Teamsbox) -> (Installation, Server) {
    teamsbox
        .synchronised(&PEOPLE, "telephony_and_presence")
        .await
}

async fn reports(server: &Server, words: &str) {
    let is_reported = async || server.troubles().await.join("\n").contains(words);
    eventually(words, HEALS, true, is_reported).await;
}

#[tokio::test]
async fn tokens_that_graph_refuses_are_named_and_the_next_good_answer_counts() {
    let teamsbox = Teamsbox::start(0).await;
    let (_installation, server) = stage(&teamsbox).await;
    teamsbox.call("anna", "audio", "bert").await;
    let shown = || server.shown("anna");
    eventually("a call", HEALS, "Busy OnThePhone teams".into(), shown).await;
    teamsbox.faults(json!({"graph": {"status": 401}})).await;
    reports(&server, "Graph refused a fresh token with 401").await;
    reports(
        &server,
        "asks for a new token after longer and longer pauses",
    )
    .await;
    teamsbox.end_call("anna").await;
    teamsbox.faults(json!({})).await;
    eventually("the end", SOON, "Available".into(), shown).await;
    eventually("ready", SOON, true, || server.is_ready()).await;
}

#[tokio::test]
async fn refused_sign_ins_are_named_with_their_remedies() {
    let refusal = |status: u16, error: &str, code: u32| -> Value {
        json!({"token": {"status": status, "error": error, "code": code}})
    };
    for (fault, remedy) in [
        (
            refusal(401, "invalid_client", 700_024),
            "timedatectl set-ntp true",
        ),
        (
            refusal(400, "unauthorized_client", 7_000_112),
            "Enabled for users to sign in",
        ),
        (
            refusal(503, "temporarily_unavailable", 90_033),
            "status.cloud.microsoft",
        ),
    ] {
        let teamsbox = Teamsbox::start(0).await;
        teamsbox.faults(fault).await;
        let (_installation, server) = stage(&teamsbox).await;
        reports(&server, remedy).await;
        teamsbox.faults(json!({})).await;
        eventually("ready", HEALS, true, || server.is_ready()).await;
        teamsbox.call("anna", "audio", "bert").await;
        let shown = || server.shown("anna");
        eventually("a call", HEALS, "Busy OnThePhone teams".into(), shown).await;
    }
}
