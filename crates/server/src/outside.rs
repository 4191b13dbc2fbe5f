//! The one HTTP client for addresses that people enter (calendar feeds). It reaches public addresses only, and networks
//! that the configuration allows: checked in its resolver, so that a name cannot change its address in between, and for
//! each redirect. Its errors are an enumeration: they repeat no content and do not distinguish closed from open ports.

mod address;
pub(crate) mod folder;

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;
use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::{Action, Attempt, Policy},
};

/// Time limit of a request: name, connection, redirects and body together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Redirects that are followed: providers use one or two.
const REDIRECTS_MAX: usize = 5;
/// The least port beside 443 that is reached: below are other services (SSH, SMTP), which answer no calendar.
const PORT_MIN: u16 = 1_024;

/// Characters of an error that are repeated.
const WORDS_MAX: usize = 200;

/// Configuration of addresses that people enter (`[outside]`) and of calendar files (`[calendar]`).
#[derive(Clone, Debug, Default)]
pub struct OutsideOptions {
    /// Networks that are reached though they are not public.
    pub allow: Vec<IpNet>,
    /// The HTTP proxy; `None`: none, also where the environment names one.
    pub proxy: Option<Url>,
    /// The folder of calendar files; `None`: files are not read.
    pub calendar_folder: Option<PathBuf>,
    /// The data folder, of which no file is a calendar.
    pub data: PathBuf,
}

/// Why an answer could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutsideError {
    /// The address is not reached, or its name has no address that is: an unknown name and a name of a private network
    /// give the same error.
    #[error("the address is unknown or not public")]
    Address,
    /// It leads too far, or away from https.
    #[error("the redirects are too many or lead away from https")]
    Redirect,
    /// Connection refused, timeout, TLS failure or interruption, not distinguished.
    #[error("no answer")]
    NoAnswer,
    /// The server refuses the request: a status that is neither success nor redirect nor 5xx.
    #[error("the server refuses the request")]
    Refused,
    /// The server is in trouble (5xx).
    #[error("the server is in trouble")]
    ServerError,
    /// More than was asked for.
    #[error("the answer is too large")]
    TooLarge,
}

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    client: Client,
    rules: Arc<Rules>,
}

/// Which addresses are reached.
#[derive(Debug)]
struct Rules {
    allow: Vec<IpNet>,
    /// Host of the configured proxy: the administrator's, and so not checked.
    proxy: Option<String>,
}

impl Outside {
    pub(crate) fn new(allow: &[IpNet], proxy: Option<&Url>) -> Result<Self, reqwest::Error> {
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
            // A proxy of the environment would resolve names itself. Compressed answers are not unpacked: reqwest is
            // built without those features.
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

    /// The address that a text means, if it is one that may be asked for: https, without a password, no private
    /// address written out. What its name means is checked at each request.
    pub(crate) fn address(&self, text: &str) -> Result<Url, OutsideError> {
        let url = Url::parse(text).map_err(|_| OutsideError::Address)?;
        self.rules.check(&url)?;
        Ok(url)
    }

    /// Fetches at most `most` bytes.
    pub(crate) async fn fetch(&self, url: Url, most: usize) -> Result<Vec<u8>, OutsideError> {
        self.rules.check(&url)?;
        let mut response = answered(self.client.get(url).send().await.map_err(|e| cause(&e))?)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
            if body.len() + chunk.len() > most {
                return Err(OutsideError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
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

/// Names that mean this machine or its network wherever they are looked up.
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

fn answered(response: Response) -> Result<Response, OutsideError> {
    let status = response.status();
    if status.is_success() {
        Ok(response)
    } else if status.is_server_error() {
        Err(OutsideError::ServerError)
    } else {
        Err(OutsideError::Refused)
    }
}

/// Our own error, if one of ours ended the request; else no answer, whatever the reason.
fn cause(error: &reqwest::Error) -> OutsideError {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .find_map(|error| error.downcast_ref::<OutsideError>().copied())
        .unwrap_or(OutsideError::NoAnswer)
}

/// Error text of a peer that the administrator configured, in a form that can be shown: one line, at most 200 characters.
pub(crate) fn words(text: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(plain).take(WORDS_MAX).collect()
}

/// Resolver that keeps the addresses that are reached.
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
mod tests {
    use super::{Outside, OutsideError};

    fn outside(allow: &[&str]) -> Outside {
        let allow: Vec<_> = allow.iter().map(|text| text.parse().unwrap()).collect();
        Outside::new(&allow, None).unwrap()
    }

    // S5
    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        let client = outside(&[]);
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "%31%32%37.0.0.1",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "0",
            "10.0.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.64.0.1",
            "192.168.0.1.",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
        ] {
            let url = format!("https://{host}/a.ics");
            assert_eq!(client.address(&url), Err(OutsideError::Address), "{url}");
        }
        for url in [
            "https://user:secret@example.com/",
            "https://user@example.com/",
            "https://example.com:25/",
            "https://example.com:22/",
            "https://",
            "https:///",
            "nonsense",
            "https://[fe80::1%25eth0]/",
        ] {
            assert_eq!(client.address(url), Err(OutsideError::Address), "{url}");
        }
        for url in [
            "http://example.com/",
            "file:///etc/passwd",
            "ftp://example.com/",
            "data:text/calendar,x",
        ] {
            assert_eq!(client.address(url), Err(OutsideError::Redirect), "{url}");
        }
        for url in [
            "https://example.com/a.ics",
            "https://example.com:8443/",
            "HTTPS://EXAMPLE.COM",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/",
            "https://[64:ff9b::1.1.1.1]/",
        ] {
            assert!(client.address(url).is_ok(), "{url}");
        }
    }

    // S5
    #[tokio::test]
    async fn names_of_this_machine_are_refused_after_they_were_looked_up() {
        for name in ["localhost", "LOCALHOST", "localhost."] {
            let client = outside(&[]);
            let url = client
                .address(&format!("https://{name}:8443/a.ics"))
                .unwrap();
            let fetched = client.fetch(url, 10).await;
            assert_eq!(fetched, Err(OutsideError::Address), "{name}");
        }
        // An unknown name gives the same error as a private one.
        let client = outside(&[]);
        let url = client.address("https://nowhere.invalid/").unwrap();
        assert_eq!(client.fetch(url, 10).await, Err(OutsideError::Address));
    }

    // S5
    #[tokio::test]
    async fn a_closed_port_and_a_port_that_speaks_no_tls_are_told_alike() {
        let client = outside(&["127.0.0.0/8", "::1/128"]);
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = |listener: &tokio::net::TcpListener| listener.local_addr().unwrap().port();
        let (open_port, closed_port) = (at(&open), at(&closed));
        drop(closed);
        let greeting = tokio::spawn(async move {
            while let Ok((mut stream, _)) = open.accept().await {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 secret\r\n").await;
            }
        });
        for port in [open_port, closed_port] {
            for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
                let url = client.address(&format!("https://{host}:{port}/")).unwrap();
                assert_eq!(client.fetch(url, 10).await, Err(OutsideError::NoAnswer));
            }
        }
        greeting.abort();
    }

    // S5
    #[test]
    fn behind_a_proxy_names_of_the_own_network_are_refused() {
        let proxy = "http://10.0.0.1:3128".parse().unwrap();
        let client = Outside::new(&[], Some(&proxy)).unwrap();
        for name in ["localhost", "intranet", "a.localhost.", "db.internal"] {
            let url = format!("https://{name}/");
            assert_eq!(client.address(&url), Err(OutsideError::Address), "{url}");
        }
        assert!(client.address("https://example.com/").is_ok());
    }
}
