//! Limits, names and refusals in the OpenAPI document are those of the server.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PEOPLE: &str = "/api/v1/people";

fn parameter<'a>(document: &'a Value, path: &str, name: &str) -> &'a Value {
    let parameters = document["paths"][path]["get"]["parameters"].as_array();
    let mut parameters = parameters.unwrap().iter();
    let found = parameters.find(|parameter| parameter["name"] == name);
    &found.unwrap()["schema"]
}

/// A field of a request, with an accepted request that contains it.
struct Case {
    schema: &'static str,
    field: &'static str,
    method: Method,
    path: String,
    body: Value,
}

fn case(
    schema: &'static str,
    field: &'static str,
    method: Method,
    path: &str,
    body: Value,
) -> Case {
    let path = format!("/api/v1{path}");
    Case {
        schema,
        field,
        method,
        path,
        body,
    }
}

impl Case {
    async fn status(&self, server: &Server, value: Value) -> StatusCode {
        let mut body = self.body.clone();
        // Names are unique: each request creates another object.
        if let Some(name) = body["name"].as_str() {
            let letters = value.to_string();
            let letters = letters.chars().filter(char::is_ascii_alphanumeric);
            let suffix: String = letters.take(20).collect();
            body["name"] = json!(format!("{name} {suffix}"));
        }
        body[self.field] = value;
        server
            .api(self.method.clone(), &self.path, Some(body))
            .await
            .0
    }
}

fn cases(anna: &str, bert: &str) -> Vec<Case> {
    let (put, post) = (Method::PUT, Method::POST);
    let relationship = format!("/people/{anna}/relationships/{bert}");
    let client = format!("/people/{anna}/clients/desk");
    let appointments = format!("/people/{anna}/appointments");
    let profiles = format!("/people/{anna}/profiles");
    let review =
        json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z", "text": "Review"});
    vec![
        case("Level", "level", put.clone(), &relationship, json!({})),
        case("Client", "state", put, &client, json!({})),
        case(
            "NewScope",
            "kind",
            post.clone(),
            "/scopes",
            json!({"name": "Bergen", "parent": "lyon"}),
        ),
        case(
            "NewAccount",
            "role",
            post.clone(),
            "/accounts",
            json!({"name": "zoe", "location": "lyon", "password": "correct horse battery"}),
        ),
        case(
            "NewAccount",
            "password",
            post.clone(),
            "/accounts",
            json!({"name": "max", "role": "person"}),
        ),
        case(
            "NewKey",
            "scopes",
            post.clone(),
            "/keys",
            json!({"name": "robot"}),
        ),
        case(
            "NewWorkgroup",
            "level",
            post.clone(),
            "/workgroups",
            json!({"name": "Board", "members": [anna]}),
        ),
        case(
            "NewProfile",
            "status",
            post.clone(),
            &profiles,
            json!({"name": "Focus"}),
        ),
        case(
            "NewProfile",
            "text",
            post.clone(),
            &profiles,
            json!({"name": "Quiet", "status": "Busy"}),
        ),
        case(
            "NewAppointment",
            "text",
            post.clone(),
            &appointments,
            review.clone(),
        ),
        case(
            "NewAppointment",
            "colour",
            post.clone(),
            &appointments,
            review,
        ),
        case(
            "NewPerson",
            "mail",
            post.clone(),
            "/people",
            json!({"name": "Zoe"}),
        ),
        case(
            "NewProgram",
            "ignore_after_hours",
            post,
            "/scopes/organisation/programs",
            json!({"process": "Acme"}),
        ),
    ]
}

