//! Limits of a location administrator: people's own data, rights that depend on a name, and the forwarding of calls.

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
const CARLA: &str = "Carla Moreno";

/// Signs in as Lea, the administrator of Lyon; the account belongs to Ines.
async fn lea(server: &Server) -> Server {
    let person = server.person(INES).await;
    let body = json!({"name": "lea", "role": "location_admin", "person": person, "location": "lyon",
        "password": PASSWORD});
    server
        .ok(Method::POST, "/api/v1/accounts", Some(body))
        .await;
    server.sign_in("lea", PASSWORD).await
}

async fn refused(who: &Server, method: Method, path: &str, body: Value, field: &str) {
    let (status, problem) = who.api(method, path, Some(body)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {problem}");
    assert_eq!(problem["field"], field, "{path}: {problem}");
}

fn presence_of(scope: &str) -> String {
    format!("/api/v1/scopes/{scope}/settings/presence")
}

async fn group(server: &Server, name: &str) -> String {
    let body = json!({"kind": "group", "parent": "lyon", "name": name});
    let made = server.ok(Method::POST, "/api/v1/scopes", Some(body)).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn relate(server: &Server, owner: &str, viewer: &str, level: &str) {
    let path = format!("/api/v1/people/{owner}/relationships/{viewer}");
    let level = Some(json!({ "level": level }));
    server.ok(Method::PUT, &path, level).await;
}

/// By every way to change the settings that apply to a person.
#[tokio::test]
async fn a_location_administrator_takes_nobody_their_own_word() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = lea(server).await;
    let (david, ines) = (server.person(DAVID).await, server.person(INES).await);
    relate(server, &david, &ines, "Blocked").await;
    let read = async || {
        let path = format!("/api/v1/people/{david}/presence");
        lea.ok(Method::GET, &path, None).await["status"].take()
    };
    assert_eq!(read().await, "Offline");
    let (lyon, policy) = (presence_of("lyon"), "owner_policy");
    let only = || json!({"owner_policy": "extend_only"});
    refused(&lea, Method::PUT, &lyon, only(), policy).await;
    let own = group(&lea, "Own").await;
    refused(&lea, Method::PUT, &presence_of(&own), only(), policy).await;

    // Strict settings of another scope: copied, by a move, by inheritance.
    let strict = group(server, "Strict").await;
    server
        .ok(Method::PUT, &presence_of(&strict), Some(only()))
        .await;
    let copy = json!({"copy_from": strict});
    refused(&lea, Method::PUT, &lyon, copy, policy).await;
    let place = format!("/api/v1/people/{david}/place");
    let to = json!({"location": "lyon", "group": strict});
    refused(&lea, Method::PUT, &place, to, "group").await;
    let free = json!({"owner_policy": "extend_and_restrict"});
    lea.ok(Method::PUT, &lyon, Some(free)).await;
    server
        .ok(Method::PUT, &presence_of("organisation"), Some(only()))
        .await;
    let back = json!({"individual": false});
    refused(&lea, Method::PUT, &lyon, back, policy).await;
    let (status, _) = lea.api(Method::DELETE, "/api/v1/scopes/lyon", None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(read().await, "Offline");

    // What a system administrator has set may be sent back, and may be deleted.
    server.ok(Method::PUT, &lyon, Some(only())).await;
    let same = json!({"owner_policy": "extend_only", "history": false});
    lea.ok(Method::PUT, &lyon, Some(same)).await;
    let free = json!({"owner_policy": "extend_and_restrict"});
    lea.ok(Method::PUT, &lyon, Some(free)).await;
}

/// Imports a person named like another person's extension: the import allows such names, with a warning.
async fn import_named(server: &Server, extension: &str) {
    let csv = format!(
        "name,mail,UPN,extension\n{extension},zoe@contoso.example,,4711\nUma,uma@contoso.example,,4712\n"
    );
    let table = json!({"csv": csv, "dry_run": false});
    let done = server
        .ok(Method::POST, "/api/v1/people/import", Some(table))
        .await;
    let warnings = done["warnings"].as_array().unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].as_str().unwrap().contains(extension),
        "{done}"
    );
}

