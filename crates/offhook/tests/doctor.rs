//! The doctor names every fault that the tests cause, and none without a fault.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failure must stop the test where it happens"
)]

mod support;

use std::{fs, os::unix::fs::PermissionsExt};

use support::{Fake, Patient, token};

const APP: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
const OTHER_TENANT: &str = "deadbeef-0000-4000-8000-000000000001";
const ANNA: [&str; 2] = ["--test-person", "anna@contoso.example"];

#[tokio::test]
async fn a_whole_installation_has_nothing_to_mend() {
    let patient = Patient::whole().await;
    let (code, findings) = patient.examine(&ANNA).await;
    assert_eq!(code, 0, "{findings:?}");
    assert_eq!(support::faults(&findings), [""; 0], "{findings:?}");
    let fine = |check: &str| {
        let mut findings = findings.iter();
        findings.any(|finding| finding["check"] == check && finding["verdict"] == "fine")
    };
    for check in [
        "configuration",
        "database",
        "sign-in",
        "graph",
        "clock",
        "token",
        "permissions",
        "read",
        "write",
        "telephone",
    ] {
        assert!(fine(check), "{check}: {findings:?}");
    }
    let shown = patient.teamsbox().presence("anna@contoso.example").await;
    assert_eq!(shown, "Available", "the write was taken back");
}

#[tokio::test]
async fn faults_of_files_are_named() {
    let missing = Patient::whole().await;
    fs::remove_file(missing.config()).unwrap();
    missing.expect("configuration.missing").await;

    let wrong = Patient::whole().await;
    wrong.set("tenant", "not a tenant");
    wrong.expect("configuration.wrong").await;

    let readable = Patient::whole().await;
    let secret = readable.file("secret.txt", "teamsbox-secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    readable.replace(
        "client_secret = \"teamsbox-secret\"",
        "client_secret_file = \"secret.txt\"",
    );
    readable.expect("secret.readable").await;

    let sealed = Patient::whole().await;
    sealed.seal_a_secret().await;
    let fine = sealed.examine(&[]).await.1;
    assert_eq!(support::faults(&fine), [""; 0], "{fine:?}");
    sealed.file("data/secrets.key", &"ab".repeat(32));
    sealed.expect("secrets.key").await;
    let (code, out) = sealed.command(&["rewrap", "old.key"]).await;
    assert_eq!(code, 0, "{out}");
    let fine = sealed.examine(&[]).await.1;
    assert_eq!(support::faults(&fine), [""; 0], "{fine:?}");

    let unwritable = Patient::whole().await;
    unwritable.replace("data = \"data\"", "data = \"/proc/offhook\"");
    unwritable.expect("data.unwritable").await;

    let damaged = Patient::whole().await;
    fs::write(
        damaged.data("offhook.db"),
        "this is no database".repeat(500),
    )
    .unwrap();
    damaged.expect("database.damaged").await;

    let newer = Patient::whole().await;
    newer.claim_a_later_version().await;
    newer.expect("database.newer").await;
}

#[tokio::test]
async fn missing_settings_are_named() {
    let empty = Patient::new("").await;
    for fault in ["people.none", "teams.missing", "pbx.missing"] {
        empty.expect(fault).await;
    }
    let idle = Patient::new("").await;
    idle.import("anna@contoso.example", "1001").await;
    idle.expect("people.mode_none").await;

    let stranger = Fake::start(|_| (200, "hello".into())).await;
    let listen = format!("[http]\nlisten = \"{}\"\n", stranger.address());
    let taken = Patient::new(&listen).await;
    taken.expect("server.port_taken").await;
}

#[tokio::test]
async fn faults_of_names_and_addresses_are_named() {
    for (key, value, fault) in [
        ("login_url", "https://sign-in.invalid", "sign_in.name"),
        ("login_url", "http://127.0.0.1:9", "sign_in.unreachable"),
        ("graph_url", "https://graph.invalid", "graph.name"),
        ("graph_url", "http://127.0.0.1:9", "graph.unreachable"),
    ] {
        let patient = Patient::whole().await;
        patient.set(key, value);
        patient.expect(fault).await;
    }
    // Proxies with broken TLS exist.
    let plain = Fake::start(|_| (200, String::new())).await;
    let patient = Patient::whole().await;
    patient.set("login_url", &format!("https://{}", plain.address()));
    patient.expect("sign_in.certificate").await;

    let portal = Fake::start(|_| (200, "<html>Welcome to our hotel</html>".into())).await;
    let patient = Patient::whole().await;
    patient.set("login_url", &portal.url());
    patient.expect("sign_in.stranger").await;
}

