//! teamsbox as a program, with the actions of Teams users in it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Installation, Program, Server};

/// A running teamsbox.
pub struct Teamsbox {
    program: Option<Program>,
    url: String,
    http: reqwest::Client,
}

impl Teamsbox {
    /// Starts a teamsbox without people at `port` (0: any free one), with the real clock.
    pub async fn start(port: u16) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let mut program = Program::start("teamsbox", &["--listen", &listen, "--empty"], &[]);
        let url = loop {
            let line = program.line().await;
            if let Some(at) = line.find("http://") {
                let url = line.get(at..).unwrap();
                break url
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .trim_end_matches('/')
                    .to_owned();
            }
        };
        Self {
            program: Some(program),
            url,
            http: reqwest::Client::new(),
        }
    }

    /// The teamsbox of a demo, by its URL.
    pub fn at(url: &str) -> Self {
        Self {
            program: None,
            url: url.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// URL of teamsbox.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Port of teamsbox.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Kills teamsbox.
    pub async fn kill(self) {
        self.program.unwrap().kill().await;
    }

    /// A request to the control API.
    ///
    /// # Panics
    /// teamsbox refuses the request.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self
            .http
            .request(method, format!("{}/box/v1{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A request to the control API about a user, named by address, or by its part before `@contoso.example`.
    async fn user(&self, method: Method, name: &str, path: &str, body: Option<Value>) -> Value {
        self.control(method, &format!("/users/{}{path}", address(name)), body)
            .await
    }

    /// Signs a user in on the page to which a browser was redirected; returns the address of the redirect back.
    ///
    /// # Panics
    /// The page refuses.
    pub async fn authorize(&self, page: &str, user: &str) -> String {
        let mut url = reqwest::Url::parse(page).unwrap();
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        form.push(("user".into(), user.into()));
        form.push(("action".into(), "allow".into()));
        url.set_query(None);
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let response = http.post(url).form(&form).send().await.unwrap();
        let status = response.status();
        let to = response.headers().get("location").cloned();
        let to = match to {
            Some(to) => to,
            None => panic!("{status} {}", response.text().await.unwrap()),
        };
        to.to_str().unwrap().to_owned()
    }

    /// Adds a user who is signed in on the desktop.
    pub async fn add_user(&self, name: &str) {
        let body = json!({
            "displayName": name,
            "userPrincipalName": format!("{name}@contoso.example"),
            "clients": ["desktop"],
        });
        self.control(Method::POST, "/users", Some(body)).await;
    }

    /// The presence that Teams shows, like `Busy/InACall`.
    pub async fn shown(&self, user: &str) -> String {
        let state = self.state(user).await;
        format!(
            "{}/{}",
            state["availability"].as_str().unwrap(),
            state["activity"].as_str().unwrap()
        )
    }

    /// All presence sessions and preferences of a user.
    pub async fn state(&self, user: &str) -> Value {
        self.user(Method::GET, user, "", None).await
    }

    /// Number of application presence sessions of a user.
    pub async fn app_sessions(&self, user: &str) -> usize {
        let state = self.state(user).await;
        state["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|session| session["kind"] == "app")
            .count()
    }

    /// Starts or changes a call.
    pub async fn call(&self, from: &str, kind: &str, with: &str) {
        let body = json!({ "kind": kind, "with": address(with) });
        self.user(Method::PUT, from, "/call", Some(body)).await;
    }

    /// Ends a user's call, for both users.
    pub async fn end_call(&self, user: &str) {
        self.user(Method::DELETE, user, "/call", None).await;
    }

    /// Starts screen sharing; outside a call, with the user `with`.
    pub async fn share(&self, user: &str, with: Option<&str>) {
        let body = with.map(|with| json!({ "with": address(with) }));
        self.user(Method::PUT, user, "/sharing", body).await;
    }

    /// Stops sharing.
    pub async fn stop_sharing(&self, user: &str) {
        self.user(Method::DELETE, user, "/sharing", None).await;
    }

    /// Chooses a status manually.
    pub async fn choose(&self, user: &str, availability: &str) {
        let body = json!({ "availability": availability });
        self.user(Method::PUT, user, "/manual", Some(body)).await;
    }

    /// Resets the manually chosen status.
    pub async fn reset(&self, user: &str) {
        self.user(Method::DELETE, user, "/manual", None).await;
    }

    /// Adds people, given with their extensions, to teamsbox and to a new installation, and starts its server in this
    /// sync mode.
    pub async fn synchronised(
        &self,
        people: &[(&str, &str)],
        mode: &str,
    ) -> (Installation, Server) {
        for (name, _) in people {
            self.add_user(name).await;
        }
        let installation = Installation::new(&Installation::teams(&self.url));
        installation.import(people).await;
        let server = installation.serve().await;
        server.set_mode(mode).await;
        (installation, server)
    }

    /// Injects faults into Graph or Entra; `{}` removes them.
    pub async fn faults(&self, faults: Value) {
        self.control(Method::PUT, "/faults", Some(faults)).await;
    }

    /// Moves a manual clock.
    pub async fn advance(&self, duration: &str) {
        self.control(Method::POST, "/clock", Some(json!({ "advance": duration })))
            .await;
    }
}

fn address(name: &str) -> String {
    if name.contains('@') {
        name.to_owned()
    } else {
        format!("{name}@contoso.example")
    }
}
