//! Rounds of the directory, against a service that answers by a script.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
};
use graph::{Client, ClientConfig, Credential};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::Progress;

use super::{Completeness, DirectoryReader, EntraAccount, TeamsUserId, changes};
use crate::{DirectoryOptions, PeopleFrom};

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    queries: Arc<Mutex<Vec<String>>>,
    url: String,
}

async fn answer(State(script): State<Script>, request: Request) -> (StatusCode, String) {
    if request.uri().path().ends_with("/token") {
        let token = json!({"access_token": "t", "expires_in": 3599});
        return (StatusCode::OK, token.to_string());
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    script.queries.lock().unwrap().push(query);
    let answer = script.answers.lock().unwrap().pop_front();
    let (status, body) = answer.unwrap_or((500, Value::Null));
    let body = body.to_string().replace("{graph}", &script.url);
    (StatusCode::from_u16(status).unwrap(), body)
}

async fn client(answers: Vec<(u16, Value)>) -> (Arc<Client>, Script) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let script = Script {
        answers: Arc::new(Mutex::new(answers.into())),
        url: format!("http://{}", listener.local_addr().unwrap()),
        ..Script::default()
    };
    let router = Router::new().fallback(answer).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = ClientConfig {
        login: script.url.clone(),
        graph: script.url.clone(),
        tenant: "contoso.example".into(),
        client_id: "app".into(),
        credential: Credential::Secret(SecretString::from("secret")),
    };
    (Arc::new(Client::new(config).unwrap()), script)
}

async fn directory(answers: Vec<(u16, Value)>) -> (DirectoryReader, Script) {
    let (client, script) = client(answers).await;
    let options = DirectoryOptions {
        from: PeopleFrom::Everybody,
        location: None,
    };
    (DirectoryReader::new(client, "main".into(), options), script)
}

fn link(kind: &str, token: &str) -> String {
    format!("{{graph}}/v1.0/users/delta?{kind}={token}")
}

fn page(value: Value, next: &str) -> (u16, Value) {
    let link = link("$skiptoken", next);
    (200, json!({"value": value, "@odata.nextLink": link}))
}

fn end(value: Value, token: &str) -> (u16, Value) {
    let link = link("$deltatoken", token);
    (200, json!({"value": value, "@odata.deltaLink": link}))
}

fn refusal(status: u16, code: &str) -> (u16, Value) {
    (status, json!({"error": {"code": code, "message": "x"}}))
}

fn anna() -> Value {
    json!({"id": "a", "displayName": "Anna", "userPrincipalName": "a@x", "mail": "a@x", "accountEnabled": true})
}

fn bert() -> Value {
    json!({"id": "b", "displayName": "Bert", "userPrincipalName": "b@x", "accountEnabled": true})
}

fn accounts(directory: &DirectoryReader) -> HashMap<String, EntraAccount> {
    let accounts = directory.accounts(|_| false).into_iter();
    accounts
        .map(|account| (account.id.to_string(), account))
        .collect()
}

