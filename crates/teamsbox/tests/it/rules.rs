//! Rules of the conformance vectors that rows do not cover, or not completely.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    hook::{Handshake, Hook},
    program::{PATIENCE, program},
    subscriptions::{self, ahead, subscribe, subscribed, wanted},
    support::{ANNA, BEN, SCOPE, Tenant, X, json_of, pair, refusal, session},
};

#[tokio::test]
async fn rule_6_calls_without_a_token_are_identified_too() {
    let tenant = Tenant::start().await;
    let url = format!("{}/v1.0/users/{ANNA}/presence", tenant.url);
    let request = tenant.http.get(url).header("client-request-id", "my-own-8");
    let response = request.send().await.unwrap();
    let headers = response.headers().clone();
    assert_eq!(headers["client-request-id"], "my-own-8");
    assert!(headers["date"].to_str().unwrap().ends_with(" GMT"));
    let (status, code, _) = refusal(response).await;
    assert_eq!((status, code.as_str()), (401, "InvalidAuthenticationToken"));
}

#[tokio::test]
async fn rule_12_identical_writes_move_the_stamp_when_told_to() {
    let tenant = Tenant::start().await;
    let stamp = async || {
        let body = session(X, "Busy/InACall", None);
        tenant.presence(X, ANNA, "setPresence", body).await;
        let path = format!("users/{ANNA}/presence");
        let body = json_of(tenant.graph(X, Method::GET, &path, None).await).await;
        body["sequenceNumber"].as_str().unwrap().to_owned()
    };
    let first = stamp().await;
    assert_eq!(stamp().await, first);
    tenant.knobs(json!({ "identicalWrite": "notify" })).await;
    assert!(stamp().await > first);
}

#[tokio::test]
async fn rule_13_applications_do_not_see_the_times_of_a_status() {
    let tenant = Tenant::start().await;
    let message = json!({ "statusMessage": {
        "message": { "content": "Back at two", "contentType": "text" },
        "expiryDateTime": { "dateTime": "2099-10-18T17:05:33", "timeZone": "UTC" },
    } });
    tenant.presence(X, ANNA, "setStatusMessage", message).await;
    let path = format!("users/{ANNA}/presence");
    let read = json_of(tenant.graph(X, Method::GET, &path, None).await).await;
    let bare = json!({ "message": { "content": "Back at two", "contentType": "text" } });
    assert_eq!(read["statusMessage"], bare);
}

#[tokio::test]
async fn rule_15_a_session_belongs_to_a_person_and_an_id() {
    let tenant = Tenant::start().await;
    let other = "11111111-1111-4111-8111-111111111111";
    for (user, id, pair) in [
        (ANNA, X, "Busy/InACall"),
        (ANNA, other, "Away/Away"),
        (BEN, X, "DoNotDisturb/Presenting"),
    ] {
        let body = session(id, pair, None);
        let response = tenant.presence(X, user, "setPresence", body).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.text().await.unwrap(), "", "the body is empty");
    }
    assert_eq!(tenant.reads(ANNA).await, "Busy/InACall");
    assert_eq!(tenant.reads(BEN).await, "DoNotDisturb/Presenting");
    let clear = json!({ "sessionId": X });
    tenant.presence(X, ANNA, "clearPresence", clear).await;
    assert_eq!(tenant.reads(ANNA).await, "Away/Away", "the other id stays");
    assert_eq!(tenant.reads(BEN).await, "DoNotDisturb/Presenting");
}

#[tokio::test]
async fn rule_18_a_foreign_session_id_is_warned_about_in_the_log() {
    let mut child = program().args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let url = first.rsplit(' ').next().unwrap().to_owned();
    let http = reqwest::Client::new();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", X),
        ("client_secret", "teamsbox-secret"),
        ("scope", SCOPE),
    ];
    let token = http.post(format!("{url}/contoso.example/oauth2/v2.0/token"));
    let token: Value = json_of(token.form(&form).send().await.unwrap()).await;
    let users = http
        .get(format!("{url}/box/v1/users"))
        .send()
        .await
        .unwrap();
    let users: Value = json_of(users).await;
    let id = users[0]["id"].as_str().unwrap();
    let foreign = "11111111-1111-4111-8111-111111111111";
    for session_id in [X, foreign] {
        let response = http
            .post(format!("{url}/v1.0/users/{id}/presence/setPresence"))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .json(&session(session_id, "Busy/InACall", None))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let warning = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains("session id is not") {
                return line;
            }
        }
        panic!("the log ends without a warning");
    };
    let warning = tokio::time::timeout(PATIENCE, warning).await.unwrap();
    assert!(
        warning.contains("WARN") && warning.contains(foreign),
        "the own id comes first and is none: {warning}"
    );
}