/// No name gives its person the rights or the account of another person.
#[tokio::test]
async fn a_new_name_does_not_take_what_is_meant_for_another_person() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = lea(server).await;
    let jonas = server.person(JONAS).await;
    let (anna, carla) = (server.person(ANNA).await, server.person(CARLA).await);
    let path = format!("/api/v1/people/{jonas}");
    let rename = async |name: &str| {
        let body = Some(json!({ "name": name }));
        lea.api(Method::PATCH, &path, body).await
    };
    let (status, _) = rename("Anna").await;
    assert_eq!(status, StatusCode::OK);
    let as_carla = server.signed_in_as(CARLA).await;
    let share = async |viewer: &str| {
        let fields = [
            ("form", "set"),
            ("viewer", viewer),
            ("level", "AssistantPlus"),
        ];
        as_carla.form("/me/sharing", &fields).await
    };
    let of_carla = format!("/api/v1/people/{carla}/relationships");
    let viewers = async || {
        let listed = as_carla.ok(Method::GET, &of_carla, None).await;
        let items = listed["items"].as_array().unwrap().iter();
        let viewers: Vec<String> = items
            .map(|item| item["viewer"].as_str().unwrap().to_owned())
            .collect();
        viewers
    };
    let before = viewers().await;
    let (status, page) = share("Anna").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    let person = server
        .ok(Method::GET, &format!("/api/v1/people/{anna}"), None)
        .await;
    let mail = person["mail"].as_str().unwrap();
    let extension = person["lines"][0]["extension"].as_str().unwrap();
    for part in [ANNA, mail, extension, "id=\"set-viewer-error\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(viewers().await, before);
    for (name, text) in [
        ("a part", "nna Beck"),
        ("a mail address", mail),
        ("an extension", extension),
    ] {
        let own = format!("{of_carla}/{anna}");
        as_carla.api(Method::DELETE, &own, None).await;
        let (status, page) = share(text).await;
        assert!(status.is_success(), "{name}: {page}");
        assert!(viewers().await.contains(&anna), "{name}");
    }
    assert!(!viewers().await.contains(&jonas));

    // No person may be named like an address, or like an identifier of another person.
    for name in ["boss@contoso.example", mail, extension] {
        let (status, problem) = rename(name).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}: {problem}"
        );
        assert_eq!(problem["field"], "name");
        let body = Some(json!({ "name": name }));
        let (status, problem) = server.api(Method::POST, "/api/v1/people", body).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}: {problem}"
        );
    }
    import_named(server, extension).await;
    // An existing name may stay, and a form does not take it for an extension.
    let zoe = server.person(extension).await;
    let path = format!("/api/v1/people/{zoe}");
    let body = Some(json!({"name": extension, "mail": "z@contoso.example"}));
    server.ok(Method::PATCH, &path, body).await;
    let own = format!("{of_carla}/{anna}");
    as_carla.ok(Method::DELETE, &own, None).await;
    share(extension).await;
    assert!(viewers().await.contains(&anna) && !viewers().await.contains(&zoe));

    // A form that was loaded before a name changed still means the same person.
    let ada = server.system_administrator().await;
    let body = json!({"name": "boss", "role": "person", "person": anna});
    let made = server
        .ok(Method::POST, "/api/v1/accounts", Some(body))
        .await;
    let path = format!("/admin/accounts?edit={}", made["id"].as_str().unwrap());
    let (_, _, page) = ada.with_headers(Method::GET, &path, &[], None).await;
    assert!(page.contains(mail), "{page}");
}

