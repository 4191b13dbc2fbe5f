//! Responses that a key can read with each of its scopes, including the responses to its own changes.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";

async fn key(server: &Server, scope: &str) -> Server {
    let body = json!({"name": scope, "scopes": [scope]});
    let made = server.ok(Method::POST, "/api/v1/keys", Some(body)).await;
    server.with_key(made["key"].as_str().unwrap())
}

const FEED: &str = "https://calendar.example/secret.ics";

/// `read` reads everything except secrets, `write` alone reads nothing.
#[tokio::test]
async fn a_key_reads_what_the_document_says() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let reads = key(server, "read").await;
    let writes = key(server, "write").await;
    let person = format!("/api/v1/people/{}", server.person(ANNA).await);
    let calendar = format!("{person}/settings/calendar");
    let feed = json!({ "feed": FEED });
    server.ok(Method::PUT, &calendar, Some(feed)).await;
    for path in [
        "/accounts",
        "/keys",
        "/workgroups",
        "/backups",
        "/work",
        "/directory",
        "/audit",
        "/templates",
        "/scopes/organisation/programs",
        "/route?to=1001",
    ] {
        let path = format!("/api/v1{path}");
        reads.ok(Method::GET, &path, None).await;
        let status = writes.api(Method::GET, &path, None).await.0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in [
        "profile",
        "profiles",
        "profiles/Busy",
        "settings/calendar",
        "settings/automatic",
        "relationships",
        "favourites",
        "teams-account",
        "devices",
        "appointments",
        "history",
        "explanation",
        "permissions",
    ] {
        let path = format!("{person}/{path}");
        let answer = reads.ok(Method::GET, &path, None).await.to_string();
        assert!(!answer.contains("secret"), "{path}: {answer}");
        let status = writes.api(Method::GET, &path, None).await.0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    let uses = reads
        .ok(Method::GET, "/api/v1/templates/Absent", None)
        .await;
    assert!(uses["uses"].is_array(), "{uses}");
    let log = reads
        .ok(Method::GET, "/api/v1/audit", None)
        .await
        .to_string();
    assert!(
        log.contains("settings.set_own") && !log.contains("secret"),
        "{log}"
    );
}

/// A PBX's key appears in its dialplan, its log and its backups, so it must not be good for anything else.
#[tokio::test]
async fn a_key_of_a_pbx_asks_where_calls_go_and_nothing_else() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let anna = server.person(ANNA).await;
    let routes = key(server, "route").await;
    let route = routes
        .ok(Method::GET, "/api/v1/route?to=1001&from=1002", None)
        .await;
    assert_eq!(route["action"], "none", "{route}");
    let person = format!("/api/v1/people/{anna}");
    for path in [
        "/api/v1/people",
        &person,
        &format!("{person}/presence"),
        &format!("{person}/profiles"),
        "/api/v1/route/",
        "/api/v1/routes",
        "/api/v1/route/..%2Fpeople",
        "/api/v1/%72oute/../people",
        "/api/v1/session",
        "/api/v1/events",
        "/api/v1/audit",
        "/api/v1/keys",
        "/route",
        "/",
        "/me",
        "/admin/keys",
        "/metrics",
    ] {
        for method in [Method::GET, Method::HEAD] {
            let status = routes.with_headers(method, path, &[], None).await.0;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            assert!(refused.contains(&status), "{path}: {status}");
        }
    }
    let busy = json!({"profile": "Busy"});
    for (method, path, body) in [
        (Method::PUT, format!("{person}/profile"), busy),
        (
            Method::PUT,
            format!("{person}/clients/x"),
            json!({"state": "active"}),
        ),
        (
            Method::POST,
            "/api/v1/keys".into(),
            json!({"name": "x", "scopes": ["admin"]}),
        ),
    ] {
        let status = routes.api(method, &path, Some(body)).await.0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    let ready = routes.api(Method::GET, "/readyz", None).await.1;
    assert!(
        ready["ready"].is_boolean() && ready.get("parts").is_none(),
        "{ready}"
    );
    // `route` beside another scope takes no right away.
    let body = json!({"name": "both", "scopes": ["route", "read"]});
    let made = server.ok(Method::POST, "/api/v1/keys", Some(body)).await;
    let both = server.with_key(made["key"].as_str().unwrap());
    both.ok(Method::GET, &person, None).await;
    let refused = key(server, "write").await;
    let refused = refused
        .api(Method::GET, "/api/v1/route?to=1001", None)
        .await;
    assert_eq!(refused.0, StatusCode::FORBIDDEN, "{}", refused.1);
}

/// HEAD reveals as much as GET, and requires the same right.
#[tokio::test]
async fn a_key_that_reads_nothing_learns_nothing_by_head() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let writes = key(server, "write").await;
    for path in ["/accounts", "/keys", "/audit", "/templates"] {
        let path = format!("/api/v1{path}");
        let refused = writes.with_headers(Method::HEAD, &path, &[], None).await;
        assert_eq!(refused.0, StatusCode::FORBIDDEN, "{path}");
        let tag = async |method| {
            let (status, tag, _) = server.with_headers(method, &path, &[], None).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            tag
        };
        assert_eq!(tag(Method::HEAD).await, tag(Method::GET).await, "{path}");
    }
}

/// For a key with `write` alone, the response to a change holds the sent values and their result only.
#[tokio::test]
async fn the_answer_to_a_change_tells_a_key_nothing_else() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let writes = key(server, "write").await;
    let bert = server.person(BERT).await;
    let person = format!("/api/v1/people/{}", server.person(ANNA).await);
    let calendar = format!("{person}/settings/calendar");
    let feed = json!({ "feed": FEED });
    server.ok(Method::PUT, &calendar, Some(feed)).await;
    let tentative = Some(json!({"tentative": true}));
    let answer = writes.ok(Method::PUT, &calendar, tentative.clone()).await;
    assert_eq!(Some(answer), tentative);
    let busy = Some(json!({"profile": "Busy"}));
    let answer = writes
        .ok(Method::PUT, &format!("{person}/profile"), busy)
        .await;
    assert_eq!(
        (&answer["status"], &answer["profile"]),
        (&json!("Offline"), &Value::Null)
    );
    let order = Some(json!({"names": ["Busy"]}));
    let answer = writes
        .ok(Method::PUT, &format!("{person}/profiles"), order)
        .await;
    assert_eq!(answer, json!({"items": [], "names": []}));
    let level = Some(json!({"level": "Assistant"}));
    let path = format!("{person}/relationships/{bert}");
    writes.ok(Method::PUT, &path, level).await;
    for (method, path, body) in [
        (
            Method::POST,
            format!("{person}/teams-account/sign-in"),
            json!({}),
        ),
        (
            Method::PUT,
            format!("{person}/teams-account"),
            json!({"account": "x"}),
        ),
        (Method::PATCH, person.clone(), json!({"name": "Eve"})),
    ] {
        let status = writes.api(method, &path, Some(body)).await.0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
}
