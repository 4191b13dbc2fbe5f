//! HTTP client of Graph and of the sign-in service.

use std::time::Duration;

use body::{ANSWER_MAX, read_bytes, read_with, retry_after, unreachable};
use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    Body, ClientConfig, GraphError, Operation, Presences, RequestKind, UserPresence, Verdict,
    WriteSuccess, error::RequestContext, judge, member::text_of, presences, token::TokenState,
};

mod batch;
mod body;
mod delegated;
mod directory;
mod login;
mod subscriptions;

/// Timeout of a request, from the connection to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum length of a link in bytes. URLs of 64 KiB cannot be sent, and many servers refuse shorter ones.
const LINK_MAX: usize = 60_000;

/// Client of one tenant: signs in, sends one request per call, and classifies failures by who can help
/// ([`GraphError::blame`]). The caller owns the pace ([`crate::Budget`]), the order ([`crate::WriteQueue`]) and the retries
/// ([`crate::backoff`]).
///
/// ```
/// use graph::{Blame, Client, ClientConfig, Credential, Operation, WriteSuccess};
/// # use axum::{Json, Router, http::StatusCode, routing::post};
/// # use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let token = || async { Json(json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "t" })) };
/// # let presences = || async {
/// #     Json(json!({ "value": [{ "id": "anna", "availability": "Available", "activity": "Available" }] }))
/// # };
/// # let refused = || async {
/// #     (StatusCode::FORBIDDEN, Json(json!({ "error": { "code": "Forbidden", "message": "x" } })))
/// # };
/// # let microsoft = Router::new()
/// #     .route("/contoso.example/oauth2/v2.0/token", post(token))
/// #     .route("/v1.0/communications/getPresencesByUserId", post(presences))
/// #     .route("/v1.0/users/anna/presence/setPresence", post(|| async {}))
/// #     .route("/v1.0/users/ben/presence/setPresence", post(refused));
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let address = format!("http://{}", listener.local_addr()?);
/// # tokio::spawn(async move { axum::serve(listener, microsoft).await });
/// # let (login, graph) = (address.clone(), address);
/// let client = Client::new(ClientConfig {
///     login, // such as https://login.microsoftonline.com
///     graph, // such as https://graph.microsoft.com
///     tenant: "contoso.example".into(),
///     client_id: "22553876-f5ab-4529-bffb-cfe50aa89f87".into(),
///     credential: Credential::secret("the secret's value"),
/// })?;
///
/// // The first request signs in; later ones share its token.
/// let read = client.presences(&["anna"]).await?;
/// assert_eq!(read.presences[0].availability, "Available");
///
/// let written = client.write("anna", Operation::SetSession).await?;
/// assert_eq!(written, WriteSuccess::Done);
///
/// let error = client.write("ben", Operation::SetSession).await.unwrap_err();
/// assert_eq!(error.blame(), Blame::Administrator);
/// assert!(error.to_string().contains("Presence.ReadWrite.All"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    http: reqwest::Client,
    token: Mutex<TokenState>,
}

