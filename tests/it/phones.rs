//! Real phones watch people at Offhook, directly and through a real PBX, and profiles decide where calls go.

use std::{net::UdpSocket, time::Duration};

use end_to_end::{Installation, Lab, Server, Teamsbox, eventually, free_port, stays};
use reqwest::Method;
use serde_json::json;

use crate::{
    HEALS, SOON,
    telephone::{PEOPLE, everybody_certain},
};

/// The section `[sip]` of the configuration, with a free port.
fn sip(rest: &str) -> (String, u16) {
    let port = free_port();
    let section = format!("[sip]\nlisten = \"127.0.0.1:{port}\"\ndomain = \"pbx.test\"\n{rest}");
    (section, port)
}

/// Server and teamsbox with all people linked; the port for phones.
pub async fn stage(rest: &str, more: &str) -> (Teamsbox, Installation, Server, u16) {
    let teamsbox = Teamsbox::start(0).await;
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let (section, port) = sip(rest);
    let teams = Installation::teams(teamsbox.url());
    let installation = Installation::new(&format!("{teams}{section}{more}"));
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    for (name, _) in PEOPLE {
        let certain = async || server.presence(name).await["confidence"] == "certain";
        eventually(name, SOON, true, certain).await;
    }
    (teamsbox, installation, server, port)
}

const TRUSTED: &str = "trusted = [\"127.0.0.1\"]\n";

#[tokio::test]
async fn a_call_in_teams_lights_the_lamp_of_a_real_telephone() {
    let (teamsbox, _installation, server, port) = stage(TRUSTED, "").await;
    let phone = Lab::watcher(4, "1001", port, &["1002", "1003"]);
    let lamp = async || phone.lamp("1002");
    eventually("bert is there", SOON, "Online".to_owned(), lamp).await;
    teamsbox.call("bert", "audio", "carl").await;
    eventually("bert's lamp", SOON, "Busy".to_owned(), lamp).await;
    eventually("carl's lamp", SOON, "Busy".to_owned(), async || {
        phone.lamp("1003")
    })
    .await;
    teamsbox.end_call("bert").await;
    eventually("bert's lamp is out", SOON, "Online".to_owned(), lamp).await;
    // A blocked viewer sees the same as of a person with the status Offline.
    let (bert, anna) = (server.person("bert").await, server.person("anna").await);
    let path = format!("/api/v1/people/{bert}/relationships/{anna}");
    let blocked = Some(json!({"level": "Blocked"}));
    server.ok(Method::PUT, &path, blocked).await;
    eventually("anna is blocked", SOON, "Offline".to_owned(), lamp).await;
    teamsbox.call("bert", "audio", "carl").await;
    eventually("carl's lamp", SOON, "Busy".to_owned(), async || {
        phone.lamp("1003")
    })
    .await;
    assert_eq!(phone.lamp("1002"), "Offline");
}

#[tokio::test]
async fn one_subscription_tells_a_telephone_of_its_whole_workgroup() {
    let (teamsbox, _installation, server, port) = stage(TRUSTED, "").await;
    let people = [server.person("anna").await, server.person("bert").await];
    let group = json!({"name": "Sales", "level": "TeamColleague", "members": people});
    let made = server
        .ok(Method::POST, "/api/v1/workgroups", Some(group))
        .await;
    let list = format!("workgroup-{}", made["id"].as_str().unwrap());
    let listed = async || Lab::listed("1001", port, &list);
    let bert = |state: &str| vec![("bert".to_owned(), state.to_owned())];
    eventually("the list", SOON, bert("terminated"), listed).await;
    teamsbox.call("bert", "audio", "carl").await;
    eventually("the list", SOON, bert("confirmed"), listed).await;
}

/// Creates a profile for Teams calls that forwards all calls to 1003, and a profile that refuses calls.
async fn arrange(server: &Server) {
    for (name, status, forwarding) in [
        ("MS Teams", "Busy", json!({"kind": "all", "target": "1003"})),
        ("Quiet", "DoNotDisturb", json!({"kind": "do_not_disturb"})),
    ] {
        let path = format!("/api/v1/templates/{}", name.replace(' ', "%20"));
        let body = json!({"status": status, "forwarding": forwarding, "offers": ["organisation"]});
        let (status, answer) = server.api(Method::PUT, &path, Some(body.clone())).await;
        if !status.is_success() {
            let mut body = body;
            body["name"] = json!(name);
            let made = server
                .api(Method::POST, "/api/v1/templates", Some(body))
                .await;
            assert!(made.0.is_success(), "{answer} {}", made.1);
        }
    }
}