#[tokio::test]
async fn whatever_entra_refuses_is_named() {
    for (number, fault) in [
        (90_002, "tenant.unknown"),
        (700_016, "application.unknown"),
        (7_000_215, "secret.wrong"),
        (7_000_222, "secret.expired"),
        (700_027, "certificate.wrong"),
        (53_003, "access.blocked"),
        (50_034, "sign_in.refused"),
        (900_023, "tenant.unknown"),
        (700_024, "clock.skewed"),
        (7_000_112, "application.disabled"),
        (65_001, "roles.none"),
        (90_033, "sign_in.failing"),
        (50_196, "sign_in.failing"),
        (700_025, "sign_in.refused"),
    ] {
        let entra = Fake::start(move |_| {
            let body = format!(
                r#"{{"error":"invalid_client","error_description":"AADSTS{number}: Told by a test. Trace ID: 1","error_codes":[{number}]}}"#
            );
            (401, body)
        })
        .await;
        let patient = Patient::whole().await;
        patient.set("login_url", &entra.url());
        patient.expect(fault).await;
    }
    let failing = Fake::start(|_| (503, String::new())).await;
    let patient = Patient::whole().await;
    patient.set("login_url", &failing.url());
    patient.expect("sign_in.failing").await;
}

#[tokio::test]
async fn permissions_in_the_token_are_checked() {
    let ours = "11111111-2222-4333-8444-555555555555";
    for (tenant, roles, fault) in [
        (
            OTHER_TENANT,
            &["Presence.ReadWrite.All"][..],
            "token.foreign",
        ),
        (ours, &[], "roles.none"),
        (ours, &["User.Read.All"], "roles.no_presence"),
        (
            ours,
            &["Presence.Read.All", "User.Read.All"],
            "roles.no_write",
        ),
        (ours, &["Presence.ReadWrite.All"], "roles.no_directory"),
    ] {
        let body = token(tenant, roles);
        let entra = Fake::start(move |_| (200, body.clone())).await;
        let patient = Patient::whole().await;
        patient.set("login_url", &entra.url());
        patient.set("tenant", ours);
        patient.expect(fault).await;
    }
}

