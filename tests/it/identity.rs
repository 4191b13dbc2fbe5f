//! Identifying fields of a person: the right to change them, and that no edit leads to a sign-in, a Teams account or a
//! phone with more rights than the editor's.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";
/// A person in Lyon.
const DAVID: &str = "David Okafor";
const INES: &str = "Ines Carvalho";
const JONAS: &str = "Jonas Weber";
/// A person in Berlin.
const ANNA: &str = "Anna Becker";

/// Creates an account of a person and signs in to it.
async fn account(server: &Server, person: &str, role: &str, location: Option<&str>) -> Server {
    let id = server.person(person).await;
    let name = format!("{person} {role}");
    let body = json!({"name": name, "role": role, "person": id, "location": location, "password": PASSWORD});
    server
        .ok(Method::POST, "/api/v1/accounts", Some(body))
        .await;
    server.sign_in(&name, PASSWORD).await
}

async fn key(server: &Server, scope: &str) -> Server {
    let body = json!({"name": scope, "scopes": [scope]});
    let made = server.ok(Method::POST, "/api/v1/keys", Some(body)).await;
    server.with_key(made["key"].as_str().unwrap())
}

async fn person(server: &Server, name: &str) -> (String, Value) {
    let path = format!("/api/v1/people/{}", server.person(name).await);
    let person = server.ok(Method::GET, &path, None).await;
    (path, person)
}

/// Each identifying field × each role × oneself, another person and a system administrator of the same
/// location, and a person of another location.
#[tokio::test]
async fn only_system_administrators_change_what_identifies_a_person() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = account(server, DAVID, "location_admin", Some("lyon")).await;
    let ines = account(server, INES, "system_admin", None).await;
    let jonas = account(server, JONAS, "person", None).await;
    let (reads, writes) = (key(server, "read").await, key(server, "write").await);
    let administers = key(server, "admin").await;
    let fields = [
        ("mail", json!("mine@contoso.example")),
        ("userPrincipalName", json!("mine@contoso.example")),
        ("lines", json!([{"extension": "4711"}])),
    ];
    for name in [DAVID, INES, JONAS, ANNA] {
        let (path, before) = person(server, name).await;
        for (field, value) in &fields {
            for caller in [&lea, &jonas, &reads, &writes] {
                let body = json!({ *field: value });
                let (status, problem) = caller.api(Method::PATCH, &path, Some(body)).await;
                assert_eq!(
                    status,
                    StatusCode::FORBIDDEN,
                    "{field} of {name}: {problem}"
                );
            }
        }
        assert_eq!(person(server, name).await.1, before);
    }
    for (field, value) in &fields {
        for caller in [&ines, &administers] {
            let (path, before) = person(server, JONAS).await;
            let body = json!({ *field: value });
            let changed = caller.ok(Method::PATCH, &path, Some(body)).await;
            assert_eq!(&changed[*field], value, "{field}");
            let back = json!({ *field: before[*field] });
            server.ok(Method::PATCH, &path, Some(back)).await;
        }
    }
    // The name does not identify the person, and identifying fields that are sent back unchanged are no change.
    for name in [DAVID, INES] {
        let (path, mut back) = person(server, name).await;
        back.as_object_mut().unwrap().remove("id");
        back["name"] = json!(format!("{name} (Lyon)"));
        let changed = lea.ok(Method::PATCH, &path, Some(back.clone())).await;
        assert_eq!(changed["name"], back["name"]);
        back["mail"] = json!("mine@contoso.example");
        let (status, problem) = lea.api(Method::PATCH, &path, Some(back)).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::FORBIDDEN, &json!("mail"))
        );
    }
}

/// A location administrator adds, imports and takes over no people, and creates no accounts.
#[tokio::test]
async fn a_location_administrator_makes_and_moves_nobody_into_power() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = account(server, DAVID, "location_admin", Some("lyon")).await;
    let anna = server.person(ANNA).await;
    let table = json!({"csv": "name,mail,UPN,extension\nEve,anna.becker@contoso.example,,4711\n"});
    for (method, path, body) in [
        (
            Method::POST,
            "/api/v1/people".to_owned(),
            json!({"name": "Eve"}),
        ),
        (Method::POST, "/api/v1/people/import".to_owned(), table),
        (
            Method::PUT,
            format!("/api/v1/people/{anna}/place"),
            json!({"location": "lyon", "group": null}),
        ),
        (
            Method::POST,
            "/api/v1/accounts".to_owned(),
            json!({"name": "eve", "role": "system_admin"}),
        ),
        (
            Method::POST,
            "/api/v1/directory/synchronise".to_owned(),
            json!({"dry_run": true}),
        ),
    ] {
        let (status, problem) = lea.api(method, &path, Some(body)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {problem}");
    }
}

