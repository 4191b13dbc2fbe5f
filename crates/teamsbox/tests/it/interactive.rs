//! Sign-in on pages: rows 97 and 98 of the conformance vectors, and rule 4.

use std::collections::HashMap;

use reqwest::{Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    entra_support::{ask, claims, refused, token},
    support::{ANNA, SECRET, Tenant, X},
};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn device(tenant: &Tenant, scope: &str) -> Value {
    let form = [("client_id", X), ("scope", scope)];
    let (status, body) = ask(tenant, "contoso.example/oauth2/v2.0/devicecode", &form).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn poll(tenant: &Tenant, code: &Value) -> (u16, Value) {
    let form = [
        ("grant_type", DEVICE_GRANT),
        ("client_id", X),
        ("device_code", code.as_str().unwrap()),
    ];
    token(tenant, &form).await
}

#[tokio::test]
async fn row_097_a_device_waits_for_its_user() {
    let tenant = Tenant::start().await;
    let started = device(&tenant, "Presence.Read offline_access openid").await;
    assert_eq!(
        (&started["expires_in"], &started["interval"]),
        (&json!(900), &json!(5))
    );
    let message = started["message"].as_str().unwrap();
    assert!(
        message.contains(started["user_code"].as_str().unwrap())
            && message.contains(started["verification_uri"].as_str().unwrap())
    );
    let code = &started["device_code"];
    tenant.advance_minutes(5.0 / 60.0).await;
    assert_eq!(
        refused(&poll(&tenant, code).await),
        (400, "authorization_pending", 70_016)
    );
    tenant.advance_minutes(4.0 / 60.0).await;
    assert_eq!(refused(&poll(&tenant, code).await).1, "slow_down");
    tenant.advance_minutes(10.0 / 60.0).await;
    assert_eq!(
        refused(&poll(&tenant, code).await).1,
        "authorization_pending"
    );
    // The page takes the code, the user, and the consent.
    let page = started["verification_uri"].as_str().unwrap();
    let asked = tenant
        .http
        .get(page)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(asked.contains("<label for=\"code\">"));
    let typed = started["user_code"].as_str().unwrap().to_lowercase();
    let next = tenant
        .http
        .post(page)
        .form(&[("code", typed.as_str())])
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        next.contains("Allow")
            && next.contains("Presence.Read")
            && next.contains("anna@contoso.example")
    );
    let yes = [
        ("code", typed.as_str()),
        ("user", "anna@contoso.example"),
        ("action", "allow"),
    ];
    assert_eq!(
        tenant
            .http
            .post(page)
            .form(&yes)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    tenant.advance_minutes(10.0 / 60.0).await;
    let (status, body) = poll(&tenant, code).await;
    assert_eq!(status, 200, "{body}");
    let access = claims(&body["access_token"]);
    assert_eq!(
        (&access["oid"], &access["scp"], &access["appid"]),
        (&json!(ANNA), &json!("Presence.Read"), &json!(X))
    );
    assert!(access.get("roles").is_none() && body["refresh_token"].is_string());
    assert_eq!(
        claims(&body["id_token"])["preferred_username"],
        "anna@contoso.example"
    );
    assert_eq!(
        refused(&poll(&tenant, code).await),
        (400, "bad_verification_code", 70_018)
    );
}

#[tokio::test]
async fn rule_4_a_device_is_declined_or_too_late() {
    let tenant = Tenant::start().await;
    let started = device(&tenant, "Presence.Read").await;
    let no = json!({ "userCode": started["user_code"], "action": "decline" });
    tenant.ok(Method::POST, "device", Some(no.clone())).await;
    assert_eq!(
        tenant.control(Method::POST, "device", Some(no)).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        refused(&poll(&tenant, &started["device_code"]).await).1,
        "authorization_declined"
    );
    let started = device(&tenant, "Presence.Read").await;
    tenant.advance_minutes(15.0).await;
    assert_eq!(
        refused(&poll(&tenant, &started["device_code"]).await).1,
        "expired_token"
    );
    let page = started["verification_uri"].as_str().unwrap();
    let late = tenant
        .http
        .post(page)
        .form(&[("code", started["user_code"].as_str().unwrap())])
        .send()
        .await
        .unwrap();
    assert_eq!(late.status(), 400);
    assert!(late.text().await.unwrap().contains("role=\"alert\""));
}

/// Signs Anna in on the page; returns the parameters of the redirect to the application.
async fn authorize(
    tenant: &Tenant,
    extra: &[(&str, &str)],
    action: &str,
) -> HashMap<String, String> {
    let browser = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let url = format!("{}/contoso.example/oauth2/v2.0/authorize", tenant.url);
    let mut wanted = vec![
        ("client_id", X),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:1/back?from=entra"),
        ("scope", "Presence.Read offline_access"),
        ("state", "a b&c"),
    ];
    wanted.extend(extra);
    let page = browser
        .get(reqwest::Url::parse_with_params(&url, &wanted).unwrap())
        .send()
        .await
        .unwrap();
    if page.status() == StatusCode::OK {
        let text = page.text().await.unwrap();
        assert!(
            text.contains("<select id=\"user\"") && text.contains("value=\"a b&amp;c\""),
            "{text}"
        );
        wanted.extend([("user", "anna@contoso.example"), ("action", action)]);
    }
    let back = browser.post(&url).form(&wanted).send().await.unwrap();
    assert_eq!(back.status(), StatusCode::FOUND);
    let location = reqwest::Url::parse(back.headers()["location"].to_str().unwrap()).unwrap();
    let parameters: HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(
        (parameters["from"].as_str(), parameters["state"].as_str()),
        ("entra", "a b&c")
    );
    parameters
}

fn code_form<'a>(code: &'a str, verifier: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", X),
        ("code", code),
        ("redirect_uri", "http://localhost:1/back?from=entra"),
        ("code_verifier", verifier),
    ]
}

