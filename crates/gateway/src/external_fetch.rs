//! HTTP client for addresses that people enter (calendar feeds). It reaches public addresses only, and networks that the
//! configuration allows: its resolver checks them, so that a name cannot change its address in between, and each redirect is
//! checked. Its errors are an enumeration: they repeat no content and do not distinguish closed from open ports.

mod address;
mod body;
pub mod folder;
pub mod validators;

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;
use presence::Timestamp;
use reqwest::{
    Client, Response, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, ACCEPT_ENCODING, RETRY_AFTER},
    redirect::{Action, Attempt, Policy},
};
use validators::Validators;

/// Time limit of a request: name, connection, redirects and body together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Redirects that are followed: providers use one or two.
const REDIRECTS_MAX: usize = 5;
/// The least port beside 443 that is reached: below are other services (SSH, SMTP), which answer no calendar.
const PORT_MIN: u16 = 1_024;

/// Some providers refuse requests without it.
const USER_AGENT: &str = concat!("Offhook/", env!("CARGO_PKG_VERSION"));

/// Longest wait that a server can ask for (Retry-After).
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// Characters of an error that are repeated.
const WORDS_MAX: usize = 200;

/// Configuration of addresses that people enter (`[outside]`) and of calendar files (`[calendar]`).
#[derive(Clone, Debug, Default)]
pub struct OutsideOptions {
    /// Private networks that are allowed.
    pub allow: Vec<IpNet>,
    /// The HTTP proxy; `None`: none, also where the environment names one.
    pub proxy: Option<Url>,
    /// The folder of calendar files; `None`: files are not read.
    pub calendar_folder: Option<PathBuf>,
    /// The data folder, of which no file is a calendar.
    pub data: PathBuf,
}

/// The reason why a fetch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutsideError {
    /// The address is not allowed, or its name has no allowed address: an unknown name and a name of a private network give
    /// the same error.
    #[error("the address is unknown or not public")]
    Address,
    /// Too many redirects, or one away from https.
    #[error("the redirects are too many or lead away from https")]
    Redirect,
    /// Connection refused, timeout, TLS failure or interruption, not distinguished.
    #[error("no answer")]
    NoAnswer,
    /// The server refuses the request: a permanent status that is neither success nor redirect.
    #[error("the server refuses the request")]
    Refused,
    /// The server is in trouble (5xx, 408, 421, 425, 429).
    #[error("the server is in trouble")]
    ServerError,
    /// The answer has another encoding than the requested gzip, or cannot be unpacked.
    #[error("the answer cannot be unpacked")]
    Packing,
    /// The answer is larger than the limit.
    #[error("the answer is too large")]
    TooLarge,
}

/// The answer of a server.
#[derive(Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Unchanged since the answer with these validators (304).
    Unchanged,
    /// The whole body, unpacked.
    Body {
        /// The content.
        bytes: Vec<u8>,
        /// The parameter `charset` of Content-Type.
        charset: Option<String>,
        /// Validators for the next request.
        validators: Validators,
    },
}

/// A failed fetch, with the wait that the server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchError {
    /// The reason.
    pub error: OutsideError,
    /// Retry-After, at most `RETRY_AFTER_MAX`.
    pub retry_after: Option<Duration>,
}

impl From<OutsideError> for FetchError {
    fn from(error: OutsideError) -> Self {
        Self {
            error,
            retry_after: None,
        }
    }
}

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outside {
    client: Client,
    rules: Arc<Rules>,
}

/// The rule for allowed addresses.
#[derive(Debug)]
struct Rules {
    allow: Vec<IpNet>,
    /// Host of the configured proxy: the administrator's, and so not checked.
    proxy: Option<String>,
}

