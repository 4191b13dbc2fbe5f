//! Data hidden from viewers: that they are blocked, and the presence of people in other locations.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};
use serde_json::json;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
const CARLA: &str = "Carla Moreno";

/// Metrics of the whole organisation, and the state of its parts, are for system administrators and keys.
#[tokio::test]
async fn metrics_and_readiness_are_for_administrators_and_keys() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let mut keys = Vec::new();
    for scope in ["read", "write"] {
        let body = json!({"name": scope, "scopes": [scope]});
        let made = server.ok(Method::POST, "/api/v1/keys", Some(body)).await;
        keys.push(server.with_key(made["key"].as_str().unwrap()));
    }
    let person = server.signed_in_as(ANNA).await;
    let lea = server.administrator_of("lyon").await;
    let ada = server.system_administrator().await;
    let nobody = server.with_key("");
    for (caller, may) in [
        (&person, false),
        (&lea, false),
        (&ada, true),
        (&keys[0], true),
        (&keys[1], false),
        (&nobody, false),
    ] {
        let (status, _, text) = caller
            .with_headers(Method::GET, "/metrics", &[], None)
            .await;
        assert_eq!(status.is_success(), may, "{status}");
        assert_eq!(text.contains("offhook_"), may, "{text}");
        let (status, ready) = caller.api(Method::GET, "/readyz", None).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(ready["ready"], true);
        assert_eq!(ready["parts"].is_array(), may, "{ready}");
    }
}

/// All responses of the API about a person, without the person's own id and name.
async fn seen(
    viewer: &Server,
    id: &str,
    extension: &str,
) -> Vec<(String, u16, Option<String>, String)> {
    let person = format!("/api/v1/people/{id}");
    let mut paths: Vec<String> = [
        "presence",
        "explanation",
        "history",
        "history?limit=0",
        "history?cursor=x",
        "profile",
        "profiles",
        "profiles/Busy",
        "appointments",
        "appointments?limit=0",
        "appointments?cursor=x",
        "appointments?from=x",
        "appointments/1",
        "relationships",
        "permissions",
        "favourites",
        "settings/presence",
        "settings/calendar",
        "teams-account",
        "devices",
        "devices/1",
        "place",
    ]
    .map(|path| format!("{person}/{path}"))
    .into();
    paths.push(person.clone());
    paths.push(format!("/api/v1/route?to={extension}"));
    paths.push(format!("/people/{id}"));
    paths.push(format!("/admin/people/{id}"));
    let mut seen = Vec::new();
    for path in paths {
        let (status, tag, text) = viewer.with_headers(Method::GET, &path, &[], None).await;
        seen.push((path, status.as_u16(), tag, without_ids(&text)));
    }
    let changes = [
        (Method::PUT, "profile", json!({"profile": "Busy"})),
        (
            Method::POST,
            "profiles",
            json!({"name": "Mine", "status": "Busy"}),
        ),
        (Method::PUT, "meetings/daily", json!({"audio": true})),
        (Method::PUT, "clients/desk", json!({"state": "active"})),
    ];
    for (method, path, body) in changes {
        let path = format!("{person}/{path}");
        let (status, tag, text) = viewer.with_headers(method, &path, &[], Some(body)).await;
        seen.push((path, status.as_u16(), tag, text));
    }
    seen
}