/// A person's page shows the identifying fields, with inputs only for viewers who may change them.
#[tokio::test]
async fn the_page_of_a_person_has_inputs_for_what_the_viewer_may_change() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = account(server, DAVID, "location_admin", Some("lyon")).await;
    let ines = account(server, INES, "system_admin", None).await;
    let (path, before) = person(server, JONAS).await;
    let page = path.replace("/api/v1", "/admin");
    let read = async |who: &Server, page: &str| {
        let (status, _, text) = who.with_headers(Method::GET, page, &[], None).await;
        (status, text)
    };
    let (status, shown) = read(&lea, &page).await;
    assert_eq!(status, StatusCode::OK);
    let mail = before["mail"].as_str().unwrap();
    assert!(
        shown.contains(mail) && shown.contains("name=\"name\""),
        "{shown}"
    );
    for field in ["mail", "userPrincipalName", "lines"] {
        let input = format!("name=\"{field}\"");
        assert!(!shown.contains(&input), "{field}: {shown}");
        assert!(read(&ines, &page).await.1.contains(&input), "{field}");
    }
    // Only permitted moves are offered.
    assert!(!shown.contains("value=\"berlin/\""), "{shown}");
    let typed = [
        ("form", "save"),
        ("name", "Jonas W."),
        ("mail", "mine@contoso.example"),
        ("userPrincipalName", "mine@contoso.example"),
        ("lines", "4711"),
    ];
    lea.form(&page, &typed).await;
    let after = person(server, "Jonas W.").await.1;
    for field in ["mail", "userPrincipalName", "lines"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let elsewhere = person(server, ANNA).await.0.replace("/api/v1", "/admin");
    assert_eq!(read(&lea, &elsewhere).await.0, StatusCode::FORBIDDEN);
    assert_eq!(read(&ines, &elsewhere).await.0, StatusCode::OK);
}

/// The Teams account of a person, by each way of linking.
#[tokio::test]
async fn only_the_person_and_system_administrators_assign_a_teams_account() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = account(server, DAVID, "location_admin", Some("lyon")).await;
    let jonas = account(server, JONAS, "person", None).await;
    let (reads, writes) = (key(server, "read").await, key(server, "write").await);
    let anna = person(server, ANNA).await.1;
    for name in [INES, JONAS] {
        let (path, _) = person(server, name).await;
        let account = format!("{path}/teams-account");
        let linked = server.ok(Method::GET, &account, None).await;
        for (caller, is_own) in [
            (&lea, false),
            (&jonas, name == JONAS),
            (&reads, false),
            (&writes, false),
        ] {
            let refused = async |method: Method, path: &str, body: Option<Value>| {
                let (status, problem) = caller.api(method, path, body).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {problem}");
            };
            let upn = json!({"userPrincipalName": anna["userPrincipalName"]});
            refused(Method::PATCH, &path, Some(upn)).await;
            let named = json!({"account": anna["userPrincipalName"]});
            refused(Method::PUT, &account, Some(named)).await;
            if !is_own {
                let sign_in = format!("{account}/sign-in");
                refused(Method::POST, &sign_in, Some(json!({}))).await;
                refused(Method::DELETE, &account, None).await;
            }
        }
        assert_eq!(server.ok(Method::GET, &account, None).await, linked);
    }
}

/// A pending device code is for the person alone. A location administrator who read it could enter it with an
/// account of their own; a sign-in by the claim `oid` with that account would then be the person's.
#[tokio::test]
async fn a_code_that_waits_is_shown_to_the_person_alone() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = account(server, DAVID, "location_admin", Some("lyon")).await;
    let ines = account(server, INES, "system_admin", None).await;
    let path = format!("{}/teams-account", person(server, INES).await.0);
    let sign_in = format!("{path}/sign-in");
    let begun = ines.ok(Method::POST, &sign_in, Some(json!({}))).await;
    let seen = ines.ok(Method::GET, &path, None).await;
    assert_eq!(seen["waiting"]["user_code"], begun["user_code"]);
    let seen = lea.ok(Method::GET, &path, None).await;
    assert!(seen["account"].is_string(), "{seen}");
    assert_eq!(seen["waiting"], Value::Null);
}
