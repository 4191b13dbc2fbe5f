//! Unusual responses of Graph about one person do not affect others.

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{HEALS, SOON};

const PEOPLE: [(&str, &str); 3] = [("anna", ""), ("bert", ""), ("cleo", "")];
const CALL: &str = "Busy OnThePhone teams";

async fn stage() -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    let (installation, server) = teamsbox
        .synchronised(&PEOPLE, "telephony_and_presence")
        .await;
    for (name, _) in PEOPLE {
        let observed = async || server.explanation(name).await.contains("shows Available");
        eventually(name, SOON, true, observed).await;
    }
    (teamsbox, installation, server)
}

async fn reports(server: &Server, words: &[&str]) {
    let has_all = async || {
        let troubles = server.troubles().await.join("\n");
        words.iter().all(|word| troubles.contains(word))
    };
    eventually("a named problem", SOON, true, has_all).await;
}

async fn warnings(server: &Server) -> String {
    let (_, ready) = server.api(Method::GET, "/readyz", None).await;
    ready["warnings"].to_string()
}

async fn metrics(server: &Server) -> String {
    let (_, metrics) = server.api(Method::GET, "/metrics", None).await;
    metrics.as_str().unwrap().to_owned()
}

/// Checks that a Teams call of bert and cleo, and its end, are read.
async fn others_are_read(teamsbox: &Teamsbox, server: &Server) {
    teamsbox.call("bert", "audio", "cleo").await;
    for name in ["bert", "cleo"] {
        eventually(name, SOON, CALL.to_owned(), || server.shown(name)).await;
    }
    teamsbox.end_call("bert").await;
    for name in ["bert", "cleo"] {
        let free = async || server.shown(name).await != CALL;
        eventually(name, SOON, true, free).await;
    }
}

#[tokio::test]
async fn an_odd_element_hides_nobody_but_its_own_person() {
    let (teamsbox, _installation, server) = stage().await;
    for (change, why) in [
        (json!({"set": {"id": null}}), "without an id"),
        (json!({"replace": null}), "without an id"),
        (
            json!({"set": {"availability": {"value": "Busy"}}}),
            "availability is not a string",
        ),
        (json!({"remove": ["activity"]}), "activity is not a string"),
    ] {
        let operations = ["getPresencesByUserId"];
        let users = ["anna@contoso.example"];
        let fault = json!({"change": change, "users": users, "operations": operations});
        teamsbox.faults(json!({"replies": fault})).await;
        others_are_read(&teamsbox, &server).await;
        reports(&server, &["unreadable teams accounts", "anna", why]).await;
        let explanation = server.explanation("anna").await;
        assert!(!explanation.contains("account-missing"), "{explanation}");
        teamsbox.faults(json!({})).await;
        eventually("ready", HEALS, true, || server.is_ready()).await;
    }
    let metrics = metrics(&server).await;
    let counted =
        "offhook_graph_elements_skipped_total{call=\"getPresencesByUserId\",reason=\"no_id\"}";
    assert!(metrics.contains(counted), "{metrics}");

    // A number is accepted instead of text there.
    let number =
        json!({"change": {"set": {"sequenceNumber": 12345}}, "users": ["anna@contoso.example"]});
    teamsbox.faults(json!({"replies": number})).await;
    teamsbox.call("anna", "audio", "bert").await;
    eventually("anna", SOON, CALL.to_owned(), || server.shown("anna")).await;
}

// Together the responses are longer than 2 MiB.
#[tokio::test]
async fn long_automatic_replies_hide_nobody() {
    let (teamsbox, _installation, server) = stage().await;
    let reply = json!({"isOutOfOffice": true, "message": "x".repeat(800_000)});
    let change = json!({"set": {"outOfOfficeSettings": reply}});
    let fault = json!({"change": change, "operations": ["getPresencesByUserId"]});
    teamsbox.faults(json!({"replies": fault})).await;
    others_are_read(&teamsbox, &server).await;
    assert_eq!(server.troubles().await, [""; 0]);
}

#[tokio::test]
async fn an_id_that_graph_refuses_is_found_named_and_left_out() {
    for answer in ["notFound", "badRequest"] {
        let (teamsbox, _installation, server) = stage().await;
        let knobs = json!({"bulkUnknownId": answer});
        teamsbox.control(Method::PATCH, "/knobs", Some(knobs)).await;
        teamsbox
            .control(Method::DELETE, "/users/anna@contoso.example", None)
            .await;
        others_are_read(&teamsbox, &server).await;
        reports(&server, &["unreadable teams accounts", "anna"]).await;
        let troubles = server.troubles().await;
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        let missing = async || {
            server
                .explanation("anna")
                .await
                .contains("teams-account-missing")
        };
        eventually("anna's explanation", SOON, true, missing).await;
        let metrics = metrics(&server).await;
        let refused = "offhook_teams_accounts_refused{tenant=\"main\"} 1";
        assert!(metrics.contains(refused), "{metrics}");
    }
}

