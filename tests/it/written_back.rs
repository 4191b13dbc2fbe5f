//! Every resource of the OpenAPI document that can be read and changed accepts its own representation, unchanged
//! or with one changed field.

use std::collections::BTreeMap;

use end_to_end::{Demo, Server};
use reqwest::Method;
use serde_json::{Value, json};

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
/// Settings pages, with a setting that only this page has.
const PAGES: [&str; 6] = [
    "presence",
    "teams",
    "microphone",
    "profiles",
    "automatic",
    "calendar",
];

async fn made(server: &Server, path: &str, body: Value) -> Value {
    server.ok(Method::POST, path, Some(body)).await
}

async fn put(server: &Server, path: &str, body: Value) {
    server.ok(Method::PUT, path, Some(body)).await;
}

fn id(made: &Value) -> &str {
    made["id"].as_str().unwrap()
}

/// Ids of the created objects.
struct Created {
    anna: String,
    bert: String,
    appointment: String,
    device: String,
    group: String,
    account: String,
}

/// Creates one object of each kind for a person.
async fn fill(server: &Server) -> Created {
    let (anna, bert) = (server.person(ANNA).await, server.person(BERT).await);
    let of_anna = format!("/api/v1/people/{anna}");
    put(
        server,
        &format!("{of_anna}/profile"),
        json!({"profile": "Busy", "until": "2099-01-01T00:00:00Z"}),
    )
    .await;
    // The status may be omitted, because the organisation has a template of this name.
    let teams = json!({"name": "MS Teams", "offers": ["lyon"]});
    made(server, "/api/v1/templates", teams).await;
    let focus = json!({"name": "Focus", "status": "Busy", "forwarding": {"kind": "all", "target": "+49301234"}, "text": "not now"});
    made(server, &format!("{of_anna}/profiles"), focus).await;
    let review =
        json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z", "text": "Review"});
    let appointment = made(server, &format!("{of_anna}/appointments"), review).await;
    let viewer = format!("{of_anna}/relationships/{bert}");
    put(server, &viewer, json!({"level": "Assistant"})).await;
    put(
        server,
        &format!("{of_anna}/favourites"),
        json!({"people": [bert]}),
    )
    .await;
    put(
        server,
        &format!("{of_anna}/settings/automatic"),
        json!({"inactivity_after": 300}),
    )
    .await;
    let group = json!({"name": "Board", "level": "Assistant", "members": [anna, bert]});
    let group = made(server, "/api/v1/workgroups", group).await;
    let account = json!({"name": "anna", "role": "location_admin", "location": "lyon", "password": "correct horse battery"});
    let account = made(server, "/api/v1/accounts", account).await;
    let devices = format!("{of_anna}/devices");
    let code = server.ok(Method::POST, &devices, None).await;
    let pair = json!({"code": code["code"], "name": "laptop", "system": "linux"});
    made(server, "/agent/v1/pair", pair).await;
    let devices = server.ok(Method::GET, &devices, None).await;
    let program = json!({"process": "Acme Meet"});
    made(server, "/api/v1/scopes/lyon/programs", program).await;
    put(
        server,
        "/api/v1/scopes/lyon/settings/teams",
        json!({"mode": "telephony_only"}),
    )
    .await;
    Created {
        appointment: id(&appointment).to_owned(),
        device: id(&devices["items"][0]).to_owned(),
        group: id(&group).to_owned(),
        account: id(&account).to_owned(),
        anna,
        bert,
    }
}

