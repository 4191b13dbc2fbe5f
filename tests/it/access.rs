//! Access rights: keys by their scopes, administrators in their location, people for themselves; and their end when
//! they are revoked.

use end_to_end::{Demo, Installation, Server, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";

async fn key(server: &Server, scopes: &[&str]) -> (String, Server) {
    let body = json!({"name": "robot", "scopes": scopes});
    let made = server.ok(Method::POST, "/api/v1/keys", Some(body)).await;
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), server.with_key(&text("key")))
}

#[tokio::test]
async fn a_key_may_what_its_scopes_say() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person(ANNA).await;
    let presence = format!("/api/v1/people/{anna}/presence");
    let meeting = format!("/api/v1/people/{anna}/meetings/daily");
    let settings = "/api/v1/scopes/organisation/settings/presence";
    for (scopes, may_read, may_write, may_administer) in [
        (&["read"][..], true, false, false),
        (&["write"], false, true, false),
        (&["read", "write"], true, true, false),
        (&["admin"], true, true, true),
    ] {
        let (_, robot) = key(&demo.server, scopes).await;
        let try_to = async |method: Method, path: &str, body: Option<Value>| {
            let (status, _) = robot.api(method, path, body).await;
            assert!(
                status.is_success() || status == StatusCode::FORBIDDEN,
                "{status}"
            );
            status.is_success()
        };
        assert_eq!(
            try_to(Method::GET, &presence, None).await,
            may_read,
            "{scopes:?}"
        );
        let audio = Some(json!({"audio": true}));
        assert_eq!(
            try_to(Method::PUT, &meeting, audio).await,
            may_write,
            "{scopes:?}"
        );
        let history = Some(json!({"history": true}));
        assert_eq!(
            try_to(Method::PUT, settings, history).await,
            may_administer,
            "{scopes:?}"
        );
    }
    let nothing = Some(json!({"name": "robot", "scopes": []}));
    let (status, problem) = demo.server.api(Method::POST, "/api/v1/keys", nothing).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["field"], "scopes");
}

#[tokio::test]
async fn an_open_stream_ends_with_what_let_it_in() {
    let demo = Demo::start(&["--still"]).await;
    let (id, robot) = key(&demo.server, &["read"]).await;
    let mut of_key = robot.events().await;
    let anna = demo.server.signed_in_as(ANNA).await;
    let mut of_anna = anna.events().await;
    let mut of_other = demo.server.events().await;
    let path = format!("/api/v1/keys/{id}");
    demo.server.ok(Method::DELETE, &path, None).await;
    anna.ok(Method::DELETE, "/api/v1/session", None).await;
    for stream in [&mut of_key, &mut of_anna] {
        let ended = async { while stream.chunk().await.unwrap().is_some() {} };
        tokio::time::timeout(SOON, ended)
            .await
            .expect("the stream goes on");
    }
    // The other account's stream goes on.
    of_other.chunk().await.unwrap().unwrap();
    demo.server.choose(BERT, "Busy").await;
    let news = tokio::time::timeout(SOON, of_other.chunk()).await.unwrap();
    assert!(news.unwrap().is_some());
}

