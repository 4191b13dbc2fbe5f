//! Configured faults.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, BEN, SCOPE, SECRET, Tenant, X, Y, session};

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

/// The forms of temporary errors.
#[tokio::test]
async fn graph_refuses_with_redirections_and_bodies_that_are_not_its_own() {
    let tenant = Tenant::start().await;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let token = tenant.token(X).await;
    for (fault, content_type, body) in [
        (
            json!({ "status": 302, "answer": "empty", "location": "https://elsewhere.example/" }),
            None,
            "",
        ),
        (
            json!({ "status": 307, "answer": "html" }),
            Some("text/html; charset=utf-8"),
            "307",
        ),
        (json!({ "status": 400, "answer": "empty" }), None, ""),
        (
            json!({ "status": 400, "answer": "html" }),
            Some("text/html; charset=utf-8"),
            "400 Bad Request",
        ),
        (
            json!({ "status": 200, "answer": "html" }),
            Some("text/html; charset=utf-8"),
            "200",
        ),
        (
            json!({ "status": 409, "answer": "object" }),
            Some("application/json"),
            "message",
        ),
        (
            json!({ "status": 408 }),
            Some("application/json;"),
            "RequestTimeout",
        ),
        (
            json!({ "status": 423, "code": "resourceLocked" }),
            Some("application/json;"),
            "\"resourceLocked\"",
        ),
        (
            json!({ "status": 425 }),
            Some("application/json;"),
            "UnknownError",
        ),
    ] {
        tenant
            .ok(Method::PUT, "faults", Some(json!({ "graph": fault })))
            .await;
        let url = format!("{}/v1.0/users/{ANNA}/presence", tenant.url);
        let response = http.get(url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(json!(response.status().as_u16()), fault["status"]);
        let headers = response.headers().clone();
        let header = |name| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(json!(header("location")), fault["location"]);
        let typed = header("content-type");
        assert_eq!(typed.is_some(), content_type.is_some(), "{fault}");
        assert!(
            typed
                .unwrap_or_default()
                .starts_with(content_type.unwrap_or_default()),
            "{fault}"
        );
        let text = response.text().await.unwrap();
        assert!(
            text.contains(body) && text.is_empty() == body.is_empty(),
            "{fault}: {text}"
        );
    }
}

/// The answer is lost after the request was carried out.
#[tokio::test]
async fn answers_are_replaced_or_lost_after_the_request_was_carried_out() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    let url = format!("{}/v1.0/users/{ANNA}/presence/setPresence", tenant.url);
    let set = async |pair| {
        let body = session(X, pair, None);
        let request = tenant.http.post(&url).bearer_auth(&token).json(&body);
        request.send().await
    };
    let fault = |fault: Value| json!({ "graph": fault });
    let closed = json!({ "answer": "closed", "operations": ["setPresence"], "remaining": 1 });
    tenant.ok(Method::PUT, "faults", Some(fault(closed))).await;
    assert!(set(CALL).await.unwrap_err().is_request());
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
    let lost = json!({ "answer": "closed", "carriedOut": true, "operations": ["setPresence"], "remaining": 1 });
    tenant.ok(Method::PUT, "faults", Some(fault(lost))).await;
    assert!(set(CALL).await.unwrap_err().is_request());
    assert_eq!(tenant.reads(ANNA).await, CALL);
    let replaced =
        json!({ "status": 504, "carriedOut": true, "operations": ["setPresence"], "remaining": 1 });
    tenant
        .ok(Method::PUT, "faults", Some(fault(replaced)))
        .await;
    assert_eq!(set("Away/Away").await.unwrap().status(), 504);
    assert_eq!(tenant.reads(ANNA).await, "Away/Away");
    let journal = tenant.journal().await;
    let spoilt = journal
        .iter()
        .filter_map(|entry| entry["detail"]["fault"].as_str());
    let names = ["closed", "closed, carried out", "504 envelope, carried out"];
    assert_eq!(spoilt.collect::<Vec<_>>(), names);
}

/// A batch as a whole, an item of it, or one person only.
#[tokio::test]
async fn faults_select_batches_items_people_and_options() {
    let tenant = Tenant::start().await;
    let set = |user: &str| {
        json!({
            "id": user, "method": "POST", "url": format!("/users/{user}/presence/setPresence"),
            "headers": { "Content-Type": "application/json" }, "body": session(X, CALL, None),
        })
    };
    let batch = async || {
        let body = json!({ "requests": [set(ANNA), set(BEN)] });
        tenant.graph(X, Method::POST, "$batch", Some(body)).await
    };
    let statuses = async || {
        let body: Value = batch().await.json().await.unwrap();
        let of = |user: &str| {
            let answers = body["responses"].as_array().unwrap();
            let answer = answers.iter().find(|answer| answer["id"] == user);
            answer.map(|answer| answer["status"].as_u64().unwrap())
        };
        (of(ANNA), of(BEN))
    };
    let single = async |user| {
        let set = tenant.presence(X, user, "setPresence", session(X, CALL, None));
        set.await.status().as_u16()
    };
    let faults = async |graph: Value| {
        let body = Some(json!({ "graph": graph }));
        tenant.ok(Method::PUT, "faults", body).await;
    };
    faults(json!({ "status": 400, "answer": "empty", "operations": ["batch"] })).await;
    assert_eq!(
        (batch().await.status().as_u16(), single(ANNA).await),
        (400, 200)
    );
    faults(json!({ "status": 408, "batched": true, "remaining": 1 })).await;
    assert_eq!(
        (single(ANNA).await, statuses().await),
        (200, (Some(408), Some(200)))
    );
    faults(json!({ "answer": "closed", "batched": true, "remaining": 1 })).await;
    assert_eq!(statuses().await, (None, Some(200)), "no answer");
    faults(json!({ "status": 409, "batched": false, "operations": ["setPresence"] })).await;
    assert_eq!(
        (single(ANNA).await, statuses().await),
        (409, (Some(200), Some(200)))
    );
    faults(json!({ "status": 403, "users": ["ben@contoso.example"] })).await;
    assert_eq!((single(ANNA).await, single(BEN).await), (200, 403));
    let bulk = async |ids: &[&str]| {
        let (path, body) = ("communications/getPresencesByUserId", json!({ "ids": ids }));
        let read = tenant.graph(X, Method::POST, path, Some(body));
        read.await.status().as_u16()
    };
    assert_eq!((bulk(&[ANNA]).await, bulk(&[ANNA, BEN]).await), (200, 403));
    faults(json!({ "status": 400, "code": "Directory_ExpiredPageToken", "option": "deltatoken" }))
        .await;
    let delta = async |query: &str| {
        let path = format!("users/delta{query}");
        tenant
            .graph(Y, Method::GET, &path, None)
            .await
            .status()
            .as_u16()
    };
    assert_eq!(
        (delta("").await, delta("?$deltatoken=latest").await),
        (200, 400)
    );
}

