//! Profiles offered to a person, and rights of viewers towards people, through the API of a running server.

use end_to_end::{Demo, Server, eventually, stays};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
/// A person in Lyon.
const DAVID: &str = "David Okafor";
/// A person in Lyon, in no workgroup.
const INES: &str = "Ines Carvalho";

async fn offered(server: &Server, name: &str, template: &str) -> bool {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/profiles");
    let profiles = server.ok(Method::GET, &path, None).await;
    let items = profiles["items"].as_array().unwrap();
    items.iter().any(|profile| profile["name"] == template)
}

#[tokio::test]
async fn templates_are_offered_by_location_by_group_and_to_single_people() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let anna = server.person(ANNA).await;
    let place = json!({"location": "berlin", "group": "reception"});
    let path = format!("/api/v1/people/{anna}/place");
    server.ok(Method::PUT, &path, Some(place)).await;
    let canteen = json!({"name": "Canteen", "status": "BeRightBack", "offers": ["lyon"]});
    server
        .ok(Method::POST, "/api/v1/templates", Some(canteen))
        .await;
    let seen = async |who: [&str; 3]| {
        let mut seen = Vec::new();
        for name in who {
            seen.push(offered(server, name, "Canteen").await);
        }
        seen
    };
    let everybody = [ANNA, BERT, DAVID];
    assert_eq!(
        seen(everybody).await,
        [false, false, true],
        "the location's"
    );
    let put = async |offers: Value, people: Value| {
        let body = json!({"status": "BeRightBack", "offers": offers, "people": people});
        server
            .ok(Method::PUT, "/api/v1/templates/Canteen", Some(body))
            .await;
    };
    put(json!(["reception"]), json!([])).await;
    assert_eq!(seen(everybody).await, [true, false, false], "the group's");
    put(json!([]), json!([server.person(BERT).await])).await;
    assert_eq!(seen(everybody).await, [false, true, false], "one person's");
    // Exactly the offered profiles can be chosen.
    for (name, expected) in [(BERT, 200), (ANNA, 404)] {
        let person = server.person(name).await;
        let path = format!("/api/v1/people/{person}/profile");
        let body = Some(json!({"profile": "Canteen"}));
        let (status, answer) = server.api(Method::PUT, &path, body).await;
        let refused = expected == 404 && status.is_client_error();
        assert!(status.as_u16() == expected || refused, "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_location_may_be_left_out_of_the_synchronisation() {
    let demo = Demo::start(&["--still"]).await;
    let path = "/api/v1/scopes/lyon/settings/teams";
    let none = Some(json!({"individual": true, "mode": "none"}));
    demo.server.ok(Method::PUT, path, none).await;
    let users = demo.teamsbox.control(Method::GET, "/users", None).await;
    let users = users.as_array().unwrap();
    let david = users
        .iter()
        .find(|user| user["displayName"] == DAVID)
        .unwrap();
    let david = david["userPrincipalName"].as_str().unwrap();
    demo.teamsbox
        .call(david, "audio", "anna@contoso.example")
        .await;
    let anna = || demo.server.shown(ANNA);
    eventually(ANNA, SOON, "Busy OnThePhone teams".into(), anna).await;
    let quiet = std::time::Duration::from_secs(1);
    stays(DAVID, quiet, "Available".into(), || {
        demo.server.shown(DAVID)
    })
    .await;
}

#[tokio::test]
async fn what_a_relationship_allows_is_allowed_and_nothing_more() {
    let demo = Demo::start(&["--still"]).await;
    let bert = demo.server.signed_in_as(BERT).await;
    let (anna, id) = (
        demo.server.person(ANNA).await,
        demo.server.person(BERT).await,
    );
    let relationship = format!("/api/v1/people/{anna}/relationships/{id}");
    let later =
        json!({"start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z", "text": "Review"});
    // Change the profile; change forwarding; change appointments (docs/presence-rules.md, "What a viewer may see").
    for (level, expected) in [
        ("Employee", [403, 403, 403]),
        ("TeamColleague", [403, 403, 403]),
        ("Assistant", [200, 403, 403]),
        ("AssistantPlus", [200, 201, 201]),
    ] {
        let body = Some(json!({"level": level}));
        demo.server.ok(Method::PUT, &relationship, body).await;
        let try_it = async |method: Method, path: &str, body: Value| {
            let path = format!("/api/v1/people/{anna}/{path}");
            bert.api(method, &path, Some(body)).await.0.as_u16()
        };
        let own = json!({"name": format!("By {level}"), "status": "Busy"});
        let done = [
            try_it(Method::PUT, "profile", json!({"profile": "Busy"})).await,
            try_it(Method::POST, "profiles", own).await,
            try_it(Method::POST, "appointments", later.clone()).await,
        ];
        assert_eq!(done, expected, "{level}");
        let path = format!("/api/v1/people/{anna}/permissions");
        let allowed = bert.ok(Method::GET, &path, None).await;
        let allowed = ["change_profile", "change_forwarding", "change_appointments"]
            .map(|may| allowed[may] == true);
        assert_eq!(allowed, expected.map(|status| status < 400), "{level}");
        let may_pick_up = bert.ok(Method::GET, &path, None).await["pick_up"] == true;
        assert_eq!(may_pick_up, level != "Employee", "{level}");
    }
}

#[tokio::test]
async fn a_choice_can_be_read_and_is_not_overwritten_by_who_saw_an_older_one() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let path = format!("/api/v1/people/{}/profile", server.person(ANNA).await);
    let chosen = server.ok(Method::GET, &path, None).await;
    assert_eq!(
        chosen,
        json!({"profile": null, "since": null, "until": null})
    );
    let (_, tag, _) = server.with_headers(Method::GET, &path, &[], None).await;
    server.choose(ANNA, "Do not disturb").await;
    let chosen = server.ok(Method::GET, &path, None).await;
    assert_eq!(chosen["profile"], "Do not disturb");
    assert!(
        chosen["since"].is_string() && chosen["until"].is_null(),
        "{chosen}"
    );
    let matching = [("if-match", tag.as_deref().unwrap())];
    let (status, ..) = server
        .with_headers(Method::DELETE, &path, &matching, None)
        .await;
    assert_eq!(status.as_u16(), 412);
    assert_eq!(server.shown(ANNA).await, "DoNotDisturb");
    let bert = server.signed_in_as(BERT).await;
    assert_eq!(bert.api(Method::GET, &path, None).await.0.as_u16(), 403);
}

