//! The token endpoint.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{ANNA, POWERLESS, READER, SCOPE, SECRET, Tenant, X, config, session};

async fn ask(tenant: &Tenant, form: &[(&str, &str)]) -> (StatusCode, Value) {
    let url = format!(
        "{}/5f0c1a52-9d5b-4b0e-9a3e-7c1f20b6d001/oauth2/v2.0/token",
        tenant.url
    );
    let response = tenant.http.post(url).form(form).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

fn form<'a>(id: &'a str, secret: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
        ("scope", SCOPE),
    ]
}

#[tokio::test]
async fn row_095_a_wrong_secret_is_refused() {
    let tenant = Tenant::start().await;
    let (status, body) = ask(&tenant, &form(X, "wrong")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error"], "invalid_client");
    assert_eq!(body["error_codes"], serde_json::json!([7_000_215]));
    assert!(
        body["error_description"]
            .as_str()
            .unwrap()
            .starts_with("AADSTS7000215: ")
    );
    for name in ["timestamp", "trace_id", "correlation_id"] {
        assert!(body[name].is_string(), "{name}");
    }
}

#[tokio::test]
async fn a_token_carries_the_claims() {
    let tenant = Tenant::start().await;
    let (status, body) = ask(&tenant, &form(X, SECRET)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&"Bearer".into(), &3_599.into())
    );
    assert!(body.get("refresh_token").is_none());
    let part = |number: usize| -> Value {
        let part = body["access_token"]
            .as_str()
            .unwrap()
            .split('.')
            .nth(number)
            .unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(part(0)["alg"], "RS256");
    let claims = part(1);
    let now = tenant.teamsbox.clock().now_milliseconds() / 1_000;
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["tid"], tenant.teamsbox.tenant_id());
    assert_eq!(claims["appid"], X);
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(
        claims["roles"],
        serde_json::json!(["Presence.ReadWrite.All"])
    );
    assert_eq!(
        (&claims["iat"], &claims["nbf"], &claims["exp"]),
        (&now.into(), &now.into(), &(now + 3_599).into())
    );
    assert!(
        claims["oid"].is_string()
            && claims["iss"]
                .as_str()
                .unwrap()
                .contains(tenant.teamsbox.tenant_id())
    );
}

#[tokio::test]
async fn other_requests_are_refused_in_the_envelope() {
    let tenant = Tenant::start().await;
    let full = form(X, SECRET);
    let without = |name: &str| -> Vec<_> {
        full.iter()
            .copied()
            .filter(|(key, _)| *key != name)
            .collect()
    };
    let with = |name: &'static str, value: &'static str| -> Vec<_> {
        without(name).into_iter().chain([(name, value)]).collect()
    };
    for (form, status, error, code) in [
        (without("grant_type"), 400, "invalid_request", 900_144),
        (without("client_id"), 400, "invalid_request", 900_144),
        (without("scope"), 400, "invalid_request", 900_144),
        (without("client_secret"), 401, "invalid_client", 7_000_218),
        (
            with("grant_type", "telepathy"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            with("scope", "https://graph.microsoft.com/User.Read"),
            400,
            "invalid_scope",
            70_011,
        ),
        (
            with("scope", "https://example.org/.default"),
            400,
            "invalid_resource",
            500_011,
        ),
        (
            with("client_id", "not-a-guid"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            vec![("client_id", X), ("client_id", X)],
            400,
            "invalid_request",
            900_144,
        ),
    ] {
        let (got, body) = ask(&tenant, &form).await;
        assert_eq!(
            (got.as_u16(), &body["error"], &body["error_codes"][0]),
            (status, &error.into(), &code.into())
        );
        assert!(
            body["error_description"]
                .as_str()
                .unwrap()
                .starts_with(&format!("AADSTS{code}: "))
        );
    }
}

#[tokio::test]
async fn an_unknown_application_registers_itself_once() {
    let tenant = Tenant::start().await;
    let stranger = "0d4a9cf2-58f0-4f0d-a4f5-6b8c6d1d2e3f";
    assert_eq!(
        ask(&tenant, &form(stranger, "first")).await.0,
        StatusCode::OK
    );
    assert_eq!(
        ask(&tenant, &form(stranger, "second")).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask(&tenant, &form(stranger, "first")).await.0,
        StatusCode::OK
    );
    let closed = Tenant::start_with(teamsbox::Config {
        register_unknown_apps: false,
        ..config()
    })
    .await;
    assert_eq!(
        ask(&closed, &form(stranger, "first")).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn credentials_may_come_in_the_header() {
    let tenant = Tenant::start().await;
    let url = format!("{}/common/oauth2/v2.0/token", tenant.url);
    let form = [("grant_type", "client_credentials"), ("scope", SCOPE)];
    let response = tenant
        .http
        .post(url)
        .basic_auth(X, Some(SECRET))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn without_a_good_token_graph_stays_shut() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    let url = format!("{}/v1.0/users/{ANNA}/presence", tenant.url);
    let status = async |value: Option<String>| {
        let request = tenant.http.get(&url);
        let request = match value {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (
            status,
            response.json::<Value>().await.unwrap()["error"]["code"]
                .as_str()
                .map(str::to_owned),
        )
    };
    let refused = (401, Some("InvalidAuthenticationToken".to_owned()));
    assert_eq!(status(None).await, refused);
    assert_eq!(status(Some("Bearer nonsense".to_owned())).await, refused);
    assert_eq!(status(Some(format!("Basic {token}"))).await, refused);
    assert_eq!(status(Some(format!("bearer {token}"))).await, (200, None));
    tenant
        .teamsbox
        .clock()
        .advance(Duration::from_secs(3_598))
        .await;
    assert_eq!(status(Some(format!("Bearer {token}"))).await.0, 200);
    tenant
        .teamsbox
        .clock()
        .advance(Duration::from_secs(2))
        .await;
    assert_eq!(status(Some(format!("Bearer {token}"))).await, refused);
}

#[tokio::test]
async fn roles_decide_what_an_application_may_do() {
    let tenant = Tenant::start().await;
    let path = format!("users/{ANNA}/presence");
    for (app, reads, writes) in [(X, 200, 200), (READER, 200, 403), (POWERLESS, 403, 403)] {
        assert_eq!(
            tenant.graph(app, Method::GET, &path, None).await.status(),
            reads
        );
        let ids = serde_json::json!({ "ids": [ANNA] });
        let bulk = tenant
            .graph(
                app,
                Method::POST,
                "communications/getPresencesByUserId",
                Some(ids),
            )
            .await;
        assert_eq!(bulk.status(), reads);
        let write = tenant
            .presence(app, ANNA, "setPresence", session(app, "Busy/InACall", None))
            .await;
        assert_eq!(write.status(), writes);
        if writes == 403 {
            assert_eq!(
                write.json::<Value>().await.unwrap()["error"]["code"],
                "Forbidden"
            );
        }
    }
}
