//! Status messages and work locations, and permissions to read them: rows 45 and 46, and rules 8, 10, 13, 33 and 34.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, BEN, READER, Tenant, X, json_of, pair, refusal, session};

const OWN: &str = "Presence.Read";

fn message(text: &str) -> Value {
    json!({ "statusMessage": {
        "message": { "content": text, "contentType": "text" },
        "expiryDateTime": { "dateTime": "2099-10-18T17:05:33.2079781", "timeZone": "Pacific Standard Time" },
    } })
}

#[tokio::test]
async fn row_045_the_times_of_a_status_are_the_own_business() {
    let tenant = Tenant::start().await;
    let set = tenant
        .presence(X, ANNA, "setStatusMessage", message("Out <for> lunch"))
        .await;
    assert_eq!(
        (set.status(), set.text().await.unwrap()),
        (StatusCode::OK, String::new())
    );
    let own = json_of(
        tenant
            .as_user((X, ANNA, OWN), Method::GET, "me/presence", None)
            .await,
    )
    .await;
    assert_eq!(
        own["statusMessage"]["message"],
        json!({ "content": "Out <for> lunch", "contentType": "text" })
    );
    assert_eq!(
        own["statusMessage"]["expiryDateTime"]["timeZone"],
        "Pacific Standard Time"
    );
    assert!(own["statusMessage"]["publishedDateTime"].is_string());
    let path = format!("users/{ANNA}/presence");
    let other = json_of(
        tenant
            .as_user((X, BEN, "Presence.Read.All"), Method::GET, &path, None)
            .await,
    )
    .await;
    let bare = json!({ "message": { "content": "Out <for> lunch", "contentType": "text" } });
    assert_eq!(other["statusMessage"], bare);
}

#[tokio::test]
async fn row_046_nobody_writes_the_status_of_another() {
    let tenant = Tenant::start().await;
    let path = format!("users/{ANNA}/presence/setStatusMessage");
    let response = tenant
        .as_user(
            (X, BEN, "Presence.ReadWrite"),
            Method::POST,
            &path,
            Some(message("x")),
        )
        .await;
    let (status, _, text) = refusal(response).await;
    assert_eq!(status, 401);
    assert!(
        text.starts_with("Cannot set the presence of another user. Authenticated user:")
            && text.ends_with(BEN)
    );
    let path = "me/presence/setStatusMessage";
    let own = tenant
        .as_user(
            (X, BEN, "Presence.ReadWrite"),
            Method::POST,
            path,
            Some(message("mine")),
        )
        .await;
    assert_eq!(own.status(), StatusCode::OK);
}

#[tokio::test]
async fn rule_33_a_status_expires_and_is_cleared() {
    let tenant = Tenant::start().await;
    let now = tenant.teamsbox.clock().now_milliseconds();
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let at = jiff::Timestamp::from_millisecond(now + 600_000)
        .unwrap()
        .to_zoned(zone);
    let mut body = message("For ten minutes");
    body["statusMessage"]["expiryDateTime"] = json!({ "dateTime": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "W. Europe Standard Time" });
    tenant.presence(X, ANNA, "setStatusMessage", body).await;
    let text = async || {
        let path = format!("users/{ANNA}/presence");
        json_of(tenant.graph(X, Method::GET, &path, None).await).await["statusMessage"]["message"]["content"].clone()
    };
    tenant.advance_minutes(9.9).await;
    assert_eq!(text().await, "For ten minutes");
    tenant.advance_minutes(0.2).await;
    assert_eq!(text().await, Value::Null);
    tenant
        .presence(X, ANNA, "setStatusMessage", message("Again"))
        .await;
    assert_eq!(text().await, "Again");
    tenant
        .presence(X, ANNA, "setStatusMessage", message(""))
        .await;
    assert_eq!(text().await, Value::Null);
    for body in [
        json!({}),
        json!({ "statusMessage": { "message": { "content": "x", "contentType": "html" } } }),
        json!({ "statusMessage": { "message": { "content": "x" }, "expiryDateTime": { "dateTime": "noon" } } }),
        json!({ "statusMessage": { "message": { "content": "x".repeat(5_000) } } }),
    ] {
        let refused = refusal(tenant.presence(X, ANNA, "setStatusMessage", body).await).await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "InvalidArgument"));
    }
}

#[tokio::test]
async fn rule_8_all_addresses_show_the_same() {
    let tenant = Tenant::start().await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, "Busy/InACall", None))
        .await;
    let mut seen = Vec::new();
    for path in [
        "me/presence".to_owned(),
        format!("users/{ANNA}/presence"),
        format!("communications/presences/{ANNA}"),
    ] {
        seen.push(
            json_of(
                tenant
                    .as_user((X, ANNA, OWN), Method::GET, &path, None)
                    .await,
            )
            .await,
        );
    }
    assert_eq!(pair(&seen[0]), "Busy/InACall");
    assert!(seen.iter().all(|body| *body == seen[0]));
}

