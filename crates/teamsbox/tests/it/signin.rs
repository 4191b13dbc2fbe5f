//! Sign-in without a page: rows 96, 99 and 100 of the conformance vectors, and rules 1, 2, 3 and 5.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teamsbox::{App, Config};

use crate::{
    entra_support::{ask, claims, refused, token},
    support::{ANNA, BEN, SCOPE, SECRET, Tenant, X, config},
};

/// The certificate of the published vectors.
const CERTIFICATE: &str = include_str!("vector-certificate.txt");
const PS256: &str = "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsIng1dCNTMjU2IjoicHRiNl96ck5qOTN5YVFhQ1ZlWW40M2pqZjFxaUUtTkpwa0J3d0EyanNLVSJ9.eyJhdWQiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vODRiZDgxNTgtNmQ0ZC00OTU4LThiOWYtOWQ2NDQ1NTQyZjk1L29hdXRoMi92Mi4wL3Rva2VuIiwiaXNzIjoiMjI1NTM4NzYtZjVhYi00NTI5LWJmZmItY2ZlNTBhYTg5Zjg3Iiwic3ViIjoiMjI1NTM4NzYtZjVhYi00NTI5LWJmZmItY2ZlNTBhYTg5Zjg3IiwianRpIjoiMDBhYTAwYWEtYmIxMS1jYzIyLWRkMzMtNDRlZTQ0ZWU0NGVlIiwibmJmIjoxNzY3MjI1NjAwLCJpYXQiOjE3NjcyMjU2MDAsImV4cCI6MTc2NzIyNjIwMH0.inrDcEZREe_Fqjh8FercubOQ43_RUOAZ4XmMuCGlCnwG4dJHYRIbSUdbHrqLdZpDUgTL_fO7TN9k8RSop0S0B7ylsLk-FnXybOit76Nnf780UEgTz_Pq-7sF5Q_XOjOcLKVvV0cgJs6nPWJ53uUBtvJAUNWxTv4gVfdXS_Lg4HhCuiYnWRnDheviAcbJGcMdKuY-vf7c43iQBuSqyVsrC_043Tg9NDMKVkxFSW8vgrmNSHTuCz-gSNE5dnajtT6IBgTSaFU6M-o6DsNPTMSTUBmvoGm201pg6JFmHjGprqAFP4xpqaPEKif0x2taHTfDDnGm6pgcqgL4XuYZylVDLw";
const VECTOR_TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The private key of an application, which signs its assertions.
fn own_key() -> (String, EncodingKey) {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = aws_lc_rs::encoding::AsDer::as_der(&pair).unwrap();
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let own = rcgen::KeyPair::from_pem(&pem).unwrap();
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&own)
        .unwrap()
        .pem();
    (
        certificate,
        EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
    )
}

fn assertion_form(assertion: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", X),
        ("scope", SCOPE),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ]
}

#[tokio::test]
async fn row_096_the_assertion_of_the_vectors_is_accepted() {
    let app = App {
        client_id: X.to_owned(),
        client_secret: String::new(),
        certificates: vec![CERTIFICATE.to_owned()],
        ..App::default()
    };
    let at = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let config = |start: &str| Config {
        tenant_id: VECTOR_TENANT.to_owned(),
        apps: vec![app.clone()],
        clock_start: at(start),
        ..config()
    };
    let tenant = Tenant::start_with(config("2026-01-01T00:05:00Z")).await;
    let answer = token(&tenant, &assertion_form(PS256)).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    assert!(answer.1.get("refresh_token").is_none(), "rule 3");
    let altered = PS256.replace("4XuYZylVDLw", "4XuYZylVDLg");
    assert_eq!(
        refused(&token(&tenant, &assertion_form(&altered)).await),
        (401, "invalid_client", 700_027)
    );
    let late = Tenant::start_with(config("2026-01-01T00:16:00Z")).await;
    assert_eq!(
        refused(&token(&late, &assertion_form(PS256)).await),
        (401, "invalid_client", 700_024)
    );
}

