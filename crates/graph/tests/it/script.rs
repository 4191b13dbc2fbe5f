//! HTTP server with scripted answers, which records the requests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use graph::{Client, ClientConfig, Credential};
use secrecy::SecretString;

/// Answer: status, `Retry-After`, body; `{graph}` in the body stands for the server's own address.
pub(crate) type Answer = (u16, Option<&'static str>, String);

/// Request without method and path.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) query: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) answers: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    pub(crate) sent: Arc<Mutex<Vec<Sent>>>,
    pub(crate) url: String,
}

impl Script {
    /// Headers and body of the request with this number.
    pub(crate) fn sent(&self, number: usize) -> Sent {
        self.sent.lock().unwrap()[number].clone()
    }

    /// Methods and paths of the requests in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    script
        .requests
        .lock()
        .unwrap()
        .push(format!("{} {}", parts.method, parts.uri.path()));
    let authorization = parts.headers.get("authorization");
    script.sent.lock().unwrap().push(Sent {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: authorization
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let answer = script.answers.lock().unwrap().pop_front();
    let (status, retry_after, body) = answer.unwrap_or((500, None, String::new()));
    let body = body.replace("{graph}", &script.url);
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    if let Some(retry_after) = retry_after {
        response
            .headers_mut()
            .insert("retry-after", retry_after.parse().unwrap());
    }
    response
}

/// Client of a server that gives these answers in order.
pub(crate) async fn client(answers: impl IntoIterator<Item = Answer>) -> (Client, Script) {
    client_with(
        Credential::Secret(SecretString::from("canary-secret")),
        answers,
    )
    .await
}

/// Like [`client`], with another credential.
pub(crate) async fn client_with(
    credential: Credential,
    answers: impl IntoIterator<Item = Answer>,
) -> (Client, Script) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let script = Script {
        url: url.clone(),
        ..Script::default()
    };
    script.answers.lock().unwrap().extend(answers);
    let router = Router::new().fallback(answer).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = ClientConfig {
        login: url.clone(),
        graph: url,
        tenant: "contoso.example".into(),
        client_id: "app".into(),
        credential,
    };
    (Client::new(config).unwrap(), script)
}

pub(crate) fn token() -> Answer {
    ok(r#"{"access_token":"canary-token","expires_in":3599,"token_type":"Bearer"}"#)
}

pub(crate) fn ok(body: &str) -> Answer {
    (200, None, body.into())
}

pub(crate) fn empty(status: u16) -> Answer {
    (status, None, String::new())
}
