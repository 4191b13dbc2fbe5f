//! Malformed, oversized and unknown requests, and the headers of every answer.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, Tenant, X, session};

async fn code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    for path in [
        format!("users/{ANNA}/presence/setPresence"),
        "communications/getPresencesByUserId".to_owned(),
    ] {
        for body in [
            "",
            "{",
            "null",
            "[\"a\"]",
            "\"text\"",
            "{\"ids\":\"x\",\"sessionId\":1}",
            "\u{0}",
        ] {
            let url = format!("{}/v1.0/{path}", tenant.url);
            let response = tenant
                .http
                .post(url)
                .bearer_auth(&token)
                .body(body)
                .send()
                .await
                .unwrap();
            assert_eq!(
                code(response).await,
                (400, "BadRequest".to_owned()),
                "{path} {body:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    let url = format!("{}/v1.0/communications/getPresencesByUserId", tenant.url);
    let send = async |bytes: usize| {
        let body = format!("{{{}", " ".repeat(bytes - 1));
        code(
            tenant
                .http
                .post(&url)
                .bearer_auth(&token)
                .body(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    assert_eq!(send(1024 * 1024).await, (400, "BadRequest".to_owned()));
    assert_eq!(
        send(1024 * 1024 + 1).await,
        (413, "RequestEntityTooLarge".to_owned())
    );
}

#[tokio::test]
async fn what_is_not_emulated_says_so() {
    let tenant = Tenant::start().await;
    let response = tenant
        .graph(X, Method::POST, "teams", Some(json!({})))
        .await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let message = response.json::<Value>().await.unwrap()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("POST /v1.0/teams"), "{message}");
    let response = tenant
        .graph(X, Method::DELETE, &format!("users/{ANNA}/presence"), None)
        .await;
    assert_eq!(response.headers()["allow"], "GET");
    assert_eq!(code(response).await, (405, "MethodNotAllowed".to_owned()));
}

#[tokio::test]
async fn rules_6_and_7_every_reply_is_identified_and_dated() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    for path in [
        format!("users/{ANNA}/presence"),
        "users/nobody/presence".to_owned(),
        "nothing".to_owned(),
    ] {
        let url = format!("{}/v1.0/{path}", tenant.url);
        let request = tenant
            .http
            .get(url)
            .bearer_auth(&token)
            .header("client-request-id", "my-own-7");
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        assert_eq!(headers["client-request-id"], "my-own-7");
        assert!(headers["date"].to_str().unwrap().ends_with(" GMT"));
        let body: Value = response.json().await.unwrap();
        if let Some(error) = body.get("error") {
            assert_eq!(
                error["innerError"]["request-id"],
                headers["request-id"].to_str().unwrap()
            );
            assert_eq!(error["innerError"]["client-request-id"], "my-own-7");
        }
    }
    for entry in tenant.journal().await {
        let detail = &entry["detail"];
        if detail["path"]
            .as_str()
            .is_some_and(|path| path.starts_with("/v1.0"))
        {
            assert_eq!(detail["clientRequestId"], "my-own-7", "{entry}");
        }
    }
}

#[tokio::test]
async fn application_sessions_are_limited_per_person() {
    let tenant = Tenant::start().await;
    for number in 0..64 {
        let body = session(&format!("session-{number}"), "Busy/InACall", None);
        assert_eq!(
            tenant.presence(X, ANNA, "setPresence", body).await.status(),
            200
        );
    }
    let status = async |id: &str| {
        tenant
            .presence(X, ANNA, "setPresence", session(id, "Away/Away", None))
            .await
            .status()
    };
    assert_eq!(status("one-too-many").await, 400);
    assert_eq!(status("SESSION-7").await, 200);
    assert_eq!(status(&"x".repeat(129)).await, 400);
}

#[tokio::test]
async fn writes_for_strangers_are_not_found() {
    let tenant = Tenant::start().await;
    for user in [
        "00000000-0000-4000-8000-000000000000",
        "anna@contoso.example",
    ] {
        for action in [
            "setPresence",
            "clearPresence",
            "setUserPreferredPresence",
            "clearUserPreferredPresence",
        ] {
            let body = session(X, "Available/Available", None);
            let response = tenant.presence(X, user, action, body).await;
            assert_eq!(
                code(response).await,
                (404, "NotFound".to_owned()),
                "{user} {action}"
            );
        }
    }
}