#[tokio::test]
async fn rule_29_each_preferred_pair_has_its_own_default() {
    for (pair, minutes) in [
        ("Available/Available", 10_080.0),
        ("Busy/Busy", 1_440.0),
        ("DoNotDisturb/DoNotDisturb", 1_440.0),
        ("BeRightBack/BeRightBack", 10_080.0),
        ("Away/Away", 10_080.0),
        ("Offline/OffWork", 10_080.0),
    ] {
        let tenant = Tenant::start().await;
        // In a call, so that none of the six pairs is visible without a preference.
        let call = Some(json!({ "kind": "audio" }));
        tenant
            .ok(Method::PUT, &format!("users/{ANNA}/call"), call)
            .await;
        let (availability, activity) = pair.split_once('/').unwrap();
        let body = json!({ "availability": availability, "activity": activity });
        let response = tenant
            .presence(X, ANNA, "setUserPreferredPresence", body)
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        tenant.advance_minutes(minutes - 0.1).await;
        assert_eq!(tenant.reads(ANNA).await, pair);
        tenant.advance_minutes(0.1).await;
        assert_eq!(tenant.reads(ANNA).await, "Busy/InACall", "{pair}");
    }
}

#[tokio::test]
async fn rule_43_a_subscription_ends_without_a_word() {
    let tenant = subscriptions::start().await;
    let hook = Hook::start(Handshake::Right).await;
    let mut body = wanted(&tenant, &hook);
    body["lifecycleNotificationUrl"] = json!(hook.url);
    body["expirationDateTime"] = json!(ahead(&tenant, 45));
    let made = subscribed(&tenant, &body).await;
    tenant.advance_minutes(44.9).await;
    let before = hook.items().len();
    assert!(
        hook.items()
            .iter()
            .all(|item| item["lifecycleEvent"] == "reauthorizationRequired"),
        "only asked for an extension"
    );
    tenant.advance_minutes(0.1).await;
    tenant.teamsbox.start_sharing(ANNA, None).unwrap();
    tenant.advance_minutes(60.0).await;
    assert_eq!(hook.items().len(), before, "neither lifecycle nor change");
    let path = format!("subscriptions/{}", made["id"].as_str().unwrap());
    let caller = (X, ANNA, "Presence.Read.All");
    let gone = tenant.as_user(caller, Method::GET, &path, None).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rule_57_five_hundred_calls_about_subscriptions_in_twenty_seconds() {
    let tenant = Tenant::start().await;
    let token = tenant.user_token(X, ANNA, "Presence.Read.All").await;
    let path = format!("subscriptions/{ANNA}");
    let get = async || {
        let response = tenant.with_token(&token, Method::GET, &path, None).await;
        response.status().as_u16()
    };
    for _ in 0..500 {
        assert_eq!(get().await, 404);
    }
    assert_eq!(get().await, 429);
    tenant.advance_minutes(22.0 / 60.0).await;
    assert_eq!(get().await, 404, "a while later there is room again");
}

#[tokio::test]
async fn rule_58_answers_of_a_batch_come_in_another_order() {
    let tenant = Tenant::start().await;
    let url = format!("/users/{ANNA}/presence");
    let requests: Vec<_> = ["1", "2", "3"]
        .map(|id| json!({ "id": id, "method": "GET", "url": url }))
        .to_vec();
    let body = Some(json!({ "requests": requests }));
    let answer = json_of(tenant.graph(X, Method::POST, "$batch", body).await).await;
    let ids: Vec<_> = answer["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["3", "2", "1"], "whoever goes by position is caught");
}

#[tokio::test]
async fn rule_60_neither_government_cloud_notifies() {
    let tenant = subscriptions::start().await;
    let hook = Hook::start(Handshake::Right).await;
    for cloud in ["usGov", "usGovDod"] {
        tenant.knobs(json!({ "cloud": cloud })).await;
        assert_eq!(tenant.reads(ANNA).await, "Offline/Offline", "{cloud}");
        let refused = refusal(subscribe(&tenant, &wanted(&tenant, &hook)).await).await;
        assert_eq!(refused.0, 400, "{cloud}");
    }
    assert!(hook.handshakes().is_empty());
}

#[tokio::test]
async fn rule_62_graph_does_not_tell_who_caused_what() {
    let tenant = Tenant::start().await;
    // Anna is in a call in Teams, Ben in one that an application states: only the control plane distinguishes them.
    let call = Some(json!({ "kind": "audio" }));
    tenant
        .ok(Method::PUT, &format!("users/{ANNA}/call"), call)
        .await;
    let body = session(X, "Busy/InACall", None);
    tenant.presence(X, BEN, "setPresence", body).await;
    let mut seen = Vec::new();
    for user in [ANNA, BEN] {
        let path = format!("users/{user}/presence");
        let mut body = json_of(tenant.graph(X, Method::GET, &path, None).await).await;
        assert_eq!(pair(&body), "Busy/InACall");
        body["sequenceNumber"] = Value::Null;
        seen.push(body.to_string().replace(user, "somebody"));
    }
    assert_eq!(seen[0], seen[1]);
    for path in ["journal", "box/v1/journal", "events"] {
        let response = tenant.graph(X, Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