/// A location administrator's settings for a person forward no calls.
#[tokio::test]
async fn a_location_administrator_sends_no_calls_away_by_a_setting() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lea = lea(server).await;
    let (david, ines) = (server.person(DAVID).await, server.person(INES).await);
    let profiles = format!("/api/v1/people/{david}/profiles");
    for (name, forwarding) in [
        ("Away fw", json!({"kind": "all", "target": "4711"})),
        ("Away dnd", json!({"kind": "do_not_disturb"})),
        ("Plain", json!({"kind": "off"})),
    ] {
        let body = json!({"name": name, "status": "Absent", "forwarding": forwarding});
        server.ok(Method::POST, &profiles, Some(body)).await;
    }
    let settings = format!("/api/v1/people/{david}/settings/automatic");
    let calendar = format!("/api/v1/people/{david}/settings/calendar");
    for name in ["Away fw", "away FW ", "Away dnd", "Not made yet"] {
        let start = json!({ "client_start": name });
        refused(&lea, Method::PUT, &settings, start, "client_start").await;
        let busy = json!({ "busy": name });
        refused(&lea, Method::PUT, &calendar, busy, "busy").await;
    }
    for value in [json!("Plain"), json!("Busy"), Value::Null] {
        let body = Some(json!({ "client_start": value }));
        lea.ok(Method::PUT, &settings, body).await;
    }
    // The person's own choice may be sent back.
    let forwards = || Some(json!({"client_start": "Away fw"}));
    let as_david = server.signed_in_as(DAVID).await;
    as_david.ok(Method::PUT, &settings, forwards()).await;
    lea.ok(Method::PUT, &settings, forwards()).await;
    lea.ok(Method::PUT, &settings, Some(json!({"client_start": null})))
        .await;
    relate(server, &david, &ines, "AssistantPlus").await;
    lea.ok(Method::PUT, &settings, forwards()).await;

    // A value that can never take effect is refused.
    let path = format!("/api/v1/people/{david}/settings/presence");
    for (field, value) in [
        ("relationship", json!("TeamColleague")),
        ("owner_policy", json!("extend_only")),
        ("history", json!(true)),
    ] {
        for caller in [&lea, server] {
            let body = Some(json!({ field: value }));
            let (status, problem) = caller.api(Method::PUT, &path, body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
            assert_eq!(problem["field"], field);
        }
    }
}

/// Permissions look the same after the person blocks the viewer, and no refusal reveals the person's forwarding.
#[tokio::test]
async fn a_blocked_viewer_cannot_tell_by_permissions_and_circles() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let (anna, carla) = (server.person(ANNA).await, server.person(CARLA).await);
    let body = json!({"name": "Two", "level": "TeamColleague", "members": [anna, carla]});
    server
        .ok(Method::POST, "/api/v1/workgroups", Some(body))
        .await;
    let as_carla = server.signed_in_as(CARLA).await;
    let path = format!("/api/v1/people/{anna}/permissions");
    let before = as_carla.ok(Method::GET, &path, None).await;
    assert_eq!(before["level"], "TeamColleague");
    let page = async || {
        let path = format!("/people/{anna}");
        let (_, _, page) = as_carla.with_headers(Method::GET, &path, &[], None).await;
        page.contains("Team colleague")
    };
    let shown = page().await;
    relate(server, &anna, &carla, "Blocked").await;
    assert_eq!(as_carla.ok(Method::GET, &path, None).await, before);
    assert_eq!(page().await, shown);

    // Anna forwards to Carla: Carla may forward to Anna, and the answer does not reveal Anna's forwarding.
    let extension = async |id: &str| {
        let person = server
            .ok(Method::GET, &format!("/api/v1/people/{id}"), None)
            .await;
        person["lines"][0]["extension"].as_str().unwrap().to_owned()
    };
    let (of_anna, of_carla) = (extension(&anna).await, extension(&carla).await);
    for (id, target) in [(&anna, &of_carla), (&carla, &of_anna)] {
        let body = json!({"name": "Away", "status": "Absent",
            "forwarding": {"kind": "all", "target": target}});
        let path = format!("/api/v1/people/{id}/profiles");
        server.ok(Method::POST, &path, Some(body)).await;
    }
    let choice = || Some(json!({"profile": "Away"}));
    let path = |id: &str| format!("/api/v1/people/{id}/profile");
    server.ok(Method::PUT, &path(&anna), choice()).await;
    as_carla.ok(Method::PUT, &path(&carla), choice()).await;
    as_carla.ok(Method::DELETE, &path(&carla), None).await;
    // An administrator is refused with the reason.
    let (status, problem) = server.api(Method::PUT, &path(&carla), choice()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("circle") && detail.contains(ANNA),
        "{detail}"
    );
}
