//! Offhook as an administrator installs it: a folder with a configuration, people imported from a file, a server.

use std::{fs, path::PathBuf};

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{Contract, Program, free_port, program};

/// The API key in the configuration.
pub const KEY: &str = "a-key-for-the-end-to-end-tests";

/// A folder with configuration and data.
pub struct Installation {
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Installation {
    /// Writes a configuration that ends with `rest`. The server gets a free port.
    ///
    /// # Panics
    /// The folder cannot be written.
    pub fn new(rest: &str) -> Self {
        let installation = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
        };
        installation.configure(rest);
        installation
    }

    /// Replaces the configuration.
    ///
    /// # Panics
    /// The folder cannot be written.
    pub fn configure(&self, rest: &str) {
        let port = self.port;
        let text = format!(
            "data = \"data\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n[access]\napi_key = \"{KEY}\"\n{rest}"
        );
        fs::write(self.config(), text).unwrap();
    }

    /// The section `[teams]` for a teamsbox.
    pub fn teams(url: &str) -> String {
        format!(
            "[teams]\ntenant = \"contoso.example\"\nclient_id = \"22553876-f5ab-4529-bffb-cfe50aa89f87\"\n\
             client_secret = \"teamsbox-secret\"\nlogin_url = \"{url}\"\ngraph_url = \"{url}\"\n"
        )
    }

    /// The section `[[pbx]]` for the lab's PBX.
    pub fn pbx(port: u16, transport: &str, password: &str) -> String {
        format!(
            "[[pbx]]\nname = \"lab\"\nserver = \"127.0.0.1:{port}\"\ntransport = \"{transport}\"\n\
             domain = \"pbx.test\"\nusername = \"1003\"\npassword = \"{password}\"\n"
        )
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("offhook.toml")
    }

    /// Path of a file beside the configuration.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Path of a file in the data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// URL of a page of the server.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Imports people, given as `(name, extension)`, from a CSV file.
    ///
    /// # Panics
    /// The import is refused.
    pub async fn import(&self, people: &[(&str, &str)]) {
        let mut csv = String::from("name,mail,UPN,extension\n");
        for (name, extension) in people {
            csv += &format!("{name},{name}@contoso.example,{name}@contoso.example,{extension}\n");
        }
        let file = self.folder.path().join("people.csv");
        fs::write(&file, csv).unwrap();
        let (code, out, errors) = self.run("import", &[file.to_str().unwrap()]).await;
        assert_eq!(code, 0, "{out}{errors}");
    }

    /// Runs a command of `offhook` on this installation: exit code, output, errors.
    pub async fn run(&self, command: &str, arguments: &[&str]) -> (i32, String, String) {
        let config = self.config();
        let mut all = vec![command, "--config", config.to_str().unwrap()];
        all.extend(arguments);
        program::run("offhook", &all, &[]).await
    }

    /// Starts the server.
    pub async fn serve(&self) -> Server {
        self.serve_with(&[]).await
    }

    /// Starts the server with these environment variables.
    pub async fn serve_with(&self, environment: &[(&str, &str)]) -> Server {
        let config = self.config();
        let arguments = ["serve", "--config", config.to_str().unwrap()];
        let environment = [environment, &[("OFFHOOK_LOG", "warn")]].concat();
        self.served(Program::start("offhook", &arguments, &environment))
            .await
    }

    /// Waits until a started program serves, and connects to it.
    pub(crate) async fn served(&self, mut program: Program) -> Server {
        let line = program.line().await;
        assert!(line.starts_with("Serving at http://"), "{line}");
        let secrets = fs::read_to_string(self.data("first-start.txt")).unwrap_or_default();
        let link = secrets.lines().find(|line| line.contains("/open/"));
        let board = link.and_then(|line| line.split_whitespace().last());
        let board = board.unwrap_or_default().to_owned();
        let url = format!("http://127.0.0.1:{}", self.port);
        Server {
            program: Some(program),
            url,
            board,
            key: KEY.into(),
            cookie: None,
            http: reqwest::Client::new(),
            contract: OnceCell::new(),
        }
    }
}

/// A running server and its API.
pub struct Server {
    program: Option<Program>,
    url: String,
    /// The one-time link that the server prints at its start.
    pub board: String,
    key: String,
    /// Session cookie, used instead of the key.
    pub(crate) cookie: Option<String>,
    pub(crate) http: reqwest::Client,
    /// The server's OpenAPI document, read at the first use.
    contract: OnceCell<Contract>,
}

impl Server {
    /// The server of a running program, used with a key.
    pub(crate) fn running(program: Program, url: String, board: String, key: String) -> Self {
        Self {
            program: Some(program),
            url,
            board,
            key,
            cookie: None,
            http: reqwest::Client::new(),
            contract: OnceCell::new(),
        }
    }

