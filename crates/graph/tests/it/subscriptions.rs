//! Subscriptions and the keys of validation tokens.

use graph::{
    Certificate, GraphError, Secret,
    subscription::{EncryptionCertificate, NewSubscription},
};

use crate::script::{client, empty, ok};

fn new() -> NewSubscription {
    NewSubscription {
        notification_url: "https://bridge.example/graph/notify".into(),
        lifecycle_url: None,
        people: vec!["a".into(), "b".into()],
        expires: 0,
        certificate: certificate(),
        client_state: Secret::new("canary-state"),
    }
}

fn certificate() -> EncryptionCertificate {
    EncryptionCertificate {
        id: "cert-1".into(),
        certificate: Certificate::from_der(*b"abc"),
    }
}

#[tokio::test]
async fn subscriptions_are_made_kept_and_deleted_with_the_persons_token() {
    let made = r#"{"id":"s/1","resource":"/communications/presences?$filter=id in ('a','b')",
        "notificationUrl":"https://bridge.example/graph/notify","expirationDateTime":"1970-01-01T00:00:01"}"#;
    let page =
        format!(r#"{{"value":[{made}],"@odata.nextLink":"{{graph}}/v1.0/subscriptions?p=2"}}"#);
    let (client, script) = client([
        (201, None, made.into()),
        ok(made),
        empty(204),
        ok(&page),
        ok(r#"{"value":[]}"#),
        empty(204),
        (404, None, error("ResourceNotFound")),
    ])
    .await;
    let token = Secret::new("person");
    let subscription = client.create_subscription(&token, &new()).await.unwrap();
    assert_eq!(subscription.expires, Some(1_000));
    assert!(subscription.watches_presence());
    let id = subscription.id.as_str();
    let certificate = certificate();
    client
        .renew_subscription(&token, id, 60_000, Some(&certificate))
        .await
        .unwrap();
    client.reauthorize_subscription(&token, id).await.unwrap();
    assert_eq!(
        client.subscriptions(&token).await.unwrap(),
        std::slice::from_ref(&subscription)
    );
    client.delete_subscription(&token, id).await.unwrap();
    client.delete_subscription(&token, id).await.unwrap();
    assert_eq!(
        script.requests(),
        [
            "POST /v1.0/subscriptions",
            "PATCH /v1.0/subscriptions/s%2F1",
            "POST /v1.0/subscriptions/s%2F1/reauthorize",
            "GET /v1.0/subscriptions",
            "GET /v1.0/subscriptions",
            "DELETE /v1.0/subscriptions/s%2F1",
            "DELETE /v1.0/subscriptions/s%2F1",
        ]
    );
    let body: serde_json::Value = serde_json::from_str(&script.sent(0).body).unwrap();
    assert_eq!(body["encryptionCertificate"], "YWJj");
    assert_eq!(body["clientState"], "canary-state");
    assert!(body.get("lifecycleNotificationUrl").is_none());
    assert!(script.sent(1).body.contains("cert-1"));
    assert!((0..7).all(|number| script.sent(number).authorization == "Bearer person"));
}

#[tokio::test]
async fn refusals_of_subscriptions_are_told_apart() {
    let exists = r#"{"error":{"code":"Conflict","message":"A subscripton already exists"}}"#;
    let (client, _) = client([
        (409, None, exists.into()),
        (403, None, error("ExtensionError")),
        empty(401),
        (404, None, error("ResourceNotFound")),
    ])
    .await;
    let token = Secret::new("canary-person");
    let error = client
        .create_subscription(&token, &new())
        .await
        .unwrap_err();
    assert!(matches!(error, GraphError::Refused { status: 409, .. }));
    let error = client
        .create_subscription(&token, &new())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("delegated permission Presence.Read.All"),
        "{error}"
    );
    let error = client
        .create_subscription(&token, &new())
        .await
        .unwrap_err();
    assert!(matches!(error, GraphError::Unauthorized { .. }));
    assert!(!format!("{error} {error:?}").contains("canary"));
    let error = client
        .renew_subscription(&token, "s", 0, None)
        .await
        .unwrap_err();
    assert!(matches!(error, GraphError::NotFound { .. }));
}

fn error(code: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#)
}

#[tokio::test]
async fn signing_keys_are_fetched_without_a_token() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let (client, script) = client([ok(&vectors["jwks"].to_string()), ok("{}"), empty(503)]).await;
    let keys = client.signing_keys().await.unwrap();
    assert_eq!(format!("{keys:?}"), r#"{"test-key-1"}"#);
    assert_eq!(
        script.requests()[0],
        "GET /contoso.example/discovery/v2.0/keys"
    );
    assert_eq!(script.sent(0).authorization, "");
    let error = client.signing_keys().await.unwrap_err();
    assert!(matches!(error, GraphError::Malformed { .. }));
    let error = client.signing_keys().await.unwrap_err();
    assert!(matches!(error, GraphError::Service { status: 503, .. }));
}

#[tokio::test]
async fn the_tenants_id_is_found_by_its_domain() {
    let id = "84bd8158-6d4d-4958-8b9f-9d6445542f95";
    let v2 = format!(r#"{{"issuer":"https://login.microsoftonline.com/{id}/v2.0"}}"#);
    let v1 = format!(r#"{{"issuer":"https://sts.windows.net/{id}/"}}"#);
    let template = r#"{"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"}"#;
    let unknown = r#"{"error":"invalid_tenant","error_description":"AADSTS90002"}"#;
    let answers = [ok(&v2), ok(&v1), ok(template), (400, None, unknown.into())];
    let (client, script) = client(answers).await;
    assert_eq!(client.tenant_id().await.unwrap(), id);
    assert_eq!(client.tenant_id().await.unwrap(), id);
    let error = client.tenant_id().await.unwrap_err();
    assert!(error.to_string().contains("{tenantid}"), "{error}");
    assert!(client.tenant_id().await.is_err());
    assert_eq!(
        script.requests()[0],
        "GET /contoso.example/v2.0/.well-known/openid-configuration"
    );
}
