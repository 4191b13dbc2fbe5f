//! Subscriptions and the keys of validation tokens.

use std::time::Duration;

use graph::{
    Blame, Certificate, GraphError,
    subscription::{EncryptionCertificate, NewSubscription},
};
use secrecy::SecretString;

use crate::script::{client, empty, ok};

fn new() -> NewSubscription {
    NewSubscription {
        notification_url: "https://bridge.example/graph/notify".into(),
        lifecycle_url: None,
        people: vec!["a".into(), "b".into()],
        expires: 0,
        certificate: certificate(),
        client_state: SecretString::from("canary-state"),
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
    let token = SecretString::from("person");
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
async fn refusals_of_subscriptions_are_distinguished() {
    let exists = r#"{"error":{"code":"Conflict","message":"A subscripton already exists"}}"#;
    let (client, _) = client([
        (409, None, exists.into()),
        (403, None, error("ExtensionError")),
        empty(401),
        (404, None, error("ResourceNotFound")),
    ])
    .await;
    let token = SecretString::from("canary-person");
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
    let answers = [ok(&v2), ok(&v1), ok(template)];
    let (client, script) = client(answers).await;
    assert_eq!(client.tenant_id().await.unwrap(), id);
    assert_eq!(client.tenant_id().await.unwrap(), id);
    let error = client.tenant_id().await.unwrap_err();
    assert!(error.to_string().contains("{tenantid}"), "{error}");
    assert_eq!(
        script.requests()[0],
        "GET /contoso.example/v2.0/.well-known/openid-configuration"
    );
}

// An unknown tenant is a fault of the configuration, and not of a proxy.
#[tokio::test]
async fn refused_documents_of_the_sign_in_service_are_judged_as_its_tokens() {
    let unknown = r#"{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant 'contoso.example' not found."}"#;
    let transient = r#"{"error":"server_error","error_description":"AADSTS90033: transient"}"#;
    let envelope = error("ResourceNotFound");
    let answers = [
        (400, None, unknown.to_owned()),
        (200, None, unknown.to_owned()),
        (400, Some("7"), transient.to_owned()),
        (404, None, envelope.clone()),
        (400, None, envelope),
        (302, Some("9"), String::new()),
        ok("<html>guest network</html>"),
        (403, None, "<html>blocked</html>".to_owned()),
    ];
    let (client, _) = client(answers).await;
    let mut texts = Vec::new();
    for _ in 0..2 {
        let error = client.tenant_id().await.unwrap_err();
        assert_eq!(error.blame(), Blame::Administrator, "{error}");
        assert!(error.to_string().contains("check the tenant id"), "{error}");
        texts.push(error.to_string());
    }
    let passing = client.tenant_id().await.unwrap_err();
    assert_eq!(passing.blame(), Blame::Service, "{passing}");
    assert_eq!(passing.retry_after(), Some(Duration::from_secs(7)));
    for _ in 0..2 {
        let error = client.tenant_id().await.unwrap_err();
        assert!(matches!(error, GraphError::Unconfirmed { .. }), "{error}");
        texts.push(error.to_string());
    }
    let redirect = client.tenant_id().await.unwrap_err();
    assert!(matches!(
        redirect,
        GraphError::Intercepted { status: 302, .. }
    ));
    assert_eq!(redirect.retry_after(), Some(Duration::from_secs(9)));
    for _ in 0..2 {
        let error = client.signing_keys().await.unwrap_err();
        assert!(matches!(error, GraphError::Intercepted { .. }), "{error}");
        assert!(
            error.to_string().contains("/discovery/v2.0/keys"),
            "{error}"
        );
    }
    for text in texts {
        assert!(
            !text.contains("proxy") && !text.contains("remove"),
            "{text}"
        );
    }
}
