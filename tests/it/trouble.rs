//! Failures of one part: the others keep working, `/readyz` names the remedy, and the server recovers without a
//! restart.

use std::time::Duration;

use end_to_end::{Installation, Lab, Server, Teamsbox, eventually, free_port};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    HEALS, SOON,
    telephone::{PEOPLE, stage},
};

async fn reports(server: &Server, words: &[&str]) {
    let is_reported = async || {
        let troubles = server.troubles().await.join("\n");
        words.iter().all(|word| troubles.contains(word))
    };
    eventually(&format!("/readyz says {words:?}"), HEALS, true, is_reported).await;
}

#[tokio::test]
async fn a_telephone_system_that_is_not_there_yet() {
    let teamsbox = Teamsbox::start(0).await;
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let rest = [
        Installation::teams(teamsbox.url()),
        Installation::pbx(5076, "udp", "pw1003"),
    ]
    .concat();
    let installation = Installation::new(&rest);
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    reports(&server, &["pbx lab", "127.0.0.1:5076"]).await;
    // The other side keeps working.
    teamsbox.call("anna", "audio", "bert").await;
    eventually("anna", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("anna")
    })
    .await;
    teamsbox.end_call("anna").await;

    let lab = Lab::up(8);
    eventually("ready", HEALS, true, || server.is_ready()).await;
    lab.call("1001", "1002");
    eventually("bert", HEALS, "Busy OnThePhone pbx".into(), || {
        server.shown("bert")
    })
    .await;
}

#[tokio::test]
async fn lines_of_a_telephone_system_that_never_answered_are_unknown() {
    let installation = Installation::new(&Installation::pbx(free_port(), "udp", "pw1003"));
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    let ada = server.system_administrator().await;
    let page = || ada.page("/admin/telephony");
    let cells = page().await.matches("<td>unknown</td>").count();
    assert_eq!(cells, PEOPLE.len(), "{}", page().await);
    assert!(!page().await.contains("<td>idle</td>"));
    // The API marks the presence as uncertain.
    assert_eq!(server.presence("anna").await["confidence"], "stale");
}

#[tokio::test]
async fn a_wrong_password_is_named_and_a_right_one_works() {
    let lab = Lab::up(9);
    let installation = Installation::new(&Installation::pbx(lab.port(), "udp", "wrong"));
    installation.import(&PEOPLE).await;
    let server = installation.serve().await;
    reports(&server, &["pbx lab", "1003", "password"]).await;
    assert_eq!(server.shown("anna").await, "Available");
    assert_eq!(server.terminate().await, 0);
    installation.configure(&Installation::pbx(lab.port(), "udp", "pw1003"));
    let server = installation.serve().await;
    eventually("ready", HEALS, true, || server.is_ready()).await;
}

