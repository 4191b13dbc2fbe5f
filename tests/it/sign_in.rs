//! Sign-in with a password: memory, counting of guesses, log, audit log and metrics, attributes of
//! cookies, and changes of a password.

use std::time::Duration;

use end_to_end::{Installation, Server, eventually, repository};
use regex::Regex;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::SOON;

const PASSWORD: &str = "correct horse battery";

async fn account(server: &Server, name: &str) {
    let body = json!({"name": name, "role": "person", "password": PASSWORD});
    server
        .ok(Method::POST, "/api/v1/accounts", Some(body))
        .await;
}

/// Attempts a sign-in through the API or the page.
async fn attempt(server: &Server, name: &str, password: &str, by_page: bool) -> StatusCode {
    let client = reqwest::Client::new();
    let request = if by_page {
        let fields = [("name", name), ("password", password)];
        client
            .post(format!("{}/sign-in", server.url()))
            .form(&fields)
    } else {
        let body = json!({"name": name, "password": password});
        client
            .post(format!("{}/api/v1/sign-in", server.url()))
            .json(&body)
    };
    request.send().await.unwrap().status()
}

/// Resident memory of the server, in MiB.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
    kibibytes.parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_wrong_passwords_take_no_more_than_64_mebibytes() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    account(&server, "anna").await;
    assert!(server.is_ready().await);
    let before = memory(&server);
    let mut seen = Vec::new();
    // A single HTTP client: creating one takes longer than a password hash, and would spread the requests out.
    let client = reqwest::Client::new();
    for at_once in [16, 100, 84] {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..at_once {
            let url = format!("{}/api/v1/sign-in", server.url());
            let body = json!({"name": format!("p{number}"), "password": "wrong"});
            tasks.spawn(client.post(url).json(&body).send());
        }
        for answer in tasks.join_all().await {
            let answer = answer.unwrap();
            let status = answer.status();
            // If the queue of hashes is full, the refusal has Retry-After.
            assert_eq!(
                status == StatusCode::SERVICE_UNAVAILABLE,
                answer.headers().contains_key("retry-after"),
                "{status}"
            );
            seen.push(status);
        }
        let now = memory(&server);
        assert!(now <= before + 64, "{before} MiB before, {now} MiB now");
    }
    // The machine's speed decides whether the queue is full.
    let known = [StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE];
    assert!(seen.iter().all(|status| known.contains(status)), "{seen:?}");
    assert!(seen.contains(&StatusCode::UNAUTHORIZED), "{seen:?}");
    // A correct sign-in works.
    let status = attempt(&server, "anna", PASSWORD, false).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn guesses_are_counted_by_the_account_that_is_meant() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    account(&server, "bob").await;
    let names = [
        "bob",
        "bob ",
        " bob",
        "BOB",
        "Bob\u{a0}",
        "\u{3000}bOb",
        "bob\t",
    ];
    for who in [
        names,
        names.map(|name| name.replace(['b', 'B'], "x").leak() as &str),
    ] {
        let (mut looked_at, began) = (0, Instant::now());
        for (number, name) in who.iter().cycle().take(16).enumerate() {
            match attempt(&server, name, "wrong", number % 2 == 0).await {
                StatusCode::UNAUTHORIZED => looked_at += 1,
                status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
            }
        }
        // Another attempt becomes available every 30 s.
        let most = 11 + began.elapsed().as_secs() / 30;
        assert!((10..=most).contains(&looked_at), "{who:?}: {looked_at}");
    }
}

/// The documented filter expression for fail2ban, with fail2ban's placeholders resolved.
fn documented_filter() -> Regex {
    let text = std::fs::read_to_string(repository().join("docs/sign-in.md")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("failregex = "));
    let host = r"(?P<host>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]+)";
    Regex::new(&line.unwrap().replace("<ADDR>", host)).unwrap()
}