#[tokio::test]
async fn whatever_graph_refuses_is_named() {
    let roles = ["Presence.ReadWrite.All", "User.Read.All"];
    let answer = |status: u16, body: &'static str| {
        Fake::start(move |path| {
            if path.contains("/oauth2/") {
                return (200, token("t", &roles));
            }
            (status, body.into())
        })
    };
    let error = r#"{"error":{"code":"Refused","message":"Told by a test."}}"#;
    for (status, body, fault) in [
        (401, error, "graph.unauthorized"),
        (403, error, "read.forbidden"),
        (429, error, "graph.throttled"),
        (503, error, "graph.failing"),
        (418, error, "graph.stranger"),
        (302, "", "graph.intercepted"),
        (403, "<html>", "graph.intercepted"),
        (407, "<html>", "graph.intercepted"),
        (409, error, "graph.failing"),
        (400, "", "graph.failing"),
        (200, r#"{"value":[]}"#, "read.empty"),
    ] {
        let graph = answer(status, body).await;
        let patient = Patient::whole().await;
        patient.set("login_url", &graph.url());
        patient.set("graph_url", &graph.url());
        patient.expect(fault).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let late = Fake::at("Tue, 24 Nov 2020 10:00:00 GMT", |_| (404, String::new())).await;
    let patient = Patient::whole().await;
    patient.set("graph_url", &late.url());
    patient.expect("clock.skewed").await;
}

#[tokio::test]
async fn faults_of_the_test_persons_account_are_named() {
    let patient = Patient::whole().await;
    let nobody = ["--test-person", "nobody@contoso.example"];
    patient.expect_with("test_person.unknown", &nobody).await;
    patient.import("carl@elsewhere.example", "1003").await;
    let carl = ["--test-person", "carl@elsewhere.example"];
    patient.expect_with("test_person.unknown", &carl).await;
    patient.expect("people.unlinked").await;

    let anna = "anna@contoso.example";
    patient.teamsbox().choose(anna, "Available").await;
    patient.expect_with("write.hidden", &ANNA).await;

    patient.remember_a_write().await;
    patient.expect_with("test_person.busy", &ANNA).await;

    for (operation, fault) in [
        ("setPresence", "write.refused"),
        ("clearPresence", "write.not_cleared"),
    ] {
        let patient = Patient::whole().await;
        patient.teamsbox().refuse(operation).await;
        patient.expect_with(fault, &ANNA).await;
    }
}

#[tokio::test]
async fn faults_of_the_pbx_are_named() {
    for (key, value, fault) in [
        ("server", "pbx.invalid:5060", "pbx.name"),
        ("server", "127.0.0.1:9", "pbx.silent"),
        ("password", "wrong", "pbx.password"),
        ("domain", "not a domain", "configuration.wrong"),
        ("username", "not a name", "pbx.unusable"),
    ] {
        let patient = Patient::whole().await;
        patient.set(key, value);
        patient.expect(fault).await;
    }
    let patient = Patient::whole().await;
    patient.import("carl@contoso.example", "1999").await;
    patient.expect("pbx.lines").await;

    let pbx = Patient::whole().await;
    let none = Patient::new(&pbx.pbx_section()).await;
    none.import("anna@contoso.example", "").await;
    none.expect("pbx.no_lines").await;
}

#[tokio::test]
async fn faults_of_the_presence_server_for_phones_are_named() {
    let pbx = Patient::whole().await.pbx_section();
    for (keys, fault) in [
        ("domain = \"pbx.test\"\n", "sip.nobody"),
        (
            "domain = \"pbx.test\"\ntrusted = [\"192.0.2.10\"]\n",
            "sip.loopback",
        ),
        (
            "domain = \"elsewhere.test\"\ntrusted = [\"127.0.0.1\"]\n",
            "sip.domain",
        ),
    ] {
        let patient = Patient::new(&format!("{pbx}[sip]\n{keys}")).await;
        patient.expect(fault).await;
    }
}

#[tokio::test]
async fn faults_of_notifications_are_named() {
    let stranger = Fake::start(|_| (200, "hello".into())).await;
    let patient = Patient::whole().await;
    patient.notify_at(&format!("{}/teams/notifications", stranger.url()));
    patient.expect("notifications.stranger").await;
    patient.expect("notifications.no_account").await;
    patient.set("url", "http://127.0.0.1:9/teams/notifications");
    patient.expect("notifications.unreachable").await;
    patient.seal_a_secret().await;
    let echo = Fake::start(|_| (200, "offhook doctor was here".into())).await;
    patient.set("url", &format!("{}/teams/notifications", echo.url()));
    let (_, findings) = patient.examine(&[]).await;
    assert_eq!(support::faults(&findings), [""; 0], "{findings:?}");
}

#[tokio::test]
async fn problems_of_a_running_server_are_reported() {
    let patient = Patient::whole().await;
    let server = patient.serve().await;
    let (code, findings) = patient.examine(&[]).await;
    assert_eq!(
        (code, support::faults(&findings)),
        (0, vec![]),
        "{findings:?}"
    );
    drop(server);
    patient.set("password", "wrong");
    let _server = patient.serve().await;
    // The server itself detects the fault after a moment.
    for _ in 0..50 {
        let (_, findings) = patient.examine(&[]).await;
        let trouble = findings
            .iter()
            .find(|finding| finding["fault"] == "server.trouble");
        if let Some(trouble) = trouble {
            let what = trouble["what"].as_str().unwrap();
            assert!(what.contains("password"), "{what}");
            return;
        }
    }
    panic!("the server's trouble was not told");
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let patient = Patient::whole().await;
    let configuration = fs::read_to_string(patient.config()).unwrap();
    let text = patient.text().await;
    assert!(text.contains(APP), "{text}");
    for secret in ["teamsbox-secret", "pbx-password"] {
        assert!(configuration.contains(secret));
        assert!(!text.contains(secret), "{text}");
    }
}
