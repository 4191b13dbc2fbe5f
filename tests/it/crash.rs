//! The server is killed during calls and choices: its writes to Teams are adopted as Offhook's, ended rightly, and
//! never taken for Teams' own presence.

use std::time::Duration;

use end_to_end::{eventually, stays};

use crate::{SOON, telephone::stage};

#[tokio::test]
async fn a_call_that_ends_while_the_server_is_down_is_cleared() {
    let (lab, teamsbox, installation, server) = stage(4, "udp").await;
    lab.call("1001", "1002");
    eventually("anna", SOON, "Busy/InACall".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    server.kill().await;
    lab.hang_up("1001");
    assert_eq!(
        teamsbox.shown("anna").await,
        "Busy/InACall",
        "nobody has cleared it"
    );
    let server = installation.serve().await;
    // Right again within five seconds of the restart.
    for name in ["anna", "bert"] {
        eventually(name, SOON, "Available/Available".into(), || {
            teamsbox.shown(name)
        })
        .await;
        stays(name, Duration::from_millis(500), "Available".into(), || {
            server.shown(name)
        })
        .await;
        assert_eq!(teamsbox.app_sessions(name).await, 0);
    }
}

#[tokio::test]
async fn a_call_that_goes_on_while_the_server_is_down_goes_on() {
    let (lab, teamsbox, installation, server) = stage(5, "udp").await;
    lab.call("1001", "1002");
    eventually("anna", SOON, "Busy/InACall".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    server.kill().await;
    let server = installation.serve().await;
    eventually("anna", SOON, "Busy OnThePhone pbx".into(), || {
        server.shown("anna")
    })
    .await;
    stays(
        "anna",
        Duration::from_secs(5),
        "Busy/InACall".into(),
        || teamsbox.shown("anna"),
    )
    .await;
    assert_eq!(teamsbox.app_sessions("anna").await, 1);
    lab.hang_up("1002");
    eventually("anna", SOON, "Available/Available".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    // The next sweep reads the presence without our call.
    eventually("anna", SOON, "Available".into(), || server.shown("anna")).await;
    stays("anna", Duration::from_secs(3), "Available".into(), || {
        server.shown("anna")
    })
    .await;
    assert_eq!(teamsbox.app_sessions("anna").await, 0);
}

#[tokio::test]
async fn an_own_do_not_disturb_survives_as_ours() {
    let (_lab, teamsbox, installation, server) = stage(6, "udp").await;
    server.choose("anna", "Do not disturb").await;
    eventually("anna", SOON, "DoNotDisturb/DoNotDisturb".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    server.kill().await;
    let server = installation.serve().await;
    eventually("anna", SOON, "DoNotDisturb".into(), || server.shown("anna")).await;
    // Long enough for several sweeps to read the presence.
    let ours = async || server.explanation("anna").await.contains("profile 3");
    stays(
        "never taken for Teams' own",
        Duration::from_secs(3),
        false,
        ours,
    )
    .await;
    server.automatic("anna").await;
    eventually("anna", SOON, "Available/Available".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    // The next sweep reads the presence without our choice.
    eventually("anna", SOON, "Available".into(), || server.shown("anna")).await;
    stays("anna", Duration::from_secs(3), "Available".into(), || {
        server.shown("anna")
    })
    .await;
    assert!(teamsbox.state("anna").await["preferred"].is_null());
}
