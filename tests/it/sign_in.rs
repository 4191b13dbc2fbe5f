//! Signing in with a password, as strangers try it: how much memory it takes (S8), and how guesses are counted (S12).

use end_to_end::{Installation, Server};
use reqwest::{Method, StatusCode};
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

async fn account(server: &Server, name: &str) {
    let body = json!({"name": name, "role": "person", "password": PASSWORD});
    server
        .ok(Method::POST, "/api/v1/accounts", Some(body))
        .await;
}

/// Tries to sign in by the API or by the page.
async fn attempt(server: &Server, name: &str, password: &str, by_page: bool) -> StatusCode {
    let stranger = server.with_key("");
    if by_page {
        let fields = [("name", name), ("password", password)];
        return stranger.form("/sign-in", &fields).await.0;
    }
    let body = Some(json!({"name": name, "password": password}));
    stranger.api(Method::POST, "/api/v1/sign-in", body).await.0
}

/// The memory that the server has, in MiB.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
    kibibytes.parse::<u64>().unwrap() / 1024
}

// S8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_wrong_passwords_take_no_more_than_64_mebibytes() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    account(&server, "anna").await;
    assert!(server.is_ready().await);
    let before = memory(&server);
    let mut seen = Vec::new();
    for at_once in [16, 100, 84] {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..at_once {
            let url = format!("{}/api/v1/sign-in", server.url());
            let body = json!({"name": format!("p{number}"), "password": "wrong"});
            tasks.spawn(reqwest::Client::new().post(url).json(&body).send());
        }
        for answer in tasks.join_all().await {
            let answer = answer.unwrap();
            let status = answer.status();
            // What does not fit into the queue says when to come again.
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
    for status in [StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE] {
        assert!(seen.contains(&status), "{seen:?}");
    }
    // A person signs in as before.
    let status = attempt(&server, "anna", PASSWORD, false).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

// S12
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
        let mut looked_at = 0;
        for (number, name) in who.iter().cycle().take(28).enumerate() {
            match attempt(&server, name, "wrong", number % 2 == 0).await {
                StatusCode::UNAUTHORIZED => looked_at += 1,
                status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
            }
        }
        // One comes back in half a minute.
        assert!((10..=11).contains(&looked_at), "{who:?}: {looked_at}");
    }
}
