//! The tables of docs/presence-rules.md, with Teams users' actions in teamsbox.

use std::time::Duration;

use end_to_end::{Installation, Server, Teamsbox, eventually, stays};

use crate::SOON;

const CALL: &str = "Busy OnThePhone teams";
const PRESENTING: &str = "DoNotDisturb Presenting teams";
const PEOPLE: [(&str, &str); 2] = [("anna", ""), ("bert", "")];

async fn stage(mode: &str) -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    let (installation, server) = teamsbox.synchronised(&PEOPLE, mode).await;
    for (name, _) in PEOPLE {
        let linked = async || {
            server
                .explanation(name)
                .await
                .contains("shows Available/Available")
        };
        eventually("linked and observed", SOON, mode != "none", linked).await;
    }
    (teamsbox, installation, server)
}

async fn shows(server: &Server, anna: &str, bert: &str) {
    eventually("anna", SOON, anna.to_owned(), || server.shown("anna")).await;
    eventually("bert", SOON, bert.to_owned(), || server.shown("bert")).await;
}

/// Rows 1 to 4 of the table, sharing that ends during the call, and the end of the call.
async fn the_table(mode: &str, sharing: &str) {
    let (teamsbox, _installation, server) = stage(mode).await;
    // The people have no client: in presence mode Teams reports their presence, otherwise no source does.
    let rest = match mode {
        "telephony_and_presence" => "Available",
        _ => "Absent",
    };
    for kind in ["audio", "video"] {
        teamsbox.call("anna", kind, "bert").await;
        shows(&server, CALL, CALL).await;
        teamsbox.end_call("bert").await;
        shows(&server, rest, rest).await;
    }
    teamsbox.share("anna", Some("bert")).await;
    shows(&server, sharing, CALL).await;
    let presence = server.presence("anna").await;
    let label = match sharing {
        PRESENTING => "Presenting",
        _ => "On the phone (MS Teams)",
    };
    assert_eq!(presence["activity"]["label"], label);
    assert_eq!(presence["text"], label);
    teamsbox.stop_sharing("anna").await;
    shows(&server, rest, rest).await;

    teamsbox.call("anna", "video", "bert").await;
    shows(&server, CALL, CALL).await;
    let since = server.presence("bert").await["since"].clone();
    teamsbox.share("anna", None).await;
    shows(&server, sharing, CALL).await;
    teamsbox.stop_sharing("anna").await;
    shows(&server, CALL, CALL).await;
    assert_eq!(
        server.presence("bert").await["since"],
        since,
        "one call from beginning to end"
    );
    let presence = server.presence("anna").await;
    assert_eq!(presence["activity"]["label"], "On the phone (MS Teams)");
    assert_eq!(presence["confidence"], "certain");
    teamsbox.end_call("anna").await;
    shows(&server, rest, rest).await;
    for name in ["anna", "bert"] {
        assert_eq!(
            teamsbox.app_sessions(name).await,
            0,
            "nothing learned from Teams is written back"
        );
    }
}

#[tokio::test]
async fn the_table_with_telephony_and_presence() {
    the_table("telephony_and_presence", PRESENTING).await;
}

#[tokio::test]
async fn the_table_with_telephony_only() {
    the_table("telephony_only", CALL).await;
}

#[tokio::test]
async fn do_not_disturb_goes_both_ways() {
    let (teamsbox, _installation, server) = stage("telephony_and_presence").await;
    teamsbox.choose("anna", "DoNotDisturb").await;
    eventually("anna", SOON, "DoNotDisturb".into(), || server.shown("anna")).await;
    teamsbox.reset("anna").await;
    eventually("anna", SOON, "Available".into(), || server.shown("anna")).await;

    server.choose("bert", "Do not disturb").await;
    assert_eq!(server.shown("bert").await, "DoNotDisturb");
    eventually("bert", SOON, "DoNotDisturb/DoNotDisturb".into(), || {
        teamsbox.shown("bert")
    })
    .await;
    server.automatic("bert").await;
    eventually("bert", SOON, "Available/Available".into(), || {
        teamsbox.shown("bert")
    })
    .await;
    assert_eq!(server.shown("bert").await, "Available");

    // Offhook never clears a status that the person chose in Teams.
    teamsbox.choose("anna", "DoNotDisturb").await;
    eventually("anna", SOON, "DoNotDisturb".into(), || server.shown("anna")).await;
    server.choose("anna", "Do not disturb").await;
    server.automatic("anna").await;
    let shown = || teamsbox.shown("anna");
    stays(
        "anna",
        Duration::from_secs(3),
        "DoNotDisturb/DoNotDisturb".into(),
        shown,
    )
    .await;
}

#[tokio::test]
async fn an_override_in_teams_is_respected_and_explained() {
    let (teamsbox, _installation, server) = stage("telephony_and_presence").await;
    server.choose("anna", "Do not disturb").await;
    eventually("anna", SOON, "DoNotDisturb/DoNotDisturb".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    let masked = async || {
        server
            .explanation("anna")
            .await
            .contains("shows DoNotDisturb")
    };
    eventually("the echo was seen", SOON, true, masked).await;
    teamsbox.choose("anna", "Busy").await;
    let explained = async || {
        server
            .explanation("anna")
            .await
            .contains("overridden in Teams")
    };
    eventually("anna", SOON, true, explained).await;
    assert_eq!(
        server.shown("anna").await,
        "DoNotDisturb",
        "ours stays here"
    );
    server.automatic("anna").await;
    stays("anna", Duration::from_secs(3), "Busy/Busy".into(), || {
        teamsbox.shown("anna")
    })
    .await;
}

#[tokio::test]
async fn in_mode_none_nothing_crosses() {
    let (teamsbox, _installation, server) = stage("none").await;
    teamsbox.call("anna", "audio", "bert").await;
    server.choose("bert", "Do not disturb").await;
    // Longer than two sweep intervals.
    stays("anna", Duration::from_secs(3), "Available".into(), || {
        server.shown("anna")
    })
    .await;
    assert_eq!(teamsbox.shown("bert").await, "Busy/InACall");
    assert!(teamsbox.state("bert").await["preferred"].is_null());
    // Switching the mode on copies the choice to Teams, switching it off clears Offhook's write.
    server.set_mode("telephony_and_presence").await;
    eventually("anna", SOON, CALL.into(), || server.shown("anna")).await;
    eventually("bert", SOON, "DoNotDisturb/DoNotDisturb".into(), || {
        teamsbox.shown("bert")
    })
    .await;
    server.set_mode("none").await;
    eventually("anna", SOON, "Available".into(), || server.shown("anna")).await;
    eventually("bert", SOON, "Busy/InACall".into(), || {
        teamsbox.shown("bert")
    })
    .await;
}
