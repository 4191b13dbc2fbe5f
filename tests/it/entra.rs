//! Import of people from Entra: new, renamed, removed and returning people, without guesses.

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SOON;

async fn stage(rest: &str) -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    for name in ["anna", "bert"] {
        teamsbox.add_user(name).await;
    }
    let rest = [Installation::teams(teamsbox.url()), rest.to_owned()].concat();
    let installation = Installation::new(&rest);
    installation.import(&[("carl", "1003")]).await;
    let server = installation.serve().await;
    (teamsbox, installation, server)
}

async fn synchronise(server: &Server, dry_run: bool) -> Value {
    let body = Some(json!({"dry_run": dry_run}));
    let path = "/api/v1/directory/synchronise";
    server.ok(Method::POST, path, body).await
}

/// Changes of a synchronisation, like `added anna, unmatched carl`, in the order of names.
fn deeds(outcome: &Value) -> String {
    let items = outcome["items"].as_array().unwrap().iter();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let mut deeds: Vec<String> = items
        .map(|item| format!("{} {}", text(item, "what"), text(item, "name")))
        .collect();
    deeds.sort();
    deeds.join(", ")
}

async fn names(server: &Server) -> Vec<String> {
    let people = server.ok(Method::GET, "/api/v1/people", None).await;
    let people = people["items"].as_array().unwrap().iter();
    let mut names: Vec<String> = people
        .map(|person| person["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn people_come_from_entra_are_renamed_leave_and_come_back() {
    let (teamsbox, installation, server) = stage("[directory]\nentra = true\n").await;
    let sample = names(&server).await.len();
    let there = async |name: &str| names(&server).await.contains(&name.to_owned());
    eventually("anna", SOON, true, || there("anna")).await;
    // The server links the account, and reads its presence, without a request.
    server.set_mode("telephony_and_presence").await;
    teamsbox
        .call("anna@contoso.example", "audio", "bert@contoso.example")
        .await;
    eventually("anna's call", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("anna")
    })
    .await;
    teamsbox.end_call("anna@contoso.example").await;
    let last = server.ok(Method::GET, "/api/v1/directory", None).await;
    assert!(deeds(&last).contains("unmatched carl"), "{last}");
    assert!(sample >= 1);

    let anna = server.person("anna").await;
    let renamed =
        json!({"displayName": "anna becker", "userPrincipalName": "anna.becker@contoso.example"});
    teamsbox
        .control(Method::PATCH, "/users/anna@contoso.example", Some(renamed))
        .await;
    let would = synchronise(&server, true).await;
    assert_eq!(would["dry_run"], true);
    assert!(deeds(&would).contains("updated anna becker"), "{would}");
    assert!(there("anna").await, "a dry run does nothing");
    let (code, out, errors) = installation.run("directory", &["--dry-run"]).await;
    assert_eq!(code, 0, "{errors}");
    assert!(
        out.contains("updated    anna becker") && out.contains("no changes made"),
        "{out}"
    );
    synchronise(&server, false).await;
    eventually("renamed", SOON, true, || there("anna becker")).await;
    assert_eq!(server.person("anna becker").await, anna, "the same person");

    teamsbox
        .control(Method::DELETE, "/users/anna.becker@contoso.example", None)
        .await;
    let outcome = synchronise(&server, false).await;
    assert!(deeds(&outcome).contains("gone anna becker"), "{outcome}");
    eventually("gone", SOON, false, || there("anna becker")).await;
    let path = format!("/api/v1/people/{anna}/presence");
    assert_eq!(
        server.api(Method::GET, &path, None).await.0,
        StatusCode::NOT_FOUND
    );
    assert!(there("carl").await, "whoever was entered here stays");
}

#[tokio::test]
async fn swapped_names_are_taken_and_odd_elements_are_warnings() {
    let (teamsbox, installation, server) = stage("[directory]\nentra = true\n").await;
    synchronise(&server, false).await;
    let (anna, bert) = (server.person("anna").await, server.person("bert").await);
    let rename = async |from: &str, to: &str| {
        let name = json!({"userPrincipalName": format!("{to}@contoso.example")});
        let path = format!("/users/{from}@contoso.example");
        teamsbox.control(Method::PATCH, &path, Some(name)).await;
    };
    rename("anna", "free").await;
    rename("bert", "anna").await;
    rename("free", "bert").await;
    let outcome = synchronise(&server, false).await;
    assert!(!deeds(&outcome).contains("refused"), "{outcome}");
    assert_eq!(outcome["warnings"], json!([]));
    for (person, name) in [(&anna, "bert"), (&bert, "anna")] {
        let path = format!("/api/v1/people/{person}");
        let person = server.ok(Method::GET, &path, None).await;
        let expected = format!("{name}@contoso.example");
        assert_eq!(person["userPrincipalName"], expected, "{person}");
    }

    let warned = async |words: &str| {
        let (_, ready) = server.api(Method::GET, "/readyz", None).await;
        ready["warnings"].to_string().contains(words)
    };
    let fault = json!({"change": {"replace": null}, "operations": ["usersDelta"]});
    teamsbox.faults(json!({"replies": fault})).await;
    rename("anna", "anna2").await;
    let words = "no person is taken for gone meanwhile";
    let outcome = synchronise(&server, false).await;
    assert!(outcome["warnings"].to_string().contains(words), "{outcome}");
    assert!(warned(words).await);
    let last = server.ok(Method::GET, "/api/v1/directory", None).await;
    assert_eq!(last["warnings"], outcome["warnings"]);
    let (_, out, _) = installation.run("directory", &["--dry-run"]).await;
    assert!(out.contains(words), "{out}");
}

#[tokio::test]
async fn a_group_decides_and_what_fits_two_is_nobodys() {
    let (teamsbox, installation, server) = stage("").await;
    let refused = Some(json!({}));
    let path = "/api/v1/directory/synchronise";
    let (status, problem) = server.api(Method::POST, path, refused).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["detail"].as_str().unwrap().contains("[directory]"));
    assert_eq!(server.terminate().await, 0);

    // Two people with one number, and an account with that number.
    let profile = json!({"profile": {"businessPhones": ["+49 30 1234 1003"]}});
    for name in ["anna", "bert"] {
        let path = format!("/users/{name}@contoso.example");
        teamsbox
            .control(Method::PATCH, &path, Some(profile.clone()))
            .await;
    }
    let id =
        async |name: &str| teamsbox.state(&format!("{name}@contoso.example")).await["id"].clone();
    let members =
        json!({"displayName": "Offhook", "members": [id("anna").await, id("bert").await]});
    let app = json!({
        "clientId": "22553876-f5ab-4529-bffb-cfe50aa89f87",
        "clientSecret": "teamsbox-secret",
        "roles": ["Presence.ReadWrite.All", "User.Read.All", "GroupMember.Read.All"],
    });
    teamsbox.control(Method::POST, "/apps", Some(app)).await;
    let group = teamsbox
        .control(Method::POST, "/groups", Some(members))
        .await;
    let group = group["id"].as_str().unwrap();
    let teams = Installation::teams(teamsbox.url());
    installation.configure(&format!(
        "{teams}[directory]\nentra = true\ngroup = \"{group}\"\n"
    ));
    let server = installation.serve().await;
    let outcome = synchronise(&server, false).await;
    assert_eq!(outcome["accounts"], 2, "the group's");
    assert_eq!(
        deeds(&outcome),
        "ambiguous anna, ambiguous bert, unmatched carl"
    );
    assert_eq!(names(&server).await, ["carl"]);
}