#[tokio::test]
async fn what_is_outside_the_documented_names_and_bounds_is_refused() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let schemas = &server.contract().await.document["components"]["schemas"];
    let anna = server.person("Anna Becker").await;
    let bert = server.person("Bert Lindqvist").await;
    for case in cases(&anna, &bert) {
        let field = &schemas[case.schema]["properties"][case.field];
        let name = format!("{}.{}", case.schema, case.field);
        let mut tried = 0;
        let names = field.get("enum").or(field["items"].get("enum"));
        if let Some(names) = names {
            tried += 1;
            let wrap = |name: Value| match field.get("items") {
                Some(_) => json!([name]),
                None => name,
            };
            let other = case.status(server, wrap(json!("nonsense"))).await;
            assert_eq!(other, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            // Every documented name is known: the server may refuse it for another reason only.
            for known in names
                .as_array()
                .unwrap()
                .iter()
                .filter(|known| !known.is_null())
            {
                let status = case.status(server, wrap(known.clone())).await;
                let refused = [
                    StatusCode::CREATED,
                    StatusCode::OK,
                    StatusCode::NO_CONTENT,
                    StatusCode::CONFLICT,
                ];
                assert!(refused.contains(&status), "{name} {known}: {status}");
            }
        }
        if let Some(most) = field["maxLength"].as_u64() {
            tried += 1;
            // Without words and repetitions: the value may be a password.
            let letters = |length: u64| "kq7Zr2mVx9Lt4bN".chars().cycle().take(length as usize);
            let text = |length: u64| json!(letters(length).collect::<String>());
            let longer = case.status(server, text(most + 1)).await;
            assert_eq!(longer, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            let longest = case.status(server, text(most)).await;
            assert!(longest.is_success(), "{name}: {longest}");
        }
        if let Some(most) = field["maximum"].as_u64() {
            tried += 1;
            for outside in [most + 1, 0] {
                let status = case.status(server, json!(outside)).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {outside}");
            }
            assert!(
                case.status(server, json!(most)).await.is_success(),
                "{name}"
            );
        }
        if field.get("pattern").is_some() {
            tried += 1;
            let status = case.status(server, json!("#12345g")).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        }
        assert!(tried > 0, "the document says nothing of {name}");
    }
}

#[tokio::test]
async fn the_length_of_a_page_is_as_documented() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let limit = parameter(&server.contract().await.document, "/people", "limit");
    let (least, most) = (
        limit["minimum"].as_u64().unwrap(),
        limit["maximum"].as_u64().unwrap(),
    );
    for inside in [least, most] {
        server
            .ok(Method::GET, &format!("{PEOPLE}?limit={inside}"), None)
            .await;
    }
    for outside in [least - 1, most + 1] {
        let path = format!("{PEOPLE}?limit={outside}");
        let (status, problem) = server.api(Method::GET, &path, None).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("limit"))
        );
    }
}

#[tokio::test]
async fn every_operation_lists_its_refusals_and_its_headers() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let document = &server.contract().await.document;
    let has_header = |operation: &Value, name: &str| {
        let reference = format!("#/components/parameters/{name}");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters
            .into_iter()
            .any(|parameter| parameter["$ref"] == *reference)
    };
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{method} {path}");
            let has = |status: &str| operation["responses"].get(status).is_some();
            assert!(
                has("401") && has("403") && has("503") && has("default"),
                "{name}"
            );
            if method == "get" {
                let is_json = operation["responses"]["200"]["content"]
                    .get("application/json")
                    .is_some();
                assert_eq!(has("304"), is_json, "{name}");
                assert_eq!(has_header(operation, "IfNoneMatch"), is_json, "{name}");
            } else {
                assert!(has("400") && has("409") && has("422"), "{name}");
                let is_conditional = method != "post" && methods.get("get").is_some();
                assert_eq!(has("412"), is_conditional, "{name}");
                assert_eq!(has_header(operation, "IfMatch"), is_conditional, "{name}");
            }
            assert_eq!(has("429"), path == "/sign-in", "{name}");
            assert!(has("404") || !path.contains('{'), "{name}");
        }
    }
    for path in ["/backups", "/directory/synchronise", "/people/import"] {
        assert!(
            has_header(&document["paths"][path]["post"], "Prefer"),
            "{path}"
        );
    }
    // The server behaves the same.
    let anna = format!("{PEOPLE}/{}", server.person("Anna Becker").await);
    let (_, tag, _) = server.with_headers(Method::GET, &anna, &[], None).await;
    let tag = tag.unwrap();
    let same = [("if-none-match", &*tag)];
    let (status, again, body) = server.with_headers(Method::GET, &anna, &same, None).await;
    assert_eq!(
        (status, again, &*body),
        (StatusCode::NOT_MODIFIED, Some(tag), "")
    );
    let other = [("if-match", "\"other\"")];
    let mail = Some(json!({"mail": "a@contoso.example"}));
    let (status, ..) = server
        .with_headers(Method::PATCH, &anna, &other, mail)
        .await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
}
