//! A real call on a real PBX appears in Teams and ends there.

use std::time::Duration;

use end_to_end::{Installation, Lab, Server, Teamsbox, eventually};
use reqwest::Method;
use serde_json::json;

use crate::SOON;

/// The people of the lab.
pub const PEOPLE: [(&str, &str); 3] = [("anna", "1001"), ("bert", "1002"), ("carl", "1003")];

/// Lab, teamsbox and server, with all people linked and every line watched.
pub async fn stage(number: u16, transport: &str) -> (Lab, Teamsbox, Installation, Server) {
    let lab = Lab::up(number);
    let teamsbox = Teamsbox::start(0).await;
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let rest = [
        Installation::teams(teamsbox.url()),
        Installation::pbx(lab.port(), transport, "pw1003"),
    ]
    .concat();
    let installation = Installation::new(&rest);
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    everybody_certain(&server).await;
    (lab, teamsbox, installation, server)
}

/// Waits until every source has reported every person.
pub async fn everybody_certain(server: &Server) {
    for (name, _) in PEOPLE {
        let confidence = async || {
            server.presence(name).await["confidence"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        eventually(name, SOON, "certain".to_owned(), confidence).await;
    }
}

async fn a_call_shows_in_teams(number: u16, transport: &str) {
    let (lab, teamsbox, _installation, server) = stage(number, transport).await;
    lab.ring("1001", "1002");
    eventually("bert rings", SOON, "Available Ringing pbx".into(), || {
        server.shown("bert")
    })
    .await;
    assert_eq!(
        teamsbox.shown("bert").await,
        "Available/Available",
        "ringing is not written"
    );
    lab.answer("1002");
    // Required: within a second of the answered call.
    let second = Duration::from_secs(1);
    for name in ["anna", "bert"] {
        eventually(name, second, "Busy/InACall".into(), || teamsbox.shown(name)).await;
        assert_eq!(server.shown(name).await, "Busy OnThePhone pbx");
        assert_eq!(server.presence(name).await["confidence"], "masked");
    }
    assert!(
        server.explanation("anna").await.contains("1002"),
        "with whom"
    );
    assert_eq!(teamsbox.shown("carl").await, "Available/Available");
    lab.hang_up("1001");
    for name in ["anna", "bert"] {
        eventually(name, SOON, "Available/Available".into(), || {
            teamsbox.shown(name)
        })
        .await;
        eventually(name, SOON, "Available".into(), || server.shown(name)).await;
        assert_eq!(teamsbox.app_sessions(name).await, 0);
    }
    assert_eq!(server.terminate().await, 0);
}

#[tokio::test]
async fn a_call_over_udp_shows_in_teams() {
    a_call_shows_in_teams(1, "udp").await;
}

#[tokio::test]
async fn a_call_over_tcp_shows_in_teams() {
    a_call_shows_in_teams(2, "tcp").await;
}

#[tokio::test]
async fn a_restarted_telephone_system_is_found_again_and_its_lost_call_ends() {
    let (lab, teamsbox, _installation, server) = stage(3, "udp").await;
    lab.call("1001", "1002");
    eventually("anna", SOON, "Busy/InACall".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    lab.stop_pbx();
    lab.start_pbx();
    // The PBX has lost the call, so the presence must end. The next probe notices within 20 seconds.
    let within = Duration::from_secs(60);
    eventually("anna", within, "Available".into(), || server.shown("anna")).await;
    eventually("anna", SOON, "Available/Available".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    eventually("ready", within, true, || server.is_ready()).await;
}

/// anna's extension belongs to one PBX, bert's and carl's to another one, which uses TLS and is reconnected after a
/// restart.
#[tokio::test]
async fn two_telephone_systems_and_tls() {
    let (plain, encrypted) = (Lab::up(7), Lab::up_with_tls(10));
    let teamsbox = Teamsbox::start(0).await;
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let rest = [
        Installation::teams(teamsbox.url()),
        Installation::pbx(plain.port(), "udp", "pw1003"),
        "extensions = [\"1001\"]\n".to_owned(),
        format!(
            "[[pbx]]\nname = \"encrypted\"\nserver = \"localhost:{}\"\ntransport = \"tls\"\nauthority_file = \"{}\"\n\
             domain = \"pbx.test\"\nusername = \"1003\"\npassword = \"pw1003\"\n",
            encrypted.tls_port(),
            encrypted.authority().display()
        ),
    ];
    let installation = Installation::new(&rest.concat());
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    everybody_certain(&server).await;
    plain.call("1001", "1002");
    eventually("anna", SOON, "Busy OnThePhone pbx".into(), || {
        server.shown("anna")
    })
    .await;
    // The extension 1002 of the first PBX belongs to no person.
    assert_eq!(server.shown("bert").await, "Available");
    encrypted.call("1002", "1003");
    for name in ["bert", "carl"] {
        eventually(name, SOON, "Busy OnThePhone pbx".into(), || {
            server.shown(name)
        })
        .await;
    }
    encrypted.hang_up("1002");
    eventually("bert", SOON, "Available".into(), || server.shown("bert")).await;
    encrypted.stop_pbx();
    let ada = server.system_administrator().await;
    let is_stale = async || server.presence("bert").await["confidence"] == "stale";
    // A closed connection is noticed at once.
    eventually("bert", SOON, true, is_stale).await;
    // The last states of the lines are unconfirmed, and soon unknown.
    let lines = async || {
        let page = ada.page("/admin/telephony").await;
        page.contains("idle, not confirmed recently") || page.contains("<td>unknown</td>")
    };
    eventually("the page", SOON, true, lines).await;
    encrypted.start_pbx();
    eventually("bert", Duration::from_secs(20), false, is_stale).await;
    assert_eq!(server.shown("anna").await, "Busy OnThePhone pbx");
    assert_eq!(server.terminate().await, 0);
}

// A deleted person's line is no longer watched, so that a new person with the extension is subscribed at once.
#[tokio::test]
async fn an_extension_of_a_deleted_person_is_watched_again_for_the_next() {
    let (lab, _teamsbox, _installation, server) = stage(14, "udp").await;
    let bert = server.person("bert").await;
    let path = format!("/api/v1/people/{bert}");
    server.ok(Method::DELETE, &path, None).await;
    let new = json!({"name": "dora", "lines": [{"extension": "1002"}]});
    server.ok(Method::POST, "/api/v1/people", Some(new)).await;
    // dora has no Teams account: the line is her only source.
    let lines = async || server.page("/admin/telephony").await.contains("unknown");
    eventually("dora's line is known", SOON, false, lines).await;
    lab.ring("1001", "1002");
    let shown = || server.shown("dora");
    let ringing = async || shown().await.contains("Ringing");
    eventually("dora rings", SOON, true, ringing).await;
}
