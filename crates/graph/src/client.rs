//! Sends one request and says what came of it.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};
use tokio::{sync::Mutex, time::Instant};

use body::{ANSWER_MAX, read_bytes, read_with, retry_after, unreachable};

use crate::{
    Body, Credential, GraphError, Operation, Presences, RequestKind, Secret, UserPresence, Verdict,
    WriteSuccess, error::Asked, judge, member::text_of, presences, token::TokenState,
};

mod batch;
mod body;
mod delegated;
mod directory;
mod login;
mod subscriptions;

/// Where a tenant is and how to sign in there.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Sign-in service, for example `https://login.microsoftonline.com`.
    pub login: String,
    /// Graph, for example `https://graph.microsoft.com`.
    pub graph: String,
    /// Tenant id or domain.
    pub tenant: String,
    /// The application's id; also the name of its presence sessions.
    pub client_id: String,
    /// What the application signs in with.
    pub credential: Credential,
}

/// An answer that takes longer is no answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Length of a link in bytes. An address of 64 KiB cannot be sent, and long before many servers refuse it.
const LINK_MAX: usize = 60_000;

/// A client of one tenant: signs in, sends one request per call, and says by whose fault a request failed. The caller owns
/// the pace ([`crate::Budget`]), the order ([`crate::WriteQueue`]) and the retries ([`crate::backoff`]).
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
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// The TLS library could not be set up.
    pub fn new(config: ClientConfig) -> Result<Self, GraphError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("offhook/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(64)
            .tcp_nodelay(true)
            // Neither Graph nor Entra redirects what we ask; a redirect would carry secrets elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| unreachable(&config.graph, &error))?;
        Ok(Self {
            config,
            http,
            token: Mutex::default(),
        })
    }

    /// Where this client signs in and asks.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// The presence of at most [`crate::BULK_MAX`] people. Ids that Graph leaves out are left out.
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
    /// See [`GraphError`]. Clearing what is not there is success.
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

    /// The presence of whoever the token belongs to.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn own_presence(&self, token: &Secret) -> Result<UserPresence, GraphError> {
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

    /// Writes the presence of whoever the token belongs to.
    ///
    /// # Errors
    /// See [`GraphError`]. Clearing what is not there is success.
    pub async fn write_as(
        &self,
        token: &Secret,
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
        let asked = Asked {
            call: operation.call(),
            permission,
            what: user,
        };
        match self.settle(operation.kind(), asked, response).await? {
            Settled::Done => Ok(WriteSuccess::Done),
            Settled::NothingToClear => Ok(WriteSuccess::NothingToClear),
        }
    }

    /// An address at Graph; what is odd in a segment is encoded.
    pub(crate) fn url(&self, segments: &[&str]) -> Result<Url, GraphError> {
        let mut url = Url::parse(&self.config.graph)
            .map_err(|error| unreachable(&self.config.graph, &error))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Ok(url)
    }

    /// A link that Graph gave, if it can be asked and leads to Graph: tokens go nowhere else.
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
            // Encoding has made it longer.
            Ok(link) if leads_there(&link) && link.as_str().len() <= LINK_MAX => Ok(link),
            Ok(_) | Err(_) => malformed(format!(
                "a link that does not lead to {}",
                graph.origin().ascii_serialization()
            )),
        }
    }

    /// Sends with a token; with another one if Graph refuses the first with 401, as often as [`TokenState::replace`] allows.
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

    /// Records that Graph takes the token, if it does. An answer does not wait for another sign-in to end.
    fn accept_token(&self, token: &Secret, sent: &Result<Response, GraphError>) {
        if sent
            .as_ref()
            .is_ok_and(|response| response.status().is_success())
            && let Ok(mut state) = self.token.try_lock()
        {
            state.accept(token);
        }
    }

    /// The application's access token, for whoever wants to look at it.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn access_token(&self) -> Result<Secret, GraphError> {
        self.token().await
    }

    /// Sends with this token; 401 is an error.
    pub(crate) async fn send_as(
        &self,
        token: &Secret,
        call: &'static str,
        method: reqwest::Method,
        url: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Response, GraphError> {
        let mut request = self.http.request(method, url).bearer_auth(token.reveal());
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

    /// The current token, or a new one. Whoever comes while one is asked for waits for it.
    async fn token(&self) -> Result<Secret, GraphError> {
        let mut state = self.token.lock().await;
        if let Some(token) = state.current(Instant::now())? {
            return Ok(token);
        }
        match self.sign_in().await {
            Ok(token) => {
                let secret = Secret::new(token.access_token);
                state.store(secret.clone(), token.lifetime, Instant::now());
                Ok(secret)
            }
            Err(error) => state.fail(error, Instant::now()),
        }
    }

    /// Passes success on, with a body that is still to be read, and names a failure.
    pub(crate) async fn accept(
        &self,
        kind: RequestKind,
        call: &'static str,
        permission: &'static str,
        what: &str,
        response: Response,
    ) -> Result<Response, GraphError> {
        // A body that is no JSON is found where it is read.
        if judge(kind, response.status().as_u16(), &Body::Json) == Verdict::Done {
            return Ok(response);
        }
        let asked = Asked {
            call,
            permission,
            what,
        };
        let status = response.status().as_u16();
        match self.settle(kind, asked, response).await? {
            Settled::Done | Settled::NothingToClear => Err(GraphError::Malformed {
                call,
                cause: format!("{status} where a document was asked for"),
            }),
        }
    }

    /// Judges an answer by its status and its whole body.
    pub(crate) async fn settle(
        &self,
        kind: RequestKind,
        asked: Asked<'_>,
        response: Response,
    ) -> Result<Settled, GraphError> {
        let answer = (response.status().as_u16(), retry_after(&response));
        let body = match read_bytes(asked.call, response, ANSWER_MAX).await {
            Ok(body) => Body::of(&body),
            // The connection broke off.
            Err(error @ GraphError::Unreachable { .. }) => return Err(error),
            // A body of that size is not Graph's.
            Err(_) => Body::Foreign,
        };
        match GraphError::of_answer(kind, asked, answer, &body) {
            Some(error) => Err(error),
            None if judge(kind, answer.0, &body) == Verdict::NothingThere => {
                Ok(Settled::NothingToClear)
            }
            None => Ok(Settled::Done),
        }
    }
}

/// What became of a request that is answered without a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is done.
    Done,
    /// There was nothing to take back or delete.
    NothingToClear,
}