    /// Base URL of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins a request without ever sending its body. Dropping the connection ends it.
    ///
    /// # Panics
    /// The server does not listen.
    pub async fn begin(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> tokio::net::TcpStream {
        use tokio::io::AsyncWriteExt;
        let address = self.url.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n",
            self.key
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream
            .write_all(format!("{request}\r\n{{").as_bytes())
            .await
            .unwrap();
        stream
    }

    /// The same server with another API key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            program: None,
            url: self.url.clone(),
            board: self.board.clone(),
            key: key.to_owned(),
            cookie: None,
            http: reqwest::Client::new(),
            contract: OnceCell::new(),
        }
    }

    /// The same server behind a proxy.
    pub fn through(&self, proxy: &crate::ReverseProxy) -> Self {
        Self {
            url: proxy.url(),
            ..self.another_client()
        }
    }

    /// GET with further headers. The body is not read, because a stream has no end.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let request = self.request(Method::GET, path);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.send().await.unwrap();
        assert!(response.status().is_success());
        response
    }

    /// A request with further headers: status, ETag and body.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn with_headers(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (StatusCode, Option<String>, String) {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let tag = response.headers().get("etag");
        let tag = tag.map(|tag| tag.to_str().unwrap().to_owned());
        (response.status(), tag, response.text().await.unwrap())
    }

    /// The same server, for use by another task.
    pub fn another_client(&self) -> Self {
        self.with_key(&self.key)
    }

    /// A request without a guarantee of a response: status and body if there is one.
    pub async fn answer(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Option<(StatusCode, String)> {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.ok()?;
        let status = response.status();
        Some((status, response.text().await.ok()?))
    }

    /// Sends a form of a page, as a browser does: status and text of the page that follows.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let encoded = reqwest::Url::parse_with_params("http://form", fields).unwrap();
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encoded.query().unwrap_or_default().to_owned());
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Sends a body of this content type unchanged.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn bytes(&self, path: &str, kind: &str, body: Vec<u8>) -> (StatusCode, String) {
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Status of a request; the body is not read, because a stream has no end.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn status(&self, method: Method, path: &str, body: Option<Value>) -> StatusCode {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap().status()
    }

    /// The text of a page.
    ///
    /// # Panics
    /// The server does not answer, or answers with an error.
    pub async fn page(&self, path: &str) -> String {
        let response = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    /// Opens the event stream. Dropping the response closes it.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn events(&self) -> reqwest::Response {
        self.stream("/api/v1/events").await
    }

    /// Opens the event stream at this path, which may have `since`.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn stream(&self, path: &str) -> reqwest::Response {
        self.open(path, &[]).await
    }

    /// The session cookie.
    ///
    /// # Panics
    /// The server is used with a key.
    pub fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request.bearer_auth(&self.key),
        }
    }

    /// Process id of the server.
    ///
    /// # Panics
    /// Another value started the server.
    pub fn pid(&self) -> u32 {
        self.program.as_ref().unwrap().pid()
    }

    /// Shuts the server down and returns its exit code.
    pub async fn terminate(self) -> i32 {
        self.program.unwrap().terminate().await
    }

    /// Kills the server, like a power failure.
    pub async fn kill(self) {
        self.program.unwrap().kill().await;
    }

    /// The server's OpenAPI document.
    ///
    /// # Panics
    /// The server sends none.
    pub async fn contract(&self) -> &Contract {
        let read = async || {
            let url = format!("{}/api/v1/openapi.json", self.url);
            let response = self.http.get(url).send().await.unwrap();
            Contract::new(response.json().await.unwrap())
        };
        self.contract.get_or_init(read).await
    }

    /// A request to the API: status and body, checked against the OpenAPI document.
    ///
    /// # Panics
    /// They differ from the document.
    pub async fn api(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let kind = response.headers().get("content-type").cloned();
        let (status, text) = (response.status(), response.text().await.unwrap());
        let failed = status.is_client_error() || status.is_server_error();
        if failed && path.starts_with("/api/") {
            let kind = kind.unwrap_or_else(|| panic!("{method} {path}: {status} {text}"));
            assert_eq!(kind, "application/problem+json", "{method} {path}: {text}");
        }
        let answer = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if let Some(path) = path.strip_prefix("/api/v1") {
            let contract = self.contract().await;
            let kept = contract.check(&method, path, body.as_ref(), status, &answer);
            kept.unwrap_or_else(|broken| panic!("{method} {path}: {broken}"));
        }
        (status, answer)
    }

    /// A request to a server that may be killed before it answers.
    ///
    /// # Errors
    /// No response arrived.
    pub async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<(StatusCode, String)> {
        let request = self.request(method, path);
        let request = body
            .into_iter()
            .fold(request, reqwest::RequestBuilder::json);
        let response = request.send().await?;
        Ok((response.status(), response.text().await?))
    }

    /// The body of a successful response.
    ///
    /// # Panics
    /// The request is refused.
    pub async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, body) = self.api(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }
}