#[tokio::test]
async fn rule_10_a_user_reads_others_with_the_greater_scope_only() {
    let tenant = Tenant::start().await;
    let bulk = json!({ "ids": [ANNA, BEN] });
    for (scope, other, many) in [
        (OWN, 403, 403),
        ("Presence.Read.All", 200, 200),
        ("User.Read", 403, 403),
    ] {
        let path = format!("users/{BEN}/presence");
        assert_eq!(
            tenant
                .as_user((X, ANNA, scope), Method::GET, &path, None)
                .await
                .status(),
            other,
            "{scope}"
        );
        let path = "communications/getPresencesByUserId";
        let response = tenant
            .as_user((X, ANNA, scope), Method::POST, path, Some(bulk.clone()))
            .await;
        assert_eq!(response.status(), many, "{scope}");
    }
    let body = session(X, "Busy/InACall", None);
    for (path, expected) in [
        ("me/presence/setPresence".to_owned(), 200),
        (format!("users/{BEN}/presence/setPresence"), 403),
    ] {
        let response = tenant
            .as_user(
                (X, ANNA, "Presence.ReadWrite"),
                Method::POST,
                &path,
                Some(body.clone()),
            )
            .await;
        assert_eq!(response.status(), expected, "{path}");
    }
    let refused = tenant
        .presence(
            READER,
            ANNA,
            "setPresence",
            session(READER, "Busy/InACall", None),
        )
        .await;
    assert_eq!(refused.status(), 403);
    assert_eq!(
        tenant
            .graph(X, Method::POST, "me/presence/setPresence", Some(body))
            .await
            .status(),
        400
    );
}

#[tokio::test]
async fn work_locations_have_layers_and_need_their_user() {
    let tenant = Tenant::start().await;
    let act = async |action: &str, body: Option<Value>| {
        let path = format!("me/presence/{action}");
        tenant
            .as_user((X, ANNA, "Presence.ReadWrite"), Method::POST, &path, body)
            .await
            .status()
            .as_u16()
    };
    let now = async || {
        let path = format!("users/{ANNA}/presence");
        json_of(tenant.graph(X, Method::GET, &path, None).await).await["workLocation"].clone()
    };
    let place = |kind: &str| Some(json!({ "workLocationType": kind, "placeId": null }));
    let shown = |source: &str, kind: &str| json!({ "placeId": null, "source": source, "workLocationType": kind });
    let scheduled = json!({ "scheduledLocation": { "workLocationType": "office" } });
    tenant
        .ok(Method::PATCH, &format!("users/{ANNA}"), Some(scheduled))
        .await;
    assert_eq!(now().await, shown("scheduled", "office"));
    assert_eq!(act("setAutomaticLocation", place("remote")).await, 204);
    assert_eq!(act("setManualLocation", place("timeOff")).await, 204);
    assert_eq!(now().await, shown("manual", "timeOff"));
    tenant.knobs(json!({ "locationStatus": 200 })).await;
    assert_eq!(act("clearLocation", None).await, 200);
    assert_eq!(now().await, shown("scheduled", "office"));
    assert_eq!(act("setManualLocation", place("moon")).await, 400);
    let by_app = tenant
        .presence(
            X,
            ANNA,
            "setManualLocation",
            json!({ "workLocationType": "office" }),
        )
        .await;
    assert_eq!(by_app.status(), 403, "applications may not");
}

#[tokio::test]
async fn rule_34_teams_itself_shows_changes_late() {
    let tenant = Tenant::start().await;
    let views =
        async || tenant.ok(Method::GET, &format!("users/{ANNA}"), None).await["views"].clone();
    let shows = |view: &Value| pair(view) == "Busy/InACall";
    tenant
        .presence(
            X,
            ANNA,
            "setPresence",
            session(X, "Busy/InACall", Some("PT4H")),
        )
        .await;
    assert_eq!(
        tenant.reads(ANNA).await,
        "Busy/InACall",
        "Graph does not lag"
    );
    let mut seen = Vec::new();
    for _ in 0..11 {
        let now = views().await;
        seen.push(["desktop", "web", "phone"].map(|client| shows(&now[client])));
        tenant.advance_minutes(1.0).await;
    }
    let first = |client: usize| seen.iter().position(|views| views[client]);
    assert_eq!([first(0), first(1), first(2)], [Some(2), Some(5), Some(10)]);
    tenant.knobs(json!({ "readLag": "PT5S" })).await;
    tenant
        .presence(X, ANNA, "clearPresence", json!({ "sessionId": X }))
        .await;
    assert_eq!(tenant.reads(ANNA).await, "Busy/InACall");
    tenant.advance_minutes(5.0 / 60.0).await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
}
