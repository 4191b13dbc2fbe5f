//! Limits, batches, clouds and faults: rows 90 to 94 and rules 56 to 58, 60 and 61.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    hook::{Handshake, Hook},
    subscriptions::{self, subscribe, wanted},
    support::{ANNA, Tenant, X, Y, pair, refusal, session},
};

const READ: &str = "users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence";

#[tokio::test]
async fn row_090_one_call_too_many_has_to_wait() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    let read = async || tenant.with_token(&token, Method::GET, READ, None).await;
    for _ in 0..1_500 {
        assert_eq!(read().await.status(), StatusCode::OK);
    }
    let refused = read().await;
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=30).contains(&wait));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(
        (&body["error"]["code"], &body["error"]["message"]),
        (
            &json!("TooManyRequests"),
            &json!("Please retry again later.")
        )
    );
    let inner = &body["error"]["innerError"];
    assert_eq!(
        (&inner["code"], &inner["status"], &inner["message"]),
        (&json!("429"), &json!("429"), &json!("Please retry after"))
    );
    assert_eq!(
        tenant.graph(Y, Method::GET, READ, None).await.status(),
        StatusCode::OK,
        "others have their own bucket"
    );
    tenant
        .teamsbox
        .clock()
        .advance(std::time::Duration::from_secs(wait))
        .await;
    assert_eq!(read().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn rule_56_retry_after_has_three_forms() {
    let tenant = Tenant::start().await;
    tenant
        .knobs(json!({ "presenceLimit": 1, "retryAfter": "decimal" }))
        .await;
    let read = async || tenant.graph(X, Method::GET, READ, None).await;
    read().await;
    let decimal = read().await.headers()["retry-after"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        decimal.contains('.') && decimal.parse::<f64>().is_ok(),
        "{decimal}"
    );
    tenant.knobs(json!({ "retryAfter": "missing" })).await;
    let refused = read().await;
    assert_eq!(
        (refused.status(), refused.headers().get("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, None)
    );
    tenant.knobs(json!({ "presenceLimit": 0 })).await;
    assert_eq!(read().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn rule_57_subscriptions_have_buckets_of_their_own() {
    let tenant = Tenant::start().await;
    let token = tenant.user_token(X, ANNA, "Presence.Read.All").await;
    let list = async || {
        tenant
            .with_token(&token, Method::GET, "subscriptions", None)
            .await
            .status()
    };
    for _ in 0..25 {
        assert_eq!(list().await, StatusCode::OK);
    }
    assert_eq!(list().await, StatusCode::TOO_MANY_REQUESTS);
    tenant.knobs(json!({ "subscriptionLimit": 3 })).await;
    let path = format!("subscriptions/{ANNA}");
    let get = async || {
        tenant
            .with_token(&token, Method::GET, &path, None)
            .await
            .status()
            .as_u16()
    };
    assert_eq!(
        [get().await, get().await, get().await, get().await],
        [404, 404, 404, 429]
    );
    tenant.knobs(json!({ "directoryLimit": 3 })).await;
    let users = tenant.graph(Y, Method::GET, "users", None).await;
    assert_eq!(users.headers()["x-ms-resource-unit"], "2");
    assert_eq!(
        tenant.graph(Y, Method::GET, "users", None).await.status(),
        429
    );
}

fn item(id: &str, body: Value) -> Value {
    let url = format!("/users/{ANNA}/presence/setPresence");
    json!({ "id": id, "method": "POST", "url": url, "headers": { "Content-Type": "application/json" }, "body": body })
}

async fn batch(tenant: &Tenant, items: Vec<Value>) -> reqwest::Response {
    tenant
        .graph(
            X,
            Method::POST,
            "$batch",
            Some(json!({ "requests": items })),
        )
        .await
}

/// The answers by id.
async fn answers(tenant: &Tenant, items: Vec<Value>) -> std::collections::BTreeMap<String, Value> {
    let response = batch(tenant, items).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    let answers = body["responses"].as_array().unwrap().iter();
    answers
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one.clone()))
        .collect()
}

#[tokio::test]
async fn row_092_one_of_twenty_is_throttled() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "presenceLimit": 19 })).await;
    let items = (0..20)
        .map(|number| item(&number.to_string(), session(X, "Busy/InACall", None)))
        .collect();
    let answers = answers(&tenant, items).await;
    let refused: Vec<_> = answers
        .values()
        .filter(|one| one["status"] == 429)
        .collect();
    assert_eq!((answers.len(), refused.len()), (20, 1));
    assert!(refused[0]["headers"]["Retry-After"].is_string());
    assert_eq!(refused[0]["body"]["error"]["code"], "TooManyRequests");
    assert_eq!(
        answers.values().filter(|one| one["status"] == 200).count(),
        19
    );
}

