//! Subscriptions: rows 52 to 66 of the conformance vectors and the rules behind them.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    hook::{Handshake, Hook, Recipient, SMALL_CERTIFICATE},
    support::{ANNA, BEN, Tenant, X, Y, refusal},
};

const ALL: &str = "Presence.Read.All";
/// The longest accepted key, and a longer one.
const CERTIFICATE_OF_4096_BITS: &str = include_str!("rsa-4096-certificate.txt");
const CERTIFICATE_OF_4104_BITS: &str = include_str!("rsa-4104-certificate.txt");
const FORBIDDEN: &str = "Operation: Create; Exception: [Status Code: Forbidden; Reason: The request is not authorized for this user or application.]";
const EXISTS: &str = "Operation: Create; Exception: [Status Code: Conflict; Reason: A subscripton already exists. It must be deleted before a another can be made.]";

pub(crate) async fn start() -> Tenant {
    let tenant = Tenant::start().await;
    tenant
        .knobs(json!({ "httpWebhooks": true, "notificationSpread": "fixed" }))
        .await;
    tenant
}

/// The time in a number of minutes.
pub(crate) fn ahead(tenant: &Tenant, minutes: i64) -> String {
    let at = tenant.teamsbox.clock().now_milliseconds() + minutes * 60_000;
    jiff::Timestamp::from_millisecond(at).unwrap().to_string()
}

/// A subscription to Anna for an hour.
pub(crate) fn wanted(tenant: &Tenant, hook: &Hook) -> Value {
    json!({
        "changeType": "updated",
        "notificationUrl": hook.url,
        "resource": format!("/communications/presences?$filter=id in ('{ANNA}')"),
        "expirationDateTime": ahead(tenant, 60),
        "clientState": "canary-state",
    })
}

pub(crate) async fn subscribe(tenant: &Tenant, body: &Value) -> Response {
    tenant
        .as_user(
            (X, ANNA, ALL),
            Method::POST,
            "subscriptions",
            Some(body.clone()),
        )
        .await
}

pub(crate) async fn subscribed(tenant: &Tenant, body: &Value) -> Value {
    let response = subscribe(tenant, body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.unwrap()
}

async fn stored(tenant: &Tenant) -> usize {
    tenant
        .ok(Method::GET, "subscriptions", None)
        .await
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test]
async fn row_052_applications_may_not_subscribe() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let response = tenant
        .graph(
            X,
            Method::POST,
            "subscriptions",
            Some(wanted(&tenant, &hook)),
        )
        .await;
    assert_eq!(
        refusal(response).await,
        (403, "ExtensionError".into(), FORBIDDEN.into())
    );
    let own_only = (X, ANNA, "Presence.Read");
    let response = tenant
        .as_user(
            own_only,
            Method::POST,
            "subscriptions",
            Some(wanted(&tenant, &hook)),
        )
        .await;
    assert_eq!(refusal(response).await.0, 403);
    assert!(hook.handshakes().is_empty());
}

#[tokio::test]
async fn row_053_one_handshake_without_lifecycle_address() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let made = subscribed(&tenant, &wanted(&tenant, &hook)).await;
    assert_eq!(hook.handshakes().len(), 1);
    assert_eq!(
        (
            &made["applicationId"],
            &made["creatorId"],
            &made["clientState"]
        ),
        (&json!(X), &json!(ANNA), &json!("canary-state"))
    );
    assert_eq!(
        (&made["includeResourceData"], &made["changeType"]),
        (&json!(false), &json!("updated"))
    );
    let listed: Value = tenant
        .as_user((X, ANNA, ALL), Method::GET, "subscriptions", None)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed["value"][0]["id"], made["id"]);
    let path = format!("subscriptions/{}", made["id"].as_str().unwrap());
    assert_eq!(
        tenant
            .as_user((X, ANNA, ALL), Method::GET, &path, None)
            .await
            .status(),
        StatusCode::OK
    );
    assert_eq!(
        tenant
            .as_user((Y, ANNA, ALL), Method::GET, &path, None)
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn row_054_two_handshakes_even_for_one_address() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let mut body = wanted(&tenant, &hook);
    body["lifecycleNotificationUrl"] = json!(hook.url);
    body["includeResourceData"] = json!(true);
    body["encryptionCertificate"] = json!(Recipient::new().certificate);
    body["encryptionCertificateId"] = json!("cert-1");
    let made = subscribed(&tenant, &body).await;
    assert_eq!(hook.handshakes().len(), 2);
    assert_eq!(made["encryptionCertificateId"], "cert-1");
    assert!(made.get("encryptionCertificate").is_none());
}

async fn handshake_fails(handshake: Handshake) -> (u16, String, String) {
    let tenant = start().await;
    let hook = Hook::start(handshake).await;
    let refused = refusal(subscribe(&tenant, &wanted(&tenant, &hook)).await).await;
    assert_eq!(stored(&tenant).await, 0);
    refused
}