#[tokio::test]
async fn of_all_that_gives_a_relationship_the_broadest_counts_and_the_owners_word_beats_it() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let bert = server.signed_in_as(BERT).await;
    let (ines, id) = (server.person(INES).await, server.person(BERT).await);
    let path = format!("/api/v1/people/{ines}/permissions");
    let level = async || bert.ok(Method::GET, &path, None).await["level"].take();
    let put = async |path: &str, body: Value| server.ok(Method::PUT, path, Some(body)).await;
    let page = |scope: &str| format!("/api/v1/scopes/{scope}/settings/presence");
    assert_eq!(level().await, Value::Null, "an employee is told nothing");
    put(
        &page("organisation"),
        json!({"relationship": "TeamColleague"}),
    )
    .await;
    assert_eq!(level().await, "TeamColleague", "the organisation's default");
    put(
        &page("lyon"),
        json!({"individual": true, "relationship": "Assistant"}),
    )
    .await;
    assert_eq!(level().await, "Assistant", "the location's");
    let group = json!({"name": "Board", "level": "AssistantPlus", "members": [ines, id]});
    let made = server
        .ok(Method::POST, "/api/v1/workgroups", Some(group))
        .await;
    assert_eq!(level().await, "AssistantPlus", "the workgroup's is broader");
    let own = format!("/api/v1/people/{ines}/relationships/{id}");
    put(&own, json!({"level": "TeamColleague"})).await;
    assert_eq!(level().await, "TeamColleague", "the owner gives less");
    put(&page("lyon"), json!({"owner_policy": "extend_only"})).await;
    assert_eq!(
        level().await,
        "AssistantPlus",
        "the owner may only give more"
    );
    let group = format!("/api/v1/workgroups/{}", made["id"].as_str().unwrap());
    server.ok(Method::DELETE, &group, None).await;
    assert_eq!(level().await, "Assistant", "the workgroup is gone");
}
