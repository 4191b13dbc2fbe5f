//! Knobs, tenants and the journal: row 14, and rules 14, 18 and 62.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, BEN, SECRET, Tenant, X, Y, json_of, pair, session};

const READ: &str = "users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence";

#[tokio::test]
async fn rule_18_foreign_session_ids_are_accepted_unless_told_otherwise() {
    let tenant = Tenant::start().await;
    let body = session("11111111-1111-4111-8111-111111111111", "Busy/InACall", None);
    assert_eq!(
        tenant
            .presence(X, ANNA, "setPresence", body.clone())
            .await
            .status(),
        StatusCode::OK
    );
    tenant.knobs(json!({ "foreignSessionId": "refuse" })).await;
    assert_eq!(
        tenant.presence(X, ANNA, "setPresence", body).await.status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn row_014_and_others_behave_as_their_knobs_say() {
    let tenant = Tenant::start().await;
    let set = async |pair: &str| {
        tenant
            .presence(X, ANNA, "setPresence", session(X, pair, None))
            .await
            .status()
            .as_u16()
    };
    tenant.knobs(json!({ "calendarPairs": "ignore", "idleSpelling": "Available/AvailableInactive", "echoActivity": "busy" })).await;
    assert_eq!(
        (
            set("Busy/InAMeeting").await,
            tenant.reads(ANNA).await.as_str()
        ),
        (200, "Offline/Offline")
    );
    assert_eq!(
        (set("Busy/InACall").await, tenant.reads(ANNA).await.as_str()),
        (200, "Busy/Busy")
    );
    tenant
        .presence(
            X,
            ANNA,
            "setPresence",
            session(X, "Available/Available", Some("PT1H")),
        )
        .await;
    tenant.advance_minutes(5.0).await;
    assert_eq!(tenant.reads(ANNA).await, "Available/AvailableInactive");
    tenant.knobs(json!({ "valueList": "list2025", "principalName": "accept", "clearEmptyPreferred": "refuse" })).await;
    let body: Value = tenant
        .graph(X, Method::GET, "users/anna@contoso.example/presence", None)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(pair(&body), "available/availableInactive");
    let empty = tenant
        .presence(X, ANNA, "clearUserPreferredPresence", json!({}))
        .await;
    assert_eq!(empty.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rule_11_unknown_ids_of_bulk_reads_and_other_knobs() {
    let tenant = Tenant::start().await;
    let bulk = async || {
        let body = json!({ "ids": [ANNA, X] });
        tenant
            .graph(
                X,
                Method::POST,
                "communications/getPresencesByUserId",
                Some(body),
            )
            .await
    };
    tenant
        .knobs(json!({ "bulkUnknownId": "presenceUnknown", "valueList": "pascal" }))
        .await;
    let body: Value = bulk().await.json().await.unwrap();
    assert_eq!(
        (&body["value"][1]["id"], pair(&body["value"][1])),
        (&json!(X), "PresenceUnknown/PresenceUnknown".to_owned())
    );
    tenant.knobs(json!({ "bulkUnknownId": "notFound" })).await;
    assert_eq!(bulk().await.status(), StatusCode::NOT_FOUND);
    tenant
        .ok(
            Method::PUT,
            "knobs",
            Some(json!({ "calendarAlone": "show", "tieBreak": "earliest" })),
        )
        .await;
    tenant
        .ok(
            Method::POST,
            &format!("users/{BEN}/calendar"),
            Some(json!({ "kind": "meeting" })),
        )
        .await;
    assert_eq!(tenant.reads(BEN).await, "Busy/InAMeeting");
    for (app, pair) in [(X, "Busy/InACall"), (Y, "Busy/InAConferenceCall")] {
        tenant
            .presence(app, BEN, "setPresence", session(app, pair, None))
            .await;
        tenant.advance_minutes(1.0).await;
    }
    assert_eq!(tenant.reads(BEN).await, "Busy/InACall");
    let (status, problem) = tenant
        .control(Method::PATCH, "knobs", Some(json!({ "webLag": "soon" })))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::BAD_REQUEST, &json!("knobs"))
    );
}

/// A second tenant with one person; her id.
async fn fabrikam(tenant: &Tenant) -> String {
    let domain = Some(json!({ "domain": "fabrikam.example" }));
    tenant.ok(Method::POST, "tenants", domain.clone()).await;
    assert_eq!(tenant.control(Method::POST, "tenants", domain).await.0, 409);
    let zoe = json!({ "displayName": "Zoe", "userPrincipalName": "zoe@fabrikam.example" });
    let path = "tenants/fabrikam.example/users";
    let zoe = tenant.ok(Method::POST, path, Some(zoe)).await;
    let app = json!({ "clientId": X, "clientSecret": SECRET });
    tenant
        .ok(Method::POST, "tenants/fabrikam.example/apps", Some(app))
        .await;
    zoe["id"].as_str().unwrap().to_owned()
}

async fn token_of(tenant: &Tenant, segment: &str) -> (StatusCode, Value) {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", X),
        ("client_secret", SECRET),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let url = format!("{}/{segment}/oauth2/v2.0/token", tenant.url);
    let response = tenant.http.post(url).form(&form).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn tenants_have_people_applications_and_limits_of_their_own() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "presenceLimit": 1 })).await;
    let zoe = fabrikam(&tenant).await;
    let (_, token) = token_of(&tenant, "fabrikam.example").await;
    let token = token["access_token"].as_str().unwrap();
    let path = format!("users/{zoe}/presence");
    let status = async || {
        tenant
            .with_token(token, Method::GET, &path, None)
            .await
            .status()
    };
    assert_eq!(status().await, 200);
    assert_eq!(
        tenant.graph(X, Method::GET, &path, None).await.status(),
        404,
        "not in the first tenant"
    );
    assert_eq!(
        tenant.graph(X, Method::GET, READ, None).await.status(),
        429,
        "which has its own limit"
    );
    assert_eq!(status().await, 200);
    let (unknown, body) = token_of(&tenant, "nowhere.example").await;
    assert_eq!(
        (unknown, &body["error_codes"][0]),
        (StatusCode::BAD_REQUEST, &json!(90_002))
    );
}