#[tokio::test]
async fn row_093_malformed_batches_are_refused() {
    let tenant = Tenant::start().await;
    let read = |id: &str| json!({ "id": id, "method": "GET", "url": READ });
    let bare = json!({ "id": "1", "method": "POST", "url": READ, "body": {} });
    let depends = json!({ "id": "1", "method": "GET", "url": READ, "dependsOn": ["2"] });
    let foreign = json!({ "id": "1", "method": "GET", "url": "https://example.org/" });
    for items in [
        (0..21).map(|number| read(&number.to_string())).collect(),
        vec![read("a"), read("A")],
        vec![read("")],
        vec![bare],
        vec![depends],
        vec![foreign],
        vec![],
    ] {
        assert_eq!(refusal(batch(&tenant, items).await).await.0, 400);
    }
    assert_eq!(
        refusal(
            tenant
                .graph(X, Method::POST, "$batch", Some(json!([])))
                .await
        )
        .await
        .0,
        400
    );
}

#[tokio::test]
async fn row_094_what_depends_on_a_failure_fails() {
    let tenant = Tenant::start().await;
    let mut after = item("2", session(X, "Busy/InACall", None));
    after["dependsOn"] = json!(["1"]);
    let mut last = item("3", session(X, "Busy/InACall", None));
    last["dependsOn"] = json!(["2"]);
    let free = json!({ "id": "4", "method": "GET", "url": READ });
    let nested = json!({ "id": "5", "method": "POST", "url": "/$batch", "body": {}, "headers": { "content-type": "application/json" } });
    let unknown = json!({ "id": "6", "method": "GET", "url": "/teams" });
    let answers = answers(
        &tenant,
        vec![
            item("1", session(X, "Busy/Busy", None)),
            after,
            last,
            free,
            nested,
            unknown,
        ],
    )
    .await;
    let statuses: Vec<_> = answers
        .values()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [400, 424, 424, 200, 400, 404]);
    assert_eq!(pair(&answers["4"]["body"]), "Offline/Offline");
}

#[tokio::test]
async fn rule_60_national_clouds_have_less() {
    let tenant = subscriptions::start().await;
    let hook = Hook::start(Handshake::Right).await;
    tenant.knobs(json!({ "cloud": "usGov" })).await;
    let body: Value = tenant
        .graph(X, Method::GET, READ, None)
        .await
        .json()
        .await
        .unwrap();
    assert!(body.get("sequenceNumber").is_none() && body.get("outOfOfficeSettings").is_none());
    assert_eq!(pair(&body), "Offline/Offline");
    assert_eq!(
        refusal(subscribe(&tenant, &wanted(&tenant, &hook)).await)
            .await
            .0,
        400
    );
    tenant.knobs(json!({ "cloud": "china" })).await;
    let refused = refusal(tenant.graph(X, Method::GET, READ, None).await).await;
    assert_eq!(
        (refused.0, refused.2.as_str()),
        (400, "Resource not found for the segment 'presence'.")
    );
    assert_eq!(
        tenant.graph(Y, Method::GET, "users", None).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn rule_61_presence_alone_fails_now_and_then() {
    let tenant = Tenant::start().await;
    let fault = |status: u16| json!({ "graph": { "status": status, "remaining": 2, "operations": ["getPresence"] } });
    for (status, code) in [(401, "Unauthorized"), (503, "ServiceUnavailable")] {
        tenant.ok(Method::PUT, "faults", Some(fault(status))).await;
        assert_eq!(
            tenant.graph(Y, Method::GET, "users", None).await.status(),
            StatusCode::OK
        );
        for _ in 0..2 {
            let refused = refusal(tenant.graph(X, Method::GET, READ, None).await).await;
            assert_eq!((refused.0, refused.1.as_str()), (status, code));
        }
        assert_eq!(
            tenant.graph(X, Method::GET, READ, None).await.status(),
            StatusCode::OK
        );
    }
}
