//! Idempotency: the server is killed, clients repeat unanswered requests, and each is carried out once. A change that
//! waits for Teams delays no other change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use crate::SOON;

/// Number of kills.
const KILLS: usize = 10;
/// Number of concurrent clients.
const CLIENTS: usize = 6;
/// Responses of a round before the kill.
const ANSWERS: usize = 14;

/// A request that creates one object.
#[derive(Clone, Debug)]
struct Post {
    path: String,
    body: Value,
    name: String,
}

impl Post {
    /// The request with this number; each is of another kind than the one before.
    fn new(number: usize, anna: &str) -> Self {
        let name = format!("thing {number} of all");
        let (path, body) = match number % 5 {
            0 => (
                format!("/people/{anna}/appointments"),
                json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z", "text": name}),
            ),
            1 => (
                format!("/people/{anna}/profiles"),
                json!({"name": name, "status": "Busy"}),
            ),
            2 => ("/people".to_owned(), json!({"name": name})),
            3 => (
                "/scopes".to_owned(),
                json!({"kind": "location", "name": name}),
            ),
            _ => (
                "/workgroups".to_owned(),
                json!({"name": name, "level": "TeamColleague", "members": []}),
            ),
        };
        Self {
            path: format!("/api/v1{path}"),
            body,
            name,
        }
    }

    /// Sends the request with an idempotency key of its own; `None`: no response.
    async fn send(&self, server: &Server) -> Option<(StatusCode, String)> {
        let headers = [("idempotency-key", self.name.as_str())];
        let body = Some(self.body.clone());
        server
            .answer(Method::POST, &self.path, &headers, body)
            .await
    }
}

#[tokio::test]
async fn what_was_unanswered_at_a_kill_is_made_once_when_it_is_sent_again() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let mut unanswered: Vec<Post> = Vec::new();
    let mut sent = 0;
    for _ in 0..KILLS {
        let server = installation.serve().await;
        repeat(&server, unanswered).await;
        unanswered = under_load(server, &mut sent).await;
        assert!(!unanswered.is_empty(), "the kill came between requests");
    }
    let server = installation.serve().await;
    repeat(&server, unanswered).await;
    let made = made(&server).await;
    let all = (0..sent).map(|number| Post::new(number, "").name);
    let not_once: Vec<_> = all
        .map(|name| (made.get(&name).copied().unwrap_or_default(), name))
        .filter(|(times, _)| *times != 1)
        .collect();
    assert_eq!(not_once, [], "made another number of times than once");
}

/// Repeats the requests: the response to each holds the object that it created.
async fn repeat(server: &Server, unanswered: Vec<Post>) {
    for post in unanswered {
        let (status, body) = post.send(server).await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{post:?}: {body}");
        assert!(body.contains(&post.name), "{post:?}: {body}");
    }
}

/// Sends requests from several clients, kills the server, and returns the unanswered requests.
async fn under_load(server: Server, sent: &mut usize) -> Vec<Post> {
    let anna = server.person("anna").await;
    let (answered, mut answers) = mpsc::channel(1);
    let mut clients = tokio::task::JoinSet::new();
    let numbers = Arc::new(std::sync::Mutex::new(*sent..));
    for _ in 0..CLIENTS {
        let (client, answered) = (server.another_client(), answered.clone());
        let (numbers, anna) = (numbers.clone(), anna.clone());
        clients.spawn(async move {
            loop {
                let number = numbers.lock().unwrap().next().unwrap();
                let post = Post::new(number, &anna);
                let Some((status, body)) = post.send(&client).await else {
                    return post;
                };
                assert_eq!(status, StatusCode::CREATED, "{post:?}: {body}");
                let _ = answered.send(()).await;
            }
        });
    }
    for _ in 0..ANSWERS {
        answers.recv().await.unwrap();
    }
    // All clients are in the middle of a request: further responses are not counted.
    drop(answers);
    server.kill().await;
    let unanswered = clients.join_all().await;
    *sent = numbers.lock().unwrap().start;
    unanswered
}

/// Number of objects by name.
async fn made(server: &Server) -> BTreeMap<String, usize> {
    let anna = server.person("anna").await;
    let mut made = BTreeMap::new();
    for (path, field) in [
        (format!("/people/{anna}/appointments?limit=1000"), "text"),
        (format!("/people/{anna}/profiles"), "name"),
        ("/people?limit=1000".to_owned(), "name"),
        ("/scopes?limit=1000".to_owned(), "name"),
        ("/workgroups?limit=1000".to_owned(), "name"),
    ] {
        let path = format!("/api/v1{path}");
        let list = server.ok(Method::GET, &path, None).await;
        for item in list["items"].as_array().unwrap() {
            let name = item[field].as_str().unwrap().to_owned();
            *made.entry(name).or_default() += 1;
        }
    }
    made
}

// No key and no account is created twice, and their secrets are not stored for a repetition.
#[tokio::test]
async fn a_key_and_an_account_are_made_once_and_their_secrets_shown_once() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let post = async |path: &str, body: Value| {
        let headers = [("idempotency-key", "once")];
        let path = format!("/api/v1{path}");
        let answer = server.answer(Method::POST, &path, &headers, Some(body));
        answer.await.unwrap()
    };
    let key = json!({"name": "robot", "scopes": ["read"]});
    assert_eq!(post("/keys", key.clone()).await.0, StatusCode::CREATED);
    let (status, refusal) = post("/keys", key).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refusal}");
    assert!(
        refusal.contains("done already") && refusal.contains("shown once"),
        "{refusal}"
    );
    let keys = server.ok(Method::GET, "/api/v1/keys", None).await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1, "{keys}");
}