#[tokio::test]
async fn rule_1_assertions_in_rs256_with_either_thumbprint() {
    let tenant = Tenant::start().await;
    let (certificate, key) = own_key();
    let app = json!({ "clientId": X, "certificates": [certificate] });
    let registered = tenant.ok(Method::POST, "apps", Some(app)).await;
    let hex = registered["certificates"][0].as_str().unwrap().to_owned();
    let bytes: Vec<u8> = (0..20)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    let now = tenant.teamsbox.clock().now_milliseconds() / 1_000;
    let make = |aud: &str, sub: &str, exp: i64| {
        let header = Header {
            x5t: Some(URL_SAFE_NO_PAD.encode(&bytes)),
            ..Header::new(Algorithm::RS256)
        };
        let claims = json!({ "aud": aud, "iss": sub, "sub": sub, "jti": "1", "nbf": now, "iat": now, "exp": exp });
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let endpoint = format!("{}/contoso.example/oauth2/v2.0/token", tenant.url);
    let good = make(&endpoint, X, now + 600);
    assert_eq!(token(&tenant, &assertion_form(&good)).await.0, 200);
    let other =
        "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token";
    for (assertion, code) in [
        (make(other, X, now + 600), 700_023),
        (make(&endpoint, ANNA, now + 600), 700_021),
        (make(&endpoint, X, now - 600), 700_024),
        ("nonsense".to_owned(), 50_027),
    ] {
        assert_eq!(
            refused(&token(&tenant, &assertion_form(&assertion)).await),
            (401, "invalid_client", code)
        );
    }
}

#[tokio::test]
async fn rule_2_discovery_keys_and_rotation() {
    let tenant = Tenant::start().await;
    let get = async |path: &str| {
        let response = tenant
            .http
            .get(format!("{}/{path}", tenant.url))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json::<Value>().await.unwrap()
    };
    let id = tenant.teamsbox.tenant_id().to_owned();
    let found = get("contoso.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!(
        found["token_endpoint"],
        format!("{}/{id}/oauth2/v2.0/token", tenant.url)
    );
    assert_eq!(found["issuer"], format!("{}/{id}/v2.0", tenant.url));
    let methods = found["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods.contains("private_key_jwt") && methods.contains("client_secret_post"));
    assert!(get("common/.well-known/openid-configuration").await["jwks_uri"].is_string());
    let before = get("common/discovery/keys").await;
    let same = get(&format!("{id}/discovery/v2.0/keys")).await;
    assert_eq!(before["keys"].as_array().unwrap().len(), 2);
    assert_eq!(before["keys"][0]["kid"], same["keys"][0]["kid"]);
    for member in ["kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"] {
        assert!(before["keys"][0].get(member).is_some(), "{member}");
    }
    // A token from before a rotation is verified with the keys published after it.
    let old = tenant.token(X).await;
    tenant.ok(Method::POST, "keys/rotate", None).await;
    let after = get("common/discovery/keys").await;
    assert_eq!(
        after["keys"][0]["kid"], before["keys"][1]["kid"],
        "the next key was known before"
    );
    let kid = jsonwebtoken::decode_header(&old).unwrap().kid.unwrap();
    let key = after["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == kid)
        .unwrap();
    let check =
        DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap())
            .unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(&old, &check, &validation).unwrap();
    assert_eq!(
        tenant
            .with_token(&old, Method::GET, &format!("users/{ANNA}/presence"), None)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn row_099_an_old_refresh_token_works_until_it_is_revoked() {
    let tenant = Tenant::start().await;
    let form = [
        ("grant_type", "password"),
        ("client_id", X),
        ("username", "anna@contoso.example"),
        ("password", teamsbox::DEFAULT_PASSWORD),
        ("scope", "Presence.Read offline_access"),
    ];
    let (_, first) = token(&tenant, &form).await;
    let first = first["refresh_token"].as_str().unwrap().to_owned();
    let refresh = async |token_text: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", X),
            ("refresh_token", token_text),
        ];
        token(&tenant, &form).await
    };
    let (status, second) = refresh(&first).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], first);
    assert_eq!(claims(&second["access_token"])["scp"], "Presence.Read");
    assert_eq!(refresh(&first).await.0, 200, "using it does not use it up");
    let path = format!("users/{ANNA}/revoke");
    assert_eq!(tenant.ok(Method::POST, &path, None).await["revoked"], 3);
    for old in [&first, second["refresh_token"].as_str().unwrap()] {
        assert_eq!(refused(&refresh(old).await), (400, "invalid_grant", 50_173));
    }
    assert_eq!(
        refused(&refresh("unheard-of").await),
        (400, "invalid_grant", 9_002_313)
    );
    let (_, body) = token(&tenant, &form).await;
    tenant.advance_minutes(90.0 * 24.0 * 60.0).await;
    assert_eq!(
        refused(&refresh(body["refresh_token"].as_str().unwrap()).await),
        (400, "invalid_grant", 700_082)
    );
    let without: Vec<_> = form
        .iter()
        .copied()
        .map(|(name, value)| (name, value.trim_end_matches(" offline_access")))
        .collect();
    assert!(
        token(&tenant, &without)
            .await
            .1
            .get("refresh_token")
            .is_none(),
        "rule 3"
    );
}