#[tokio::test]
async fn row_055_a_token_sent_back_raw_is_refused() {
    let (status, code, message) = handshake_fails(Handshake::Raw).await;
    assert_eq!((status, code.as_str()), (400, "ValidationError"));
    assert!(message.starts_with(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK"
    ));
}

#[tokio::test]
async fn row_056_the_token_is_form_encoded() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    subscribed(&tenant, &wanted(&tenant, &hook)).await;
    let query = hook.handshakes().remove(0);
    let expected = "customer=7&validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+";
    assert!(query.starts_with(expected), "{query}");
}

#[tokio::test]
async fn row_057_a_handshake_has_ten_seconds() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Never).await;
    let body = wanted(&tenant, &hook);
    let clock = async {
        hook.heard(1).await;
        tenant.advance_minutes(11.0 / 60.0).await;
    };
    let (response, ()) = tokio::join!(subscribe(&tenant, &body), clock);
    let message = "Subscription validation request timed out.".to_owned();
    assert_eq!(
        refusal(response).await,
        (400, "InvalidRequest".into(), message)
    );
    assert_eq!(stored(&tenant).await, 0);
}

#[tokio::test]
async fn row_058_a_handshake_answered_403_is_refused() {
    let (status, code, message) = handshake_fails(Handshake::Status(403)).await;
    assert_eq!((status, code.as_str()), (400, "ValidationError"));
    assert!(
        message.ends_with("HTTP status code is 'Forbidden'."),
        "{message}"
    );
}

#[tokio::test]
async fn rule_40_html_is_no_answer_to_a_handshake() {
    assert_eq!(handshake_fails(Handshake::Html).await.1, "ValidationError");
}

#[tokio::test]
async fn row_059_one_subscription_per_application_and_user() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let made = subscribed(&tenant, &wanted(&tenant, &hook)).await;
    let refused = refusal(subscribe(&tenant, &wanted(&tenant, &hook)).await).await;
    assert_eq!(refused, (409, "ExtensionError".into(), EXISTS.into()));
    let path = format!("subscriptions/{}", made["id"].as_str().unwrap());
    let deleted = tenant
        .as_user((X, ANNA, ALL), Method::DELETE, &path, None)
        .await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    subscribed(&tenant, &wanted(&tenant, &hook)).await;
    // Rule 43: it ends silently, and makes room for another.
    tenant.advance_minutes(61.0).await;
    assert_eq!(stored(&tenant).await, 0);
    subscribed(&tenant, &wanted(&tenant, &hook)).await;
}

#[tokio::test]
async fn row_060_another_user_may_subscribe_too() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    subscribed(&tenant, &wanted(&tenant, &hook)).await;
    let body = Some(wanted(&tenant, &hook));
    let response = tenant
        .as_user((X, BEN, ALL), Method::POST, "subscriptions", body)
        .await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn row_061_two_hours_are_too_long() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let mut body = wanted(&tenant, &hook);
    body["expirationDateTime"] = json!(ahead(&tenant, 120));
    assert_eq!(refusal(subscribe(&tenant, &body).await).await.0, 400);
    tenant.knobs(json!({ "longExpiry": "clamp" })).await;
    let made = subscribed(&tenant, &body).await;
    assert_eq!(
        moment(&made),
        moment(&json!({ "expirationDateTime": ahead(&tenant, 60) }))
    );
}

#[tokio::test]
async fn row_062_ten_minutes_are_raised_to_45() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let mut body = wanted(&tenant, &hook);
    body["expirationDateTime"] = json!(ahead(&tenant, 10));
    let made = subscribed(&tenant, &body).await;
    assert_eq!(
        moment(&made),
        moment(&json!({ "expirationDateTime": ahead(&tenant, 45) }))
    );
}

fn moment(body: &Value) -> jiff::Timestamp {
    body["expirationDateTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// Errors before the handshake: a change of a valid request, and its error.
async fn refused_with(changes: Value) -> (u16, String) {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let mut body = wanted(&tenant, &hook);
    body.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    let (status, code, _) = refusal(subscribe(&tenant, &body).await).await;
    assert!(hook.handshakes().is_empty(), "{changes}");
    (status, code)
}

fn validation() -> (u16, String) {
    (400, "ValidationError".to_owned())
}

#[tokio::test]
async fn row_063_filters_have_at_most_650_quoted_ids() {
    let ids: Vec<_> = (0..651)
        .map(|number| format!("'00000000-0000-4000-8000-{number:012}'"))
        .collect();
    for list in [ids.join(","), ANNA.to_owned()] {
        let resource = format!("/communications/presences?$filter=id in ({list})");
        assert_eq!(
            refused_with(json!({ "resource": resource })).await,
            validation()
        );
    }
}

#[tokio::test]
async fn row_064_resource_data_needs_a_certificate() {
    let certificate = Recipient::new().certificate;
    for changes in [
        json!({ "includeResourceData": true }),
        json!({ "includeResourceData": true, "encryptionCertificate": certificate }),
        json!({ "includeResourceData": true, "encryptionCertificateId": "one" }),
        json!({ "includeResourceData": true, "encryptionCertificate": certificate, "encryptionCertificateId": "x".repeat(129) }),
    ] {
        assert_eq!(refused_with(changes).await, validation());
    }
}

#[tokio::test]
async fn row_065_a_small_key_is_refused() {
    for certificate in [SMALL_CERTIFICATE, "AAAA", "no base64"] {
        let changes = json!({ "includeResourceData": true, "encryptionCertificate": certificate, "encryptionCertificateId": "one" });
        assert_eq!(refused_with(changes).await, validation());
    }
}

/// A certificate with a key on an elliptic curve, which cannot encrypt.
fn elliptic_certificate() -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key);
    STANDARD.encode(certificate.unwrap().der())
}

