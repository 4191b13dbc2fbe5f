//! People link their Teams account themselves: by device code, in a browser, remembered or not, and with a confirmation
//! for an account with another name.

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::HEALS;

/// A tenant without an application's sign-in: people sign in themselves.
fn by_people(url: &str) -> String {
    Installation::teams(url).replace("client_secret =", "sign_in = \"people\"\nclient_secret =")
}

async fn stage() -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    for name in ["anna", "bert"] {
        teamsbox.add_user(name).await;
    }
    let installation = Installation::new(&by_people(teamsbox.url()));
    installation
        .import(&[("anna", "1001"), ("bert", "1002")])
        .await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    (teamsbox, installation, server)
}

async fn account(server: &Server, name: &str) -> Value {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/teams-account");
    server.ok(Method::GET, &path, None).await
}

/// Signs in by device code, as anyone with the code can.
async fn sign_in(server: &Server, teamsbox: &Teamsbox, name: &str, user: &str, remember: bool) {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/teams-account/sign-in");
    let body = Some(json!({"remember": remember}));
    let begun = server.ok(Method::POST, &path, body).await;
    let code = begun["user_code"].as_str().unwrap();
    let waiting = account(server, name).await;
    assert_eq!(waiting["waiting"]["user_code"], code);
    let answer = json!({"userCode": code, "user": user, "action": "allow"});
    teamsbox
        .control(Method::POST, "/device", Some(answer))
        .await;
    let done = async || account(server, name).await["waiting"].is_null();
    eventually("the code is answered", HEALS, true, done).await;
}

