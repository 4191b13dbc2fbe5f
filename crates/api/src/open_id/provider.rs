//! The provider: its discovery document and keys, and the identity of the person who signed in there.

use std::{
    fmt,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::Duration,
};

use graph::delegated::pkce_challenge;
use presence::Timestamp;
use reqwest::{Client, Url, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    OpenIdError,
    answer::{Answer, AnswerError, Problem, answer},
    attempts::Attempt,
    claims::{self, Identity, identity},
    discovery::{ClientAuthentication, Discovery},
    keys::KeySet,
    mapping::Compared,
    memory::Memory,
    shown,
    signed::{Signed, verified},
    token::{Expected, check_id_token, check_signed_user_info, check_subject},
};

/// Time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The claim that is asked for if the configuration names none.
pub const CLAIM: &str = "email";
/// The claim of Entra that is the account's id, and never changes.
const OBJECT_ID: &str = "oid";

/// How people sign in with OpenID Connect.
#[derive(Clone, Debug)]
pub struct OpenIdOptions {
    /// Text of the button.
    pub name: String,
    /// The issuer's address, without a slash at the end.
    pub issuer: String,
    /// Ids of the tenants that are let in where the issuer is Entra's for several tenants.
    pub tenants: Vec<String>,
    /// Our id there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: SecretString,
    /// Scopes that are asked for; `openid` is among them.
    pub scopes: Vec<String>,
    /// The claim that identifies the person: compared with people's sign-in names and mail addresses, or, as `oid`, with their
    /// Teams accounts.
    pub claim: String,
}

/// The provider's description of itself, and its keys.
struct ProviderDescription {
    discovery: Discovery,
    keys: KeySet,
}

/// The answer of the token endpoint. Its other fields (`expires_in`, `scope`) may hold anything.
struct Tokens {
    id_token: String,
    access_token: Option<SecretString>,
    token_type: Option<String>,
}

