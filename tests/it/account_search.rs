//! A new Teams account is found by an administrator's search and when the person's page opens, not only by the
//! regular search.

use std::cell::RefCell;

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::HEALS;

const SEARCH: &str = "/api/v1/teams-accounts/search";

async fn stage() -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation
        .import(&[("anna", "1001"), ("bert", "1002"), ("cleo", "1003")])
        .await;
    let server = installation.serve().await;
    (teamsbox, installation, server)
}

/// Searches; retries after the pause that follows a search.
async fn search(server: &Server) -> Value {
    let found = RefCell::new(Value::Null);
    let is_answered = async || {
        let (status, answer) = server.api(Method::POST, SEARCH, None).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            return false;
        }
        assert_eq!(status, StatusCode::OK, "{answer}");
        found.replace(answer);
        true
    };
    eventually("accounts are searched for", HEALS, true, is_answered).await;
    found.into_inner()
}

async fn is_linked(server: &Server, name: &str) -> bool {
    let people = server.ok(Method::GET, "/api/v1/people", None).await;
    let people = people["items"].as_array().unwrap();
    let id = people.iter().find(|person| person["name"] == name).unwrap()["id"].clone();
    let path = format!("/api/v1/people/{}/teams-account", id.as_str().unwrap());
    let account = server.ok(Method::GET, &path, None).await;
    account["account"].is_string()
}

#[tokio::test]
async fn an_account_is_found_when_an_administrator_asks_or_the_person_is_opened() {
    let (teamsbox, _installation, server) = stage().await;
    let nothing = search(&server).await;
    assert_eq!(nothing["found"], json!([]));
    assert_eq!(nothing["without_account"], 3);
    let (status, refused) = server.api(Method::POST, SEARCH, None).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("seconds"));

    teamsbox.add_user("anna").await;
    // The second request arrives while the search for the first is under way.
    teamsbox.faults(json!({"delayMilliseconds": 2_000})).await;
    let (one, two) = tokio::join!(search(&server), search(&server));
    teamsbox.faults(json!({})).await;
    assert_eq!(one, two, "both join one search");
    assert_eq!(one["found"][0]["name"], "anna", "{one}");
    assert!(one["found"][0]["account"].is_string());
    assert_eq!(one["without_account"], 2);

    teamsbox.add_user("bert").await;
    // Opening a person's page starts the search, and does not wait for Graph.
    eventually("bert is found", HEALS, true, || is_linked(&server, "bert")).await;
    assert_eq!(
        search(&server).await["without_account"],
        1,
        "cleo has no account"
    );
    let page = server.system_administrator().await;
    let (status, shown) = page.form("/admin/people", &[("form", "search")]).await;
    assert!(
        status.is_success() || status == StatusCode::TOO_MANY_REQUESTS,
        "{status} {shown}"
    );
    let people = page.page("/admin/people").await;
    assert!(people.contains("Check for new accounts now"), "{people}");
}

#[tokio::test]
async fn an_account_that_is_linked_during_a_search_stays() {
    let (teamsbox, _installation, server) = stage().await;
    let people = server.ok(Method::GET, "/api/v1/people", None).await;
    let people = people["items"].as_array().unwrap();
    let bert = people.iter().find(|person| person["name"] == "bert");
    let path = bert.unwrap()["id"].as_str().unwrap();
    let path = format!("/api/v1/people/{path}/teams-account");
    assert_eq!(search(&server).await["without_account"], 3);
    for name in ["bert", "other"] {
        teamsbox.add_user(name).await;
    }
    let lookups = async || {
        let journal = teamsbox
            .control(Method::GET, "/journal?limit=200", None)
            .await;
        let journal = journal.to_string();
        journal.matches("/users/anna@contoso.example").count()
    };
    let before = lookups().await;
    teamsbox.faults(json!({"delayMilliseconds": 2_000})).await;
    let link_meanwhile = async {
        // After two requests for anna, who has no account, the search continues with bert.
        let is_after_anna = async || lookups().await >= before + 2;
        eventually("the search asks for bert", HEALS, true, is_after_anna).await;
        teamsbox.faults(json!({})).await;
        let other = json!({"account": "other@contoso.example"});
        server.ok(Method::PUT, &path, Some(other)).await["account"].clone()
    };
    let (_, linked) = tokio::join!(search(&server), link_meanwhile);
    let account = server.ok(Method::GET, &path, None).await;
    assert_eq!(account["account"], linked, "{account}");
}