async fn calls_cross(server: &Server, teamsbox: &Teamsbox) {
    let anna = server.person("anna").await;
    let meeting = format!("/api/v1/people/{anna}/meetings/daily");
    let audio = Some(json!({"audio": true}));
    server.ok(Method::PUT, &meeting, audio).await;
    eventually("to Teams", HEALS, "Busy/InACall".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    server.ok(Method::DELETE, &meeting, None).await;
    eventually("taken back", HEALS, "Available/Available".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    teamsbox.choose("anna", "DoNotDisturb").await;
    eventually("from Teams", HEALS, "DoNotDisturb".into(), || {
        server.shown("anna")
    })
    .await;
    teamsbox.reset("anna").await;
}

#[tokio::test]
async fn calls_cross_with_the_persons_own_login_which_outlives_a_restart() {
    let (teamsbox, installation, server) = stage().await;
    let before = account(&server, "anna").await;
    assert_eq!(
        (&before["sign_in"], &before["account"], &before["signed_in"]),
        (&json!("people"), &Value::Null, &Value::Null)
    );
    sign_in(&server, &teamsbox, "anna", "anna@contoso.example", true).await;
    let signed_in = account(&server, "anna").await;
    assert_eq!(
        (&signed_in["signed_in"], &signed_in["remembered"]),
        (&json!(true), &json!(true)),
        "{signed_in}"
    );
    calls_cross(&server, &teamsbox).await;

    assert_eq!(server.terminate().await, 0);
    let (_, out, _) = installation.run("doctor", &[]).await;
    assert!(out.contains("1 of 2 people are remembered"), "{out}");
    let server = installation.serve().await;
    calls_cross(&server, &teamsbox).await;
    assert!(server.is_ready().await, "{:?}", server.troubles().await);

    // Entra requires a new sign-in, and reports it at the next refresh of the token.
    let revoke = "/users/anna@contoso.example/revoke";
    teamsbox.control(Method::POST, revoke, None).await;
    assert_eq!(server.terminate().await, 0);
    let server = installation.serve().await;
    let troubled = async || account(&server, "anna").await["signed_in"] == false;
    eventually("signed out at Microsoft", HEALS, true, troubled).await;
    let text = account(&server, "anna").await["trouble"].to_string();
    assert!(text.contains("sign in again"), "{text}");

    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/teams-account");
    server.ok(Method::DELETE, &path, None).await;
    let gone = account(&server, "anna").await;
    assert_eq!(
        (&gone["account"], &gone["signed_in"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_login_that_is_not_remembered_is_gone_after_a_restart() {
    let (teamsbox, installation, server) = stage().await;
    sign_in(&server, &teamsbox, "anna", "anna@contoso.example", false).await;
    let signed_in = account(&server, "anna").await;
    assert_eq!(
        (&signed_in["signed_in"], &signed_in["remembered"]),
        (&json!(true), &json!(false))
    );
    calls_cross(&server, &teamsbox).await;
    assert_eq!(server.terminate().await, 0);
    let server = installation.serve().await;
    let after = account(&server, "anna").await;
    // The account stays linked.
    assert!(after["account"].is_string(), "{after}");
    assert_eq!(after["signed_in"], Value::Null);
    let ended = async || {
        let explanation = server.explanation("anna").await;
        explanation.contains("teams-login-ended")
    };
    eventually("the explanation says so", HEALS, true, ended).await;
    sign_in(&server, &teamsbox, "anna", "anna@contoso.example", false).await;
    eventually("not any more", HEALS, false, ended).await;
}

#[tokio::test]
async fn an_account_is_one_persons() {
    let (teamsbox, _installation, server) = stage().await;
    sign_in(&server, &teamsbox, "anna", "anna@contoso.example", true).await;
    sign_in(&server, &teamsbox, "bert", "anna@contoso.example", true).await;
    let taken = account(&server, "bert").await;
    assert_eq!(taken["account"], Value::Null);
    assert!(
        taken["trouble"].as_str().unwrap().contains("anna"),
        "{taken}"
    );
    assert_eq!(
        taken["question"],
        Value::Null,
        "an account of another person"
    );
}

/// The sign-in of a federated account is used until the restart, and not stored.
#[tokio::test]
async fn a_federated_account_is_synchronised_and_not_remembered() {
    let (teamsbox, installation, server) = stage().await;
    let federated = Some(json!({"federated": true}));
    teamsbox
        .control(Method::PATCH, "/users/anna@contoso.example", federated)
        .await;
    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/teams-account/sign-in");
    let remembered = Some(json!({"remember": true}));
    let (status, problem) = server.api(Method::POST, &path, remembered).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("without remembering"), "{detail}");
    sign_in(&server, &teamsbox, "anna", "anna@contoso.example", false).await;
    let signed_in = account(&server, "anna").await;
    assert_eq!(
        (&signed_in["signed_in"], &signed_in["remembered"]),
        (&json!(true), &json!(false)),
        "{signed_in}"
    );
    calls_cross(&server, &teamsbox).await;
    // The sign-in outlives an access token; here, one that Graph refuses.
    let expired = json!({"graph": {"status": 401, "remaining": 1, "operations": ["getPresence"]}});
    teamsbox.faults(expired).await;
    calls_cross(&server, &teamsbox).await;
    assert_eq!(account(&server, "anna").await["signed_in"], true);
    let page = server.signed_in_as("anna").await.page("/me/teams").await;
    assert!(page.contains("after Offhook restarts"), "{page}");
    assert_eq!(server.terminate().await, 0);
    let (_, out, _) = installation.run("doctor", &[]).await;
    assert!(!out.contains("1 of 2 people are remembered"), "{out}");
    let server = installation.serve().await;
    let after = account(&server, "anna").await;
    assert!(after["account"].is_string(), "{after}");
    assert_eq!(after["signed_in"], Value::Null, "not remembered");
}

async fn answer(
    server: &Server,
    name: &str,
    confirmation: &str,
    link: bool,
) -> (StatusCode, Value) {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/teams-account/confirm");
    let body = json!({"confirmation": confirmation, "link": link});
    server.api(Method::POST, &path, Some(body)).await
}

/// An account with another name is linked when the person confirms it, once and in the session that signed in.
#[tokio::test]
async fn an_account_with_another_name_is_linked_when_the_person_confirms_it() {
    let (teamsbox, _installation, server) = stage().await;
    teamsbox.add_user("chiara").await;
    let chiara = "chiara@contoso.example";
    let bert = server.signed_in_as("bert").await;
    sign_in(&bert, &teamsbox, "bert", chiara, true).await;
    let asked = account(&bert, "bert").await;
    assert_eq!(asked["account"], Value::Null, "nothing is linked: {asked}");
    assert_eq!(asked["question"]["sign_in_name"], chiara);
    assert!(asked["question"]["display_name"].is_string(), "{asked}");
    let page = bert.page("/me/teams").await;
    assert!(
        page.contains(chiara) && page.contains("your account?"),
        "{page}"
    );
    let confirmation = asked["question"]["confirmation"].as_str().unwrap();

    // Neither a wrong value nor another session confirms, and neither ends the question.
    let (status, _) = answer(&bert, "bert", "0123456789abcdef", true).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = answer(&server, "bert", confirmation, true).await;
    assert_eq!(status, StatusCode::CONFLICT, "a value of another session");
    assert_eq!(account(&bert, "bert").await["account"], Value::Null);

    let (status, discarded) = answer(&bert, "bert", confirmation, false).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&discarded["account"], &discarded["question"]),
        (&Value::Null, &Value::Null)
    );
    let (status, _) = answer(&bert, "bert", confirmation, true).await;
    assert_eq!(status, StatusCode::CONFLICT, "answered already");

    sign_in(&bert, &teamsbox, "bert", chiara, true).await;
    let asked = account(&bert, "bert").await;
    let confirmation = asked["question"]["confirmation"].as_str().unwrap();
    let form = [("confirmation", confirmation), ("answer", "link")];
    let (status, page) = bert.form("/me/teams/confirm", &form).await;
    assert!(
        status.is_success() || status.is_redirection(),
        "{status} {page}"
    );
    let linked = account(&bert, "bert").await;
    assert!(linked["account"].is_string(), "{linked}");
    assert_eq!(
        (&linked["sign_in_name"], &linked["signed_in"]),
        (&json!(chiara), &json!(true))
    );
    assert!(bert.page("/me/teams").await.contains(chiara));
    let (status, _) = bert.form("/me/teams/confirm", &form).await;
    assert_eq!(status, StatusCode::CONFLICT, "a confirmation is good once");

    // A change from the linked account to the person's own is confirmed too; the question names the account.
    sign_in(&bert, &teamsbox, "bert", "bert@contoso.example", true).await;
    let asked = account(&bert, "bert").await;
    assert_eq!(asked["question"]["sign_in_name"], "bert@contoso.example");
    assert_eq!(asked["account"], linked["account"], "kept until then");
    // The question names the other person with this sign-in name.
    sign_in(&bert, &teamsbox, "bert", "anna@contoso.example", true).await;
    let asked = account(&bert, "bert").await;
    assert_eq!(asked["question"]["name_of"], "anna");
}

/// A browser that follows no redirects: status and target of each.
struct Browser {
    http: reqwest::Client,
    cookie: String,
}

impl Browser {
    async fn get(&self, url: &str) -> (StatusCode, String, String) {
        let sent = self.http.get(url).header(header::COOKIE, &self.cookie);
        let response = sent.send().await.unwrap();
        let to = response.headers().get(header::LOCATION);
        let to = to.map_or_else(String::new, |to| to.to_str().unwrap().to_owned());
        (response.status(), to, response.text().await.unwrap())
    }
}

#[tokio::test]
async fn the_browser_goes_to_microsoft_and_comes_back_connected() {
    let (teamsbox, installation, server) = stage().await;
    let anna = server.signed_in_as("anna").await;
    let browser = Browser {
        http: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap(),
        cookie: anna.cookie().to_owned(),
    };
    let (status, _, page) = browser.get(&installation.url("/me/teams")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Not connected."), "{page}");
    let begin = installation.url("/me/teams/browser?remember=on");
    let (status, microsoft, _) = browser.get(&begin).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(microsoft.starts_with(teamsbox.url()), "{microsoft}");
    // Microsoft knows the person, who consents.
    let back = teamsbox.authorize(&microsoft, "anna@contoso.example").await;
    // A forged `state` is refused.
    let forged = back.replace("state=", "state=x");
    let (status, _, page) = browser.get(&forged).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("start the sign-in again"), "{page}");
    let (_, microsoft, _) = browser.get(&begin).await;
    let back = teamsbox.authorize(&microsoft, "anna@contoso.example").await;
    let (status, to, page) = browser.get(&back).await;
    assert_eq!(
        (status, to.as_str()),
        (StatusCode::SEE_OTHER, "/me/teams"),
        "{page}"
    );
    let (_, _, page) = browser.get(&installation.url("/me/teams")).await;
    assert!(page.contains("Your sign-in is stored encrypted"), "{page}");
    calls_cross(&server, &teamsbox).await;
    // The token is in the database in sealed form only.
    let database = std::fs::read(installation.data("offhook.db")).unwrap();
    let text = String::from_utf8_lossy(&database);
    assert!(!text.contains("confidential\n"));
}

#[tokio::test]
async fn a_key_is_nobodys_and_has_no_such_page() {
    let (_teamsbox, _installation, server) = stage().await;
    let (status, body) = server.api(Method::GET, "/me/teams", None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    let stranger = server.with_key("");
    let (status, _) = stranger.api(Method::GET, "/me/teams", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_administrator_links_an_account_that_has_another_name() {
    let teamsbox = Teamsbox::start(0).await;
    teamsbox.add_user("a.becker").await;
    teamsbox.add_user("b.meier").await;
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation
        .import(&[("anna", "1001"), ("bert", "1002")])
        .await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    let anna = server.person("anna").await;
    let path = format!("/api/v1/people/{anna}/teams-account");
    let link = |account: &str| Some(json!({"account": account}));
    for wrong in ["", "nobody@contoso.example"] {
        let (status, refused) = server.api(Method::PUT, &path, link(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        assert_eq!(refused["field"], "account");
    }
    let linked = server
        .ok(Method::PUT, &path, link("a.becker@contoso.example"))
        .await;
    let object = linked["account"].as_str().unwrap().to_owned();
    // The object id links the same account.
    let again = server.ok(Method::PUT, &path, link(&object)).await;
    assert_eq!(again["account"], object.as_str());
    let meeting = format!("/api/v1/people/{anna}/meetings/daily");
    server
        .ok(Method::PUT, &meeting, Some(json!({"audio": true})))
        .await;
    eventually("to Teams", HEALS, "Busy/InACall".into(), || {
        teamsbox.shown("a.becker")
    })
    .await;
    // Another person's account is refused, and the link to the former account stays.
    let bert = server.person("bert").await;
    let his = format!("/api/v1/people/{bert}/teams-account");
    let own = server
        .ok(Method::PUT, &his, link("b.meier@contoso.example"))
        .await;
    let (status, refused) = server
        .api(Method::PUT, &his, link("a.becker@contoso.example"))
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    let kept = server.ok(Method::GET, &his, None).await;
    assert_eq!(kept["account"], own["account"]);
    let audit = server.ok(Method::GET, "/api/v1/audit?limit=20", None).await;
    let items = audit["items"].as_array().unwrap();
    assert!(
        items
            .iter()
            .any(|entry| entry["what"] == "person.teams_account.link")
    );
}
