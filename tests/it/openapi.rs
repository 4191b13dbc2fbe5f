//! The OpenAPI document is valid, and the server behaves as documented. Calls of all other tests are checked against it
//! too ([`Server::api`]).

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::{Demo, Operation, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";

#[tokio::test]
async fn the_document_is_valid_openapi_and_open_to_everybody() {
    let demo = Demo::start(&["--still"]).await;
    let document = &demo.server.contract().await.document;
    let schema: Value = serde_json::from_str(include_str!("../openapi/schema-3.1.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{method} {path}: {id} twice");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(
                !summary.is_empty(),
                "{method} {path} says nothing of itself"
            );
        }
    }
}

#[tokio::test]
async fn whatever_can_be_changed_can_be_read_and_so_compared() {
    let demo = Demo::start(&["--still"]).await;
    let document = &demo.server.contract().await.document;
    let secret = [PASSWORD];
    let mut changed = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if secret.contains(&&**path) || UNLOGGED[..2].contains(&&**path) {
            continue;
        }
        let methods = methods.as_object().unwrap();
        if ["put", "patch", "delete"]
            .iter()
            .any(|method| methods.contains_key(*method))
        {
            changed += 1;
            assert!(methods.contains_key("get"), "{path} cannot be read");
        }
    }
    assert!(changed > 10, "{changed}");
}

/// Addresses that can be read without creating objects first.
const READS: [&str; 18] = [
    "/people",
    "/people/{id}/profile",
    "/people/{id}/presence",
    "/people/{id}/explanation",
    "/people/{id}/history",
    "/people/{id}/profiles",
    "/people/{id}/appointments",
    "/people/{id}/place",
    "/people/{id}/permissions",
    "/people/{id}/relationships",
    "/people/{id}/settings/{page}",
    "/scopes",
    "/templates",
    "/workgroups",
    "/accounts",
    "/keys",
    "/session",
    "/directory",
];

/// Deletions of a person's own choice or report.
const OWN_CHOICES: [&str; 2] = [
    "/people/{id}/profile",
    "/people/{id}/relationships/{viewer}",
];
/// Neither readable nor recorded in the audit log.
const PASSWORD: &str = "/accounts/{id}/password";

/// Previews, reports of clients that last a minute, and the caller's own session: none needs an entry of the audit log.
const UNLOGGED: [&str; 5] = [
    "/people/{id}/meetings/{meeting}",
    "/people/{id}/clients/{client}",
    "/session",
    // Starts a search, which changes nothing.
    "/teams-accounts/search",
    "/scopes/{scope}/templates/{name}/preview",
];

/// Values of the path parameters, by name.
type Names = BTreeMap<&'static str, String>;

/// Makes calls and records their operations.
struct Caller<'a> {
    server: &'a Server,
    done: BTreeSet<(String, String)>,
}

impl Caller<'_> {
    /// Makes a call that must succeed; `names` are the values of the path parameters.
    async fn call(
        &mut self,
        method: Method,
        template: &str,
        names: &Names,
        body: Option<Value>,
    ) -> Value {
        let mut path = template.to_owned();
        for (name, value) in names {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let operation = template.split('?').next().unwrap();
        let done = (method.as_str().to_lowercase(), operation.to_owned());
        self.done.insert(done);
        let path = format!("/api/v1{path}");
        let is_logged = method != Method::GET && !UNLOGGED.contains(&operation);
        let before = self.latest_row().await;
        let answer = self.server.ok(method.clone(), &path, body).await;
        let after = self.latest_row().await;
        let is_new = before["id"] != after["id"];
        assert_eq!(is_new, is_logged, "the audit log after {template}");
        if is_logged {
            // A deleted object had a value before; a changed object has one before or after. A settings page with
            // defaults only has none.
            let (was, is) = (!after["before"].is_null(), !after["after"].is_null());
            let is_complete = match method {
                _ if operation == PASSWORD => !was && !is,
                // A cancelled job leaves no object.
                Method::DELETE if operation == "/work/{id}" => true,
                // A person's own choice is not recorded when an administrator deletes it.
                Method::DELETE if OWN_CHOICES.contains(&operation) => !was && !is,
                Method::DELETE => was,
                Method::PUT | Method::PATCH => was || is,
                _ => true,
            };
            assert!(is_complete, "{method} {template}: {after}");
        }
        answer
    }

    async fn latest_row(&self) -> Value {
        let path = "/api/v1/audit?limit=1";
        self.server.ok(Method::GET, path, None).await["items"][0].take()
    }
}