#[tokio::test]
async fn faults_of_graph_and_entra_are_named_and_heal() {
    let (lab, teamsbox, _installation, server) = stage(7, "udp").await;
    for (faults, words) in [
        (
            json!({"graph": {"status": 403}}),
            ["teams sweep", "Presence.ReadWrite.All"],
        ),
        (json!({"graph": {"status": 401}}), ["teams sweep", "401"]),
        (
            json!({"graph": {"status": 429, "retryAfter": "1"}}),
            ["teams sweep", "throttles"],
        ),
        (json!({"graph": {"status": 503}}), ["teams sweep", "503"]),
    ] {
        teamsbox.faults(faults).await;
        reports(&server, &words).await;
        teamsbox.faults(json!({})).await;
        eventually("ready", HEALS, true, || server.is_ready()).await;
    }
    // A call during the fault is written after the fault; so is its end.
    teamsbox
        .faults(json!({"graph": {"status": 503, "operations": ["setPresence", "clearPresence"]}}))
        .await;
    lab.call("1001", "1002");
    reports(&server, &["teams writes", "503"]).await;
    assert_eq!(server.shown("anna").await, "Busy OnThePhone pbx");
    assert_eq!(teamsbox.shown("anna").await, "Available/Available");
    teamsbox.faults(json!({})).await;
    eventually("anna", HEALS, "Busy/InACall".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    teamsbox
        .faults(json!({"graph": {"status": 429, "retryAfter": "2"}}))
        .await;
    lab.hang_up("1001");
    eventually("anna", SOON, "Available".into(), || server.shown("anna")).await;
    teamsbox.faults(json!({})).await;
    eventually("anna", HEALS, "Available/Available".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    eventually("ready", HEALS, true, || server.is_ready()).await;
}

#[tokio::test]
async fn a_tenant_that_goes_away_and_comes_back() {
    let teamsbox = Teamsbox::start(0).await;
    let port = teamsbox.port();
    teamsbox.add_user("anna").await;
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    let observed = async || server.explanation("anna").await.contains("shows Available");
    eventually("anna", SOON, true, observed).await;
    let id = teamsbox.state("anna").await["id"].clone();
    teamsbox.kill().await;
    reports(&server, &["teams sweep", "no answer from"]).await;
    // People can still choose a profile; it is written when Graph answers again.
    server.choose("anna", "Do not disturb").await;
    assert_eq!(server.shown("anna").await, "DoNotDisturb");
    let teamsbox = Teamsbox::start(port).await;
    let user = json!({
        "id": id, "displayName": "anna", "userPrincipalName": "anna@contoso.example", "clients": ["desktop"],
    });
    teamsbox.control(Method::POST, "/users", Some(user)).await;
    let shown = || teamsbox.shown("anna");
    eventually("anna", HEALS, "DoNotDisturb/DoNotDisturb".into(), shown).await;
    eventually("ready", HEALS, true, || server.is_ready()).await;
}

#[tokio::test]
async fn a_wrong_secret_is_named_with_its_remedy() {
    let teamsbox = Teamsbox::start(0).await;
    teamsbox.add_user("anna").await;
    let rest = Installation::teams(teamsbox.url()).replace("teamsbox-secret", "wrong-secret");
    let installation = Installation::new(&rest);
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    reports(&server, &["AADSTS7000215", "client secret is wrong"]).await;
    assert!(!server.troubles().await.join("\n").contains("wrong-secret"));
}

#[tokio::test]
async fn bad_input_is_refused_with_value_and_remedy() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let anna = server.person("anna").await;
    let profile = format!("/api/v1/people/{anna}/profile");
    let teams = "/api/v1/scopes/organisation/settings/teams";
    for (method, path, body, status, word) in [
        (Method::GET, "/api/v1/people/999/presence", None, 404, "999"),
        (
            Method::GET,
            "/api/v1/people/nobody/presence",
            None,
            404,
            "nobody",
        ),
        (Method::GET, "/api/v1/people?limit=0", None, 422, "limit"),
        (Method::GET, "/api/v1/people?cursor=x", None, 422, "cursor"),
        (Method::GET, "/api/v1/nothing", None, 404, "/nothing"),
        (Method::PUT, "/api/v1/people", None, 405, "method"),
        (
            Method::GET,
            "/api/v1/people/%ff/presence",
            None,
            400,
            "UTF-8",
        ),
        (Method::GET, "/api/v1/events?since=abc", None, 422, "since"),
        (
            Method::PUT,
            &profile,
            Some(json!({"profile": "Asleep"})),
            422,
            "Do not disturb",
        ),
        (
            Method::PUT,
            &profile,
            Some(json!({"profile": "Busy", "until": "soon"})),
            422,
            "soon",
        ),
        (
            Method::PUT,
            &profile,
            Some(json!({"profile": "Busy", "until": "2020-01-01T00:00:00Z"})),
            422,
            "past",
        ),
        (
            Method::PUT,
            &profile,
            Some(json!({"profil": "Busy"})),
            400,
            "profil",
        ),
        (
            Method::PUT,
            teams,
            Some(json!({"mode": "everything"})),
            422,
            "telephony_only",
        ),
        (
            Method::PUT,
            "/api/v1/scopes/moon/settings/teams",
            Some(json!({"mode": "none"})),
            404,
            "moon",
        ),
        (
            Method::PUT,
            "/api/v1/scopes/organisation/settings/moon",
            Some(json!({"mode": "none"})),
            404,
            "moon",
        ),
    ] {
        let (got, problem) = server.api(method, path, body).await;
        assert_eq!(got.as_u16(), status, "{path}: {problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(word),
            "{path}: {problem}"
        );
    }
    assert_eq!(server.shown("anna").await, "Available");
}

#[tokio::test]
async fn bad_files_are_refused_with_place_and_exit_code() {
    let installation = Installation::new("");
    let (code, _, errors) = installation.run("import", &["missing.csv"]).await;
    assert_eq!(code, 1);
    assert!(errors.contains("missing.csv"), "{errors}");
    installation.configure("[htp]\n");
    let (code, _, errors) = installation.run("serve", &[]).await;
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("offhook.toml:6") && errors.contains("htp"),
        "{errors}"
    );
}

