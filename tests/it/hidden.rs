//! What a viewer must not learn: that they are blocked, and what the people of other locations are doing.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};
use serde_json::json;

const CARLA: &str = "Carla Moreno";

/// P19: the overview of a location administrator counts the people of the location, as they may see them, and nothing else.
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
        let (status, _, page) = who.with_headers(Method::GET, "/admin", &[], None).await;
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
        "Requests to",
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
    // Nor how many people are elsewhere.
    for scope in ["organisation", "berlin"] {
        let path = format!("/admin/scopes/{scope}");
        let of = async |who: &Server| who.with_headers(Method::GET, &path, &[], None).await.2;
        assert!(of(&ada).await.contains(" people</p>"), "{scope}");
        assert!(!of(&lea).await.contains(" people</p>"), "{scope}");
    }
    // One person, who shows nothing to an administrator who is a stranger to them.
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