/// One or more addresses for each resource.
fn addresses(made: &Created) -> BTreeMap<&'static str, Vec<String>> {
    let Created { anna, bert, .. } = made;
    let people = [anna, bert];
    let of_people = |rest: &str| -> Vec<String> {
        let path = |id: &&String| format!("/people/{id}{rest}");
        people.iter().map(path).collect()
    };
    let of_scopes = |rest: &str| -> Vec<String> {
        let scopes = ["organisation", "lyon", "berlin"];
        scopes
            .iter()
            .map(|id| format!("/scopes/{id}{rest}"))
            .collect()
    };
    let pages_of = |owners: Vec<String>| -> Vec<String> {
        let of_owner = |owner: &String| PAGES.map(|page| format!("{owner}/settings/{page}"));
        owners.iter().flat_map(of_owner).collect()
    };
    BTreeMap::from([
        ("/people/{id}", of_people("")),
        ("/people/{id}/profile", of_people("/profile")),
        ("/people/{id}/profiles", of_people("/profiles")),
        (
            "/people/{id}/profiles/{name}",
            vec![
                format!("/people/{anna}/profiles/Focus"),
                format!("/people/{anna}/profiles/Busy"),
            ],
        ),
        (
            "/people/{id}/appointments/{appointment}",
            vec![format!("/people/{anna}/appointments/{}", made.appointment)],
        ),
        ("/people/{id}/favourites", of_people("/favourites")),
        ("/people/{id}/place", of_people("/place")),
        (
            "/people/{id}/relationships/{viewer}",
            vec![
                format!("/people/{anna}/relationships/{bert}"),
                format!("/people/{bert}/relationships/{anna}"),
            ],
        ),
        ("/people/{id}/teams-account", of_people("/teams-account")),
        (
            "/people/{id}/devices/{device}",
            vec![format!("/people/{anna}/devices/{}", made.device)],
        ),
        ("/people/{id}/settings/{page}", pages_of(of_people(""))),
        ("/scopes/{scope}", of_scopes("")),
        ("/templates", vec!["/templates".to_owned()]),
        ("/templates/{name}", vec!["/templates/Busy".to_owned()]),
        (
            "/scopes/{scope}/templates/{name}",
            vec![
                "/scopes/organisation/templates/Busy".to_owned(),
                "/scopes/lyon/templates/MS%20Teams".to_owned(),
            ],
        ),
        ("/scopes/{scope}/programs", of_scopes("/programs")),
        (
            "/scopes/{scope}/programs/{process}",
            vec!["/scopes/lyon/programs/Acme%20Meet".into()],
        ),
        ("/scopes/{scope}/settings/{page}", pages_of(of_scopes(""))),
        (
            "/workgroups/{id}",
            vec![format!("/workgroups/{}", made.group)],
        ),
        (
            "/accounts/{id}",
            vec![format!("/accounts/{}", made.account)],
        ),
    ])
}

/// Methods for changes; a resource has one of them.
const CHANGES: [(&str, Method); 2] = [("put", Method::PUT), ("patch", Method::PATCH)];

