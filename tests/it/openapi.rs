//! The OpenAPI document: it is one, and the server does what it says. Every call that any other test makes is held against
//! it too ([`Server::api`]).

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

/// What can be read without making something first.
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

/// Deletions that take back a person's own choice or word.
const WORDS: [&str; 2] = [
    "/people/{id}/profile",
    "/people/{id}/relationships/{viewer}",
];
/// Neither read nor told in the audit log.
const PASSWORD: &str = "/accounts/{id}/password";

/// What only looks ahead, what a program says of somebody for a minute, and one's own session: no changes that anybody asks after.
const UNLOGGED: [&str; 5] = [
    "/people/{id}/meetings/{meeting}",
    "/people/{id}/clients/{client}",
    "/session",
    // It changes nothing by itself.
    "/teams-accounts/search",
    "/scopes/{scope}/templates/{name}/preview",
];

/// What stands for the names in braces.
type Names = BTreeMap<&'static str, String>;

/// Makes calls and notes which operations they were.
struct Caller<'a> {
    server: &'a Server,
    done: BTreeSet<(String, String)>,
}

impl Caller<'_> {
    /// A call that must succeed; `names` stand for the names in braces.
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
            // What is no more was something; what was changed was or is. A page that is default again is nothing of its own.
            let (was, is) = (!after["before"].is_null(), !after["after"].is_null());
            let told = match method {
                _ if operation == PASSWORD => !was && !is,
                // Work that is cancelled leaves nothing.
                Method::DELETE if operation == "/work/{id}" => true,
                // The word of a person that an administrator takes back is not recorded with it.
                Method::DELETE if WORDS.contains(&operation) => !was && !is,
                Method::DELETE => was,
                Method::PUT | Method::PATCH => was || is,
                _ => true,
            };
            assert!(told, "{method} {template}: {after}");
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
    // The stream does not end: it is opened, and what it sends is other tests' matter.
    drop(demo.server.events().await);
    caller.done.insert(("get".into(), "/events".into()));
    // The demo takes nobody from Entra and lets nobody sign in for themselves; entra.rs and my_account.rs do.
    for (method, path) in [
        ("post", "/directory/synchronise"),
        // Nobody has an agent; microphone.rs does.
        ("get", "/people/{id}/devices"),
        ("post", "/people/{id}/devices"),
        ("get", "/people/{id}/devices/{device}"),
        ("patch", "/people/{id}/devices/{device}"),
        ("delete", "/people/{id}/devices/{device}"),
        // Its data goes with it; upkeep.rs restores.
        ("post", "/backups/{name}/restore"),
        // Its clock is right; clock.rs confirms one.
        ("post", "/clock/confirm"),
        // It has no configuration file; web_forms.rs calls the doctor.
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
    // A person's own things.
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
    // Made only where there is none; the demo has one.
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
    // P5, P10: a copy with one changed field can be written back.
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
