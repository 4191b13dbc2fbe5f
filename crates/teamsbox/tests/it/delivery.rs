//! Delivery: rows 67, 68, 71, 85, 86 and 89 of the conformance vectors, and rules 45 to 52, 54 and 55.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teamsbox::{ClockMode, Config};

use crate::{
    hook::{Answer, Handshake, Hook, Recipient},
    subscriptions::{ahead, start, subscribed, wanted},
    support::{ANNA, Tenant, X, config, session},
};

pub(crate) const SECOND: f64 = 1.0 / 60.0;

async fn sets(tenant: &Tenant, pair: &str) {
    let response = tenant
        .presence(X, ANNA, "setPresence", session(X, pair, Some("PT4H")))
        .await;
    assert_eq!(response.status(), StatusCode::OK);
}

/// A tenant with a subscription to Anna, and the endpoint of its notifications.
async fn subscribed_to_anna() -> (Tenant, Hook) {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    subscribed(&tenant, &wanted(&tenant, &hook)).await;
    (tenant, hook)
}

pub(crate) async fn journal_of(tenant: &Tenant, kind: &str) -> Vec<Value> {
    tenant
        .journal()
        .await
        .into_iter()
        .filter(|entry| entry["kind"] == kind)
        .collect()
}

#[tokio::test]
async fn row_067_the_own_write_comes_back_like_any_other() {
    let (tenant, hook) = subscribed_to_anna().await;
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(2.9 * SECOND).await;
    assert!(
        hook.notifications().is_empty(),
        "the latency is three seconds"
    );
    tenant.advance_minutes(0.1 * SECOND).await;
    tenant.teamsbox.start_sharing(ANNA, None).unwrap();
    tenant.advance_minutes(3.0 * SECOND).await;
    let items = hook.items();
    let keys = |item: &Value| {
        item.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(items.len(), 2);
    assert_eq!(
        keys(&items[0]),
        keys(&items[1]),
        "nothing tells whose change it was"
    );
    assert_eq!(items[0]["clientState"], "canary-state");
    assert_eq!(items[0]["tenantId"], tenant.teamsbox.tenant_id());
    // Rule 48: ids only.
    let data = json!({ "@odata.type": "#Microsoft.Graph.presence", "@odata.id": format!("users/{ANNA}/presence"), "id": ANNA });
    assert_eq!(items[0]["resourceData"], data);
    assert!(items[0].get("encryptedContent").is_none());
    assert!(hook.notifications()[0].get("validationTokens").is_none());
    let delivered = journal_of(&tenant, "delivery").await;
    assert_eq!(delivered.len(), 2);
    assert_eq!(
        (&delivered[0]["user"], &delivered[0]["detail"]["verdict"]),
        (&json!(ANNA), &json!("delivered"))
    );
    assert!(
        !delivered[0]["detail"]["url"]
            .as_str()
            .unwrap()
            .contains('?')
    );
}

#[tokio::test]
async fn row_068_the_same_again_is_no_news() {
    let (tenant, hook) = subscribed_to_anna().await;
    for _ in 0..3 {
        sets(&tenant, "Busy/InACall").await;
    }
    // Rule 45: status messages cause no notification either.
    let message =
        json!({ "statusMessage": { "message": { "content": "Hi", "contentType": "text" } } });
    tenant.presence(X, ANNA, "setStatusMessage", message).await;
    tenant.advance_minutes(1.0).await;
    assert_eq!(hook.items().len(), 1);
    tenant.knobs(json!({ "identicalWrite": "notify" })).await;
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(1.0).await;
    assert_eq!(hook.items().len(), 2);
}

#[tokio::test]
async fn rule_45_time_changes_presence_too() {
    let (tenant, hook) = subscribed_to_anna().await;
    sets(&tenant, "Available/Available").await;
    tenant.advance_minutes(30.0).await;
    let delivered = journal_of(&tenant, "delivery").await;
    let start = moment(&delivered[0]["at"]);
    let seconds: Vec<_> = delivered
        .iter()
        .map(|one| (moment(&one["at"]) - start) / 1_000)
        .collect();
    assert_eq!(
        seconds,
        [0, 300, 600],
        "available, idle, away: each on time"
    );
    assert_eq!(hook.items().len(), 3);
}

fn moment(text: &Value) -> i64 {
    text.as_str()
        .unwrap()
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_millisecond()
}

#[tokio::test]
async fn row_085_a_failure_is_repeated() {
    let (tenant, hook) = subscribed_to_anna().await;
    hook.answers([Answer::Status(500)]);
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(3.0 * SECOND).await;
    assert_eq!(hook.items().len(), 1);
    tenant.advance_minutes(10.0 * SECOND).await;
    assert_eq!(hook.items().len(), 2);
    let attempts = journal_of(&tenant, "delivery").await;
    let verdicts: Vec<_> = attempts
        .iter()
        .map(|one| one["detail"]["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["retry", "delivered"]);
    tenant.advance_minutes(300.0).await;
    assert_eq!(hook.items().len(), 2);
}

#[tokio::test]
async fn row_086_a_late_answer_counts_as_none() {
    let (tenant, hook) = subscribed_to_anna().await;
    hook.answers([Answer::Never]);
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(3.0 * SECOND).await;
    hook.heard(2).await;
    tenant.advance_minutes(4.0 * SECOND).await;
    let attempts = journal_of(&tenant, "delivery").await;
    assert_eq!(attempts[0]["detail"]["outcome"], "timeout");
    tenant.advance_minutes(10.0 * SECOND).await;
    assert_eq!(hook.items().len(), 2, "the same item a second time");
    assert_eq!(hook.items()[0], hook.items()[1]);
}

#[tokio::test]
async fn in_real_time_notifications_come_by_themselves() {
    let tenant = Tenant::start_with(Config {
        clock: ClockMode::Real,
        ..config()
    })
    .await;
    tenant.knobs(json!({ "httpWebhooks": true, "notificationSpread": "fixed", "notificationMean": "PT0.01S" })).await;
    let hook = Hook::start(Handshake::Right).await;
    hook.answers([Answer::Status(503)]);
    subscribed(&tenant, &wanted(&tenant, &hook)).await;
    sets(&tenant, "Busy/InACall").await;
    tokio::time::timeout(std::time::Duration::from_secs(20), hook.heard(2))
        .await
        .unwrap();
    assert_eq!(hook.items()[0]["resourceData"]["id"], ANNA);
}

/// A tenant with a rich subscription to Anna.
async fn rich() -> (Tenant, Hook, Recipient) {
    let (tenant, hook, recipient) = (
        start().await,
        Hook::start(Handshake::Right).await,
        Recipient::new(),
    );
    let mut body = wanted(&tenant, &hook);
    body["includeResourceData"] = json!(true);
    body["encryptionCertificate"] = json!(recipient.certificate);
    body["encryptionCertificateId"] = json!("cert-1");
    body["lifecycleNotificationUrl"] = json!(hook.url);
    subscribed(&tenant, &body).await;
    (tenant, hook, recipient)
}

fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn rules_50_and_51_rich_items_can_be_decrypted_and_vouched_for() {
    let (tenant, hook, recipient) = rich().await;
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(3.0 * SECOND).await;
    tenant
        .knobs(json!({ "validationTokens": "v1", "valueList": "list2025" }))
        .await;
    sets(&tenant, "DoNotDisturb/Presenting").await;
    tenant.advance_minutes(3.0 * SECOND).await;
    let bodies = hook.notifications();
    let opened = recipient.open(&bodies[0]["value"][0]).unwrap();
    let expected = json!({
        "@odata.id": format!("users/{ANNA}/presence"), "@odata.type": "#microsoft.graph.presence", "id": ANNA,
        "availability": "Busy", "activity": "InACall",
    });
    assert_eq!(opened, expected);
    assert_eq!(
        bodies[0]["value"][0]["encryptedContent"]["encryptionCertificateId"],
        "cert-1"
    );
    let der = STANDARD.decode(&recipient.certificate).unwrap();
    let thumbprint: String = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert_eq!(
        bodies[0]["value"][0]["encryptedContent"]["encryptionCertificateThumbprint"],
        thumbprint
    );
    assert_eq!(
        recipient.open(&bodies[1]["value"][0]).unwrap()["availability"],
        "presenting"
    );
    let keys: Vec<_> = bodies
        .iter()
        .map(|body| &body["value"][0]["encryptedContent"]["dataKey"])
        .collect();
    assert_ne!(keys[0], keys[1]);
    let publisher = "0bf30f3b-4a52-48df-9a82-234910c4a086";
    let tokens: Vec<_> = bodies
        .iter()
        .map(|body| claims(&body["validationTokens"][0]))
        .collect();
    assert_eq!(
        (&tokens[0]["aud"], &tokens[0]["azp"], &tokens[0]["ver"]),
        (&json!(X), &json!(publisher), &json!("2.0"))
    );
    assert_eq!(
        (&tokens[1]["aud"], &tokens[1]["appid"], &tokens[1]["ver"]),
        (&json!(X), &json!(publisher), &json!("1.0"))
    );
    let id = tenant.teamsbox.tenant_id();
    assert_eq!(
        tokens[0]["iss"],
        format!("https://login.microsoftonline.com/{id}/v2.0")
    );
    assert_eq!(tokens[1]["iss"], format!("https://sts.windows.net/{id}/"));
}

#[tokio::test]
async fn rule_48_items_share_a_request_and_a_token() {
    let (tenant, hook, _) = rich().await;
    tenant.knobs(json!({ "notificationItems": 10 })).await;
    for pair in ["Busy/InACall", "DoNotDisturb/Presenting", "Away/Away"] {
        sets(&tenant, pair).await;
    }
    tenant.advance_minutes(3.0 * SECOND).await;
    let bodies = hook.notifications();
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["value"].as_array().unwrap().len(), 3);
    assert_eq!(bodies[0]["validationTokens"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn rule_47_notifications_may_come_twice_and_out_of_order() {
    let (tenant, hook) = subscribed_to_anna().await;
    tenant.knobs(json!({ "notificationDuplicates": 100, "notificationReorder": true, "notificationSpread": "exponential" })).await;
    for pair in [
        "Busy/InACall",
        "DoNotDisturb/Presenting",
        "Away/Away",
        "Busy/InACall",
    ] {
        sets(&tenant, pair).await;
        tenant.advance_minutes(0.01 * SECOND).await;
    }
    tenant.advance_minutes(1.1).await;
    assert_eq!(hook.items().len(), 8);
    let posted: Vec<_> = journal_of(&tenant, "delivery")
        .await
        .iter()
        .map(|one| moment(&one["detail"]["posted"]))
        .collect();
    assert!(!posted.is_sorted(), "{posted:?}");
}

#[tokio::test]
async fn row_071_and_rule_49_all_shapes_come_in_turn() {
    let (tenant, hook) = subscribed_to_anna().await;
    tenant.knobs(json!({ "notificationVariety": true })).await;
    for _ in 0..3 {
        for pair in ["Busy/InACall", "Away/Away"] {
            sets(&tenant, pair).await;
        }
    }
    tenant.advance_minutes(1.0).await;
    let items = hook.items();
    let distinct = |of: &dyn Fn(&Value) -> String| {
        items
            .iter()
            .map(of)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(distinct(&|item| item["resource"].to_string()).len(), 3);
    assert_eq!(
        distinct(&|item| item["resourceData"]["@odata.type"].to_string()).len(),
        2
    );
    let zones = distinct(&|item| {
        item["subscriptionExpirationDateTime"]
            .as_str()
            .unwrap()
            .chars()
            .last()
            .unwrap()
            .to_string()
    });
    assert_eq!(zones.len(), 3, "{zones:?}");
    assert!(
        items
            .iter()
            .any(|item| item.get("organizationId").is_some())
    );
    assert!(
        items.iter().all(|item| item["resourceData"]["id"] == ANNA),
        "row 71"
    );
}

#[tokio::test]
async fn row_089_and_rule_54_an_unanswered_question_pauses_delivery() {
    let (tenant, hook) = (start().await, Hook::start(Handshake::Right).await);
    tenant.knobs(json!({ "tokenLifetime": "PT30M" })).await;
    let mut body = wanted(&tenant, &hook);
    body["lifecycleNotificationUrl"] = json!(hook.url.replace("notify", "lifecycle"));
    let made = subscribed(&tenant, &body).await;
    tenant.advance_minutes(14.9).await;
    assert!(hook.items().is_empty());
    tenant.advance_minutes(0.2).await;
    let asked = hook.items().remove(0);
    assert_eq!(
        (&asked["lifecycleEvent"], &asked["clientState"]),
        (&json!("reauthorizationRequired"), &json!("canary-state"))
    );
    assert!(asked.get("resourceData").is_none());
    tenant.advance_minutes(15.0).await;
    assert_eq!(hook.items().len(), 2, "asked again when the token ends");
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(1.0).await;
    assert_eq!(hook.items().len(), 2, "nothing is delivered");
    let path = format!("subscriptions/{}/reauthorize", made["id"].as_str().unwrap());
    let answered = tenant
        .as_user((X, ANNA, "Presence.Read.All"), Method::POST, &path, None)
        .await;
    assert_eq!(answered.status(), StatusCode::NO_CONTENT);
    sets(&tenant, "Away/Away").await;
    tenant.advance_minutes(4.0 * SECOND).await;
    let items = hook.items();
    assert_eq!(items.len(), 3, "what happened meanwhile is lost");
    assert_eq!(items[2]["resourceData"]["id"], ANNA);
}

#[tokio::test]
async fn rule_55_chaos_can_be_switched_on() {
    let (tenant, hook, recipient) = rich().await;
    let mut pairs = ["Busy/InACall", "Away/Away"].into_iter().cycle();
    let mut next = async |fault: Value| {
        tenant
            .ok(
                Method::PUT,
                "faults",
                Some(json!({ "notifications": fault })),
            )
            .await;
        sets(&tenant, pairs.next().unwrap()).await;
        tenant.advance_minutes(4.0 * SECOND).await;
        hook.notifications().last().cloned()
    };
    assert_eq!(next(json!({ "silentOutage": true })).await, None);
    let good = next(json!({ "wrongClientState": true, "remaining": 0 }))
        .await
        .unwrap();
    assert_eq!(good["value"][0]["clientState"], "canary-state");
    let body = next(json!({ "wrongClientState": true })).await.unwrap();
    assert_ne!(body["value"][0]["clientState"], "canary-state");
    let body = next(json!({ "wrongCertificateId": true })).await.unwrap();
    assert_ne!(
        body["value"][0]["encryptedContent"]["encryptionCertificateId"],
        "cert-1"
    );
    let body = next(json!({ "badSignature": true })).await.unwrap();
    assert_eq!(recipient.open(&body["value"][0]), None);
    let key_id = |body: &Value| {
        jsonwebtoken::decode_header(body["validationTokens"][0].as_str().unwrap())
            .unwrap()
            .kid
    };
    let forged = next(json!({ "forgedToken": true })).await.unwrap();
    assert_ne!(key_id(&forged), key_id(&good));
    let id = tenant.ok(Method::GET, "subscriptions", None).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for event in ["missed", "subscriptionRemoved"] {
        tenant
            .ok(
                Method::POST,
                &format!("subscriptions/{id}/lifecycle"),
                Some(json!({ "event": event })),
            )
            .await;
        tenant.advance_minutes(0.0).await;
        assert_eq!(hook.items().last().unwrap()["lifecycleEvent"], event);
    }
    tenant.advance_minutes(2.0).await;
    assert_eq!(
        tenant.ok(Method::GET, "subscriptions", None).await,
        json!([])
    );
}

#[tokio::test]
async fn rule_42_an_extension_may_bring_another_certificate() {
    let (tenant, hook, old) = rich().await;
    let next = Recipient::new();
    let id = tenant.ok(Method::GET, "subscriptions", None).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({
        "expirationDateTime": ahead(&tenant, 60),
        "encryptionCertificate": next.certificate,
        "encryptionCertificateId": "cert-2",
    });
    let caller = (X, ANNA, "Presence.Read.All");
    let extended = tenant
        .as_user(
            caller,
            Method::PATCH,
            &format!("subscriptions/{id}"),
            Some(body),
        )
        .await;
    assert_eq!(extended.status(), StatusCode::OK);
    sets(&tenant, "Busy/InACall").await;
    tenant.advance_minutes(3.0 * SECOND).await;
    let item = hook.items().remove(0);
    assert_eq!(
        item["encryptedContent"]["encryptionCertificateId"],
        "cert-2"
    );
    assert_eq!(next.open(&item).unwrap()["activity"], "InACall");
    assert_ne!(old.certificate, next.certificate);
}
