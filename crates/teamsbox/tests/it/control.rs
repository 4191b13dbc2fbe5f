//! The control plane: people, clients, calls, sharing, manual status, journal, and access.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, BEN, SECRET, Tenant, X, config, session};

const AVAILABLE: &str = "Available/Available";
const CALL: &str = "Busy/InACall";
const PRESENTING: &str = "DoNotDisturb/Presenting";
const OFFLINE: &str = "Offline/Offline";

async fn both(tenant: &Tenant) -> [String; 2] {
    [tenant.reads(ANNA).await, tenant.reads(BEN).await]
}

/// Applies control calls to Anna and Ben (method, path below `users/`, body) and compares the presence of both in Graph.
async fn check(steps: &[(&str, &str, Value, [&str; 2])]) {
    let tenant = Tenant::start().await;
    for (method, path, body, expected) in steps {
        let path = path.replace("ANNA", ANNA).replace("BEN", BEN);
        let method = method.parse().unwrap();
        let body = (!body.is_null()).then(|| body.clone());
        tenant.ok(method, &format!("users/{path}"), body).await;
        assert_eq!(both(&tenant).await, *expected, "{path}");
    }
}

#[tokio::test]
async fn calls_and_sharing_show_on_both_sides() {
    let none = Value::Null;
    for kind in ["audio", "video"] {
        check(&[
            (
                "PUT",
                "ANNA/call",
                json!({ "kind": kind, "with": BEN }),
                [CALL, CALL],
            ),
            ("PUT", "ANNA/sharing", none.clone(), [PRESENTING, CALL]),
            ("PUT", "BEN/sharing", none.clone(), [CALL, PRESENTING]),
            ("DELETE", "BEN/sharing", none.clone(), [CALL, CALL]),
            ("PUT", "ANNA/call", json!({ "kind": "video" }), [CALL, CALL]),
            ("PUT", "ANNA/sharing", none.clone(), [PRESENTING, CALL]),
            ("DELETE", "BEN/call", none.clone(), [AVAILABLE, AVAILABLE]),
            ("DELETE", "BEN/call", none.clone(), [AVAILABLE, AVAILABLE]),
        ])
        .await;
    }
    check(&[
        (
            "PUT",
            "ANNA/sharing",
            json!({ "with": BEN }),
            [PRESENTING, CALL],
        ),
        ("DELETE", "BEN/sharing", none.clone(), [PRESENTING, CALL]),
        (
            "DELETE",
            "ANNA/sharing",
            none.clone(),
            [AVAILABLE, AVAILABLE],
        ),
        ("PUT", "ANNA/sharing", none.clone(), [PRESENTING, AVAILABLE]),
        (
            "DELETE",
            "ANNA/sharing",
            none.clone(),
            [AVAILABLE, AVAILABLE],
        ),
        (
            "DELETE",
            "ANNA/sharing",
            none.clone(),
            [AVAILABLE, AVAILABLE],
        ),
        (
            "PUT",
            "BEN/call",
            json!({ "kind": "audio" }),
            [AVAILABLE, CALL],
        ),
        (
            "DELETE",
            "BEN/clients",
            none.clone(),
            [AVAILABLE, AVAILABLE],
        ),
        ("DELETE", "BEN/clients?now=true", none, [AVAILABLE, OFFLINE]),
    ])
    .await;
}

#[tokio::test]
async fn a_new_partner_ends_the_old_call() {
    let tenant = Tenant::start().await;
    let (status, clara) = tenant
        .control(
            Method::POST,
            "users",
            Some(json!({ "displayName": "Clara", "clients": ["web"] })),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(clara["userPrincipalName"], "clara@contoso.example");
    let clara = clara["id"].as_str().unwrap();
    tenant
        .ok(
            Method::PUT,
            &format!("users/{ANNA}/call"),
            Some(json!({ "kind": "audio", "with": BEN })),
        )
        .await;
    tenant
        .ok(Method::PUT, &format!("users/{ANNA}/sharing"), None)
        .await;
    let state = tenant
        .ok(
            Method::PUT,
            &format!("users/{ANNA}/call"),
            Some(json!({ "kind": "video", "with": clara })),
        )
        .await;
    assert_eq!(
        state["call"],
        json!({ "kind": "video", "with": clara, "sharing": false })
    );
    assert_eq!(both(&tenant).await, [CALL, AVAILABLE]);
    assert_eq!(tenant.reads(clara).await, CALL);
    let ground = tenant
        .ok(Method::GET, "users/clara@contoso.example", None)
        .await;
    assert_eq!(ground["sessions"][0]["name"], "web");
    assert_eq!(ground["call"]["with"], ANNA);
    let (status, problem) = tenant
        .control(
            Method::PUT,
            &format!("users/{ANNA}/call"),
            Some(json!({ "kind": "audio", "with": ANNA })),
        )
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::BAD_REQUEST, &"with".into())
    );
}