#[tokio::test]
async fn sign_ins_are_told_in_log_audit_log_and_metrics() {
    let installation = Installation::new("");
    let log = installation.file("log");
    let server = installation.serve_logging_to(&log).await;
    account(&server, "anna").await;
    let evil = "x\" sign-in failed: address=198.51.100.1 way=password left_out=0 name=\"y\n2026 WARN server::sign_in: sign-in failed: address=198.51.100.2";
    for name in ["anna", evil] {
        let status = attempt(&server, name, "a wrong secret", false).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let status = attempt(&server, "ANNA", PASSWORD, true).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "the cookie is not kept, so that the board asks again"
    );
    let unknown = server.with_key("ohk_unknown");
    let (status, _) = unknown.api(Method::GET, "/api/v1/people", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    eventually("the log tells of it", SOON, 3, || async {
        let text = std::fs::read_to_string(&log).unwrap();
        text.lines()
            .filter(|line| line.contains("server::sign_in"))
            .count()
    })
    .await;
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("a wrong secret") && !text.contains(PASSWORD));
    let filter = documented_filter();
    let hosts: Vec<&str> = text
        .lines()
        // fail2ban removes the date before matching.
        .filter_map(|line| filter.captures(line.split_once(' ')?.1))
        .map(|found| found.name("host").unwrap().as_str())
        .collect();
    assert_eq!(hosts, ["127.0.0.1", "127.0.0.1"], "{text}");

    let rows = server
        .ok(Method::GET, "/api/v1/audit?what=session.", None)
        .await;
    let rows = rows["items"].as_array().unwrap().clone();
    let whats: Vec<&Value> = rows.iter().map(|row| &row["what"]).collect();
    assert_eq!(
        whats,
        ["session.begin", "session.fail", "session.fail"],
        "{rows:?}"
    );
    assert_eq!(rows[0]["who"], "anna");
    assert!(rows[2].to_string().contains("127.0.0.1"), "{rows:?}");
    assert!(!Value::from(rows).to_string().contains("a wrong secret"));
    let (_, metrics) = server.api(Method::GET, "/metrics", None).await;
    for (way, outcome, count) in [
        ("password", "wrong", 2),
        ("password", "signed_in", 1),
        ("api_key", "wrong", 1),
    ] {
        let line = format!("offhook_sign_ins_total{{way=\"{way}\",outcome=\"{outcome}\"}} {count}");
        assert!(
            metrics.as_str().unwrap().contains(&line),
            "{line}: {metrics}"
        );
    }
}

#[tokio::test]
async fn a_stranger_does_not_fill_the_audit_log() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    for number in 0..60 {
        attempt(&server, &format!("p{number}"), "wrong", false).await;
    }
    let rows = server
        .ok(Method::GET, "/api/v1/audit?what=session.&limit=100", None)
        .await;
    let rows = rows["items"].as_array().unwrap().len();
    // A burst of twenty, and ten a minute.
    assert!((20..=32).contains(&rows), "{rows}");
    tokio::time::timeout(Duration::from_secs(20), async {
        while !server.is_ready().await {}
    })
    .await
    .unwrap();
}

/// The cookies that a POST of a form sets, and its Strict-Transport-Security.
async fn cookies(url: &str, fields: &[(&str, &str)]) -> (Vec<String>, Option<String>) {
    let client = reqwest::Client::builder();
    let client = client
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let response = client.post(url).form(fields).send().await.unwrap();
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
    let set = response.headers().get_all("set-cookie").iter().map(text);
    let security = response
        .headers()
        .get("strict-transport-security")
        .map(text);
    (set.collect(), security)
}

#[tokio::test]
async fn behind_https_cookies_are_secure_and_browsers_stay_with_https() {
    for (public, secure) in [
        ("https://offhook.example.com", true),
        ("http://127.0.0.1:8200", false),
    ] {
        let installation = Installation::new("");
        installation.configure_http(&format!("public_url = \"{public}\"\n"));
        let server = installation.serve().await;
        account(&server, "anna").await;
        let sign_in = [("name", "anna"), ("password", PASSWORD)];
        for (path, fields) in [
            ("/sign-in", &sign_in[..]),
            ("/language", &[("language", "de")]),
        ] {
            let (set, security) = cookies(&installation.url(path), fields).await;
            assert_eq!(set.len(), 1, "{path}");
            assert_eq!(set[0].ends_with("; Secure"), secure, "{set:?}");
            assert_eq!(security.is_some(), secure, "{path}");
        }
    }
}

