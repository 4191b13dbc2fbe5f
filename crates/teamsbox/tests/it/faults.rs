//! Faults a test can ask for.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, SCOPE, SECRET, Tenant, X, session};

const CALL: &str = "Busy/InACall";

#[tokio::test]
async fn graph_refuses_as_often_as_asked() {
    let tenant = Tenant::start().await;
    let fault = json!({ "graph": { "status": 429, "retryAfter": "2.128", "remaining": 2, "operations": ["setPresence"] } });
    let answer = tenant.ok(Method::PUT, "faults", Some(fault)).await;
    assert_eq!(answer["graph"]["remaining"], 2);
    assert_eq!(
        tenant.reads(ANNA).await,
        "Offline/Offline",
        "reads are not hit"
    );
    for _ in 0..2 {
        let response = tenant
            .presence(X, ANNA, "setPresence", session(X, CALL, None))
            .await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["retry-after"], "2.128");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "TooManyRequests");
        assert_eq!(body["error"]["innerError"]["status"], "429");
    }
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
    assert_eq!(
        tenant
            .presence(X, ANNA, "setPresence", session(X, CALL, None))
            .await
            .status(),
        200
    );
    assert_eq!(
        tenant.ok(Method::GET, "faults", None).await["graph"],
        Value::Null
    );
}

#[tokio::test]
async fn graph_refuses_with_the_known_codes_until_cleared() {
    let tenant = Tenant::start().await;
    for (status, code) in [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (503, "ServiceUnavailable"),
        (504, "GatewayTimeout"),
    ] {
        tenant
            .ok(
                Method::PUT,
                "faults",
                Some(json!({ "graph": { "status": status } })),
            )
            .await;
        let response = tenant
            .graph(X, Method::GET, &format!("users/{ANNA}/presence"), None)
            .await;
        assert_eq!(response.status(), status);
        assert!(response.headers().get("retry-after").is_none());
        assert_eq!(
            response.json::<Value>().await.unwrap()["error"]["code"],
            code
        );
    }
    let cleared = tenant.ok(Method::PUT, "faults", Some(json!({}))).await;
    assert_eq!(
        cleared,
        json!({ "graph": null, "token": null, "delayMilliseconds": null, "readLag": null, "notifications": null })
    );
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
}

#[tokio::test]
async fn the_token_endpoint_refuses_too() {
    let tenant = Tenant::start().await;
    let fault = json!({ "token": { "status": 503, "remaining": 1 }, "delayMilliseconds": 1 });
    tenant.ok(Method::PUT, "faults", Some(fault)).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", X),
        ("client_secret", SECRET),
        ("scope", SCOPE),
    ];
    let url = format!("{}/common/oauth2/v2.0/token", tenant.url);
    let response = tenant.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        response.json::<Value>().await.unwrap()["error"],
        "temporarily_unavailable"
    );
    tenant.token(X).await;
}

#[tokio::test]
async fn reads_lag_behind_writes() {
    let tenant = Tenant::start().await;
    tenant.advance_minutes(1.0).await;
    tenant
        .ok(Method::PUT, "faults", Some(json!({ "readLag": "PT5S" })))
        .await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, CALL, None))
        .await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
    tenant.advance_minutes(4.0 / 60.0).await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
    tenant.advance_minutes(1.0 / 60.0).await;
    assert_eq!(tenant.reads(ANNA).await, CALL);
    let truth = tenant
        .presence(X, ANNA, "clearPresence", json!({ "sessionId": X }))
        .await;
    assert_eq!(truth.status(), 200);
    assert_eq!(tenant.reads(ANNA).await, CALL);
    tenant.ok(Method::PUT, "faults", Some(json!({}))).await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused_and_change_nothing() {
    let tenant = Tenant::start().await;
    for (body, field) in [
        (json!({ "graph": { "status": 200 } }), "graph.status"),
        (
            json!({ "graph": { "status": 503, "operations": ["fly"] } }),
            "graph.operations",
        ),
        (json!({ "readLag": "5s" }), "readLag"),
        (json!({ "surprise": 1 }), "body"),
    ] {
        let (status, problem) = tenant.control(Method::PUT, "faults", Some(body)).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::BAD_REQUEST, &field.into())
        );
    }
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
}