#[tokio::test]
async fn a_location_administrator_administers_the_location_and_nothing_else() {
    let demo = Demo::start(&["--still"]).await;
    let lea = demo.server.administrator_of("lyon").await;
    let status =
        async |method: Method, path: &str, body: Value| lea.api(method, path, Some(body)).await.0;
    let page = |scope: &str| format!("/api/v1/scopes/{scope}/settings/automatic");
    let locked = json!({"locked": "Busy"});
    assert_eq!(
        status(Method::PUT, &page("lyon"), locked.clone()).await,
        StatusCode::OK
    );
    for (path, body) in [
        (page("berlin"), locked.clone()),
        (page("organisation"), locked),
        (
            "/api/v1/templates/Busy".into(),
            json!({"status": "Busy", "active": false}),
        ),
        (
            "/api/v1/scopes/lyon/settings/calendar".into(),
            json!({"feed": "file:/etc/passwd"}),
        ),
        (
            "/api/v1/scopes/lyon/settings/calendar".into(),
            json!({"feed": "http://127.0.0.1:1/"}),
        ),
    ] {
        let status = status(Method::PUT, &path, body).await;
        assert!(status.is_client_error(), "{path}: {status}");
    }
    let group = json!({"kind": "group", "parent": "lyon", "name": "Night shift"});
    let made = lea.ok(Method::POST, "/api/v1/scopes", Some(group)).await;
    let group = format!("/api/v1/scopes/{}", made["id"].as_str().unwrap());
    lea.ok(Method::DELETE, &group, None).await;
    for (method, path) in [
        (Method::DELETE, "/api/v1/scopes/lyon"),
        (Method::GET, "/api/v1/accounts"),
        (Method::GET, "/api/v1/keys"),
        (Method::GET, "/api/v1/audit"),
        (Method::GET, "/api/v1/directory"),
    ] {
        let status = lea.api(method, path, None).await.0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    // The administrator arranges people of the location, including settings that these people may not change; but not
    // people elsewhere.
    let only_admins = json!({"user_may_change": {"inactivity_after": false}});
    let page = page("organisation");
    demo.server.ok(Method::PUT, &page, Some(only_admins)).await;
    for (name, expected) in [("David Okafor", 200), (BERT, 403)] {
        let person = demo.server.person(name).await;
        let settings = format!("/api/v1/people/{person}/settings/automatic");
        let own = json!({"inactivity_after": 300});
        let status = status(Method::PUT, &settings, own).await;
        assert_eq!(status.as_u16(), expected, "{name}");
    }
}

/// Relationships, meetings, clients, devices, favourites and the calendar are for the person alone.
#[tokio::test]
async fn a_location_administrator_speaks_for_nobody() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = server.administrator_of("lyon").await;
    let (_, writes) = key(server, &["write"]).await;
    let david = server.person("David Okafor").await;
    let person = format!("/api/v1/people/{david}");
    let bert = server.person(BERT).await;
    let feed = Some(json!({"feed": "https://calendar.example/secret.ics"}));
    let relationship = format!("{person}/relationships/{bert}");
    let changes = [
        (&relationship, Some(json!({"level": "AssistantPlus"}))),
        (
            &format!("{person}/meetings/daily"),
            Some(json!({"audio": true})),
        ),
        (
            &format!("{person}/clients/desk"),
            Some(json!({"state": "locked"})),
        ),
        (&format!("{person}/favourites"), Some(json!({"people": []}))),
        (&format!("{person}/settings/calendar"), feed),
    ];
    for (path, body) in changes {
        let (status, problem) = lea.api(Method::PUT, path, body.clone()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {problem}");
        writes.ok(Method::PUT, path, body).await;
    }
    for path in [
        "relationships".to_owned(),
        format!("relationships/{bert}"),
        "favourites".into(),
        "devices".into(),
    ] {
        let status = lea
            .api(Method::GET, &format!("{person}/{path}"), None)
            .await
            .0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in [
        &relationship,
        &format!("{person}/meetings/daily"),
        &format!("{person}/clients/desk"),
    ] {
        let (status, problem) = lea.api(Method::DELETE, path, None).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {problem}");
    }
    // The administrator changes the person's other settings, without reading the address of the calendar.
    let path = format!("{person}/settings/calendar");
    let tentative = Some(json!({"tentative": true}));
    let answer = lea.ok(Method::PUT, &path, tentative).await;
    assert_eq!(answer["tentative"], true);
    assert!(!answer.to_string().contains("secret"), "{answer}");
    let answer = lea.ok(Method::GET, &path, None).await;
    assert!(!answer.to_string().contains("secret"), "{answer}");
}

/// A location administrator's defaults give viewers, and so the administrator, at most TeamColleague.
#[tokio::test]
async fn a_default_of_a_location_makes_nobody_an_assistant() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = server.administrator_of("lyon").await;
    let page = |scope: &str| format!("/api/v1/scopes/{scope}/settings/presence");
    let default = |level: &str| Some(json!({"individual": true, "relationship": level}));
    let status = async |path: &str, body: Option<Value>| lea.api(Method::PUT, path, body).await.0;
    for (level, expected) in [
        ("TeamColleague", StatusCode::OK),
        ("Assistant", StatusCode::FORBIDDEN),
        ("AssistantPlus", StatusCode::FORBIDDEN),
        ("Unknown", StatusCode::OK),
    ] {
        assert_eq!(
            status(&page("lyon"), default(level)).await,
            expected,
            "{level}"
        );
    }
    let group = json!({"kind": "group", "parent": "lyon", "name": "Front desk"});
    lea.ok(Method::POST, "/api/v1/scopes", Some(group)).await;
    let level = default("Assistant");
    assert_eq!(
        status(&page("front-desk"), level.clone()).await,
        StatusCode::FORBIDDEN
    );
    // A level that a system administrator has set may be sent back, but no person can be moved into it.
    server
        .ok(Method::PUT, &page("front-desk"), level.clone())
        .await;
    assert_eq!(status(&page("front-desk"), level).await, StatusCode::OK);
    let path = format!(
        "/api/v1/people/{}/place",
        server.person("David Okafor").await
    );
    let place = json!({"location": "lyon", "group": "front-desk"});
    assert_eq!(status(&path, Some(place)).await, StatusCode::FORBIDDEN);
    // Nor by deleting settings of a scope below a broader one.
    server
        .ok(Method::PUT, &page("lyon"), default("Assistant"))
        .await;
    server
        .ok(Method::PUT, &page("front-desk"), default("Employee"))
        .await;
    let back = Some(json!({"individual": false}));
    assert_eq!(
        status(&page("front-desk"), back).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn nobody_is_offered_to_take_people_out_of_ones_own_location() {
    let demo = Demo::start(&["--still"]).await;
    let lea = demo.server.administrator_of("lyon").await;
    let group = json!({"kind": "group", "parent": "lyon", "name": "Night shift"});
    let group = lea.ok(Method::POST, "/api/v1/scopes", Some(group)).await;
    let group = group["id"].as_str().unwrap();
    let david = demo.server.person("David Okafor").await;
    let system = demo.server.system_administrator().await;
    let offered = async |who: &Server, scope: &str| {
        let path = format!("/admin/scopes/{scope}");
        let (status, _, page) = who.with_headers(Method::GET, &path, &[], None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains(&david), "{scope} names its members: {page}");
        page.contains("Remove David")
    };
    assert!(!offered(&lea, "lyon").await, "it would be refused");
    assert!(offered(&system, "lyon").await);
    let place = json!({"location": "lyon", "group": group});
    let path = format!("/api/v1/people/{david}/place");
    lea.ok(Method::PUT, &path, Some(place)).await;
    assert!(offered(&lea, group).await, "back into the location");
}

#[tokio::test]
async fn a_list_of_one_row_a_page_ends_only_at_its_end() {
    let demo = Demo::start(&["--still"]).await;
    let list = async |query: &str| {
        let path = format!("/api/v1/scopes?{query}");
        demo.server.ok(Method::GET, &path, None).await
    };
    let all = list("limit=100").await["items"].clone();
    let (mut seen, mut next) = (Vec::new(), String::from("limit=1"));
    while !next.is_empty() {
        let page = list(&next).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        // Like a client that takes an empty cursor for none.
        let cursor = page["next"].as_str().filter(|cursor| !cursor.is_empty());
        next = cursor.map_or_else(String::new, |cursor| format!("limit=1&cursor={cursor}"));
    }
    assert_eq!(Value::from(seen), all);
}

#[tokio::test]
async fn what_people_use_is_told_to_administrators_only() {
    let demo = Demo::start(&["--still"]).await;
    let bert = demo.server.signed_in_as(BERT).await;
    for path in ["/api/v1/templates", "/api/v1/templates/Absent"] {
        let answer = bert.ok(Method::GET, path, None).await.to_string();
        assert!(
            !answer.contains("uses") && !answer.contains("people"),
            "{answer}"
        );
        let answer = demo.server.ok(Method::GET, path, None).await.to_string();
        assert!(answer.contains("automatic.client_end"), "{answer}");
    }
    let feed = json!({"feed": "https://calendar.example/secret.ics"});
    let anna = demo.server.person(ANNA).await;
    let path = format!("/api/v1/people/{anna}/settings/calendar");
    demo.server.ok(Method::PUT, &path, Some(feed)).await;
    let (refused, answer) = bert.api(Method::GET, &path, None).await;
    assert_eq!(refused, StatusCode::FORBIDDEN);
    assert!(!answer.to_string().contains("secret"), "{answer}");
    // A blocked viewer must not learn of it from their permissions.
    let (anna, id) = (
        demo.server.person(ANNA).await,
        bert.ok(Method::GET, "/api/v1/session", None).await,
    );
    let permissions = format!("/api/v1/people/{anna}/permissions");
    let before = bert.ok(Method::GET, &permissions, None).await;
    let viewer = id["person"].as_str().unwrap();
    let path = format!("/api/v1/people/{anna}/relationships/{viewer}");
    let blocked = Some(json!({"level": "Blocked"}));
    demo.server.ok(Method::PUT, &path, blocked).await;
    assert_eq!(bert.ok(Method::GET, &permissions, None).await, before);
}

#[tokio::test]
async fn secrets_are_kept_by_no_repeatable_request() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let again = [("idempotency-key", "once")];
    let body = Some(json!({"name": "robot", "scopes": ["read"]}));
    let (status, _, answer) = server
        .with_headers(Method::POST, "/api/v1/keys", &again, body)
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let secret = answer["key"].as_str().unwrap().to_owned();
    assert_eq!(server.terminate().await, 0);
    for name in ["offhook.db", "offhook.db-wal"] {
        let kept = std::fs::read(installation.data(name)).unwrap_or_default();
        let found = kept
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{name} has the key");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_holds_nobody_up() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person(ANNA).await;
    let path = format!("/api/v1/people/{anna}/appointments");
    let slow = demo
        .server
        .begin(Method::POST, &path, &[("idempotency-key", "slow")])
        .await;
    let review =
        json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z", "text": "Review"});
    let quick = async || {
        let headers = [("idempotency-key", "quick")];
        let body = Some(review.clone());
        demo.server
            .with_headers(Method::POST, &path, &headers, body)
            .await
            .0
    };
    eventually("the other one", SOON, StatusCode::CREATED, quick).await;
    drop(slow);
}

#[tokio::test]
async fn whoever_guesses_passwords_has_to_wait() {
    let demo = Demo::start(&["--still"]).await;
    demo.server.signed_in_as(ANNA).await;
    let attempt = async |password: &str| {
        let body = Some(json!({"name": ANNA, "password": password}));
        demo.server
            .api(Method::POST, "/api/v1/sign-in", body)
            .await
            .0
    };
    for _ in 0..10 {
        assert_eq!(attempt("wrong").await, StatusCode::UNAUTHORIZED);
    }
    // The right password is refused for now too, or guessing would find it.
    let right = attempt("correct horse battery").await;
    assert_eq!(right, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn guesses_are_counted_by_who_asks_and_not_by_the_proxy() {
    let guess = async |server: &Server, from: &str| {
        let code = json!({"code": "AAAA-BBBB", "name": "desk", "system": "linux"});
        let headers = [("x-forwarded-for", from)];
        let answer = server.with_headers(Method::POST, "/agent/v1/pair", &headers, Some(code));
        answer.await.0
    };
    let proxies = ("OFFHOOK__HTTP__PROXIES", r#"["127.0.0.1"]"#);
    for (configured, others) in [
        (&[proxies][..], StatusCode::UNPROCESSABLE_ENTITY),
        // Only a proxy's header counts: any other client could write any address into it.
        (&[], StatusCode::TOO_MANY_REQUESTS),
    ] {
        let installation = Installation::new("");
        let server = installation.serve_with(configured).await;
        for _ in 0..40 {
            guess(&server, "192.0.2.1").await;
        }
        let first = guess(&server, "192.0.2.1").await;
        assert_eq!(first, StatusCode::TOO_MANY_REQUESTS, "{configured:?}");
        assert_eq!(guess(&server, "192.0.2.2").await, others, "{configured:?}");
    }
}