#[tokio::test]
async fn ones_own_password_is_changed_with_the_old_one() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    account(&server, "anna").await;
    let ada = server.system_administrator().await;
    let accounts = server.ok(Method::GET, "/api/v1/accounts", None).await;
    let id = |name: &str| {
        let items = accounts["items"].as_array().unwrap();
        let found = items
            .iter()
            .find(|account| account["name"] == name)
            .unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let path = |name: &str| format!("/api/v1/accounts/{}/password", id(name));
    let anna = server.sign_in("anna", PASSWORD).await;
    let elsewhere = server.sign_in("anna", PASSWORD).await;
    let new = "another horse battery";
    let set = async |who: &Server, name: &str, body: Value| {
        let (status, answer) = who.api(Method::PUT, &path(name), Some(body)).await;
        (
            status.as_u16(),
            answer["field"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let forbidden = (403, "old_password".to_owned());
    assert_eq!(
        set(&anna, "anna", json!({"password": new})).await,
        forbidden
    );
    let wrong = json!({"old_password": "wrong", "password": new});
    assert_eq!(set(&anna, "anna", wrong.clone()).await, forbidden);
    // An administrator needs the old password for their own account, but not for others.
    assert_eq!(set(&ada, "ada", json!({"password": new})).await, forbidden);
    // In every spelling of the id.
    for spelled in [format!("0{}", id("ada")), format!("%2B{}", id("ada"))] {
        let path = format!("/api/v1/accounts/{spelled}/password");
        let body = Some(json!({"password": new}));
        let (status, _, _) = ada.with_headers(Method::PUT, &path, &[], body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{spelled}");
    }
    for weak in ["12345678", "password1", "annaanna"] {
        let body = json!({"old_password": PASSWORD, "password": weak});
        assert_eq!(
            set(&anna, "anna", body).await,
            (422, "password".to_owned()),
            "{weak}"
        );
    }
    let right = json!({"old_password": PASSWORD, "password": new});
    let changed = anna
        .with_headers(Method::PUT, &path("anna"), &[], Some(right))
        .await;
    assert_eq!(changed.0, StatusCode::NO_CONTENT);
    for (who, status) in [(&elsewhere, 401), (&anna, 401)] {
        let read = who.api(Method::GET, "/api/v1/session", None).await.0;
        assert_eq!(read.as_u16(), status, "the old sessions have ended");
    }
    assert_eq!(
        set(&ada, "anna", json!({"password": PASSWORD})).await.0,
        204
    );
    // Wrong old passwords count as guesses.
    let anna = server.sign_in("anna", PASSWORD).await;
    let mut seen = Vec::new();
    for _ in 0..12 {
        seen.push(set(&anna, "anna", wrong.clone()).await.0);
    }
    assert!(seen.contains(&429), "{seen:?}");
}

#[tokio::test]
async fn the_page_changes_the_password_and_stays_signed_in() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    account(&server, "anna").await;
    let anna = server.sign_in("anna", PASSWORD).await;
    let new = "another horse battery";
    let fields = |old: &'static str, new: &'static str, again: &'static str| {
        [
            ("form", "password"),
            ("old_password", old),
            ("password", new),
            ("again", again),
        ]
    };
    let (status, page) = anna.form("/me/password", &fields("wrong", new, new)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        page.contains("password-old_password-error"),
        "beside the field: {page}"
    );
    let (status, page) = anna
        .form("/me/password", &fields(PASSWORD, "12345678", "12345678"))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("password-password-error"), "{page}");
    let (status, page) = anna
        .form("/me/password", &fields(PASSWORD, new, "other"))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("password-again-error"), "{page}");
    let changed = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let changed = changed
        .build()
        .unwrap()
        .post(installation.url("/me/password"));
    let form = fields(PASSWORD, new, new);
    let changed = changed
        .header("cookie", anna.cookie())
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    let cookie = changed.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let read = reqwest::Client::new().get(installation.url("/api/v1/session"));
    let read = read.header("cookie", cookie).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::OK);
    assert_eq!(
        anna.api(Method::GET, "/api/v1/session", None).await.0,
        StatusCode::UNAUTHORIZED
    );
}