#[tokio::test]
async fn every_operation_of_the_document_does_what_it_says() {
    let demo = Demo::start(&["--still"]).await;
    let mut caller = Caller {
        server: &demo.server,
        done: BTreeSet::new(),
    };
    let anna = demo.server.person(ANNA).await;
    let bert = demo.server.person(BERT).await;
    let mut names = BTreeMap::from([
        ("id", anna.clone()),
        ("viewer", bert.clone()),
        ("meeting", "daily".into()),
        ("client", "desk".into()),
        ("page", "automatic".into()),
    ]);
    what_people_do(&mut caller, &mut names).await;
    what_administrators_arrange(&mut caller, &mut names).await;
    let group = json!({"name": "Board", "level": "Assistant", "members": [anna, bert]});
    who_may_enter(&mut caller, &mut names, group).await;
    programs(&mut caller, &mut names).await;
    // The stream does not end: this test only opens it.
    drop(demo.server.events().await);
    caller.done.insert(("get".into(), "/events".into()));
    // The demo has no import from Entra and no sign-in by people themselves; entra.rs and my_account.rs test these.
    for (method, path) in [
        ("post", "/directory/synchronise"),
        // The demo has no agent; microphone.rs tests these.
        ("get", "/people/{id}/devices"),
        ("post", "/people/{id}/devices"),
        ("get", "/people/{id}/devices/{device}"),
        ("patch", "/people/{id}/devices/{device}"),
        ("delete", "/people/{id}/devices/{device}"),
        // A restore needs an installation; upkeep.rs tests it.
        ("post", "/backups/{name}/restore"),
        // The demo's clock is right; clock.rs tests the confirmation.
        ("post", "/clock/confirm"),
        // The demo has no configuration file; web_forms.rs tests the doctor.
        ("post", "/doctor"),
        ("get", "/people/{id}/teams-account"),
        ("put", "/people/{id}/teams-account"),
        ("delete", "/people/{id}/teams-account"),
        ("post", "/people/{id}/teams-account/sign-in"),
        ("post", "/people/{id}/teams-account/confirm"),
    ] {
        caller.done.insert((method.into(), path.into()));
    }

    let done = caller.done;
    let untried: Vec<&Operation> = demo
        .server
        .contract()
        .await
        .operations()
        .filter(|known| !done.contains(&(known.method.clone(), known.path.clone())))
        .collect();
    assert!(untried.is_empty(), "add a call of {untried:?} above");
}