impl Client {
    /// Creates a client without sending a request.
    ///
    /// # Errors
    /// [`GraphError::Unreachable`] if the TLS library cannot be initialised.
    pub fn new(config: ClientConfig) -> Result<Self, GraphError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("offhook/", env!("CARGO_PKG_VERSION")))
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(64)
            .tcp_nodelay(true)
            // Graph and Entra do not redirect these requests; following a redirect could send secrets to another server.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| unreachable(&config.graph, &error))?;
        Ok(Self {
            config,
            http,
            token: Mutex::default(),
        })
    }

    /// Addresses and credential of this client.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Reads the presence of at most [`crate::BULK_MAX`] people. People that Graph leaves out are missing in the result.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn presences(&self, ids: &[&str]) -> Result<Presences, GraphError> {
        const CALL: &str = "getPresencesByUserId";
        let url = format!(
            "{}/v1.0/communications/getPresencesByUserId",
            self.config.graph
        );
        let body = serde_json::json!({ "ids": ids });
        let response = self
            .send(CALL, reqwest::Method::POST, &url, Some(&body))
            .await?;
        let response = self
            .accept(
                RequestKind::Read,
                CALL,
                "application permission Presence.ReadWrite.All",
                "presences",
                response,
            )
            .await?;
        read_with(CALL, response, |body| Presences::read(body, ids)).await
    }

    /// Writes a person's presence.
    ///
    /// # Errors
    /// See [`GraphError`]. A clear of an empty slot succeeds.
    pub async fn write(
        &self,
        user: &str,
        operation: Operation,
    ) -> Result<WriteSuccess, GraphError> {
        let call = operation.call();
        let url = self.url(&["v1.0", "users", user, "presence", call])?;
        let body = operation.body(&self.config.client_id);
        let response = self
            .send(call, reqwest::Method::POST, url.as_str(), Some(&body))
            .await?;
        let permission = "application permission Presence.ReadWrite.All";
        self.written(operation, permission, user, response).await
    }

    /// Reads the presence of the token's owner.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn own_presence(&self, token: &SecretString) -> Result<UserPresence, GraphError> {
        const CALL: &str = "get presence";
        let url = self.url(&["v1.0", "me", "presence"])?;
        let sent = self.send_as(token, CALL, reqwest::Method::GET, url.as_str(), None);
        let response = self
            .accept(
                RequestKind::Read,
                CALL,
                "delegated permission Presence.ReadWrite",
                "me",
                sent.await?,
            )
            .await?;
        let read = |body: &[u8]| serde_json::from_str(&text_of(body)).map(presences::read_one);
        let presence = read_with(CALL, response, read).await?;
        presence.map_err(|odd| GraphError::Malformed {
            call: CALL,
            cause: odd.fault.description().into(),
        })
    }

    /// Writes the presence of `user`, the token's owner.
    ///
    /// # Errors
    /// See [`GraphError`]. A clear of an empty slot succeeds.
    pub async fn write_as(
        &self,
        token: &SecretString,
        user: &str,
        operation: Operation,
    ) -> Result<WriteSuccess, GraphError> {
        let call = operation.call();
        let url = self.url(&["v1.0", "users", user, "presence", call])?;
        let body = operation.body(&self.config.client_id);
        let sent = self.send_as(
            token,
            call,
            reqwest::Method::POST,
            url.as_str(),
            Some(&body),
        );
        self.written(
            operation,
            "delegated permission Presence.ReadWrite",
            user,
            sent.await?,
        )
        .await
    }

    async fn written(
        &self,
        operation: Operation,
        permission: &'static str,
        user: &str,
        response: Response,
    ) -> Result<WriteSuccess, GraphError> {
        let asked = RequestContext {
            call: operation.call(),
            permission,
            what: user,
        };
        match self
            .judge_response(operation.kind(), asked, response)
            .await?
        {
            EmptyAnswer::Done => Ok(WriteSuccess::Done),
            EmptyAnswer::NothingToClear => Ok(WriteSuccess::NothingToClear),
        }
    }

    /// URL at Graph; segments are percent-encoded.
    pub(crate) fn url(&self, segments: &[&str]) -> Result<Url, GraphError> {
        let mut url = Url::parse(&self.config.graph)
            .map_err(|error| unreachable(&self.config.graph, &error))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Ok(url)
    }

    /// Parses a link that Graph sent. Links to another server are refused, because the token would be sent there.
    pub(crate) fn same_host(&self, call: &'static str, link: &str) -> Result<Url, GraphError> {
        let graph = self.url(&[])?;
        let malformed = |cause| Err(GraphError::Malformed { call, cause });
        if link.len() > LINK_MAX {
            return malformed(format!("a link of more than {LINK_MAX} bytes"));
        }
        let leads_there = |link: &Url| {
            link.origin() == graph.origin()
                && link.username().is_empty()
                && link.password().is_none()
        };
        match Url::parse(link) {
            // Encoding may have lengthened the link.
            Ok(link) if leads_there(&link) && link.as_str().len() <= LINK_MAX => Ok(link),
            Ok(_) | Err(_) => malformed(format!(
                "a link that does not lead to {}",
                graph.origin().ascii_serialization()
            )),
        }
    }

    /// Sends with the application's token. If Graph refuses the token with 401, retries with a new one as often as
    /// [`TokenState::replace`] allows.
    pub(crate) async fn send(
        &self,
        call: &'static str,
        method: reqwest::Method,
        url: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Response, GraphError> {
        let token = self.token().await?;
        let sent = self.send_as(&token, call, method.clone(), url, body).await;
        if !matches!(sent, Err(GraphError::Unauthorized { .. })) {
            self.accept_token(&token, &sent);
            return sent;
        }
        if !self.token.lock().await.replace(&token, Instant::now()) {
            return Err(GraphError::Unauthorized { call });
        }
        let token = self.token().await?;
        let sent = self.send_as(&token, call, method, url, body).await;
        self.accept_token(&token, &sent);
        sent
    }

    /// Records that Graph accepted the token. Skipped while another request signs in, so that the answer does not wait.
    fn accept_token(&self, token: &SecretString, sent: &Result<Response, GraphError>) {
        if sent
            .as_ref()
            .is_ok_and(|response| response.status().is_success())
            && let Ok(mut state) = self.token.try_lock()
        {
            state.accept(token);
        }
    }

    /// Access token of the application, signing in if necessary; for diagnoses.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn access_token(&self) -> Result<SecretString, GraphError> {
        self.token().await
    }

    /// Sends with the given token; 401 is an error.
    pub(crate) async fn send_as(
        &self,
        token: &SecretString,
        call: &'static str,
        method: reqwest::Method,
        url: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Response, GraphError> {
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(token.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(url, &error))?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(GraphError::Unauthorized { call });
        }
        Ok(response)
    }

    /// Returns the current token or signs in. Concurrent callers wait for the same sign-in.
    async fn token(&self) -> Result<SecretString, GraphError> {
        let mut state = self.token.lock().await;
        if let Some(token) = state.current(Instant::now())? {
            return Ok(token);
        }
        match self.sign_in().await {
            Ok(token) => {
                let secret = token.access_token;
                state.store(secret.clone(), token.lifetime, Instant::now());
                Ok(secret)
            }
            Err(error) => state.fail(error, Instant::now()),
        }
    }

    /// Returns a successful answer with its body unread; any other answer becomes an error.
    pub(crate) async fn accept(
        &self,
        kind: RequestKind,
        call: &'static str,
        permission: &'static str,
        what: &str,
        response: Response,
    ) -> Result<Response, GraphError> {
        // A body that is not JSON is detected when it is read.
        if judge(kind, response.status().as_u16(), &Body::Json) == Verdict::Done {
            return Ok(response);
        }
        let asked = RequestContext {
            call,
            permission,
            what,
        };
        let status = response.status().as_u16();
        match self.judge_response(kind, asked, response).await? {
            EmptyAnswer::Done | EmptyAnswer::NothingToClear => Err(GraphError::Malformed {
                call,
                cause: format!("{status} where a document was asked for"),
            }),
        }
    }

    /// Judges an answer without a document by its status and whole body.
    pub(crate) async fn judge_response(
        &self,
        kind: RequestKind,
        asked: RequestContext<'_>,
        response: Response,
    ) -> Result<EmptyAnswer, GraphError> {
        let answer = (response.status().as_u16(), retry_after(&response));
        let body = match read_bytes(asked.call, response, ANSWER_MAX).await {
            Ok(body) => Body::of(&body),
            // The connection broke off.
            Err(error @ GraphError::Unreachable { .. }) => return Err(error),
            // Graph's own bodies are shorter.
            Err(_) => Body::Foreign,
        };
        match GraphError::of_answer(kind, asked, answer, &body) {
            Some(error) => Err(error),
            None if judge(kind, answer.0, &body) == Verdict::NothingThere => {
                Ok(EmptyAnswer::NothingToClear)
            }
            None => Ok(EmptyAnswer::Done),
        }
    }
}

/// Result of a request that is answered without a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyAnswer {
    /// Graph carried out the request.
    Done,
    /// There was nothing to clear or delete.
    NothingToClear,
}
