//! Every page, in both languages, in a real browser with axe-core.

use end_to_end::{Demo, Server, Walker, eventually};
use reqwest::Method;
use serde_json::json;
use thirtyfour::error::WebDriverResult;

use crate::SOON;

/// Settings pages of the organisation and of a location.
const FUNCTIONS: [&str; 6] = [
    "presence",
    "teams",
    "microphone",
    "profiles",
    "automatic",
    "calendar",
];

/// Pages of the administration, beside those of single people, groups and accounts.
pub(crate) const ADMINISTRATION: [&str; 30] = [
    "/admin",
    "/admin/health",
    "/admin/people",
    "/admin/people?q=becker",
    "/admin/people?q=nobody-at-all",
    "/admin/scopes",
    "/admin/scopes/organisation",
    "/admin/scopes/lyon",
    "/admin/templates",
    "/admin/templates/MS%20Teams",
    "/admin/templates/organisation/Do%20not%20disturb",
    "/admin/scopes/lyon/teams",
    "/admin/microphone",
    "/admin/microphone?scope=lyon&edit=Zoom",
    "/admin/workgroups",
    "/admin/tenants",
    "/admin/tenants/connect",
    "/admin/tenants/connect?step=2",
    "/admin/tenants/connect?step=3&tenant=72f988bf-86f1-41af-91ab-2d7cd011db47&client=1",
    "/admin/tenants/connect?step=4",
    "/admin/tenants/connect?step=5",
    "/admin/telephony",
    "/admin/telephony?q=10",
    "/admin/accounts",
    "/admin/keys",
    "/admin/audit",
    "/admin/audit?what=backup.make",
    "/admin/backup",
    "/admin/work",
    "/admin/work/1",
];

/// Pages of a person.
pub(crate) const OWN: [&str; 11] = [
    "/",
    "/me",
    "/me/profiles",
    "/me/profiles?edit=Deep%20work",
    "/me/appointments",
    "/me/appointments?view=day",
    "/me/sharing",
    "/me/devices",
    "/me/password",
    "/me/settings",
    "/me/teams",
];

#[tokio::test]
async fn administrators_pages_are_whole_in_both_languages() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let anna = server.person("Anna Becker").await;
    let group = json!({"name": "Night shift", "level": "Assistant", "members": [anna]});
    let group = server
        .ok(Method::POST, "/api/v1/workgroups", Some(group))
        .await;
    let accounts = server.ok(Method::GET, "/api/v1/accounts", None).await;
    server.ok(Method::POST, "/api/v1/backups", None).await;
    let mut paths = ADMINISTRATION.map(str::to_owned).to_vec();
    paths.push(format!("/admin/people/{anna}"));
    paths.push(format!("/admin/people/{anna}/sharing"));
    paths.push(format!(
        "/admin/workgroups?edit={}",
        group["id"].as_str().unwrap()
    ));
    let account = accounts["items"][0]["id"].as_str().unwrap();
    paths.push(format!("/admin/accounts?edit={account}"));
    for function in FUNCTIONS {
        paths.push(format!("/admin/scopes/organisation/{function}"));
        paths.push(format!("/admin/scopes/lyon/{function}"));
    }
    walk(&server, &paths).await
}

#[tokio::test]
async fn peoples_own_pages_are_whole_in_both_languages() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let anna = server.person("Anna Becker").await;
    let of_anna = |rest: &str| format!("/api/v1/people/{anna}/{rest}");
    let profile = json!({"name": "Deep work", "status": "DoNotDisturb", "forwarding": {"kind": "all", "target": "voicemail"}});
    server
        .ok(Method::POST, &of_anna("profiles"), Some(profile))
        .await;
    let review =
        json!({"start": "2026-01-01T10:00:00Z", "end": "2099-01-01T10:00:00Z", "text": "Review"});
    let review = server
        .ok(Method::POST, &of_anna("appointments"), Some(review))
        .await;
    let bert = server.person("Bert Lindqvist").await;
    let level = json!({"level": "Assistant"});
    server
        .ok(
            Method::PUT,
            &of_anna(&format!("relationships/{bert}")),
            Some(level),
        )
        .await;
    let favourites = json!({"people": [bert]});
    server
        .ok(Method::PUT, &of_anna("favourites"), Some(favourites))
        .await;
    let mut paths = OWN.map(str::to_owned).to_vec();
    paths.push(format!(
        "/me/appointments?edit={}",
        review["id"].as_str().unwrap()
    ));
    walk(&server, &paths).await
}

async fn walk(server: &Server, paths: &[String]) -> WebDriverResult<()> {
    for language in ["en", "de"] {
        let walker = Walker::open(server, language).await?;
        for path in paths {
            walker.go(path).await?;
            let shown = walker.script("return document.documentElement.lang").await;
            assert_eq!(shown, language, "{path}");
            walker.look(path).await?;
        }
        walker.browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_overview_tells_how_often_teams_is_read() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let look = async || {
        let (_, _, page) = server
            .with_headers(Method::GET, "/admin/health", &[], None)
            .await;
        let fact = page.split("Polling interval (main)</dt><dd>").nth(1);
        fact.and_then(|fact| Some(fact.split_once('<')?.0.to_owned()))
    };
    eventually("the rhythm", SOON, Some("1.0 s".to_owned()), look).await;
}
