//! Access rights: every operation of the API, every field of its bodies and every other route of the server, called by
//! each kind of caller and compared with the table in authorization.txt. Anything missing in the table fails the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use end_to_end::{Demo, Server, repository};
use reqwest::{Method, StatusCode};
use serde_json::{Deserializer, Value, json};

const TABLE: &str = include_str!("authorization.txt");
const PASSWORD: &str = "correct horse battery";
/// A person in Lyon, as are the people moved by the test.
const DAVID: &str = "David Okafor";
/// Kinds of callers, in the order of the table's columns.
const CALLERS: &str = "n b p c a + s l o S R r w A";
/// Marks routes outside the API.
const ROUTE: &str = "^ ";

/// A line of the table.
#[derive(Debug)]
struct Row<'a> {
    /// For each kind of caller, true if the operation is allowed.
    may: Vec<bool>,
    is_api: bool,
    method: Method,
    path: &'a str,
    bodies: Vec<Value>,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (heads, lines): (Vec<&str>, Vec<&str>) = lines.partition(|line| *line == CALLERS);
    assert_eq!(heads.len(), 1, "the table begins with {CALLERS:?}");
    lines.into_iter().map(row).collect()
}

fn row(line: &'static str) -> Row<'static> {
    let (may, rest) = line
        .split_once("  ")
        .unwrap_or_else(|| panic!("{line:?} has no operation"));
    let may: Vec<bool> = may.split(' ').map(|mark| mark == "x").collect();
    assert_eq!(may.len(), CALLERS.split(' ').count(), "{line}");
    let operation = rest.trim_start_matches(ROUTE);
    let (method, rest_of) = operation.split_once(' ').unwrap();
    let (path, bodies) = rest_of.split_once(' ').unwrap_or((rest_of, ""));
    let bodies = Deserializer::from_str(bodies)
        .into_iter()
        .collect::<Result<_, _>>();
    Row {
        may,
        is_api: !rest.starts_with(ROUTE),
        method: method.parse().unwrap(),
        path,
        bodies: bodies.unwrap_or_else(|error| panic!("{line}: {error}")),
    }
}

/// Values of the path parameters, by name.
type Names = BTreeMap<&'static str, String>;

fn filled(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// Creates an account and signs in to it.
async fn caller(server: &Server, name: &str, role: Value) -> Server {
    let mut account = json!({"name": name, "password": PASSWORD});
    account
        .as_object_mut()
        .unwrap()
        .extend(role.as_object().unwrap().clone());
    server
        .ok(Method::POST, "/api/v1/accounts", Some(account))
        .await;
    server.sign_in(name, PASSWORD).await
}

/// All kinds of callers, in the order of the table's columns.
async fn callers(server: &Server, david: &str) -> Vec<Server> {
    let mut callers = vec![server.with_key("")];
    for (name, level) in [
        ("Bert Lindqvist", Some("Blocked")),
        ("Carla Moreno", None),
        ("Mei Tanaka", Some("TeamColleague")),
        ("Greta Hofmann", Some("Assistant")),
        ("Hugo Lambert", Some("AssistantPlus")),
        (DAVID, None),
    ] {
        let person = server.person(name).await;
        if let Some(level) = level {
            let path = format!("/api/v1/people/{david}/relationships/{person}");
            server
                .ok(Method::PUT, &path, Some(json!({ "level": level })))
                .await;
        }
        callers.push(caller(server, name, json!({"role": "person", "person": person})).await);
    }
    for location in ["lyon", "berlin"] {
        let role = json!({"role": "location_admin", "location": location});
        callers.push(caller(server, location, role).await);
    }
    callers.push(caller(server, "ada", json!({"role": "system_admin"})).await);
    for scope in ["route", "read", "write", "admin"] {
        let body = json!({"name": scope, "scopes": [scope]});
        let made = server.ok(Method::POST, "/api/v1/keys", Some(body)).await;
        callers.push(server.with_key(made["key"].as_str().unwrap()));
    }
    callers
}

async fn names(server: &Server, david: &str) -> Names {
    let group = json!({"kind": "group", "parent": "lyon", "name": "Night shift"});
    let group = server.ok(Method::POST, "/api/v1/scopes", Some(group)).await;
    let group = group["id"].as_str().unwrap().to_owned();
    // A group with a member cannot be deleted.
    let member = server.person("Elif Yılmaz").await;
    let place = json!({"location": "lyon", "group": group});
    let path = format!("/api/v1/people/{member}/place");
    server.ok(Method::PUT, &path, Some(place)).await;
    let path = format!("/api/v1/people/{david}");
    let person = server.ok(Method::GET, &path, None).await;
    let accounts = server.ok(Method::GET, "/api/v1/accounts", None).await;
    let accounts = accounts["items"].as_array().unwrap();
    let own = accounts
        .iter()
        .find(|account| account["person"] == david)
        .unwrap();
    BTreeMap::from([
        ("id", david.to_owned()),
        ("viewer", server.person("Anna Becker").await),
        ("moved", server.person("Ines Carvalho").await),
        ("scope", "lyon".into()),
        ("group", group),
        ("account", DAVID.into()),
        ("own", own["id"].as_str().unwrap().to_owned()),
        (
            "extension",
            person["lines"][0]["extension"].as_str().unwrap().to_owned(),
        ),
    ])
}

#[tokio::test]
async fn every_caller_may_do_what_the_table_says() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let david = server.person(DAVID).await;
    let callers = callers(server, &david).await;
    let names = names(server, &david).await;
    let mut wrong = Vec::new();
    for row in rows() {
        let path = filled(row.path, &names);
        let path = if row.is_api {
            format!("/api/v1{path}")
        } else {
            path
        };
        let bodies = row.bodies.iter();
        let bodies = bodies.map(|body| Some(filled(&body.to_string(), &names)));
        let bodies: Vec<Option<String>> = match row.bodies.is_empty() {
            true => vec![None],
            false => bodies.collect(),
        };
        for body in bodies {
            let mut seen = Vec::new();
            for caller in &callers {
                let body = body
                    .as_ref()
                    .map(|body| serde_json::from_str(body).unwrap());
                let status = match row.is_api || row.method == Method::GET {
                    true => caller.status(row.method.clone(), &path, body).await,
                    false => caller.form(&path, &[]).await.0,
                };
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                seen.push(!refused.contains(&status));
            }
            if seen != row.may {
                let line = |may: &[bool]| -> String {
                    may.iter()
                        .map(|may| if *may { "x " } else { "- " })
                        .collect()
                };
                let (method, body) = (&row.method, body.unwrap_or_default());
                let (wanted, seen) = (line(&row.may), line(&seen));
                wrong.push(format!(
                    "{method} {path} {body}\n  table  {wanted}\n  server {seen}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "         {CALLERS}\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_table_knows_every_operation_and_every_field() {
    let demo = Demo::start(&["--still"]).await;
    let contract = demo.server.contract().await;
    let mut known: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for row in rows().into_iter().filter(|row| row.is_api) {
        let path = row.path.split('?').next().unwrap();
        let operation = contract.operation(&row.method, path);
        let operation = operation.unwrap_or_else(|| {
            panic!(
                "authorization.txt: {} {path} is no operation any more",
                row.method
            )
        });
        let keys = row
            .bodies
            .iter()
            .flat_map(|body| body.as_object().unwrap().keys());
        known.entry(operation).or_default().extend(keys.cloned());
    }
    let mut missing = Vec::new();
    for operation in contract.operations() {
        let (method, path) = (operation.method.to_uppercase(), &operation.path);
        let Some(keys) = known.get(operation) else {
            missing.push(format!("{method} {path}: add a line for it"));
            continue;
        };
        let fields = contract.fields(operation);
        let unknown = fields.difference(keys);
        missing.extend(unknown.map(|field| {
            format!("{method} {path}: add the field {field} to the line of those who may change it")
        }));
        let gone = keys.difference(&fields);
        missing.extend(gone.map(|field| format!("{method} {path}: the field {field} is no more")));
    }
    assert!(
        missing.is_empty(),
        "authorization.txt:\n{}",
        missing.join("\n")
    );
}

/// Collects the routes that the source adds outside the OpenAPI document: the argument of each `.route(`, a path or the
/// name of a constant.
fn routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let routes = source.split(".route(").skip(1);
            found.extend(routes.map(|rest| {
                let first = rest.split(',').next().unwrap().trim();
                first.trim_matches('"').to_owned()
            }));
        }
    }
}

#[test]
fn the_table_knows_every_route_of_the_server() {
    let mut found = BTreeSet::new();
    for folder in ["server", "web", "api"] {
        routes(
            &repository().join("crates").join(folder).join("src"),
            &mut found,
        );
    }
    assert!(found.len() > 40, "{found:?}");
    let rows = rows();
    let routes: Vec<&Row<'_>> = rows.iter().filter(|row| !row.is_api).collect();
    let fits = |template: &str, path: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        let (template, path): (Vec<_>, Vec<_>) = (template.collect(), path.collect());
        let mut parts = template.iter().zip(&path);
        template.len() == path.len() && parts.all(|(part, of)| part.starts_with('{') || part == of)
    };
    for route in &found {
        let template = match route.as_str() {
            "open_id::RETURN" => "/sign-in/open-id/return",
            "agent_protocol::PATH" => "/agent/v1",
            "agent_protocol::PAIR_PATH" => "/agent/v1/pair",
            // Only the demo has these (demo.rs).
            "/demo" | "/demo/devices" | "/demo/phone" | "/demo/teams" | "/demo/view-as" => {
                continue;
            }
            // Leads to Teams, which the tests do not reach.
            "/people/{person}/chat" => continue,
            // Part of the OpenAPI document.
            "/api/v1/sign-in" => continue,
            route => route,
        };
        let is_known = routes.iter().any(|row| fits(template, row.path));
        assert!(
            is_known,
            "authorization.txt: add a line for the route {route}"
        );
    }
}
