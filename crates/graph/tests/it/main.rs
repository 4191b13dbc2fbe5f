//! The client against a server with scripted answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod answers;
mod delegated;
mod directory;
mod load;
mod script;
mod subscriptions;

use std::time::Duration;

use graph::{Blame, Client, ClientConfig, Credential, GraphError, Operation};
use script::{client, empty, token};
use secrecy::SecretString;

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (client, script) = client([token(), empty(401), token(), empty(200)]).await;
    client.write("anna", Operation::SetSession).await.unwrap();
    let requests = script.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[3], "POST /v1.0/users/anna/presence/setPresence");
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_too_is_the_services_fault() {
    let (client, _) = client([token(), empty(401), token(), empty(401)]).await;
    let error = client
        .write("anna", Operation::SetSession)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        GraphError::Unauthorized {
            call: "setPresence"
        }
    ));
    assert_eq!(error.blame(), Blame::Service);
}

#[tokio::test]
async fn a_token_that_is_refused_again_and_again_is_kept_for_a_while() {
    let refused = || (401, None, String::new());
    let answers = [
        token(),
        refused(),
        token(),
        refused(),
        refused(),
        refused(),
        (200, None, r#"{"value":[]}"#.into()),
    ];
    let (client, script) = client(answers).await;
    for _ in 0..3 {
        let error = client.presences(&["a"]).await.unwrap_err();
        assert!(matches!(error, GraphError::Unauthorized { .. }), "{error}");
    }
    // The next successful answer counts at once.
    client.presences(&["a"]).await.unwrap();
    let requests = script.requests();
    let is_sign_in = |request: &&String| request.ends_with("/token");
    assert_eq!(
        requests.iter().filter(is_sign_in).count(),
        2,
        "{requests:?}"
    );
    assert_eq!(requests.len(), 7);
}

#[tokio::test]
async fn answers_of_others_in_place_of_the_sign_in_service_are_named() {
    for (status, body, words) in [
        (302, "", "captive portal"),
        (407, "", "HTTPS_PROXY"),
        (407, r#"{"error":"denied"}"#, "HTTPS_PROXY"),
        (511, "<html>", "captive portal"),
        (200, "<html>", "captive portal"),
        (403, "<html>", "firewall"),
        (400, "", "Offhook retries"),
        (425, "", "Offhook retries"),
        (503, "", "Offhook retries"),
        (
            404,
            r#"{"message":"no route"}"#,
            "no answer of a sign-in service",
        ),
    ] {
        let (client, script) = client([(status, Some("7"), body.into())]).await;
        let error = client.access_token().await.unwrap_err();
        assert_eq!(error.blame(), Blame::Service, "{error}");
        let wait = Some(Duration::from_secs(7));
        assert_eq!(error.retry_after(), wait, "{status} {error}");
        let text = error.to_string();
        assert!(text.contains(words), "{status} {text}");
        assert!(
            text.contains("/contoso.example/oauth2/v2.0/token"),
            "{text}"
        );
        assert!(!text.contains("Graph"), "{text}");
        assert_eq!(script.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_passing_refusal_of_the_sign_in_is_microsofts_fault() {
    let body = r#"{"error":"invalid_request","error_description":"AADSTS90033: A transient error has occurred."}"#;
    let (client, _) = client([(400, Some("7"), body.into())]).await;
    let error = client.presences(&["a"]).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Service);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(
        error.to_string().contains("retries automatically"),
        "{error}"
    );
}

#[tokio::test]
async fn clearing_an_empty_slot_succeeds_and_setting_for_an_unknown_user_fails() {
    let unknown = r#"{"error":{"code":"NotFound","message":"x"}}"#;
    let answers = [404; 3].map(|status| (status, None, unknown.to_owned()));
    let (client, _) = client([token()].into_iter().chain(answers)).await;
    client.write("anna", Operation::ClearSession).await.unwrap();
    client
        .write("anna", Operation::ClearDoNotDisturb)
        .await
        .unwrap();
    let error = client
        .write("anna", Operation::SetSession)
        .await
        .unwrap_err();
    assert_eq!(error.blame(), Blame::Request);
    assert!(error.to_string().contains("anna"), "{error}");
}

#[tokio::test]
async fn throttling_carries_the_wait_rounded_up() {
    let throttled = |wait| (429, wait, String::new());
    let (client, _) = client([token(), throttled(Some("2.128")), throttled(None)]).await;
    let error = client.presences(&["a"]).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    let error = client.presences(&["a"]).await.unwrap_err();
    assert_eq!((error.retry_after(), error.blame()), (None, Blame::Service));
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let body = r#"{"error":{"code":"Forbidden","message":"Forbidden"}}"#;
    let (client, _) = client([token(), (403, None, body.into()), (403, None, body.into())]).await;
    let error = client.presences(&["a"]).await.unwrap_err();
    assert!(
        error.to_string().contains("Presence.ReadWrite.All"),
        "{error}"
    );
    assert_eq!(error.blame(), Blame::Administrator);
    let error = client.find_user("anna").await.unwrap_err();
    assert!(error.to_string().contains("User.ReadBasic.All"), "{error}");
}

#[tokio::test]
async fn answers_that_are_not_graphs_are_refused() {
    for body in ["x", "{}"].map(str::to_owned) {
        let (client, _) = client([token(), (200, None, body)]).await;
        let error = client.presences(&["a"]).await.unwrap_err();
        assert!(matches!(error, GraphError::Malformed { .. }), "{error}");
    }
    let (portal, _) = client([token(), (200, None, "<html>".into())]).await;
    let error = portal.presences(&["a"]).await.unwrap_err();
    assert!(error.to_string().contains("a page of a proxy"), "{error}");
    // The readable part of an answer with malformed elements.
    let unknown =
        r#"{"value":[{"id":"a","availability":"busy","activity":"x","new":1},{"id":"b"},null]}"#;
    let (client, _) = client([token(), (200, None, unknown.into())]).await;
    let read = client.presences(&["a", "b"]).await.unwrap();
    assert_eq!((read.presences.len(), read.skipped.len()), (1, 2));
    assert_eq!(read.presences[0].availability, "busy");
}

// Automatic replies in HTML make an answer long.
#[tokio::test]
async fn a_long_answer_is_read_and_one_that_is_too_large_is_named_so() {
    let with_reply = |length| {
        let reply = "x".repeat(length);
        format!(
            r#"{{"value":[{{"id":"a","availability":"Away","activity":"Away","outOfOfficeSettings":{{"message":"{reply}"}}}}]}}"#
        )
    };
    let (long, huge) = (with_reply(3 << 20), with_reply(33 << 20));
    let (client, _) = client([token(), (200, None, long), (200, None, huge)]).await;
    let read = client.presences(&["a"]).await.unwrap();
    assert_eq!(read.presences[0].availability, "Away");
    let error = client.presences(&["a"]).await.unwrap_err();
    assert!(matches!(error, GraphError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("automatic replies"), "{error}");
    assert!(!error.to_string().contains("address"), "{error}");
}

#[tokio::test]
async fn a_refused_sign_in_is_not_repeated_at_once_and_shows_no_secret() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: x","error_codes":[7000215]}"#;
    let (client, script) = client([(401, None, body.into())]).await;
    for _ in 0..3 {
        let error = client.presences(&["a"]).await.unwrap_err();
        let text = format!("{error} {error:?} {client:?}");
        assert!(
            text.contains("AADSTS7000215") && text.contains("secret is wrong"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(error.blame(), Blame::Administrator);
    }
    assert_eq!(script.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unreachable_address_is_named() {
    let config = ClientConfig {
        login: "http://127.0.0.1:9".into(),
        graph: "http://127.0.0.1:9".into(),
        tenant: "t".into(),
        client_id: "app".into(),
        credential: Credential::Secret(SecretString::from("s")),
    };
    let error = Client::new(config)
        .unwrap()
        .presences(&["a"])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("http://127.0.0.1:9/t/oauth2"),
        "{error}"
    );
}