#[tokio::test]
async fn every_resource_takes_its_own_answer_and_nothing_changes() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let filled = addresses(&fill(server).await);
    let document = server.contract().await.document.clone();
    let schemas = &document["components"]["schemas"];
    for schema in ["Person", "ChangedPerson"] {
        let id = &schemas[schema]["properties"]["id"];
        assert_eq!(id["readOnly"], json!(true), "{schema}");
    }
    let new = &schemas["NewPerson"]["properties"]["id"];
    assert!(new.is_null(), "a new person has no id yet");
    let mut wrong = Vec::new();
    for (template, methods) in document["paths"].as_object().unwrap() {
        let change = CHANGES
            .into_iter()
            .find(|(name, _)| methods.get(name).is_some());
        let (Some((_, method)), true) = (change, methods.get("get").is_some()) else {
            continue;
        };
        let Some(paths) = filled.get(template.as_str()) else {
            wrong.push(format!("{template}: add an address of one to `fill`"));
            continue;
        };
        for path in paths {
            let path = format!("/api/v1{path}");
            let rows = audit(server).await;
            let (before, tag) = read(server, &path).await;
            let (status, answer) = server
                .api(method.clone(), &path, Some(before.clone()))
                .await;
            let (after, new_tag) = read(server, &path).await;
            if !status.is_success() {
                wrong.push(format!("{method} {path} {before}: {status} {answer}"));
            } else if (before, tag) != (after, new_tag) {
                wrong.push(format!("{method} {path}: it has changed"));
            } else if audit(server).await != rows {
                wrong.push(format!("{method} {path}: the audit log has a new row"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn read(server: &Server, path: &str) -> (Value, String) {
    let answer = server.stream(path).await;
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    (answer.json().await.unwrap(), tag)
}

async fn audit(server: &Server) -> Value {
    let path = "/api/v1/audit?limit=1";
    server.ok(Method::GET, path, None).await["items"][0]["id"].take()
}

/// Reads, changes one field, and writes the whole representation back.
async fn edit(server: &Server, path: &str, change: Value) -> (reqwest::StatusCode, Value) {
    let mut body = server.ok(Method::GET, path, None).await;
    let fields = change.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let method = match path.split('/').count() {
        5 => Method::PATCH,
        _ => Method::PUT,
    };
    server.api(method, path, Some(body)).await
}

#[tokio::test]
async fn a_copy_with_one_changed_field_changes_that_field_only() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let anna = server.person(ANNA).await;
    let of_anna = format!("/api/v1/people/{anna}");
    let (status, person) = edit(server, &of_anna, json!({"name": "Anna Beck"})).await;
    assert_eq!(
        (status.as_u16(), &person["name"]),
        (200, &json!("Anna Beck"))
    );
    let (status, refusal) = edit(server, &of_anna, json!({"id": "4711"})).await;
    assert_eq!((status.as_u16(), &refusal["field"]), (422, &json!("id")));
    let (status, _) = edit(server, &of_anna, json!({"nmae": "Anna"})).await;
    assert_eq!(status.as_u16(), 400, "an unknown field stays refused");

    let automatic = format!("{of_anna}/settings/automatic");
    let (status, set) = edit(server, &automatic, json!({"inactivity_after": 420})).await;
    assert_eq!(status.as_u16(), 200, "{set}");
    let own = json!({"inactivity_after": 420});
    assert_eq!(
        set["own"], own,
        "no inherited value becomes the person's own"
    );
    let (status, refusal) = edit(server, &automatic, json!({"own": {}})).await;
    assert_eq!((status.as_u16(), &refusal["field"]), (422, &json!("own")));

    let page = "/api/v1/scopes/berlin/settings/automatic";
    let (status, refusal) = edit(server, page, json!({"inactivity_after": 900})).await;
    assert_eq!(
        (status.as_u16(), &refusal["field"]),
        (422, &json!("individual")),
        "an inherited page"
    );
    let organisation = "/api/v1/scopes/organisation/settings/automatic";
    put(server, organisation, json!({"inactivity": "Absent"})).await;
    let before = server.ok(Method::GET, page, None).await;
    let change = json!({"individual": true, "inactivity_after": 900});
    let (status, set) = edit(server, page, change).await;
    assert_eq!(status.as_u16(), 200, "{set}");
    assert_eq!(set["inactivity_after"], 900);
    assert_eq!(set["inactivity"], before["inactivity"], "inherited so far");
    assert_eq!(set["user_may_change"], before["user_may_change"]);
    let (status, set) = edit(server, page, json!({"individual": false})).await;
    assert_eq!(status.as_u16(), 200, "{set}");
    assert_eq!(set, before);

    let choice = format!("{of_anna}/profile");
    let none = server.ok(Method::GET, &choice, None).await;
    put(server, &choice, json!({"profile": "Busy"})).await;
    let (status, _) = edit(server, &choice, json!({"until": "2099-01-01T00:00:00Z"})).await;
    assert_eq!(status.as_u16(), 200);
    let (status, _) = server.api(Method::PUT, &choice, Some(json!({}))).await;
    assert_eq!(status.as_u16(), 400, "the profile must be named");
    put(server, &choice, json!({"profile": null})).await;
    assert_eq!(server.ok(Method::GET, &choice, None).await, none);
}

/// Rights are checked even without a difference, and data that the caller may not read is kept.
#[tokio::test]
async fn writing_back_needs_the_right_to_change_and_loses_nothing_hidden() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let (anna, bert) = (server.person(ANNA).await, server.person(BERT).await);
    let secret = "correct horse battery";
    let account = json!({"name": "bert", "role": "person", "person": bert, "password": secret});
    made(server, "/api/v1/accounts", account).await;
    let viewer = server.sign_in("bert", secret).await;
    for rest in ["", "/place"] {
        let path = format!("/api/v1/people/{anna}{rest}");
        let (status, _) = edit(&viewer, &path, json!({})).await;
        assert_eq!(status.as_u16(), 403, "{path}");
    }
    let calendar = format!("/api/v1/people/{bert}/settings/calendar");
    let feed = "https://calendar.example/secret.ics";
    put(&viewer, &calendar, json!({"feed": feed})).await;
    let place = server
        .ok(Method::GET, &format!("/api/v1/people/{bert}/place"), None)
        .await;
    let account = json!({"name": "ada", "role": "location_admin", "location": place["location"], "password": secret});
    made(server, "/api/v1/accounts", account).await;
    let administrator = server.sign_in("ada", secret).await;
    let shown = administrator.ok(Method::GET, &calendar, None).await;
    assert_eq!(shown["feed"], json!(null), "hidden from the administrator");
    let (status, _) = edit(&administrator, &calendar, json!({})).await;
    assert_eq!(status.as_u16(), 200);
    let (status, answer) = edit(&administrator, &calendar, json!({"texts": false})).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    let kept = viewer.ok(Method::GET, &calendar, None).await;
    assert_eq!(
        (&kept["feed"], &kept["texts"]),
        (&json!(feed), &json!(false))
    );
}

/// An order names each profile once, even if two scopes, or a person and a scope, have profiles of the same
/// name.
#[tokio::test]
async fn a_copy_with_another_order_is_taken() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let teams = json!({"name": "ms teams", "scope": "lyon"});
    made(server, "/api/v1/templates", teams).await;
    let profiles = format!("/api/v1/people/{}/profiles", server.person(ANNA).await);
    let own = json!({"name": "BUSY", "status": "Busy"});
    made(server, &profiles, own).await;
    for path in ["/api/v1/templates", &profiles] {
        let read = server.ok(Method::GET, path, None).await;
        let mut names = read["names"].as_array().unwrap().clone();
        let as_lowercase = |name: &Value| name.as_str().unwrap().to_lowercase();
        let mut distinct: Vec<String> = names.iter().map(as_lowercase).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), names.len(), "{path}: {names:?}");
        names.reverse();
        let (status, answer) = edit(server, path, json!({"names": names})).await;
        assert_eq!(status.as_u16(), 200, "{path}: {answer}");
        let names = Value::Array(names);
        assert_eq!(answer["names"], names, "{path}");
        let again = server.ok(Method::GET, path, None).await;
        assert_eq!(again["names"], names, "{path}");
    }
}