#[tokio::test]
async fn an_account_that_is_posted_again_is_answered_without_its_password() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let body =
        json!({"name": "robot", "role": "system_admin", "password": "correct horse battery"});
    let post = async || {
        let headers = [("idempotency-key", "once")];
        let body = Some(body.clone());
        let answer = server.answer(Method::POST, "/api/v1/accounts", &headers, body);
        answer.await.unwrap()
    };
    let first = post().await;
    assert_eq!(first.0, StatusCode::CREATED, "{}", first.1);
    assert_eq!(post().await, first, "the same answer");
    let accounts = server.ok(Method::GET, "/api/v1/accounts", None).await;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1, "{accounts}");
}

#[tokio::test]
async fn work_that_goes_on_is_begun_once_and_not_again_after_a_restart() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let headers = [("idempotency-key", "once"), ("prefer", "respond-async")];
    let import = async |server: &Server| {
        let body =
            Some(json!({"csv": "name,mail,UPN,extension\nanna,anna@contoso.example,,1001\n"}));
        let path = "/api/v1/people/import";
        let answer = server.answer(Method::POST, path, &headers, body).await;
        answer.unwrap()
    };
    let first = import(&server).await;
    assert_eq!(first.0, StatusCode::ACCEPTED, "{}", first.1);
    assert_eq!(import(&server).await, first, "the same answer");
    let people = async || {
        let people = server.ok(Method::GET, "/api/v1/people", None).await;
        people["items"].as_array().unwrap().len()
    };
    eventually("the import", SOON, 1, people).await;
    let work = server.ok(Method::GET, "/api/v1/work", None).await;
    assert_eq!(work["items"].as_array().unwrap().len(), 1, "{work}");
    server.kill().await;
    let server = installation.serve().await;
    let (status, refusal) = import(&server).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refusal}");
    assert!(refusal.contains("done already"), "{refusal}");
}

/// A server with people in Teams, and a connection to Teams that becomes slow.
async fn slow_teams() -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    for name in ["anna", "bert", "spare"] {
        teamsbox.add_user(name).await;
    }
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation
        .import(&[("anna", "1001"), ("bert", "1002")])
        .await;
    let server = installation.serve().await;
    let linked = async || {
        let anna = server.person("anna").await;
        let path = format!("/api/v1/people/{anna}/teams-account");
        server.ok(Method::GET, &path, None).await["account"].is_string()
    };
    eventually("anna is linked", SOON, true, linked).await;
    teamsbox.faults(json!({"delayMilliseconds": 4_000})).await;
    (teamsbox, installation, server)
}

/// Checks that changes by another caller are answered at once while a request waits for Teams.
async fn others_do_not_wait(
    server: &Server,
    slow: tokio::task::JoinHandle<Option<(StatusCode, String)>>,
) -> StatusCode {
    let bert = server.person("bert").await;
    let mut times = Vec::new();
    let mut number = 0;
    while !slow.is_finished() {
        number += 1;
        let favourites = format!("/api/v1/people/{bert}/favourites");
        let tag = server
            .with_headers(Method::GET, &favourites, &[], None)
            .await
            .1;
        let tag = tag.unwrap();
        let key = format!("quick {number}");
        let appointment =
            json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z", "text": key});
        let begun = Instant::now();
        let statuses = [
            server
                .with_headers(
                    Method::PUT,
                    &favourites,
                    &[("if-match", &tag)],
                    Some(json!({"people": []})),
                )
                .await
                .0,
            server
                .with_headers(
                    Method::POST,
                    &format!("/api/v1/people/{bert}/appointments"),
                    &[("idempotency-key", &key)],
                    Some(appointment),
                )
                .await
                .0,
        ];
        times.push(begun.elapsed());
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CREATED]);
    }
    times.sort();
    assert!(times.len() > 3, "the slow request did not wait for Teams");
    // The median, because the machine may be busy; the slowest change would show a wait for Teams.
    assert!(
        times[times.len() / 2] < Duration::from_millis(500),
        "{times:?}"
    );
    assert!(times[times.len() - 1] < Duration::from_secs(2), "{times:?}");
    slow.await.unwrap().unwrap().0
}

#[tokio::test]
async fn a_slow_post_with_an_idempotency_key_holds_up_nobody() {
    let (_teamsbox, _installation, server) = slow_teams().await;
    let client = server.another_client();
    let slow = tokio::spawn(async move {
        let headers = [("idempotency-key", "slow")];
        let answer = client.answer(Method::POST, "/api/v1/doctor", &headers, None);
        answer.await
    });
    let status = others_do_not_wait(&server, slow).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_slow_conditional_change_holds_up_nobody() {
    let (_teamsbox, _installation, server) = slow_teams().await;
    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/teams-account");
    let tag = server.with_headers(Method::GET, &path, &[], None).await.1;
    let client = server.another_client();
    let slow = tokio::spawn(async move {
        let tag = tag.unwrap();
        let headers = [("if-match", tag.as_str())];
        let body = json!({"account": "spare@contoso.example"});
        client
            .answer(Method::PUT, &path, &headers, Some(body))
            .await
    });
    let status = others_do_not_wait(&server, slow).await;
    assert_eq!(status, StatusCode::OK);
}
