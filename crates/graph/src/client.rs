//! Sends one request and says what came of it.

use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    DirectoryUser, GraphError, Operation, Secret, UserPresence, parse_retry_after,
    token::{TokenState, remedy},
    wire::{ErrorBody, Presences, Token, TokenError},
};

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
    /// The application's secret.
    pub client_secret: Secret,
}

/// An answer that takes longer is no answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Bulk answers have about 200 bytes a person; ten times that for 650 people is certainly not Graph.
const ANSWER_MAX: usize = 2 * 1024 * 1024;

/// A client of one tenant.
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

    /// Everybody's presence, for at most [`crate::BULK_MAX`] ids. Ids that Graph leaves out are left out.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn presences(&self, ids: &[&str]) -> Result<Vec<UserPresence>, GraphError> {
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
            .accept(CALL, "Presence.ReadWrite.All", "presences", response)
            .await?;
        let presences: Presences = read_json(CALL, response).await?;
        Ok(presences.value)
    }

    /// Writes a person's presence.
    ///
    /// # Errors
    /// See [`GraphError`]. Clearing what is not there is success.
    pub async fn write(&self, user: &str, operation: Operation) -> Result<(), GraphError> {
        let call = operation.call();
        let url = format!("{}/v1.0/users/{user}/presence/{call}", self.config.graph);
        let body = operation.body(&self.config.client_id);
        let response = self
            .send(call, reqwest::Method::POST, &url, Some(&body))
            .await?;
        let clears = matches!(
            operation,
            Operation::ClearSession | Operation::ClearDoNotDisturb
        );
        if clears && response.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        self.accept(call, "Presence.ReadWrite.All", user, response)
            .await?;
        Ok(())
    }

    /// Finds a user by sign-in name or object id; `None` if there is none.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn find_user(&self, name: &str) -> Result<Option<DirectoryUser>, GraphError> {
        const CALL: &str = "get user";
        let mut url = reqwest::Url::parse(&self.config.graph)
            .map_err(|error| unreachable(&self.config.graph, &error))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["v1.0", "users", name]);
        }
        url.set_query(Some("$select=id,userPrincipalName"));
        let response = self
            .send(CALL, reqwest::Method::GET, url.as_str(), None)
            .await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self
            .accept(CALL, "User.ReadBasic.All", name, response)
            .await?;
        read_json(CALL, response).await.map(Some)
    }

    /// Sends with a token; with a fresh one if Graph refuses the first.
    async fn send(
        &self,
        call: &'static str,
        method: reqwest::Method,
        url: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Response, GraphError> {
        for fresh in [false, true] {
            let token = self.token().await?;
            let mut request = self
                .http
                .request(method.clone(), url)
                .bearer_auth(token.reveal());
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request
                .send()
                .await
                .map_err(|error| unreachable(url, &error))?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            if !fresh {
                self.token.lock().await.forget(&token);
            }
        }
        Err(GraphError::Unauthorized { call })
    }

    /// The application's access token, for whoever wants to look at it.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn access_token(&self) -> Result<Secret, GraphError> {
        self.token().await
    }

    /// The current token, or a new one. Whoever comes while one is asked for waits for it.
    async fn token(&self) -> Result<Secret, GraphError> {
        let mut state = self.token.lock().await;
        if let Some(token) = state.current(Instant::now())? {
            return Ok(token);
        }
        match self.sign_in().await {
            Ok(token) => {
                let lifetime = Duration::from_secs(token.expires_in);
                let secret = Secret::new(token.access_token);
                state.store(secret.clone(), lifetime, Instant::now());
                Ok(secret)
            }
            Err(error) => {
                state.fail(error.clone(), Instant::now());
                Err(error)
            }
        }
    }

    async fn sign_in(&self) -> Result<Token, GraphError> {
        const CALL: &str = "token";
        let ClientConfig {
            login,
            graph,
            tenant,
            client_id,
            client_secret,
        } = &self.config;
        let url = format!("{login}/{tenant}/oauth2/v2.0/token");
        let scope = format!("{graph}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret.reveal()),
            ("scope", &scope),
        ];
        let response = self
            .http
            .post(&url)
            .form(&form)
            .send()
            .await
            .map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        if status.is_success() {
            return read_json(CALL, response).await;
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(&response);
            return Err(GraphError::Service {
                call: CALL,
                status: status.as_u16(),
                retry_after,
            });
        }
        let error: TokenError = read_json(CALL, response).await.unwrap_or_default();
        // Entra's text goes on with trace ids over several lines; the first says it.
        let description = error.error_description.lines().next().unwrap_or_default();
        let description = description.split(" Trace ID").next().unwrap_or_default();
        Err(GraphError::SignIn {
            client_id: client_id.clone(),
            description: format!("{} {description}", error.error),
            remedy: remedy(&error.error_codes),
        })
    }

    /// Passes success on and names a failure.
    async fn accept(
        &self,
        call: &'static str,
        permission: &'static str,
        what: &str,
        response: Response,
    ) -> Result<Response, GraphError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = retry_after(&response);
        let body: ErrorBody = read_json(call, response).await.unwrap_or_default();
        let message = format!("{}: {}", body.error.code, body.error.message);
        Err(match status {
            StatusCode::FORBIDDEN => GraphError::Forbidden {
                call,
                message,
                permission,
            },
            StatusCode::NOT_FOUND => GraphError::NotFound {
                call,
                what: what.into(),
            },
            StatusCode::TOO_MANY_REQUESTS => GraphError::Throttled { call, retry_after },
            status if status.is_server_error() => GraphError::Service {
                call,
                status: status.as_u16(),
                retry_after,
            },
            status => GraphError::Refused {
                call,
                status: status.as_u16(),
                message,
            },
        })
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(parse_retry_after)
}

/// The address is named without its query; causes are joined, for reqwest's own text hides them.
fn unreachable(url: &str, error: &dyn std::error::Error) -> GraphError {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    let url = url.split('?').next().unwrap_or(url).to_owned();
    GraphError::Unreachable { url, cause }
}

/// Reads a JSON answer of bounded size.
async fn read_json<T: serde::de::DeserializeOwned>(
    call: &'static str,
    mut response: Response,
) -> Result<T, GraphError> {
    let mut body = Vec::new();
    let url = response.url().to_string();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(&url, &error))?
    {
        if body.len() + chunk.len() > ANSWER_MAX {
            let cause = format!("more than {ANSWER_MAX} bytes");
            return Err(GraphError::Malformed { call, cause });
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| GraphError::Malformed {
        call,
        cause: error.to_string(),
    })
}
