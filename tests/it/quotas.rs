//! Quotas, lengths and rates of people's changes: each refusal names field, limit and remedy, and a person's
//! pages work with the largest allowed data.

use end_to_end::{Demo, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";

#[tokio::test]
async fn a_person_has_fifty_profiles_and_their_pages_work_with_the_longest() {
    let demo = Demo::start(&["--still"]).await;
    let id = demo.server.person(ANNA).await;
    let path = format!("/api/v1/people/{id}/profiles");
    let listed = demo.server.ok(Method::GET, &path, None).await;
    let items = listed["items"].as_array().unwrap().iter();
    let own = items.filter(|profile| profile["origin"] == "personal");
    let present = own.count();
    // In a form, every byte of the name takes three.
    let name = |number: usize| format!("{number:02}{}", "ü".repeat(99));
    let host = format!("{}.{}.example", "h".repeat(63), "h".repeat(63));
    let target = format!("sips:{}@{host}:65535;transport=tls", "u".repeat(64));
    let profile = |number: usize| {
        json!({"name": name(number), "status": "Busy", "text": "<".repeat(200),
            "forwarding": {"kind": "all", "target": target}})
    };
    for number in present..50 {
        let body = Some(profile(number));
        demo.server.ok(Method::POST, &path, body).await;
    }
    let (status, problem) = demo
        .server
        .api(Method::POST, &path, Some(profile(50)))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("50") && detail.contains("delete"),
        "{detail}"
    );
    // One of them can still be changed.
    let one = format!("{path}/{}", name(49));
    demo.server.ok(Method::PUT, &one, Some(profile(49))).await;

    let anna = demo.server.signed_in_as(ANNA).await;
    for page in [
        "/me/profiles",
        "/me/settings",
        "/me",
        "/me/appointments",
        "/",
    ] {
        let (status, _) = anna.api(Method::GET, page, None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
    }
    let last = name(49);
    let fields = [("form", "up"), ("key", last.as_str())];
    let (status, page) = anna.form("/me/profiles", &fields).await;
    assert!(status.is_success() || status.is_redirection(), "{page}");
    let listed = anna.ok(Method::GET, &path, None).await;
    let names: Vec<&Value> = listed["items"].as_array().unwrap().iter().collect();
    assert_eq!(names[names.len() - 2]["name"], last, "it went up");
}

#[tokio::test]
async fn texts_and_lists_of_administrators_that_are_too_long_are_refused_by_name() {
    let demo = Demo::start(&["--still"]).await;
    let bert = demo.server.person(BERT).await;
    let long = "x".repeat(201);
    let many = vec![bert; 2_001];
    for (path, body, field) in [
        (
            "scopes",
            json!({"kind": "group", "parent": "berlin", "name": long}),
            "name",
        ),
        (
            "workgroups",
            json!({"name": long, "level": "Employee", "members": []}),
            "name",
        ),
        (
            "workgroups",
            json!({"name": "All", "level": "Employee", "members": many}),
            "members",
        ),
        ("accounts", json!({"name": long, "role": "person"}), "name"),
        ("keys", json!({"name": long, "scopes": ["read"]}), "name"),
        ("templates", json!({"name": long, "status": "Busy"}), "name"),
    ] {
        let path = format!("/api/v1/{path}");
        refused(&demo, Method::POST, &path, body, field).await;
    }
}

#[tokio::test]
async fn texts_and_lists_of_people_that_are_too_long_are_refused_by_name() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person(ANNA).await;
    let bert = demo.server.person(BERT).await;
    let long = "x".repeat(201);
    let order: Vec<String> = (0..1_551).map(|number| number.to_string()).collect();
    let of_list = json!({"name": "A", "status": "Busy", "text": long});
    let appointment = json!({"start": "2099-01-01T09:00:00Z", "end": "2099-01-01T10:00:00Z",
        "text": "x".repeat(1_001)});
    for (path, body, field) in [
        ("profiles", of_list, "text"),
        ("appointments", appointment, "text"),
    ] {
        let path = format!("/api/v1/people/{anna}/{path}");
        refused(&demo, Method::POST, &path, body, field).await;
    }
    let meeting = format!("meetings/{long}");
    let client = format!("clients/{long}");
    for (path, body, field) in [
        ("profiles", json!({"names": order}), "names"),
        ("profiles", json!({"names": [long]}), "names"),
        ("favourites", json!({"people": vec![bert; 1_001]}), "people"),
        ("settings/automatic", json!({"locked": long}), "locked"),
        (
            "settings/calendar",
            json!({"time_zone": "Europe/\nBerlin"}),
            "time_zone",
        ),
        (&meeting, json!({"audio": true}), "meeting"),
        (&client, json!({"state": "Active"}), "client"),
    ] {
        let path = format!("/api/v1/people/{anna}/{path}");
        refused(&demo, Method::PUT, &path, body, field).await;
    }
}