impl Outside {
    /// A client that also reaches the networks `allow`, through the proxy if there is one.
    ///
    /// # Errors
    /// The TLS library or the proxy cannot be used.
    pub fn new(allow: &[IpNet], proxy: Option<&Url>) -> Result<Self, reqwest::Error> {
        let rules = Arc::new(Rules {
            allow: allow.to_vec(),
            proxy: proxy.and_then(|proxy| proxy.host_str().map(str::to_owned)),
        });
        let of_redirects = rules.clone();
        let builder = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .https_only(true)
            .dns_resolver(PublicOnly(rules.clone()))
            .redirect(Policy::custom(move |attempt| {
                redirect(&of_redirects, attempt)
            }))
            // The address holds a secret at most providers: the next server does not get it.
            .referer(false)
            // Each request resolves its name again.
            .pool_max_idle_per_host(0)
            .user_agent(USER_AGENT)
            // A proxy of the environment would resolve names itself.
            .no_proxy();
        let client = match proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.clone())?),
            None => builder,
        };
        Ok(Self {
            client: client.build()?,
            rules,
        })
    }

    /// Parses an address that a person entered.
    ///
    /// # Errors
    /// The address is not https, has a password, or is a literal private address. The addresses of its name are checked at each
    /// request.
    pub fn address(&self, text: &str) -> Result<Url, OutsideError> {
        let url = Url::parse(&web_address(text)).map_err(|_| OutsideError::Address)?;
        self.rules.check(&url)?;
        Ok(url)
    }

    /// Fetches at most `most` bytes, counted packed and unpacked. Returns [`Fetched::Unchanged`] if the server answers that the
    /// validators `known` still hold.
    ///
    /// # Errors
    /// See [`OutsideError`].
    pub async fn fetch(
        &self,
        url: Url,
        most: usize,
        known: &Validators,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        self.rules.check(&url)?;
        self.get(url, most, known, now).await
    }

    async fn get(
        &self,
        url: Url,
        most: usize,
        known: &Validators,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let request = self
            .client
            .get(url)
            .header(ACCEPT, "text/calendar, */*;q=0.5")
            // reqwest is built without unpacking: the Graph client is not to get packed answers.
            .header(ACCEPT_ENCODING, "gzip");
        let request = known.add_to(request);
        let response = request.send().await.map_err(|error| cause(&error))?;
        if response.status() == StatusCode::NOT_MODIFIED && *known != Validators::default() {
            return Ok(Fetched::Unchanged);
        }
        let mut response = answered(response, now)?;
        let packing = body::packing(response.headers()).ok_or(OutsideError::Packing)?;
        let charset = body::charset(response.headers());
        let validators = Validators::of(response.headers());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
            if bytes.len() + chunk.len() > most {
                return Err(OutsideError::TooLarge.into());
            }
            bytes.extend_from_slice(&chunk);
        }
        // Milliseconds of work: not on the tasks that calls wait for.
        let unpacked = tokio::task::spawn_blocking(move || body::unpack(bytes, packing, most));
        let bytes = unpacked.await.map_err(|_| OutsideError::ServerError)??;
        Ok(Fetched::Body {
            bytes,
            charset,
            validators,
        })
    }
}

/// Normalises an address as people copy it: removes blanks around it, and turns `webcal://` and `webcals://` into https.
pub fn web_address(text: &str) -> String {
    let text = text.trim();
    let of_calendar = ["webcal://", "webcals://"].into_iter().find_map(|scheme| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    of_calendar.map_or_else(|| text.to_owned(), |rest| format!("https://{rest}"))
}

impl Rules {
    fn allows(&self, address: IpAddr) -> bool {
        address::is_public(address)
            || self
                .allow
                .iter()
                .any(|network| network.contains(&address.to_canonical()))
    }

    fn check(&self, url: &Url) -> Result<(), OutsideError> {
        if url.scheme() != "https" {
            return Err(OutsideError::Redirect);
        }
        let port = url.port().unwrap_or(443);
        let port_fits = port == 443 || port >= PORT_MIN;
        let plain = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().unwrap_or_default();
        // The resolver does not see addresses that are written out; a proxy sees no resolver.
        let host_fits = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => self.allows(address),
            Err(_) => self.proxy.is_none() || !is_local_name(host),
        };
        if port_fits && plain && host_fits && !host.is_empty() {
            Ok(())
        } else {
            Err(OutsideError::Address)
        }
    }
}

/// Whether a name means this machine or its network in any resolver.
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let special = [
        "localhost",
        "local",
        "internal",
        "home.arpa",
        "localdomain",
        "lan",
    ];
    !host.contains('.')
        || special
            .iter()
            .any(|name| host == *name || host.ends_with(&format!(".{name}")))
}

fn redirect(rules: &Rules, attempt: Attempt) -> Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error(OutsideError::Redirect);
    }
    match rules.check(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(error) => attempt.error(error),
    }
}

fn answered(response: Response, now: Timestamp) -> Result<Response, FetchError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    // Passing answers (RFC 9110 §15.5, RFC 8470, RFC 6585).
    let passes = status.is_server_error() || matches!(status.as_u16(), 408 | 421 | 425 | 429);
    let header = response.headers().get(RETRY_AFTER);
    let retry_after = header.and_then(|value| retry_after(value.to_str().ok()?, now));
    Err(FetchError {
        error: if passes {
            OutsideError::ServerError
        } else {
            OutsideError::Refused
        },
        retry_after: retry_after.filter(|_| passes),
    })
}

/// Reads Retry-After (RFC 9110 §10.2.3): seconds or a date, at most [`RETRY_AFTER_MAX`].
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let seconds = graph::retry_after_seconds(value, now.milliseconds())?;
    Duration::try_from_secs_f64(seconds.min(RETRY_AFTER_MAX.as_secs_f64())).ok()
}

/// The client's own error, if one ended the request; else no answer, for any other reason.
fn cause(error: &reqwest::Error) -> OutsideError {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .find_map(|error| error.downcast_ref::<OutsideError>().copied())
        .unwrap_or(OutsideError::NoAnswer)
}

/// The error text of a configured peer, made fit for a log or page: one line, at most 200 characters.
pub fn words(text: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(plain).take(WORDS_MAX).collect()
}

/// Resolver that drops addresses that are not allowed.
struct PublicOnly(Arc<Rules>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let of_proxy = rules
                .proxy
                .as_deref()
                .is_some_and(|proxy| proxy.eq_ignore_ascii_case(name.as_str()));
            let kept: Vec<_> = found
                .map_err(|_| OutsideError::Address)?
                .filter(|address| of_proxy || rules.allows(address.ip()))
                .collect();
            if kept.is_empty() {
                return Err(OutsideError::Address.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