#[tokio::test]
async fn calls_go_where_the_profile_in_force_says_on_a_real_telephone_system() {
    let (teamsbox, _installation, server, port) = stage(TRUSTED, "").await;
    arrange(&server).await;
    let lab = Lab::up_with_offhook(5, port);
    let rings = async |phone: &str| lab.rings(phone);
    // A phone with an account at the PBX needs none at Offhook.
    lab.watch_through("1003", &["1002"]);
    let lamp = async || lab.lamp("1002");
    eventually("bert is there", SOON, "Online".to_owned(), lamp).await;

    // Without forwarding, bert's own phone rings.
    lab.ring("1001", "1002");
    eventually("bert's telephone", SOON, true, || rings("1002")).await;
    lab.hang_up("1001");
    eventually("over", SOON, false, || rings("1002")).await;

    // During a Teams call, carl's phone rings instead.
    teamsbox.call("bert", "audio", "anna").await;
    eventually("bert", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("bert")
    })
    .await;
    let route = server
        .ok(Method::GET, "/api/v1/route?to=1002&from=1001", None)
        .await;
    assert_eq!(
        (&route["action"], &route["target"]),
        (&json!("forward"), &json!("1003"))
    );
    lab.ring("1001", "1002");
    eventually("carl's telephone", SOON, true, || rings("1003")).await;
    assert!(!lab.rings("1002"));
    lab.hang_up("1001");
    eventually("over", SOON, false, || rings("1003")).await;

    eventually("bert's lamp", SOON, "Busy".to_owned(), lamp).await;

    // After the Teams call, bert's own phone rings again.
    teamsbox.end_call("bert").await;
    eventually("bert", SOON, "Available".into(), || server.shown("bert")).await;
    eventually("bert's lamp is out", SOON, "Online".to_owned(), lamp).await;
    lab.ring("1001", "1002");
    eventually("bert's telephone", SOON, true, || rings("1002")).await;
    lab.hang_up("1001");
    eventually("over", SOON, false, || rings("1002")).await;

    // Do not disturb refuses calls.
    server.choose("bert", "Quiet").await;
    // A19: Offhook's mark in a caller's own address has no effect, in any spelling.
    for mark in ["", ";offhook=asked", ";OffHook=Asked", ";%6Fffhook=asked"] {
        lab.dial("1001", &format!("sip:1002@pbx.test{mark}"));
        eventually("refused", SOON, false, async || lab.is_calling("1001")).await;
        stays("bert has peace", Duration::from_secs(1), false, || {
            rings("1002")
        })
        .await;
    }

    // Calls work without Offhook.
    server.automatic("bert").await;
    assert_eq!(server.terminate().await, 0);
    lab.ring("1001", "1002");
    eventually("bert's telephone", HEALS, true, || rings("1002")).await;
}