#[tokio::test]
async fn organizations_means_the_tenant_of_the_user() {
    let tenant = Tenant::start().await;
    let zoe = fabrikam(&tenant).await;
    let ask = async |form: &[(&str, &str)]| {
        let url = format!("{}/organizations/oauth2/v2.0/token", tenant.url);
        json_of(tenant.http.post(url).form(form).send().await.unwrap()).await
    };
    let password = [
        ("grant_type", "password"),
        ("client_id", X),
        ("username", "zoe@fabrikam.example"),
        ("password", teamsbox::DEFAULT_PASSWORD),
        ("scope", "Presence.Read offline_access"),
    ];
    let first = ask(&password).await;
    let refresh = first["refresh_token"].as_str().unwrap();
    let again = ask(&[
        ("grant_type", "refresh_token"),
        ("client_id", X),
        ("refresh_token", refresh),
    ])
    .await;
    for token in [&first, &again] {
        let token = token["access_token"].as_str().unwrap();
        let body = json_of(
            tenant
                .with_token(token, Method::GET, "me/presence", None)
                .await,
        )
        .await;
        assert_eq!(body["id"], zoe);
    }
}

#[tokio::test]
async fn each_tenant_has_its_own_control_plane() {
    let tenant = Tenant::start().await;
    fabrikam(&tenant).await;
    let count = async |path: &str| {
        tenant
            .ok(Method::GET, path, None)
            .await
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("tenants/fabrikam.example/users").await, 1);
    let people = tenant
        .ok(Method::GET, "tenants/fabrikam.example/users", None)
        .await;
    let id = people[0]["id"].as_str().unwrap();
    let person = format!("tenants/fabrikam.example/users/{id}");
    let person = tenant.ok(Method::GET, &person, None).await;
    assert_eq!(person["availability"], "Offline");
    assert_eq!((count("users").await, count("tenants").await), (2, 2));
    let journal = tenant
        .ok(Method::GET, "tenants/fabrikam.example/journal", None)
        .await;
    let created = |entry: &Value| entry["detail"]["operation"] == "createUser";
    assert_eq!(
        journal["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| created(entry))
            .count(),
        1
    );
    for path in [
        "tenants/nowhere.example/users",
        "tenants/fabrikam.example/nothing",
    ] {
        assert_eq!(
            tenant.control(Method::GET, path, None).await.0,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn rule_62_the_journal_can_be_followed() {
    let tenant = Tenant::start().await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, "Busy/InACall", None))
        .await;
    let mut feed = tenant
        .http
        .get(format!("{}/box/v1/journal/events?user={ANNA}", tenant.url))
        .send()
        .await
        .unwrap();
    let mut text = String::new();
    let mut cleared = false;
    while text.matches("event: change").count() < 2 {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(20), feed.chunk())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        if !cleared && text.contains("event: change") {
            cleared = true;
            tenant
                .presence(X, ANNA, "clearPresence", json!({ "sessionId": X }))
                .await;
        }
    }
    assert!(
        text.contains(&format!("graph: setPresence by app {X}")) && text.contains("event: write"),
        "{text}"
    );
    let entries = tenant.journal().await;
    let changes = entries.iter().filter(|entry| entry["kind"] == "change");
    assert!(
        changes.clone().count() >= 2 && changes.clone().all(|entry| entry["cause"].is_string())
    );
}

#[tokio::test]
async fn rule_62_the_journal_has_every_request() {
    let tenant = Tenant::start().await;
    for path in [
        "common/discovery/keys",
        "contoso.example/v2.0/.well-known/openid-configuration",
        "v1.0/me",
    ] {
        tenant
            .http
            .get(format!("{}/{path}", tenant.url))
            .send()
            .await
            .unwrap();
    }
    tenant.token(X).await;
    let entries = tenant.journal().await;
    let requests: Vec<_> = entries
        .iter()
        .map(|entry| entry["detail"]["path"].as_str().unwrap())
        .collect();
    let expected = [
        "/common/discovery/keys",
        "/contoso.example/v2.0/.well-known/openid-configuration",
        "/v1.0/me",
        "/contoso.example/oauth2/v2.0/token",
    ];
    assert_eq!(requests, expected);
}

#[tokio::test]
async fn a_change_that_is_partly_wrong_changes_nothing() {
    let tenant = Tenant::start().await;
    let path = format!("users/{ANNA}");
    for body in [
        json!({ "displayName": "Other", "profile": { "shoeSize": "44" } }),
        json!({ "displayName": "Other", "userPrincipalName": "ben@contoso.example" }),
        json!({ "displayName": " " }),
        json!({ "scheduledLocation": { "workLocationType": "moon" } }),
    ] {
        let (status, problem) = tenant.control(Method::PATCH, &path, Some(body)).await;
        assert!(
            status.is_client_error() && problem["remedy"].is_string(),
            "{problem}"
        );
    }
    assert_eq!(
        tenant.ok(Method::GET, &path, None).await["displayName"],
        "Anna"
    );
    tenant
        .ok(
            Method::PATCH,
            &path,
            Some(json!({ "displayName": "Ann", "userPrincipalName": "ann@contoso.example" })),
        )
        .await;
    assert_eq!(
        tenant
            .ok(Method::GET, "users/ann@contoso.example", None)
            .await["displayName"],
        "Ann"
    );
    let body = json!({ "displayName": "Carl", "profile": { "businessPhones": ["1", "2"] } });
    assert_eq!(
        tenant.control(Method::POST, "users", Some(body)).await.0,
        400
    );
    assert_eq!(
        tenant
            .ok(Method::GET, "users", None)
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