#[tokio::test]
async fn a_refusal_is_a_problem_as_the_document_says() {
    let demo = Demo::start(&["--still"]).await;
    let id = demo.server.person(ANNA).await;
    let path = format!("/api/v1/people/{id}/profile");
    let body = Some(json!({"profile": "Nonsense"}));
    let (status, problem) = demo.server.api(Method::PUT, &path, body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["field"], "profile");
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

async fn what_people_do(caller: &mut Caller<'_>, names: &mut Names) {
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    for path in READS {
        caller.call(get.clone(), path, names, None).await;
    }
    // Objects of a person.
    let steps = [
        (
            &put,
            "/people/{id}/profile",
            Some(json!({"profile": "Busy", "until": "2099-01-01T00:00:00Z"})),
        ),
        (&delete, "/people/{id}/profile", None),
        (
            &post,
            "/people/{id}/profiles",
            Some(
                json!({"name": "Focus", "status": "DoNotDisturb", "forwarding": {"kind": "all", "target": "+49301234"}}),
            ),
        ),
        (
            &put,
            "/people/{id}/profiles",
            Some(json!({"names": ["Focus", "Available"]})),
        ),
        (
            &put,
            "/people/{id}/profiles/{name}",
            Some(json!({"status": "Busy", "text": "not now"})),
        ),
        (&get, "/people/{id}/profiles/{name}", None),
        (&delete, "/people/{id}/profiles/{name}", None),
        (
            &put,
            "/people/{id}/meetings/{meeting}",
            Some(json!({"audio": true})),
        ),
        (&delete, "/people/{id}/meetings/{meeting}", None),
        (
            &put,
            "/people/{id}/clients/{client}",
            Some(json!({"state": "active"})),
        ),
        (&delete, "/people/{id}/clients/{client}", None),
        (
            &put,
            "/people/{id}/relationships/{viewer}",
            Some(json!({"level": "TeamColleague"})),
        ),
        (&get, "/people/{id}/relationships/{viewer}", None),
        (&delete, "/people/{id}/relationships/{viewer}", None),
        (
            &put,
            "/people/{id}/settings/{page}",
            Some(json!({"inactivity_after": 300})),
        ),
        (
            &put,
            "/people/{id}/place",
            Some(json!({"location": "lyon", "group": null})),
        ),
    ];
    names.insert("name", "Focus".into());
    for (method, path, body) in steps {
        caller.call(method.clone(), path, names, body).await;
    }
    let favourites = "/people/{id}/favourites";
    let bert = Some(json!({"people": [names["viewer"]]}));
    caller
        .call(put.clone(), favourites, names, bert.clone())
        .await;
    let now = caller.call(get.clone(), favourites, names, None).await;
    assert_eq!(Some(now), bert);
    let appointments = "/people/{id}/appointments";
    let review = json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z", "text": "Review", "private": true});
    let made = caller
        .call(post.clone(), appointments, names, Some(review.clone()))
        .await;
    names.insert("appointment", id(&made));
    let one = "/people/{id}/appointments/{appointment}";
    caller.call(get.clone(), one, names, None).await;
    caller.call(put.clone(), one, names, Some(review)).await;
    caller.call(delete.clone(), one, names, None).await;
}

async fn what_administrators_arrange(caller: &mut Caller<'_>, names: &mut Names) {
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    let location = json!({"kind": "location", "name": "Oslo"});
    let made = caller
        .call(post.clone(), "/scopes", names, Some(location))
        .await;
    names.insert("scope", id(&made));
    let renamed = json!({"name": "Oslo and Bergen"});
    caller
        .call(Method::PATCH, "/scopes/{scope}", names, Some(renamed))
        .await;
    let route = "/route?to=1001&from=%2B49301234";
    caller.call(get.clone(), route, names, None).await;
    caller
        .call(get.clone(), "/scopes/{scope}", names, None)
        .await;
    let page = "/scopes/{scope}/settings/{page}";
    let individual = json!({"individual": true, "user_may_change": {"locked": false}});
    caller
        .call(put.clone(), page, names, Some(individual))
        .await;
    caller.call(get.clone(), page, names, None).await;
    caller
        .call(put.clone(), page, names, Some(json!({"individual": false})))
        .await;
    caller
        .call(delete.clone(), "/scopes/{scope}", names, None)
        .await;
    names.insert("name", "Lunch".into());
    let template = json!({"name": "Lunch", "status": "BeRightBack"});
    caller
        .call(post.clone(), "/templates", names, Some(template))
        .await;
    caller
        .call(get.clone(), "/templates/{name}", names, None)
        .await;
    let inactive = json!({"status": "BeRightBack", "active": false, "offers": ["lyon"]});
    caller
        .call(put.clone(), "/templates/{name}", names, Some(inactive))
        .await;
    let order = json!({"names": ["Lunch"]});
    caller
        .call(put.clone(), "/templates", names, Some(order))
        .await;
    caller
        .call(delete.clone(), "/templates/{name}", names, None)
        .await;
    // Created only if it is missing; the demo has it.
    let teams = "/api/v1/templates/MS%20Teams";
    caller.server.ok(delete.clone(), teams, None).await;
    caller
        .call(post.clone(), "/templates/teams", names, None)
        .await;
    templates_of_a_scope(caller, names).await;
}

async fn templates_of_a_scope(caller: &mut Caller<'_>, names: &mut Names) {
    names.insert("scope", "berlin".into());
    names.insert("name", "MS Teams".into());
    let teams = "/scopes/{scope}/templates/teams";
    caller.call(Method::POST, teams, names, None).await;
    let path = "/scopes/{scope}/templates/{name}";
    let read = caller.call(Method::GET, path, names, None).await;
    // A copy with one changed field can be written back.
    for (method, text) in [(Method::PUT, "one"), (Method::PATCH, "two")] {
        let mut copy = read.clone();
        copy["text"] = json!(text);
        let written = caller.call(method, path, names, Some(copy.clone())).await;
        assert_eq!(written, copy);
    }
    let preview = Some(json!({"delete": true}));
    let path = "/scopes/{scope}/templates/{name}/preview";
    caller.call(Method::POST, path, names, preview).await;
    let path = "/scopes/{scope}/templates/{name}";
    caller.call(Method::DELETE, path, names, None).await;
}

async fn who_may_enter(caller: &mut Caller<'_>, names: &mut Names, group: Value) {
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    let made = caller
        .call(post.clone(), "/workgroups", names, Some(group.clone()))
        .await;
    names.insert("id", id(&made));
    caller
        .call(put.clone(), "/workgroups/{id}", names, Some(group))
        .await;
    caller
        .call(get.clone(), "/workgroups/{id}", names, None)
        .await;
    caller
        .call(delete.clone(), "/workgroups/{id}", names, None)
        .await;
    let account = json!({"name": "anna", "role": "person", "password": "correct horse battery"});
    let made = caller
        .call(post.clone(), "/accounts", names, Some(account))
        .await;
    names.insert("id", id(&made));
    caller
        .call(get.clone(), "/accounts/{id}", names, None)
        .await;
    let person = json!({"person": null, "role": "system_admin"});
    caller
        .call(Method::PATCH, "/accounts/{id}", names, Some(person))
        .await;
    let password = json!({"password": "another horse battery"});
    caller
        .call(
            put.clone(),
            "/accounts/{id}/password",
            names,
            Some(password.clone()),
        )
        .await;
    let sign_in = json!({"name": "anna", "password": password["password"]});
    caller
        .call(post.clone(), "/sign-in", names, Some(sign_in))
        .await;
    caller
        .call(delete.clone(), "/accounts/{id}", names, None)
        .await;
    let key = json!({"name": "robot", "scopes": ["read"]});
    let made = caller.call(post.clone(), "/keys", names, Some(key)).await;
    names.insert("id", id(&made));
    caller.call(get.clone(), "/keys/{id}", names, None).await;
    caller.call(delete.clone(), "/keys/{id}", names, None).await;
    caller.call(delete.clone(), "/session", names, None).await;
    caller.call(get.clone(), "/audit", names, None).await;
    let zoe = json!({"name": "Zoe", "lines": [{"extension": "4711"}]});
    let made = caller.call(post.clone(), "/people", names, Some(zoe)).await;
    names.insert("id", id(&made));
    caller.call(get.clone(), "/people/{id}", names, None).await;
    let mail = Some(json!({"mail": "zoe@contoso.example"}));
    caller
        .call(Method::PATCH, "/people/{id}", names, mail)
        .await;
    caller
        .call(delete.clone(), "/people/{id}", names, None)
        .await;
    let table = json!({"csv": "name,mail,UPN,extension\nZoe,zoe@contoso.example,,4711\n"});
    let done = caller
        .call(post.clone(), "/people/import", names, Some(table))
        .await;
    assert_eq!(done["items"][0]["what"], "added", "{done}");
    let search = "/teams-accounts/search";
    caller.call(post.clone(), search, names, None).await;
    let works = caller.call(get.clone(), "/work", names, None).await;
    assert_eq!(works["items"][0]["state"], "done", "{works}");
    names.insert("id", id(&works["items"][0]));
    caller.call(get.clone(), "/work/{id}", names, None).await;
    caller.call(delete.clone(), "/work/{id}", names, None).await;
    let made = caller.call(post.clone(), "/backups", names, None).await;
    names.insert("name", made["name"].as_str().unwrap().to_owned());
    caller.call(get.clone(), "/backups", names, None).await;
    caller
        .call(get.clone(), "/backups/{name}", names, None)
        .await;
    caller
        .call(delete.clone(), "/backups/{name}", names, None)
        .await;
}

async fn programs(caller: &mut Caller<'_>, names: &mut Names) {
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    names.insert("scope", "organisation".into());
    names.insert("process", "Acme Meet".into());
    let acme = Some(json!({"process": "Acme Meet.exe"}));
    let programs = "/scopes/{scope}/programs";
    let made = caller.call(post, programs, names, acme).await;
    assert_eq!(
        (&made["process"], &made["active"]),
        (&json!("Acme Meet"), &json!(false))
    );
    let program = "/scopes/{scope}/programs/{process}";
    let mut acme = caller.call(get.clone(), program, names, None).await;
    acme["active"] = json!(true);
    caller.call(put.clone(), program, names, Some(acme)).await;
    caller.call(delete, program, names, None).await;
    let table = caller.call(get.clone(), programs, names, None).await;
    assert_eq!(table["decided_by"], "organisation");
    assert_eq!(table["items"].as_array().unwrap().len(), 17);
    let default = Some(json!({"individual": false}));
    let table = caller.call(put.clone(), programs, names, default).await;
    assert_eq!(table["decided_by"], "product");
}