#[tokio::test]
async fn rule_38_a_key_is_rsa_of_at_most_4096_bits() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let asks = async |certificate: &str| {
        let mut body = wanted(&tenant, &hook);
        body["includeResourceData"] = json!(true);
        body["encryptionCertificate"] = json!(certificate);
        body["encryptionCertificateId"] = json!("one");
        subscribe(&tenant, &body).await
    };
    for certificate in [&elliptic_certificate(), CERTIFICATE_OF_4104_BITS] {
        let (status, code, message) = refusal(asks(certificate).await).await;
        assert_eq!((status, code.as_str()), (400, "ValidationError"));
        assert!(
            message.contains("RSA key of 2048 to 4096 bits"),
            "{message}"
        );
    }
    assert_eq!((stored(&tenant).await, hook.handshakes().len()), (0, 0));
    let longest = asks(CERTIFICATE_OF_4096_BITS).await;
    assert_eq!(longest.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn rules_37_to_39_other_properties_are_checked() {
    for changes in [
        json!({ "changeType": "created" }),
        json!({ "changeType": null }),
        json!({ "resource": null }),
        json!({ "resource": format!("/communications/presences/{ANNA}?$select=activity") }),
        json!({ "notificationUrl": null }),
        json!({ "notificationUrl": "ftp://bridge.example/" }),
        json!({ "lifecycleNotificationUrl": "bridge.example" }),
        json!({ "clientState": "x".repeat(129) }),
        json!({ "expirationDateTime": "2001-01-01T00:00:00Z" }),
        json!({ "expirationDateTime": "soon" }),
        json!({ "expirationDateTime": null }),
    ] {
        assert_eq!(
            refused_with(changes.clone()).await,
            validation(),
            "{changes}"
        );
    }
    let tenant = Tenant::start().await;
    let hook = Hook::start(Handshake::Right).await;
    let refused = refusal(subscribe(&tenant, &wanted(&tenant, &hook)).await).await;
    assert_eq!(
        (refused.0, refused.2.as_str()),
        (400, "notificationUrl must be an https address.")
    );
}

#[tokio::test]
async fn row_066_a_subscription_is_extended_vouched_for_and_ended() {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let made = subscribed(&tenant, &wanted(&tenant, &hook)).await;
    let path = format!("subscriptions/{}", made["id"].as_str().unwrap());
    let call = async |method: Method, path: &str, body: Option<Value>| {
        tenant.as_user((X, ANNA, ALL), method, path, body).await
    };
    tenant.advance_minutes(30.0).await;
    let later = json!({ "expirationDateTime": ahead(&tenant, 60) });
    let extended = call(Method::PATCH, &path, Some(later.clone())).await;
    assert_eq!(extended.status(), StatusCode::OK);
    assert_eq!(moment(&extended.json().await.unwrap()), moment(&later));
    let reauthorized = call(Method::POST, &format!("{path}/reauthorize"), None).await;
    assert_eq!(reauthorized.status(), StatusCode::NO_CONTENT);
    let same: Value = call(Method::GET, &path, None).await.json().await.unwrap();
    assert_eq!(
        moment(&same),
        moment(&later),
        "reauthorizing does not extend"
    );
    let late = json!({ "expirationDateTime": ahead(&tenant, 61) });
    assert_eq!(
        call(Method::PATCH, &path, Some(late)).await.status(),
        StatusCode::BAD_REQUEST
    );
    // Rule 44.
    let lifecycle = json!({ "lifecycleNotificationUrl": hook.url });
    assert_eq!(
        call(Method::PATCH, &path, Some(lifecycle)).await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        call(Method::DELETE, &path, None).await.status(),
        StatusCode::NO_CONTENT
    );
    for method in [Method::PATCH, Method::GET, Method::DELETE] {
        let body = (method == Method::PATCH).then(|| later.clone());
        assert_eq!(refusal(call(method, &path, body).await).await.0, 404);
    }
    assert_eq!(
        refusal(call(Method::POST, &format!("{path}/reauthorize"), None).await)
            .await
            .0,
        404
    );
}