/// Malformed elements among valid ones.
#[tokio::test]
async fn answers_hold_odd_elements_beside_good_ones() {
    let tenant = Tenant::start().await;
    let read = async || {
        let (path, body) = (
            "communications/getPresencesByUserId",
            json!({ "ids": [ANNA, BEN] }),
        );
        let read = tenant.graph(X, Method::POST, path, Some(body)).await;
        let body: Value = read.json().await.unwrap();
        body["value"].as_array().unwrap().clone()
    };
    let good = read().await;
    let odd = |change: &dyn Fn(&mut Value)| {
        let mut list = good.clone();
        change(&mut list[0]);
        list
    };
    for (change, expected) in [
        (
            json!({ "set": { "sequenceNumber": 12345 } }),
            odd(&|anna| anna["sequenceNumber"] = json!(12345)),
        ),
        (
            json!({ "set": { "id": null } }),
            odd(&|anna| anna["id"] = Value::Null),
        ),
        (
            json!({ "remove": ["id"] }),
            odd(&|anna| {
                anna.as_object_mut().unwrap().remove("id");
            }),
        ),
        (
            json!({ "set": { "availability": {} } }),
            odd(&|anna| anna["availability"] = json!({})),
        ),
        (json!({ "replace": null }), odd(&|anna| *anna = Value::Null)),
        (
            json!({ "replace": "anna" }),
            odd(&|anna| *anna = json!("anna")),
        ),
        (json!("omit"), vec![good[1].clone()]),
        (
            json!("repeat"),
            vec![good[0].clone(), good[1].clone(), good[0].clone()],
        ),
    ] {
        let fault = json!({ "change": change, "users": ["anna@contoso.example"], "remaining": 1 });
        tenant
            .ok(Method::PUT, "faults", Some(json!({ "replies": fault })))
            .await;
        assert_eq!(read().await, expected, "{change}");
        assert_eq!(read().await, good, "once");
    }
    let anyone = json!({ "change": "omit", "operations": ["getPresencesByUserId"] });
    tenant
        .ok(Method::PUT, "faults", Some(json!({ "replies": [anyone] })))
        .await;
    assert_eq!(read().await.len(), 1, "one by chance");
    let journal = tenant.journal().await;
    assert_eq!(
        journal.last().unwrap()["detail"]["fault"],
        "missing element"
    );
    tenant.reads(ANNA).await;
}

/// Endless lists.
#[tokio::test]
async fn next_links_lead_to_the_page_itself_or_to_the_first() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "pageSize": 1 })).await;
    let get = async |path: &str| {
        let page = tenant.graph(Y, Method::GET, path, None).await;
        page.json::<Value>().await.unwrap()
    };
    let next = |page: &Value| page["@odata.nextLink"].as_str().unwrap().to_owned();
    let first = format!("{}/v1.0/users/delta?$select=id", tenant.url);
    let second = next(&get(&first).await);
    for (to, expected) in [("itself", &second), ("first", &first)] {
        let fault = json!({ "change": { "nextLink": to }, "operations": ["usersDelta"] });
        tenant
            .ok(Method::PUT, "faults", Some(json!({ "replies": fault })))
            .await;
        let page = get(&second).await;
        assert_eq!(
            (next(&page), page["@odata.deltaLink"].is_null()),
            (expected.clone(), true)
        );
    }
}

#[tokio::test]
async fn the_first_of_several_refusals_that_hits_a_request_is_answered() {
    let tenant = Tenant::start().await;
    let faults = json!({ "graph": [
        { "status": 408, "remaining": 1, "operations": ["getPresence"] },
        { "status": 409, "remaining": 1 },
        { "status": 503, "operations": ["setPresence"] },
    ] });
    let shown = tenant.ok(Method::PUT, "faults", Some(faults)).await;
    assert_eq!(shown["graph"].as_array().unwrap().len(), 3);
    let path = format!("users/{ANNA}/presence");
    for status in [408, 409, 200] {
        let response = tenant.graph(X, Method::GET, &path, None).await;
        assert_eq!(response.status(), status);
    }
    let left = tenant.ok(Method::GET, "faults", None).await;
    assert_eq!(left["graph"]["status"], 503, "the one that is left");
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
            json!({ "graph": [{ "status": 503 }, { "status": 503, "percent": 101 }] }),
            "graph.percent",
        ),
        (
            json!({ "graph": { "status": 503, "answer": "poem" } }),
            "body",
        ),
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