async fn read(directory: &mut DirectoryReader) -> Result<(), String> {
    let read = directory.read(&Progress::default()).await;
    read.map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_incremental_page_erases_nothing_that_it_leaves_out() {
    let (mut directory, _) = directory(vec![
        end(json!([anna(), bert()]), "1"),
        end(
            json!([{"id": "A", "mail": "new@x"}, {"id": "b", "mail": null}]),
            "2",
        ),
    ])
    .await;
    read(&mut directory).await.unwrap();
    read(&mut directory).await.unwrap();
    let accounts = directory.accounts(|_| false);
    let anna = accounts.iter().find(|account| account.name == "Anna");
    let anna = anna.unwrap();
    assert_eq!(anna.mail.as_deref(), Some("new@x"));
    assert_eq!(anna.user_principal_name.as_deref(), Some("a@x"));
    let bert = accounts.iter().find(|account| account.name == "Bert");
    assert_eq!(bert.unwrap().mail.as_deref(), Some(""), "null clears");
    assert_eq!(accounts.len(), 2);
}

#[tokio::test]
async fn a_delta_link_that_cannot_be_used_is_not_kept() {
    let long = link("$deltatoken", &"x".repeat(1_000_000));
    for bad in [long.as_str(), "https://graph.example/v1.0/users/delta", ""] {
        let bad_end = (200, json!({"value": [bert()], "@odata.deltaLink": bad}));
        let (mut directory, script) = directory(vec![
            end(json!([anna()]), "1"),
            bad_end,
            end(json!([anna(), bert()]), "2"),
            end(json!([]), "3"),
        ])
        .await;
        read(&mut directory).await.unwrap();
        read(&mut directory).await.unwrap();
        // Its changes count all the same.
        assert_eq!(accounts(&directory).len(), 2);
        let warns = |directory: &DirectoryReader| {
            let [_, _, (_, warning)] = directory.warnings();
            warning.is_some_and(|warning| warning.what.contains("deltaLink"))
        };
        assert!(warns(&directory));
        read(&mut directory).await.unwrap();
        assert!(!warns(&directory));
        read(&mut directory).await.unwrap();
        let queries = script.queries.lock().unwrap().clone();
        let is_whole = queries.iter().map(|query| query.contains("$select"));
        assert_eq!(is_whole.collect::<Vec<_>>(), [true, false, true, false]);
    }
}

#[tokio::test]
async fn a_refused_delta_link_is_dropped_and_the_directory_read_anew() {
    for (status, code) in [
        (400, "Directory_ExpiredPageToken"),
        (400, "SyncStateNotFound"),
        (400, "resyncRequired"),
        (400, "Request_BadRequest"),
        (404, "Request_ResourceNotFound"),
        (410, "resyncRequired"),
    ] {
        let (mut directory, script) = directory(vec![
            end(json!([anna(), bert()]), "1"),
            refusal(status, code),
            page(json!([bert()]), "2"),
            end(json!([anna()]), "3"),
        ])
        .await;
        read(&mut directory).await.unwrap();
        read(&mut directory).await.unwrap();
        assert_eq!(accounts(&directory).len(), 2, "{code}");
        let queries = script.queries.lock().unwrap().clone();
        assert_eq!(queries[1], "$deltatoken=1");
        assert!(queries[2].starts_with("$select="), "{queries:?}");
    }
}

// No person is deleted while the whole directory is read again.
#[tokio::test]
async fn what_is_known_stays_until_a_new_reading_is_complete() {
    let (mut directory, script) = directory(vec![
        end(json!([anna(), bert()]), "1"),
        refusal(410, "resyncRequired"),
        page(json!([anna()]), "2"),
        refusal(403, "Authorization_RequestDenied"),
        end(json!([anna()]), "3"),
    ])
    .await;
    read(&mut directory).await.unwrap();
    read(&mut directory).await.unwrap_err();
    assert_eq!(accounts(&directory).len(), 2);
    // The old link is asked again, and refused or answered again.
    read(&mut directory).await.unwrap();
    assert_eq!(script.queries.lock().unwrap()[4], "$deltatoken=1");
    assert_eq!(accounts(&directory).len(), 2, "an increment");
}

#[tokio::test]
async fn links_that_lead_in_a_circle_or_elsewhere_end_with_a_named_trouble() {
    let circle = vec![
        page(json!([]), "1"),
        page(json!([]), "2"),
        page(json!([]), "1"),
    ];
    let itself = vec![page(json!([anna()]), "1"), page(json!([anna()]), "1")];
    let evil = json!({"value": [], "@odata.nextLink": "https://graph.evil.example/v1.0/users"});
    let refused_anew = vec![
        page(json!([]), "1"),
        refusal(400, "Directory_ExpiredPageToken"),
        page(json!([]), "2"),
        refusal(400, "Directory_ExpiredPageToken"),
    ];
    for (answers, words) in [
        (circle, "read before"),
        (itself, "read before"),
        (vec![(200, evil)], "does not lead to"),
        (
            vec![(200, json!({"value": [anna()]}))],
            "neither a nextLink",
        ),
        (refused_anew, "has just given"),
    ] {
        let count = answers.len();
        let (mut directory, script) = directory(answers).await;
        let error = read(&mut directory).await.unwrap_err();
        assert!(error.contains(words), "{error}");
        assert_eq!(script.queries.lock().unwrap().len(), count, "{words}");
        assert!(accounts(&directory).is_empty());
    }
}

#[tokio::test]
async fn an_element_without_an_id_makes_nobody_gone() {
    let (mut directory, _) = directory(vec![
        end(json!([anna(), null, {"displayName": "Bert"}]), "1"),
        end(json!([]), "2"),
    ])
    .await;
    read(&mut directory).await.unwrap();
    assert!(directory.completeness() == Completeness::Partial);
    let [(_, warning), _, _] = directory.warnings();
    let warning = warning.unwrap().what;
    assert!(
        warning.contains("2 elements") && !warning.contains("  "),
        "{warning}"
    );
    read(&mut directory).await.unwrap();
    assert!(
        directory.completeness() == Completeness::Partial,
        "Graph does not say it again"
    );
}

#[tokio::test]
async fn members_of_odd_types_are_counted_and_make_nobody_unknown() {
    let odd = json!({"id": "a", "accountEnabled": "no", "displayName": []});
    let (mut directory, _) = directory(vec![
        end(json!([anna(), bert()]), "1"),
        end(json!([odd]), "2"),
    ])
    .await;
    read(&mut directory).await.unwrap();
    read(&mut directory).await.unwrap();
    assert!(directory.completeness() == Completeness::Whole);
    assert_eq!(accounts(&directory)["a"].name, "Anna");
    let [elements, (_, members), _] = directory.warnings();
    assert_eq!(elements.1, None);
    let members = members.unwrap().what;
    assert!(members.starts_with("1 elements"), "{members}");
}

#[tokio::test]
async fn texts_of_the_directory_keep_to_the_rules_of_the_api() {
    let long = "ü".repeat(5_000);
    let people = json!([
        {"id": "a", "displayName": long, "mail": format!("{long}@x"), "accountEnabled": true},
        {"id": "b", "displayName": " Bert\r\n\u{7f}Carl\t ", "mail": "b\n@x", "accountEnabled": true},
        {"id": "c", "displayName": "\n", "userPrincipalName": " c@x", "accountEnabled": true},
    ]);
    let (mut directory, _) = directory(vec![end(people, "1")]).await;
    read(&mut directory).await.unwrap();
    let accounts = accounts(&directory);
    assert_eq!(accounts["a"].name, "ü".repeat(255));
    assert_eq!(accounts["b"].name, "Bert Carl");
    assert_eq!((&accounts["a"].mail, &accounts["b"].mail), (&None, &None));
    assert_eq!(
        (accounts["c"].name.as_str(), accounts["c"].label()),
        ("", "c@x")
    );
}

/// A passing failure in the middle of a round does not restart the round.
#[tokio::test]
async fn a_page_is_tried_again_in_the_middle_of_a_round() {
    let (client, script) = client(vec![
        page(json!([anna()]), "1"),
        (503, Value::Null),
        end(json!([bert()]), "2"),
    ])
    .await;
    let round = changes(&client, None, &Progress::default()).await.unwrap();
    assert_eq!(round.changes.len(), 2);
    assert_eq!(script.queries.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn an_account_whose_state_is_not_said_stays_as_it_is() {
    // Graph's spelling of an id need not be the stored one.
    for id in ["b", "B"] {
        let silent = json!({"id": id, "displayName": "Bert"});
        let (mut directory, _) = directory(vec![end(json!([anna(), silent]), "1")]).await;
        read(&mut directory).await.unwrap();
        let enabled = |linked: bool| {
            let accounts = directory.accounts(|id| linked && *id == TeamsUserId::new("b"));
            let bert = accounts
                .into_iter()
                .find(|account| account.id == TeamsUserId::new("b"));
            bert.unwrap().enabled
        };
        assert!(enabled(true) && !enabled(false), "{id}");
    }
}