/// The provider.
pub struct Provider {
    options: OpenIdOptions,
    http: Client,
    known: Memory<ProviderDescription>,
    /// The way to authenticate that the provider accepted last.
    accepted: SyncMutex<Option<ClientAuthentication>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.options.issuer)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Asks nothing yet: the server starts without its provider too.
    ///
    /// # Errors
    /// The machine's certificates cannot be read.
    pub fn new(options: OpenIdOptions) -> Result<Self, reqwest::Error> {
        let http = client().build()?;
        Ok(Self::with_client(options, http))
    }

    pub(super) fn with_client(options: OpenIdOptions, http: Client) -> Self {
        Self {
            options,
            http,
            known: Memory::default(),
            accepted: SyncMutex::default(),
        }
    }

    /// Text of the button.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// What the claim is compared with.
    pub(super) fn compared(&self) -> Compared {
        match self.options.claim == OBJECT_ID {
            true => Compared::TeamsAccounts,
            false => Compared::Names,
        }
    }

    async fn known(&self, now: Timestamp) -> Result<Arc<ProviderDescription>, AnswerError> {
        self.known.current(now, self.read()).await
    }

    /// Reads document and keys.
    fn read(
        &self,
    ) -> impl Future<Output = Result<ProviderDescription, AnswerError>> + Send + 'static {
        let OpenIdOptions {
            issuer, tenants, ..
        } = &self.options;
        read(self.http.clone(), issuer.clone(), tenants.clone())
    }

    /// The address to send the browser to.
    pub(super) async fn authorization(
        &self,
        attempt: &Attempt,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<String, OpenIdError> {
        let known = self.known(now).await?;
        let mut url = known.discovery.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.options.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &self.options.scopes.join(" "))
            .append_pair("state", attempt.state.expose_secret())
            .append_pair("nonce", attempt.nonce.expose_secret())
            .append_pair("code_challenge", &pkce_challenge(&attempt.verifier))
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// The identity of the person who brought this code: of the ID token, or else of UserInfo (OpenID Connect Core 1.0, 5.4:
    /// scopes grant claims at UserInfo, and in the ID token only where a provider adds them).
    pub(super) async fn redeem(
        &self,
        code: &SecretString,
        attempt: &Attempt,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<String, OpenIdError> {
        let mut known = self.known(now).await?;
        let tokens = self.tokens(&known.discovery, code, attempt, redirect_uri);
        let tokens = tokens.await?;
        let not_believed = |what: String| {
            OpenIdError::Provider(format!("the provider's token is not believed: {what}"))
        };
        let signed = self.verified(&tokens.id_token, &mut known, now).await?;
        let signed = signed.map_err(|error| not_believed(error.to_string()))?;
        let nonce = attempt.nonce.expose_secret();
        let subject = check_id_token(&signed, self.expected(&known), nonce, now);
        let subject = subject.map_err(not_believed)?;
        let claim = &self.options.claim;
        let in_token = identity(claim, &signed.claims)?;
        if let Identity::Named(name) = in_token {
            return Ok(name);
        }
        let url = known.discovery.userinfo_endpoint.clone();
        let (at_user_info, where_asked) = match url {
            None => (Identity::Missing, "at UserInfo, which it does not have"),
            Some(url) => {
                let claims = self.user_info(&url, &tokens, &mut known, &subject, now);
                (identity(claim, &claims.await?)?, "at UserInfo")
            }
        };
        match (at_user_info, in_token) {
            (Identity::Named(name), _) => Ok(name),
            (Identity::Unchecked(address), _)
            | (Identity::Missing, Identity::Unchecked(address)) => {
                Err(claims::unchecked(&address, &Value::Null))
            }
            (Identity::Missing, Identity::Missing | Identity::Named(_)) => {
                Err(claims::missing(claim, where_asked))
            }
        }
    }

    fn expected<'a>(&'a self, known: &'a ProviderDescription) -> Expected<'a> {
        Expected {
            issuer: &known.discovery.issuer,
            client_id: &self.options.client_id,
        }
    }

    /// Signed JSON; where no key fits, with the keys that the provider has now.
    async fn verified(
        &self,
        token: &str,
        known: &mut Arc<ProviderDescription>,
        now: Timestamp,
    ) -> Result<Result<Signed, super::signed::SignedError>, OpenIdError> {
        match verified(token, &known.keys) {
            Err(error) if error.is_of_keys() => {
                // At most twice (ID token and UserInfo) per code that the provider accepted, so requests from outside cannot
                // multiply.
                *known = self.known.newer_than(known, now, self.read()).await?;
                Ok(verified(token, &known.keys))
            }
            verified => Ok(verified),
        }
    }

    /// Exchanges the code. Tries the ways to authenticate that the provider and Offhook share, because many providers accept for
    /// each client only the one that it was registered with.
    async fn tokens(
        &self,
        discovery: &Discovery,
        code: &SecretString,
        attempt: &Attempt,
        redirect_uri: &str,
    ) -> Result<Tokens, AnswerError> {
        let mut ways = discovery.client_authentication.clone();
        let accepted = *self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        // Stable: those that were not accepted keep their order.
        ways.sort_by_key(|way| Some(*way) != accepted);
        let mut refused: Option<AnswerError> = None;
        for way in ways {
            let answer = self.exchange(discovery, code, attempt, redirect_uri, way);
            let answered = answer.await;
            let answered = answered.and_then(|answer| Ok((answer.object()?, answer)));
            let (object, answer) = match answered {
                Ok(answered) => answered,
                Err(error) if is_of_client(&error) => {
                    refused.get_or_insert(error);
                    continue;
                }
                // The error of the first method, the standard's default, is the most useful one. Errors of later methods
                // may only report that the code was used.
                Err(error) => return Err(refused.unwrap_or(error)),
            };
            *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(way);
            let text = |key: &str| {
                let value = object.get(key).and_then(Value::as_str);
                value.filter(|value| !value.is_empty()).map(str::to_owned)
            };
            let id_token = text("id_token").ok_or_else(|| {
                answer.unusable(
                    "it gives no id_token; allow the scope openid for this client there".into(),
                )
            })?;
            return Ok(Tokens {
                id_token,
                access_token: text("access_token").map(SecretString::from),
                token_type: text("token_type"),
            });
        }
        Err(refused.unwrap_or_else(|| AnswerError {
            url: discovery.token_endpoint.to_string(),
            problem: Problem::Content("no way to authenticate is shared".into()),
        }))
    }

    async fn exchange(
        &self,
        discovery: &Discovery,
        code: &SecretString,
        attempt: &Attempt,
        redirect_uri: &str,
        way: ClientAuthentication,
    ) -> Result<Answer, AnswerError> {
        let OpenIdOptions {
            client_id,
            client_secret,
            ..
        } = &self.options;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", attempt.verifier.expose_secret()),
        ];
        let url = discovery.token_endpoint.clone();
        let mut request = self
            .http
            .post(url)
            .header(header::ACCEPT, "application/json");
        match way {
            ClientAuthentication::Basic => {
                let (id, secret) = (encoded(client_id), encoded(client_secret.expose_secret()));
                request = request.basic_auth(id, Some(secret));
            }
            ClientAuthentication::Post => {
                form.push(("client_id", client_id));
                form.push(("client_secret", client_secret.expose_secret()));
            }
        }
        answer(request.form(&form), discovery.token_endpoint.as_str()).await
    }

    /// The claims of UserInfo about the person who signed in (OpenID Connect Core 1.0, 5.3).
    async fn user_info(
        &self,
        url: &Url,
        tokens: &Tokens,
        known: &mut Arc<ProviderDescription>,
        subject: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, OpenIdError> {
        let kind = tokens.token_type.as_deref().unwrap_or("Bearer");
        let token = match &tokens.access_token {
            Some(token) if kind.eq_ignore_ascii_case("bearer") => token,
            None | Some(_) => {
                return Err(OpenIdError::Provider(format!(
                    "the provider's token endpoint gives no access_token of type Bearer (token_type is {}), so UserInfo cannot be asked for {:?}; allow it there, or have that claim put into the id_token",
                    shown::text(kind),
                    self.options.claim
                )));
            }
        };
        let request = self
            .http
            .get(url.clone())
            .header(header::ACCEPT, "application/json, application/jwt")
            .bearer_auth(token.expose_secret());
        let answer = answer(request, url.as_str()).await?;
        let claims = match answer.signed()? {
            None => answer.object()?,
            Some(token) => {
                let signed = self.verified(&token, known, now).await?;
                let signed = signed.map_err(|error| answer.unusable(error.to_string()))?;
                check_signed_user_info(&signed, self.expected(known), now)
                    .map_err(|what| answer.unusable(what))?;
                signed.claims
            }
        };
        check_subject(&claims, subject).map_err(|what| answer.unusable(what))?;
        Ok(claims)
    }
}

/// Reads the provider's document and keys.
async fn read(
    http: Client,
    issuer: String,
    tenants: Vec<String>,
) -> Result<ProviderDescription, AnswerError> {
    let url = format!("{issuer}/.well-known/openid-configuration");
    let document = get(&http, &url).await?;
    let discovery = Discovery::read(&Value::Object(document.object()?), &issuer, &tenants);
    let discovery = discovery.map_err(|what| document.unusable(what))?;
    let answer = get(&http, discovery.jwks_uri.as_str()).await?;
    let keys = KeySet::read(&Value::Object(answer.object()?));
    let keys = keys
        .ok_or_else(|| answer.unusable("the array keys is missing; check jwks_uri there".into()))?;
    Ok(ProviderDescription { discovery, keys })
}

async fn get(http: &Client, url: &str) -> Result<Answer, AnswerError> {
    let request = http.get(url).header(header::ACCEPT, "application/json");
    answer(request, url).await
}

/// The client for requests to the provider. It follows no redirects: these would carry secrets on.
pub(super) fn client() -> reqwest::ClientBuilder {
    Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .user_agent(concat!("Offhook/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
}

/// `application/x-www-form-urlencoded`, as id and secret are encoded before they become user name and password of Basic
/// authentication (RFC 6749, 2.3.1).
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Whether the token endpoint refused the client, and not the code: then the code may still be good.
fn is_of_client(error: &AnswerError) -> bool {
    match &error.problem {
        Problem::Refused { status, code, .. } => {
            status.as_u16() == 401
                || ["invalid_client", "unauthorized_client", "invalid_request"]
                    .contains(&code.as_str())
        }
        Problem::Status { status, .. } => status.as_u16() == 401,
        Problem::NoAnswer(_)
        | Problem::TooLarge
        | Problem::Redirect(_)
        | Problem::NotJson(_)
        | Problem::Encoding(_, _)
        | Problem::Content(_) => false,
    }
}