/// Checks that the request is refused with 422 and this field.
async fn refused(demo: &Demo, method: Method, path: &str, body: Value, field: &str) {
    let (status, problem) = demo.server.api(method, path, Some(body)).await;
    assert_eq!(
        status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{path}: {problem}"
    );
    assert_eq!(problem["field"], field, "{path}: {problem}");
}

#[tokio::test]
async fn a_person_changes_twenty_things_a_second_and_a_program_as_many_as_it_likes() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person(ANNA).await;
    let bert = demo.server.person(BERT).await;
    let signed_in = demo.server.signed_in_as(ANNA).await;
    let path = format!("/api/v1/people/{anna}/favourites");
    let favourite = || Some(json!({"people": [bert]}));
    let mut refused = None;
    for _ in 0..1_000 {
        let (status, problem) = signed_in.api(Method::PUT, &path, favourite()).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(problem["detail"].as_str().unwrap().to_owned());
            break;
        }
        assert_eq!(status, StatusCode::OK, "{problem}");
    }
    let detail = refused.expect("1,000 changes at once were taken");
    assert!(detail.contains("API key"), "{detail}");
    // Reads work, and neither other people nor programs are limited.
    signed_in.ok(Method::GET, &path, None).await;
    let other = demo.server.signed_in_as(BERT).await;
    let of_bert = format!("/api/v1/people/{bert}/favourites");
    let none = Some(json!({"people": []}));
    other.ok(Method::PUT, &of_bert, none).await;
    for _ in 0..150 {
        demo.server.ok(Method::PUT, &path, favourite()).await;
    }
    let again = async || signed_in.api(Method::PUT, &path, favourite()).await.0;
    eventually("a second later", SOON, StatusCode::OK, again).await;
}

#[tokio::test]
async fn only_administrators_send_tables() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.signed_in_as(ANNA).await;
    let rows = "x,,,\n".repeat(20_000);
    let table = json!({"csv": format!("name,mail,UPN,extension\n{rows}"), "dry_run": true});
    let import = "/api/v1/people/import";
    let status = async |who: &end_to_end::Server| {
        let body = Some(table.clone());
        who.with_headers(Method::POST, import, &[], body).await.0
    };
    assert_eq!(status(&anna).await, StatusCode::PAYLOAD_TOO_LARGE);
    let refused = status(&demo.server).await;
    assert_ne!(refused, StatusCode::PAYLOAD_TOO_LARGE, "it is read");
}

#[tokio::test]
async fn forms_outside_the_api_are_changes_too() {
    let demo = Demo::start(&["--still"]).await;
    for (name, path, fields) in [
        (ANNA, "/me/teams/forget", &[][..]),
        (
            BERT,
            "/me/sharing",
            &[("form", "set"), ("viewer", "Nobody")],
        ),
    ] {
        let signed_in = demo.server.signed_in_as(name).await;
        let mut refused = None;
        for _ in 0..1_000 {
            let (status, page) = signed_in.form(path, fields).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(page);
                break;
            }
        }
        let page = refused.expect("1,000 forms at once were taken");
        let page = page.to_lowercase();
        assert!(page.contains("too many changes at once"), "{path}: {page}");
        // Reads work.
        let (status, _) = signed_in.api(Method::GET, "/me", None).await;
        assert_eq!(status, StatusCode::OK);
    }
}