#[tokio::test]
async fn row_100_passwords_are_refused_where_entra_refuses_them() {
    let tenant = Tenant::start().await;
    let form = |user: &'static str, password: &'static str| {
        [
            ("grant_type", "password"),
            ("client_id", X),
            ("username", user),
            ("password", password),
            ("scope", "Presence.Read"),
        ]
    };
    let (anna, ben, right) = (
        "anna@contoso.example",
        "ben@contoso.example",
        teamsbox::DEFAULT_PASSWORD,
    );
    assert_eq!(token(&tenant, &form(anna, right)).await.0, 200);
    assert_eq!(
        refused(&token(&tenant, &form(anna, "wrong")).await),
        (400, "invalid_grant", 50_126)
    );
    assert_eq!(
        refused(&token(&tenant, &form("nobody@contoso.example", right)).await),
        (400, "invalid_grant", 50_034)
    );
    tenant
        .ok(
            Method::PATCH,
            &format!("users/{ANNA}"),
            Some(json!({ "federated": true })),
        )
        .await;
    assert_eq!(
        refused(&token(&tenant, &form(anna, right)).await).1,
        "invalid_grant"
    );
    let realm = tenant
        .http
        .get(format!("{}/common/userrealm/{anna}", tenant.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        realm.json::<Value>().await.unwrap()["account_type"],
        "Federated"
    );
    tenant
        .ok(
            Method::PATCH,
            &format!("users/{BEN}"),
            Some(json!({ "secondFactor": true })),
        )
        .await;
    assert_eq!(
        refused(&token(&tenant, &form(ben, right)).await),
        (400, "invalid_grant", 50_076)
    );
    let disabled = json!({ "secondFactor": false, "profile": { "accountEnabled": false } });
    tenant
        .ok(Method::PATCH, &format!("users/{BEN}"), Some(disabled))
        .await;
    assert_eq!(
        refused(&token(&tenant, &form(ben, right)).await),
        (400, "invalid_grant", 50_057)
    );
    let common = ask(&tenant, "common/oauth2/v2.0/token", &form(anna, right)).await;
    assert_eq!(refused(&common).1, "invalid_request", "rule 5");
    tenant
        .ok(
            Method::PATCH,
            &format!("users/{BEN}"),
            Some(json!({ "secondFactor": false, "password": null })),
        )
        .await;
    assert_eq!(refused(&token(&tenant, &form(ben, right)).await).2, 50_126);
}

#[tokio::test]
async fn scopes_are_refused_that_do_not_exist_or_lack_consent() {
    let tenant = Tenant::start().await;
    let app = json!({ "clientId": X, "clientSecret": SECRET, "scopes": ["Presence.Read"] });
    tenant.ok(Method::POST, "apps", Some(app)).await;
    let form = |scope: &'static str| [("client_id", X), ("scope", scope)];
    let ask = async |scope| {
        ask(
            &tenant,
            "contoso.example/oauth2/v2.0/devicecode",
            &form(scope),
        )
        .await
    };
    assert_eq!(
        ask("https://graph.microsoft.com/Presence.Read openid")
            .await
            .0,
        200
    );
    assert_eq!(
        refused(&ask("Presence.Fly").await),
        (400, "invalid_scope", 70_011)
    );
    assert_eq!(
        refused(&ask("Presence.Read.All").await),
        (400, "invalid_grant", 65_001)
    );
    assert_eq!(
        refused(&ask("https://example.org/Presence.Read").await),
        (400, "invalid_resource", 500_011)
    );
}

#[tokio::test]
async fn errors_of_choice_carry_their_number() {
    let tenant = Tenant::start().await;
    let fault = json!({ "token": { "status": 400, "error": "invalid_grant", "code": 53003, "remaining": 1 } });
    tenant.ok(Method::PUT, "faults", Some(fault)).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", X),
        ("client_secret", SECRET),
        ("scope", SCOPE),
    ];
    assert_eq!(
        refused(&token(&tenant, &form).await),
        (400, "invalid_grant", 53_003)
    );
    assert_eq!(token(&tenant, &form).await.0, 200);
}

/// Configured codes, answers in other forms than Entra's, and lifetimes as text.
#[tokio::test]
async fn token_requests_are_refused_with_the_code_of_choice() {
    let tenant = Tenant::start().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", X),
        ("client_secret", SECRET),
        ("scope", SCOPE),
    ];
    let url = format!("{}/contoso.example/oauth2/v2.0/token", tenant.url);
    let ask = async || tenant.http.post(&url).form(&form).send().await;
    let faults = async |token: Value| {
        let body = Some(json!({ "token": token }));
        tenant.ok(Method::PUT, "faults", body).await;
    };
    for (code, status, error) in [
        (700_024, 401, "invalid_client"),
        (90_033, 503, "temporarily_unavailable"),
        (7_000_112, 400, "unauthorized_client"),
        (7_000_222, 401, "invalid_client"),
        (53_003, 400, "invalid_grant"),
    ] {
        faults(json!({ "code": code, "remaining": 1 })).await;
        let answer = ask().await.unwrap();
        assert_eq!(answer.status(), status, "{code}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(
            (&body["error"], &body["error_codes"]),
            (&json!(error), &json!([code]))
        );
        let description = body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")),
            "{description}"
        );
    }
    faults(json!([
        { "status": 502, "answer": "html", "remaining": 1 },
        { "answer": "closed", "remaining": 1 },
    ]))
    .await;
    let page = ask().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(ask().await.unwrap_err().is_request());
    tenant.knobs(json!({ "expiresIn": "text" })).await;
    let body: Value = ask().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&body["expires_in"], &body["ext_expires_in"]),
        (&json!("3599"), &json!("3599"))
    );
    for wrong in [
        json!({}),
        json!({ "code": 1 }),
        json!({ "status": 200 }),
        json!({ "status": 500, "percent": 0 }),
    ] {
        let (status, _) = tenant
            .control(Method::PUT, "faults", Some(json!({ "token": wrong })))
            .await;
        assert_eq!(status, 400, "{wrong}");
    }
}