/// Offhook's publications never count as phone calls: neither while they are active, nor as leftovers of a killed
/// server, nor at their end.
#[tokio::test]
async fn keys_that_watch_at_the_telephone_system_show_teams_calls_and_nothing_goes_round() {
    let lab = Lab::up(6);
    let teamsbox = Teamsbox::start(0).await;
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let teams = Installation::teams(teamsbox.url());
    let pbx = Installation::pbx(lab.port(), "udp", "pw1003");
    let installation = Installation::new(&format!("{teams}{pbx}publish = \"Employee\"\n"));
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    everybody_certain(&server).await;
    lab.watch("1001", &["1002"]);
    let lamp = async || lab.lamp("1002");
    let is_lit = async || {
        let dialogs = lab.dialogs("1002");
        let live = |(_, state): &(String, String)| state == "confirmed";
        dialogs.iter().any(live)
    };

    teamsbox.call("bert", "audio", "anna").await;
    eventually("bert's key", HEALS, "Busy".to_owned(), lamp).await;
    assert!(is_lit().await, "{:?}", lab.dialogs("1002"));
    // Offhook watches at the PBX too, and gets its own publication in the full state after subscribing.
    assert_eq!(server.shown("bert").await, "Busy OnThePhone teams");

    // The publication outlives a killed server; after the Teams call it is still active when the next server starts.
    server.kill().await;
    teamsbox.end_call("bert").await;
    assert!(is_lit().await, "{:?}", lab.dialogs("1002"));
    let server = installation.serve().await;
    everybody_certain(&server).await;
    assert_eq!(server.shown("bert").await, "Available");
    teamsbox.call("bert", "audio", "anna").await;
    eventually("bert", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("bert")
    })
    .await;
    teamsbox.end_call("bert").await;
    eventually("bert", SOON, "Available".into(), || server.shown("bert")).await;

    // A phone call counts beside Offhook's own publication.
    teamsbox.call("bert", "audio", "anna").await;
    eventually("bert", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("bert")
    })
    .await;
    lab.call("1001", "1002");
    eventually("bert's telephone", SOON, true, async || {
        server.explanation("bert").await.contains("1001")
    })
    .await;
    lab.hang_up("1001");
    eventually("bert", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("bert")
    })
    .await;
    teamsbox.end_call("bert").await;
    // For a minute, Teams may still show what Offhook wrote for the call.
    let settled = Duration::from_secs(75);
    eventually("bert", settled, "Available".into(), || server.shown("bert")).await;
    assert_eq!(teamsbox.app_sessions("bert").await, 0);
}

#[tokio::test]
async fn at_a_clean_stop_blf_keys_at_the_pbx_go_dark_at_once() {
    for transport in ["udp", "tcp"] {
        let lab = Lab::up(11);
        let teamsbox = Teamsbox::start(0).await;
        for (name, _) in PEOPLE {
            teamsbox.add_user(name).await;
        }
        let teams = Installation::teams(teamsbox.url());
        let pbx = Installation::pbx(lab.port(), transport, "pw1003");
        let installation = Installation::new(&format!("{teams}{pbx}publish = \"Employee\"\n"));
        installation.import(&PEOPLE).await;
        let server = installation.serve().await;
        everybody_certain(&server).await;
        arrange(&server).await;
        lab.watch("1001", &["1002"]);
        let lamp = async || lab.lamp("1002");
        server.choose("bert", "Quiet").await;
        eventually("bert's key", HEALS, "Busy".to_owned(), lamp).await;
        let is_lit =
            |dialogs: Vec<(String, String)>| dialogs.iter().any(|(_, state)| state == "confirmed");
        let mut watcher = lab.watch_dialogs("1002", 8);
        assert!(watcher.next().is_some_and(is_lit), "{transport}");
        assert_eq!(server.terminate().await, 0);
        let last = std::iter::from_fn(|| watcher.next()).map(is_lit).last();
        assert_eq!(last, Some(false), "{transport}: the dialog did not end");
        eventually("the display", SOON, "Online".to_owned(), lamp).await;
    }
}