#[tokio::test]
async fn the_ground_truth_shows_what_graph_hides() {
    let tenant = Tenant::start().await;
    tenant
        .ok(Method::POST, &format!("users/{ANNA}/clients/mobile"), None)
        .await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, CALL, Some("PT1H")))
        .await;
    let manual = json!({ "availability": "DoNotDisturb" });
    tenant
        .ok(Method::PUT, &format!("users/{ANNA}/manual"), Some(manual))
        .await;
    let state = tenant
        .ok(Method::GET, "users/ANNA@contoso.example", None)
        .await;
    assert_eq!(
        (&state["id"], &state["availability"]),
        (&ANNA.into(), &"DoNotDisturb".into())
    );
    let sessions = state["sessions"].as_array().unwrap();
    let summary: Vec<_> = sessions
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["name"].as_str().unwrap()))
        .collect();
    assert_eq!(summary, [("client", "mobile"), ("app", X)]);
    assert_eq!(sessions[1]["activity"], "InACall");
    assert!(sessions[0]["expires"].is_null() && sessions[1]["expires"].is_string());
    assert!(sessions[1]["since"].is_string() && sessions[1]["changedAt"].is_string());
    assert_eq!(state["preferred"]["activity"], "DoNotDisturb");
    assert!(state["preferred"]["expires"].is_string() && state["call"].is_null());
    let reset = tenant
        .ok(Method::DELETE, &format!("users/{ANNA}/manual"), None)
        .await;
    assert_eq!(
        (&reset["preferred"], &reset["activity"]),
        (&Value::Null, &"InACall".into())
    );
}

#[tokio::test]
async fn statuses_by_hand_have_the_defaults_of_the_menu() {
    let tenant = Tenant::start().await;
    tenant
        .ok(Method::POST, &format!("users/{ANNA}/clients"), None)
        .await;
    for (body, shows, minutes) in [
        (json!({ "availability": "Busy" }), "Busy/Busy", 24.0 * 60.0),
        (
            json!({ "availability": "offline" }),
            "Offline/OffWork",
            7.0 * 24.0 * 60.0,
        ),
        (
            json!({ "availability": "Away", "activity": "Away", "expirationDuration": "PT1M" }),
            "Away/Away",
            1.0,
        ),
    ] {
        tenant
            .ok(Method::PUT, &format!("users/{ANNA}/manual"), Some(body))
            .await;
        tenant.advance_minutes(minutes - 0.01).await;
        assert_eq!(tenant.reads(ANNA).await, shows);
        tenant.advance_minutes(0.01).await;
        assert_eq!(tenant.reads(ANNA).await, AVAILABLE);
    }
}

#[tokio::test]
async fn a_client_stays_for_the_grace_after_signing_out() {
    let tenant = Tenant::start().await;
    let client = format!("users/{ANNA}/clients/desktop");
    tenant.ok(Method::POST, &client, None).await;
    tenant.ok(Method::DELETE, &client, None).await;
    tenant.advance_minutes(2.99).await;
    assert_eq!(tenant.reads(ANNA).await, AVAILABLE);
    tenant.ok(Method::POST, &client, None).await;
    tenant.advance_minutes(1.0).await;
    assert_eq!(
        tenant.reads(ANNA).await,
        AVAILABLE,
        "signing in again cancels the leave"
    );
    tenant.ok(Method::DELETE, &client, None).await;
    tenant.advance_minutes(3.0).await;
    assert_eq!(tenant.reads(ANNA).await, OFFLINE);
    tenant
        .ok(Method::PUT, &client, Some(json!({ "attention": "locked" })))
        .await;
    assert_eq!(tenant.reads(ANNA).await, "Away/Away");
}

