//! Client of the running server, for commands.

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Response, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use server::config::Config;

use crate::installation;

/// Client of the server.
pub struct RunningServer {
    client: Client,
    api: String,
    /// Name and value of the header that authenticates the client.
    entry: (header::HeaderName, String),
}

impl RunningServer {
    /// Client of a server at this address, with an API key.
    pub fn with_key(api: &str, key: &str) -> Self {
        Self {
            client: Client::new(),
            api: api.trim_end_matches('/').to_owned(),
            entry: (header::AUTHORIZATION, format!("Bearer {key}")),
        }
    }

    /// Client of this installation's server. Users who may write its database need no key.
    pub async fn of(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(),
            api: format!("http://{}", config.listen),
            entry: (header::COOKIE, installation::session(config).await?),
        })
    }

    /// True if the server answers.
    pub async fn answers(&self) -> bool {
        let asked = self.client.get(format!("{}/healthz", self.api));
        asked
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// Sends a GET request. A refusal is an error with the server's text.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.answer(self.client.get(format!("{}{path}", self.api)))
            .await
    }

    /// Sends a POST request. A refusal is an error with the server's text.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self.client.post(format!("{}{path}", self.api));
        self.answer(request.json(body)).await
    }

    /// Sends a POST request without a body and without an answer.
    pub async fn post_empty(&self, path: &str) -> anyhow::Result<()> {
        let answer = self
            .send(self.client.post(format!("{}{path}", self.api)))
            .await?;
        if answer.status().is_success() {
            return Ok(());
        }
        read::<Value>(answer).await.map(drop)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        read(self.send(request).await?).await
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let (name, value) = &self.entry;
        let answer = request.header(name, value).send().await;
        answer.with_context(|| {
            format!(
                "no server answers at {}; start it with `offhook serve`",
                self.api
            )
        })
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> anyhow::Result<T> {
    let status = answer.status();
    let body: Value = answer.json().await.context("the answer is not JSON")?;
    let detail = body.get("detail").and_then(Value::as_str);
    anyhow::ensure!(
        status.is_success(),
        "{}",
        detail.unwrap_or("the server refused")
    );
    serde_json::from_value(body)
        .context("the answer has another form; is the server of another version?")
}