#[tokio::test]
async fn strangers_learn_nothing_and_passwords_are_asked_for() {
    let account = "[[sip.account]]\nusername = \"1001\"\npassword = \"a-telephones-password\"\n";
    let (_teamsbox, _installation, server, port) = stage("", account).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let from = socket.local_addr().unwrap();
    let ask = |request: &str| {
        socket
            .send_to(request.as_bytes(), ("127.0.0.1", port))
            .unwrap();
        let mut buffer = [0; 4_096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let request = |method: &str, more: &str| {
        format!(
            "{method} sip:1002@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK{method}\r\n\
             From: <sip:1001@pbx.test>;tag=1\r\nTo: <sip:1002@pbx.test>\r\nCall-ID: {method}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:1001@{from}>\r\n{more}Content-Length: 0\r\n\r\n"
        )
    };
    let challenged = ask(&request("SUBSCRIBE", "Event: dialog\r\n"));
    assert!(challenged.starts_with("SIP/2.0 401 "), "{challenged}");
    assert!(challenged.contains("SHA-256") && challenged.contains("MD5"));
    assert!(
        !challenged.contains("NOTIFY"),
        "no state without a password"
    );
    // Credentials for one extension are not accepted for another.
    let nonce = challenged.split("nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    let signed_for = |uri: &str, call: &str| {
        let credentials = format!(
            "Event: dialog\r\nAuthorization: Digest username=\"1001\", realm=\"pbx.test\", nonce=\"{nonce}\", \
             uri=\"{uri}\", response=\"0\", algorithm=MD5\r\n"
        );
        let request = request("SUBSCRIBE", &credentials);
        ask(&request.replace("z9hG4bKSUBSCRIBE", &format!("z9hG4bK{call}")))
    };
    let other = signed_for("sip:1003@pbx.test", "other");
    assert!(other.starts_with("SIP/2.0 400 "), "{other}");
    let wrong = signed_for("sip:1002@PBX.test", "wrong");
    assert!(wrong.starts_with("SIP/2.0 401 "), "{wrong}");
    // Only the PBX learns the forwarding of a person.
    let refused = ask(&request("INVITE", ""));
    assert!(refused.starts_with("SIP/2.0 403 "), "{refused}");
    // A PBX that is missing in `trusted` is named, because its calls would otherwise ring nowhere without a reason.
    let (_, ready) = server.api(Method::GET, "/readyz", None).await;
    let named = ready["warnings"][0]["what"].as_str().unwrap_or_default();
    assert!(
        named.starts_with("127.0.0.1 asks where calls go"),
        "{ready}"
    );
    // A18: registration requires the password too, and a refusal does not repeat contacts.
    let registered = ask(&request("REGISTER", ""));
    assert!(registered.starts_with("SIP/2.0 401 ") && !registered.contains("Contact"));
    // Without a password, no response is much longer than its request: a challenge, but no document.
    for answer in [challenged, refused, registered] {
        assert!(
            answer.len() < 3 * request("SUBSCRIBE", "").len(),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn guesses_are_counted_for_the_name_whose_password_is_checked() {
    let account = |name| {
        format!("[[sip.account]]\nusername = \"{name}\"\npassword = \"a-telephones-password\"\n")
    };
    let accounts = ["1001", "1002"].map(account).concat();
    let (_teamsbox, _installation, server, port) = stage("", &accounts).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let from = socket.local_addr().unwrap();
    let ask = |call: &str, credentials: &str| {
        let request = format!(
            "SUBSCRIBE sip:1002@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK{call}\r\n\
             From: <sip:1001@pbx.test>;tag=1\r\nTo: <sip:1002@pbx.test>\r\nCall-ID: {call}\r\n\
             CSeq: 1 SUBSCRIBE\r\nContact: <sip:1001@{from}>\r\nEvent: dialog\r\n{credentials}Content-Length: 0\r\n\r\n"
        );
        let to = ("127.0.0.1", port);
        socket.send_to(request.as_bytes(), to).unwrap();
        let mut buffer = [0; 4_096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let challenged = ask("first", "");
    let nonce = challenged.split("nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    let guess = |name: &str| {
        format!(
            "Digest username=\"{name}\", realm=\"pbx.test\", nonce=\"{nonce}\", uri=\"sip:1002@pbx.test\", response=\"0\""
        )
    };
    let front = "Authorization: Foo realm=\"pbx.test\"";
    // Guesses for 1002 behind a scheme with the name 1001, until the server refuses them.
    let behind = format!("{front}, username=\"1001\", {}\r\n", guess("1002"));
    let mut guesses = (0..400).map(|number| ask(&format!("guess{number}"), &behind));
    let locked = guesses.position(|answer| answer.starts_with("SIP/2.0 503 "));
    assert!(
        locked.is_some_and(|at| (100..200).contains(&at)),
        "{locked:?}"
    );
    // 1001 is not locked by these guesses; nor does a scheme without a name in front change the count.
    let nameless = format!("{front}, {}\r\n", guess("1001"));
    let other = ask("other", &nameless);
    assert!(other.starts_with("SIP/2.0 401 "), "{other}");
    let mut guesses = (0..400).map(|number| ask(&format!("more{number}"), &nameless));
    assert!(guesses.any(|answer| answer.starts_with("SIP/2.0 503 ")));
    let metrics = server.page("/metrics").await;
    let wrong = metrics.lines().find(|line| {
        line.contains("sign_in") && line.contains("\"sip\"") && line.contains("\"wrong\"")
    });
    let wrong = wrong.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok());
    assert!(wrong.is_some_and(|wrong| wrong >= 200), "{wrong:?}");
}