async fn is_linked(server: &Server, name: &str) -> bool {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/teams-account");
    let account = server.ok(Method::GET, &path, None).await;
    account["account"].is_string()
}

#[tokio::test]
async fn one_name_that_fails_holds_up_nobody_and_is_not_the_tenants_fault() {
    for status in [503, 403] {
        let teamsbox = Teamsbox::start(0).await;
        for name in ["anna", "bert"] {
            teamsbox.add_user(name).await;
        }
        // A guest is matched by mail address.
        let guest = json!({
            "displayName": "cleo",
            "userPrincipalName": "cleo_fabrikam.example#EXT#@contoso.example",
            "profile": {"mail": "cleo@contoso.example"},
        });
        teamsbox.control(Method::POST, "/users", Some(guest)).await;
        let users = ["anna@contoso.example"];
        let fault = json!({"status": status, "users": users, "operations": ["getUser"]});
        teamsbox.faults(json!({"graph": fault})).await;
        let installation = Installation::new(&Installation::teams(teamsbox.url()));
        installation.import(&PEOPLE).await;
        let server = installation.serve().await;
        for name in ["bert", "cleo"] {
            eventually(name, HEALS, true, || is_linked(&server, name)).await;
        }
        let named = async || warnings(&server).await.contains("anna: ");
        eventually("a warning", SOON, true, named).await;
        assert!(!is_linked(&server, "anna").await);
        assert_eq!(server.troubles().await, [""; 0]);
        teamsbox.faults(json!({})).await;
        server
            .api(Method::POST, "/api/v1/teams-accounts/search", None)
            .await;
    }
}

async fn synchronise(server: &Server) -> Value {
    let path = "/api/v1/directory/synchronise";
    let body = Some(json!({"dry_run": false}));
    server.ok(Method::POST, path, body).await
}

async fn names_of(server: &Server, id: &str) -> Vec<String> {
    let person = server
        .ok(Method::GET, &format!("/api/v1/people/{id}"), None)
        .await;
    ["name", "mail", "userPrincipalName"]
        .map(|field| person[field].as_str().unwrap_or_default().to_owned())
        .into()
}

#[tokio::test]
async fn a_partial_page_erases_nothing_and_a_refused_link_deletes_nobody() {
    let teamsbox = Teamsbox::start(0).await;
    teamsbox.add_user("anna").await;
    teamsbox.add_user("bert").await;
    let teams = Installation::teams(teamsbox.url());
    let installation = Installation::new(&format!("{teams}[directory]\nentra = true\n"));
    let server = installation.serve().await;
    synchronise(&server).await;
    let anna = server.person("anna").await;
    let knobs = json!({"deltaItems": "changed"});
    teamsbox.control(Method::PATCH, "/knobs", Some(knobs)).await;
    let mail = json!({"profile": {"mail": "new@contoso.example"}});
    teamsbox
        .control(Method::PATCH, "/users/anna@contoso.example", Some(mail))
        .await;
    synchronise(&server).await;
    let expected = ["anna", "new@contoso.example", "anna@contoso.example"];
    assert_eq!(names_of(&server, &anna).await, expected);

    for (status, code) in [(400, "Directory_ExpiredPageToken"), (404, "x"), (410, "x")] {
        let fault = json!({"status": status, "code": code, "operations": ["usersDelta"], "option": "deltatoken"});
        teamsbox.faults(json!({"graph": fault})).await;
        let outcome = synchronise(&server).await;
        assert_eq!(outcome["items"], json!([]), "{status} {outcome}");
        assert_eq!(names_of(&server, &anna).await, expected);
    }
    teamsbox.faults(json!({})).await;

    // An endless chain of next links.
    let circle = json!({"change": {"nextLink": "itself"}, "operations": ["usersDelta"]});
    teamsbox.faults(json!({"replies": circle})).await;
    let body = Some(json!({"dry_run": false}));
    let (status, problem) = server
        .api(Method::POST, "/api/v1/directory/synchronise", body)
        .await;
    assert!(!status.is_success(), "{problem}");
    reports(&server, &["teams directory", "nextLink"]).await;
    teamsbox.faults(json!({})).await;
    synchronise(&server).await;
    eventually("ready", SOON, true, || server.is_ready()).await;
}