/// A page without the ids after which events are sent: each is sealed anew, and tells nothing.
fn without_ids(page: &str) -> String {
    let mut parts = page.split("data-since=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('"').map_or("", |(_, rest)| rest));
    rest.fold(first, |page, rest| page + rest)
}

/// For a blocked viewer, all responses about a person equal those for a person who is offline. The same person is
/// read twice, blocking the viewer and offline, so that nothing else differs.
#[tokio::test]
async fn a_blocked_viewer_sees_a_person_who_is_offline() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let bert = server.signed_in_as(BERT).await;
    let viewer = server.person(BERT).await;
    let anna = server.person(ANNA).await;
    let offline = json!({"name": "Gone", "status": "Offline"});
    let profiles = format!("/api/v1/people/{anna}/profiles");
    server.ok(Method::POST, &profiles, Some(offline)).await;
    let relationship = format!("/api/v1/people/{anna}/relationships/{viewer}");
    let mut all = Vec::new();
    for (profile, level) in [
        ("Busy", "Blocked"),
        ("Do not disturb", "Unknown"),
        ("Gone", "External"),
    ] {
        server.choose(ANNA, profile).await;
        let level = Some(json!({ "level": level }));
        server.ok(Method::PUT, &relationship, level).await;
        all.push(seen(&bert, &anna, "1001").await);
    }
    for other in &all[..2] {
        for (blocked, offline) in other.iter().zip(&all[2]) {
            // Permissions of a blocked viewer are those before the person set a relationship (tested in
            // administrators.rs).
            let tells_rights = ["/permissions".to_owned(), format!("v/people/{anna}")];
            if tells_rights
                .iter()
                .any(|end| format!("v{}", blocked.0).ends_with(end))
            {
                continue;
            }
            assert_eq!(blocked, offline);
        }
    }
    // To a colleague, a person who has been offline all day looks the same as a person who blocks the colleague.
    let zoe = json!({"name": "Zoe", "lines": [{"extension": "4711"}]});
    let zoe = server.ok(Method::POST, "/api/v1/people", Some(zoe)).await;
    let zoe = zoe["id"].as_str().unwrap();
    let relationship = format!("/api/v1/people/{zoe}/relationships/{viewer}");
    server
        .ok(
            Method::PUT,
            &relationship,
            Some(json!({"level": "Blocked"})),
        )
        .await;
    let blocked = seen(&bert, zoe, "4711").await;
    let path = format!("/api/v1/people/{zoe}/profiles");
    let body = json!({"name": "Gone", "status": "Offline"});
    server.ok(Method::POST, &path, Some(body)).await;
    let path = format!("/api/v1/people/{zoe}/profile");
    server
        .ok(Method::PUT, &path, Some(json!({"profile": "Gone"})))
        .await;
    server
        .ok(
            Method::PUT,
            &relationship,
            Some(json!({"level": "Employee"})),
        )
        .await;
    let history = format!("/api/v1/people/{zoe}/history");
    let answer = bert.ok(Method::GET, &history, None).await;
    let offline = seen(&bert, zoe, "4711").await;
    for (blocked, offline) in blocked.iter().zip(&offline) {
        // Anna was available briefly, which a colleague may see.
        if !blocked.0.contains("history") && !blocked.0.starts_with("/people/") {
            assert_eq!(blocked, offline);
        }
    }
    let items = answer["items"].as_array().unwrap();
    assert!(
        items
            .first()
            .is_none_or(|first| first["presence"]["status"] != "Offline"),
        "{answer}"
    );
}

/// The overview of a location administrator counts the people of the location, as visible to the administrator,
/// and nothing else.
#[tokio::test]
async fn the_overview_counts_the_people_of_the_location() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let location = json!({"kind": "location", "name": "Oslo"});
    server
        .ok(Method::POST, "/api/v1/scopes", Some(location))
        .await;
    let lea = server.administrator_of("oslo").await;
    let ada = server.system_administrator().await;
    let read = async |who: &Server| {
        let (status, _, page) = who
            .with_headers(Method::GET, "/admin/health", &[], None)
            .await;
        assert_eq!(status, StatusCode::OK);
        page
    };
    let everything = read(&ada).await;
    let nothing = read(&lea).await;
    let count = |page: &str| {
        let link = page.split("href=\"/admin/people\">").last().unwrap();
        link.split('<').next().unwrap().to_owned()
    };
    assert_eq!(
        (count(&everything), count(&nothing)),
        ("25".into(), "0".into())
    );
    for of_organisation in [
        "id=\"health\"",
        "Requests in the last 30 seconds",
        "Open boards",
        "Connected desktop agents",
    ] {
        let is_of_page = everything.contains(of_organisation);
        assert!(is_of_page, "{of_organisation}: {everything}");
        assert!(
            !nothing.contains(of_organisation),
            "{of_organisation}: {nothing}"
        );
    }
    // Nor the number of people in other locations.
    for scope in ["organisation", "berlin"] {
        let path = format!("/admin/scopes/{scope}");
        let of = async |who: &Server| who.with_headers(Method::GET, &path, &[], None).await.2;
        assert!(of(&ada).await.contains(" people</p>"), "{scope}");
        assert!(!of(&lea).await.contains(" people</p>"), "{scope}");
    }
    // The location's only person; the administrator may not see their presence.
    let carla = server.person(CARLA).await;
    let path = format!("/api/v1/people/{carla}/place");
    let place = json!({"location": "oslo", "group": null});
    server.ok(Method::PUT, &path, Some(place)).await;
    server.choose(CARLA, "Busy").await;
    let one = read(&lea).await;
    assert_eq!(count(&one), "1");
    for (status, count) in [("Busy", 0), ("Offline", 1)] {
        let row = format!("<th scope=\"row\">{status}</th><td>{count}</td>");
        assert!(one.contains(&row), "{row}: {one}");
    }
}