#[tokio::test]
async fn row_098_a_code_is_bound_to_its_verifier() {
    let tenant = Tenant::start().await;
    let challenge = [
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let code = authorize(&tenant, &challenge, "allow").await["code"].clone();
    assert_eq!(
        refused(&token(&tenant, &code_form(&code, "another")).await),
        (400, "invalid_grant", 501_481)
    );
    let (status, body) = token(&tenant, &code_form(&code, verifier)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(&body["access_token"])["oid"], ANNA);
    assert_eq!(
        refused(&token(&tenant, &code_form(&code, verifier)).await),
        (400, "invalid_grant", 54_005)
    );
    let late = authorize(&tenant, &challenge, "allow").await["code"].clone();
    tenant.advance_minutes(10.0).await;
    assert_eq!(
        refused(&token(&tenant, &code_form(&late, verifier)).await),
        (400, "invalid_grant", 70_008)
    );
    let declined = authorize(&tenant, &challenge, "cancel").await;
    assert_eq!(declined["error"], "access_denied");
    let plain = authorize(
        &tenant,
        &[("code_challenge", "x"), ("code_challenge_method", "plain")],
        "allow",
    )
    .await;
    assert_eq!(plain["error"], "invalid_request");
    // Without a verifier an application with a secret has to send it.
    let code = authorize(&tenant, &[], "allow").await["code"].clone();
    let form: Vec<_> = code_form(&code, "").into_iter().take(4).collect();
    assert_eq!(
        refused(&token(&tenant, &form).await),
        (401, "invalid_client", 7_000_218)
    );
    let with_secret: Vec<_> = form
        .into_iter()
        .chain([("client_secret", SECRET)])
        .collect();
    assert_eq!(token(&tenant, &with_secret).await.0, 200);
}

#[tokio::test]
async fn a_wrong_redirect_is_never_followed() {
    let tenant = Tenant::start().await;
    let app = json!({ "clientId": X, "clientSecret": SECRET, "redirectUris": ["http://localhost:1/own"] });
    tenant.ok(Method::POST, "apps", Some(app)).await;
    let url = format!("{}/contoso.example/oauth2/v2.0/authorize", tenant.url);
    let wanted = [
        ("client_id", X),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:1/<b>"),
        ("scope", "openid"),
    ];
    let page = tenant
        .http
        .get(reqwest::Url::parse_with_params(&url, &wanted).unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"));
    let text = page.text().await.unwrap();
    assert!(
        text.contains("AADSTS50011") && !text.contains("<b>"),
        "{text}"
    );
}