/// The representation of a template has both `scope` and `offers`; the changed one takes effect.
#[tokio::test]
async fn a_copy_of_a_template_with_another_scope_moves_it() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lunch = json!({"name": "Lunch", "scope": "lyon"});
    made(server, "/api/v1/templates", lunch).await;
    for (method, from, to, change) in [
        (Method::PUT, "lyon", "berlin", json!({"scope": "berlin"})),
        (Method::PUT, "berlin", "lyon", json!({"offers": ["lyon"]})),
        (Method::PATCH, "lyon", "berlin", json!({"scope": "berlin"})),
        (Method::PATCH, "berlin", "lyon", json!({"offers": ["lyon"]})),
    ] {
        let path = format!("/api/v1/scopes/{from}/templates/Lunch");
        let mut body = server.ok(Method::GET, &path, None).await;
        let fields = change.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let (status, answer) = server.api(method.clone(), &path, Some(body)).await;
        assert_eq!(status.as_u16(), 200, "{method} {change}: {answer}");
        assert_eq!(
            (&answer["scope"], &answer["offers"]),
            (&json!(to), &json!([to])),
            "{method} {change}"
        );
    }
    let path = "/api/v1/scopes/lyon/templates/Lunch";
    let contradiction = json!({"scope": "berlin", "offers": ["organisation"]});
    let (status, refusal) = edit(server, path, contradiction).await;
    assert_eq!(
        (status.as_u16(), &refusal["field"]),
        (422, &json!("offers"))
    );
}