/// A service's output goes to a log with other readers.
#[tokio::test]
async fn a_start_without_a_terminal_prints_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let installation = Installation::new("");
    let config = installation.file("offhook.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let without_key = text.lines().filter(|line| !line.starts_with("api_key"));
    std::fs::write(&config, without_key.collect::<Vec<_>>().join("\n")).unwrap();
    let file = installation.data("first-start.txt");
    let mut links = Vec::new();
    // The second start creates no key, but a new link; the first start's key still works.
    for _ in 0..2 {
        let log = installation.file("log");
        let output = std::fs::File::create(&log).unwrap();
        let mut server = tokio::process::Command::new(end_to_end::binary("offhook"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let serving = format!("Serving at {}", installation.url(""));
        let serves = async || std::fs::read_to_string(&log).unwrap().contains(&serving);
        eventually("serving", SOON, true, serves).await;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let secrets = std::fs::read_to_string(&file).unwrap();
        assert!(secrets.contains("API key"), "{secrets}");
        let log = std::fs::read_to_string(&log).unwrap();
        for line in secrets.lines() {
            let secret = line.rsplit([' ', '/']).next().unwrap();
            assert!(secret.len() > 20 && !log.contains(secret), "{log}");
        }
        assert!(log.contains("first-start.txt"), "{log}");
        if let Some(key) = secrets.lines().find(|line| line.starts_with("API key")) {
            let key = key.rsplit(' ').next().unwrap();
            let people = reqwest::Client::new().get(installation.url("/api/v1/people"));
            let people = people.bearer_auth(key).send().await.unwrap();
            assert!(people.status().is_success());
        }
        links.push(secrets.lines().next().unwrap().to_owned());
        server.kill().await.unwrap();
    }
    assert_ne!(links[0], links[1], "the file of an older start is replaced");
    let (code, link, errors) = installation.run("link", &[]).await;
    assert!(code == 0 && link.contains("/open/"), "{errors}");
}

#[tokio::test]
async fn nothing_is_readable_without_a_key_or_a_cookie() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let (_, people) = server.api(Method::GET, "/api/v1/people", None).await;
    assert!(people.to_string().contains("anna"));
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = server.board.rsplit_once("/open/").unwrap().0.to_owned();
    for path in [
        "/",
        "/api/v1/people",
        "/api/v1/events",
        "/metrics",
        "/api/v1/people/1/explanation",
    ] {
        let wrong = http
            .get(format!("{url}{path}"))
            .bearer_auth("wrong")
            .send()
            .await
            .unwrap();
        let none = http.get(format!("{url}{path}")).send().await.unwrap();
        for response in [wrong, none] {
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert!(!response.text().await.unwrap().contains("anna"), "{path}");
        }
    }
    let ready = http
        .get(format!("{url}/readyz"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(ready, r#"{"ready":true}"#);
    // The link works once.
    let opened = http.get(&server.board).send().await.unwrap();
    assert_eq!(opened.status(), StatusCode::SEE_OTHER);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let session = cookie.split(';').next().unwrap();
    let again = http.get(&server.board).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    let board = http
        .get(&url)
        .header("cookie", session)
        .send()
        .await
        .unwrap();
    assert!(
        board.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert!(board.text().await.unwrap().contains("anna"));
    // Requests from another site are refused despite the cookie.
    let person = server.person("anna").await;
    let foreign = http
        .put(format!("{url}/api/v1/people/{person}/profile"))
        .header("cookie", session)
        .header("origin", "https://evil.example")
        .json(&json!({"profile": "Busy"}))
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert_eq!(server.shown("anna").await, "Available");
    // `offhook link` creates another link while the server runs.
    let (code, out, _) = installation.run("link", &[]).await;
    assert_eq!(code, 0);
    let opened = http.get(out.trim()).send().await.unwrap();
    assert_eq!(opened.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn people_who_are_imported_while_the_server_runs_appear() {
    let teamsbox = Teamsbox::start(0).await;
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation.import(&PEOPLE[..1]).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    installation.import(&PEOPLE).await;
    let count = async || {
        let people = server.api(Method::GET, "/api/v1/people", None).await.1;
        people["items"].as_array().map_or(0, Vec::len)
    };
    eventually("people", SOON, 3, count).await;
    teamsbox.call("bert", "audio", "carl").await;
    eventually(
        "carl",
        Duration::from_secs(10),
        "Busy OnThePhone teams".into(),
        || server.shown("carl"),
    )
    .await;
}

/// The request limit is used up: waiting writes are reported with number and age until they are sent.
#[tokio::test]
async fn writes_that_wait_for_the_request_limit_are_reported_until_they_are_sent() {
    let teamsbox = Teamsbox::start(0).await;
    let people: Vec<(String, String)> = (0..18)
        .map(|number| (format!("person{number}"), (2_000 + number).to_string()))
        .collect();
    for (name, _) in &people {
        teamsbox.add_user(name).await;
    }
    // About one request a second.
    let slow = "requests_per_30_seconds = 30\n";
    let installation = Installation::new(&(Installation::teams(teamsbox.url()) + slow));
    let imported: Vec<(&str, &str)> = people
        .iter()
        .map(|(name, line)| (&**name, &**line))
        .collect();
    installation.import(&imported).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    for (name, _) in &people {
        let is_read = async || server.explanation(name).await.contains("shows Available");
        eventually(name, HEALS * 2, true, is_read).await;
    }
    for (name, _) in &people {
        server.choose(name, "Do not disturb").await;
    }
    reports(
        &server,
        &[
            "teams backlog",
            "30 requests per 30 seconds",
            "the oldest for 1",
        ],
    )
    .await;
    let overview = server
        .system_administrator()
        .await
        .page("/admin/health")
        .await;
    assert!(overview.contains("request limit (main)"), "{overview}");
    let metrics = server.page("/metrics").await;
    assert!(
        metrics.contains("offhook_graph_backlog_writes{tenant=\"main\"}"),
        "{metrics}"
    );
    for (name, _) in &people {
        eventually(name, HEALS, "DoNotDisturb/DoNotDisturb".into(), || {
            teamsbox.shown(name)
        })
        .await;
    }
    eventually("ready", HEALS, true, || server.is_ready()).await;
}