#[tokio::test]
async fn errors_name_field_value_and_remedy() {
    let tenant = Tenant::start().await;
    let anna = |rest: &str| format!("users/{ANNA}{rest}");
    for (method, path, body, status, field) in [
        (Method::GET, "users/nobody".to_owned(), None, 404, "id"),
        (
            Method::POST,
            "users".to_owned(),
            Some(json!({ "displayName": " " })),
            400,
            "displayName",
        ),
        (
            Method::POST,
            "users".to_owned(),
            Some(json!({ "displayName": "Zoe", "id": "7" })),
            400,
            "id",
        ),
        (
            Method::POST,
            "users".to_owned(),
            Some(json!({ "displayName": "Anna" })),
            409,
            "userPrincipalName",
        ),
        (
            Method::POST,
            "users".to_owned(),
            Some(json!({ "displayName": "Zoe", "id": ANNA })),
            409,
            "id",
        ),
        (
            Method::POST,
            "users".to_owned(),
            Some(json!({ "displayName": "Zoe", "clients": ["tv"] })),
            400,
            "device",
        ),
        (
            Method::POST,
            "users".to_owned(),
            Some(json!({ "name": "Zoe" })),
            400,
            "body",
        ),
        (Method::POST, anna("/clients/pager"), None, 400, "device"),
        (
            Method::PUT,
            anna("/call"),
            Some(json!({ "kind": "sharing" })),
            400,
            "kind",
        ),
        (
            Method::PUT,
            anna("/call"),
            Some(json!({ "kind": "audio", "with": "nobody" })),
            404,
            "with",
        ),
        (
            Method::PUT,
            anna("/manual"),
            Some(json!({ "availability": "Sleepy" })),
            400,
            "availability",
        ),
        (
            Method::PUT,
            anna("/manual"),
            Some(json!({ "availability": "Away", "expirationDuration": "soon" })),
            400,
            "expirationDuration",
        ),
        (Method::GET, "nothing".to_owned(), None, 404, "path"),
        (Method::DELETE, "journal".to_owned(), None, 405, "method"),
    ] {
        let (got, problem) = tenant.control(method, &path, body).await;
        assert_eq!(
            (got.as_u16(), &problem["field"]),
            (status, &field.into()),
            "{path} {problem}"
        );
        assert_eq!(problem["status"], status);
        assert!(
            !problem["remedy"].as_str().unwrap().is_empty() && problem["value"].is_string(),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn only_this_machine_may_come_in() {
    let mut config = config();
    config.allowed_hosts = vec!["box.example".to_owned()];
    let tenant = Tenant::start_with(config).await;
    let port = tenant.teamsbox.address().port();
    let url = format!("{}/box/v1/users", tenant.url);
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        ("[::1]:8300".to_owned(), 200),
        ("BOX.example".to_owned(), 200),
        ("evil.example".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        ("127.0.0.1.evil.example".to_owned(), 403),
        ("192.0.2.7".to_owned(), 403),
    ] {
        let response = tenant
            .http
            .get(&url)
            .header("host", &host)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{host}");
        let origin = format!("http://{host}");
        let response = tenant
            .http
            .get(&url)
            .header("origin", &origin)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{origin}");
    }
}

#[tokio::test]
async fn the_journal_tells_why() {
    let tenant = Tenant::start().await;
    tenant
        .ok(Method::POST, &format!("users/{ANNA}/clients"), None)
        .await;
    tenant
        .ok(
            Method::PUT,
            &format!("users/{ANNA}/call"),
            Some(json!({ "kind": "audio", "with": BEN })),
        )
        .await;
    tenant
        .ok(Method::DELETE, &format!("users/{ANNA}/call"), None)
        .await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, CALL, None))
        .await;
    tenant.advance_minutes(6.0).await;
    tenant
        .ok(
            Method::PUT,
            &format!("users/{ANNA}/manual"),
            Some(json!({ "availability": "Busy" })),
        )
        .await;
    let page = tenant
        .ok(Method::GET, &format!("journal?user={ANNA}"), None)
        .await;
    let entries = page["entries"].as_array().unwrap();
    let changes: Vec<_> = entries
        .iter()
        .filter(|entry| entry["kind"] == "change")
        .map(|entry| {
            (
                entry["detail"]["to"]["activity"].as_str().unwrap(),
                entry["cause"].as_str().unwrap(),
            )
        })
        .collect();
    let app = format!("graph: setPresence by app {X}");
    let expired = format!("time: session {X} expired");
    assert_eq!(
        changes,
        [
            ("Available", "teams: client signed in"),
            ("InACall", "teams: audio call"),
            ("Available", "teams: call ended"),
            ("InACall", app.as_str()),
            ("Available", expired.as_str()),
            ("Busy", "teams: status set manually"),
        ]
    );
    let write = entries
        .iter()
        .find(|entry| entry["detail"]["operation"] == "setPresence")
        .unwrap();
    assert_eq!(write["detail"]["target"], X);
    let next = page["next"].as_u64().unwrap();
    let rest = tenant
        .ok(Method::GET, &format!("journal?after={next}"), None)
        .await;
    assert_eq!(rest["entries"], json!([]));
    let first = tenant.ok(Method::GET, "journal?limit=1", None).await;
    assert_eq!(
        (first["entries"].as_array().unwrap().len(), &first["next"]),
        (1, &1.into())
    );
}

#[tokio::test]
async fn the_journal_keeps_no_secrets_and_counts_bulk_reads() {
    let tenant = Tenant::start().await;
    let token = tenant.token(X).await;
    let ids = json!({ "ids": vec![ANNA; 650] });
    tenant
        .graph(
            X,
            Method::POST,
            "communications/getPresencesByUserId",
            Some(ids),
        )
        .await;
    let query = format!("users/{ANNA}/presence?access_token=canary-query");
    tenant.graph(X, Method::GET, &query, None).await;
    let journal = tenant.journal().await;
    let bulk = journal
        .iter()
        .find(|entry| entry["detail"]["count"] == 650)
        .unwrap();
    assert_eq!(
        (
            &bulk["kind"],
            &bulk["detail"]["status"],
            &bulk["detail"]["app"]
        ),
        (&"request".into(), &200.into(), &X.into())
    );
    let text = serde_json::to_string(&journal).unwrap();
    for canary in [
        SECRET,
        "canary-query",
        token.as_str(),
        token.rsplit('.').next().unwrap(),
    ] {
        assert!(!text.contains(canary));
    }
    assert!(text.len() < 10_000, "a bulk read is one short entry");
}
