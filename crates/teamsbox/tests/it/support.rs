//! A tenant with two people and four applications, and requests to it.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use teamsbox::{App, ClockMode, Config, NewUser, Teamsbox};

pub(crate) const ANNA: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
pub(crate) const BEN: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc4";
/// An application with permission to read and write.
pub(crate) const X: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
/// A second application with permission to read and write, and to read the directory.
pub(crate) const Y: &str = "22553876-f5ab-4529-bffb-cfe50aa89f88";
/// An application with permission to read.
pub(crate) const READER: &str = "22553876-f5ab-4529-bffb-cfe50aa89f89";
/// An application without permissions.
pub(crate) const POWERLESS: &str = "22553876-f5ab-4529-bffb-cfe50aa89f90";
pub(crate) const SECRET: &str = "canary-secret-7f3a";
pub(crate) const SCOPE: &str = "https://graph.microsoft.com/.default";

pub(crate) struct Tenant {
    pub(crate) teamsbox: Teamsbox,
    pub(crate) http: Client,
    pub(crate) url: String,
}

pub(crate) fn config() -> Config {
    let app = |client_id: &str, roles: &[&str]| App {
        client_id: client_id.to_owned(),
        client_secret: SECRET.to_owned(),
        roles: roles.iter().map(ToString::to_string).collect(),
        ..App::default()
    };
    let user = |id: &str, name: &str| NewUser {
        id: Some(id.to_owned()),
        display_name: name.to_owned(),
        user_principal_name: format!("{}@contoso.example", name.to_lowercase()),
        clients: Vec::new(),
    };
    Config {
        clock: ClockMode::Manual,
        apps: vec![
            app(X, &["Presence.ReadWrite.All"]),
            app(Y, &["Presence.ReadWrite.All", "User.ReadBasic.All"]),
            app(READER, &["Presence.Read.All"]),
            app(POWERLESS, &[]),
        ],
        users: vec![user(ANNA, "Anna"), user(BEN, "Ben")],
        ..Config::default()
    }
}

impl Tenant {
    pub(crate) async fn start() -> Self {
        Self::start_with(config()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let teamsbox = Teamsbox::start(config).await.unwrap();
        let url = teamsbox.url();
        Self {
            teamsbox,
            http: Client::new(),
            url,
        }
    }

    pub(crate) async fn token(&self, app: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", app),
            ("client_secret", SECRET),
            ("scope", SCOPE),
        ];
        let url = format!("{}/contoso.example/oauth2/v2.0/token", self.url);
        let response = self.http.post(url).form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A token of a signed-in person, with the given scopes.
    pub(crate) async fn user_token(&self, app: &str, user: &str, scope: &str) -> String {
        let form = [
            ("grant_type", "password"),
            ("client_id", app),
            ("client_secret", SECRET),
            ("username", user),
            ("password", teamsbox::DEFAULT_PASSWORD),
            ("scope", scope),
        ];
        let url = format!("{}/contoso.example/oauth2/v2.0/token", self.url);
        let response = self.http.post(url).form(&form).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A Graph call with the token of a signed-in person.
    pub(crate) async fn as_user(
        &self,
        (app, user, scope): (&str, &str, &str),
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Response {
        let token = self.user_token(app, user, scope).await;
        self.with_token(&token, method, path, body).await
    }

    /// A Graph call with a token.
    pub(crate) async fn with_token(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Response {
        let url = if path.contains("://") {
            path.to_owned()
        } else {
            format!("{}/v1.0/{path}", self.url)
        };
        let request = self.http.request(method, url).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// Changes knobs.
    pub(crate) async fn knobs(&self, knobs: Value) {
        self.ok(Method::PATCH, "knobs", Some(knobs)).await;
    }

    /// A Graph call; the path starts after the version.
    pub(crate) async fn graph(
        &self,
        app: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Response {
        let token = self.token(app).await;
        self.with_token(&token, method, path, body).await
    }

    /// An action on a person's presence.
    pub(crate) async fn presence(
        &self,
        app: &str,
        user: &str,
        action: &str,
        body: Value,
    ) -> Response {
        self.graph(
            app,
            Method::POST,
            &format!("users/{user}/presence/{action}"),
            Some(body),
        )
        .await
    }

    /// The presence of a person in Graph, as `availability/activity`.
    pub(crate) async fn reads(&self, user: &str) -> String {
        let response = self
            .graph(X, Method::GET, &format!("users/{user}/presence"), None)
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        pair(&body)
    }

    pub(crate) async fn control(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let request = self
            .http
            .request(method, format!("{}/box/v1/{path}", self.url));
        let request = match body {
            Some(body) => request.body(body.to_string()),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap())
    }

    /// A control call that has to succeed.
    pub(crate) async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.control(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    pub(crate) async fn journal(&self) -> Vec<Value> {
        let page = self.ok(Method::GET, "journal?limit=10000", None).await;
        page["entries"].as_array().unwrap().clone()
    }

    pub(crate) async fn advance_minutes(&self, minutes: f64) {
        self.teamsbox
            .clock()
            .advance(Duration::from_secs_f64(minutes * 60.0))
            .await;
    }
}

pub(crate) fn pair(body: &Value) -> String {
    format!(
        "{}/{}",
        body["availability"].as_str().unwrap(),
        body["activity"].as_str().unwrap()
    )
}

pub(crate) fn session(app: &str, pair: &str, duration: Option<&str>) -> Value {
    let (availability, activity) = pair.split_once('/').unwrap();
    let mut body = json!({ "sessionId": app, "availability": availability, "activity": activity });
    if let Some(duration) = duration {
        body["expirationDuration"] = json!(duration);
    }
    body
}

/// Status, code and message of an error, after a check of its envelope.
pub(crate) async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let id = response.headers()["request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let body: Value = response.json().await.unwrap();
    let error = &body["error"];
    assert_eq!(error["innerError"]["request-id"], id, "{body}");
    assert!(
        error["innerError"]["date"].is_string()
            && error["innerError"]["client-request-id"].is_string()
    );
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (status, text("code"), text("message"))
}

/// The body of a success.
pub(crate) async fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}
