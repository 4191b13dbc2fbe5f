//! What can go wrong with a request, by whose fault, and what to do about it.

use std::{fmt, time::Duration};

use crate::{
    SignInFault,
    answer::{Body, RequestKind, Side, Verdict, judge},
};

/// Whose fault it is, for the retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The service or the network: try again.
    Service,
    /// The administrator must do something; it heals when that is done.
    Administrator,
    /// This one request is wrong and stays wrong.
    Request,
}

/// The signs of a program between Offhook and Graph, with the remedy of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interference {
    /// 3xx: Graph redirects nothing that is asked here.
    #[error(
        "a redirect, as a proxy or a captive portal sends to its sign-in page; let this server reach Microsoft without signing in there"
    )]
    Redirect,
    /// 407.
    #[error(
        "a proxy wants a user name and a password; put them into the proxy's address (HTTPS_PROXY), or let this server pass without"
    )]
    ProxySignIn,
    /// 511, or a web page.
    #[error(
        "a page of a proxy, a firewall or a captive portal; let this server reach Microsoft without inspection or sign-in"
    )]
    Page,
}

impl Interference {
    /// By the status.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            407 => Self::ProxySignIn,
            _ => Self::Page,
        }
    }
}

/// The service that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Graph.
    Graph,
    /// The sign-in service, at this address.
    SignIn(String),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graph => f.write_str("Graph"),
            Self::SignIn(url) => write!(f, "the sign-in service at {url}"),
        }
    }
}

impl Peer {
    /// The call, with the address where that is not Graph's.
    fn with(&self, call: &str) -> String {
        match self {
            Self::Graph => call.to_owned(),
            Self::SignIn(_) => format!("{call} of {self}"),
        }
    }
}

/// A request, as errors name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The call.
    pub(crate) call: &'static str,
    /// The permission that it needs, with its kind.
    pub(crate) permission: &'static str,
    /// The person, group or subscription.
    pub(crate) what: &'a str,
}

/// A failed request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphError {
    /// No answer.
    #[error("no answer from {url}: {cause}; check the network, the proxy and the address")]
    Unreachable {
        /// The address without query.
        url: String,
        /// What happened.
        cause: String,
    },
    /// Entra gave no token.
    #[error("Entra refused to sign in the application {client_id}: {description}; {remedy}")]
    SignIn {
        /// The application.
        client_id: String,
        /// Entra's number, such as 700016: the one that decides, if any is known.
        code: Option<u32>,
        /// Entra's words.
        description: String,
        /// What to do.
        remedy: &'static str,
        /// The party that can end it.
        fault: SignInFault,
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// Entra gave no token for a person: a new sign-in is needed, unless the remedy says something else.
    #[error("Entra refused the sign-in: {description}; {remedy}")]
    UserSignIn {
        /// OAuth's code of the error, such as `invalid_grant`.
        error: String,
        /// Entra's words.
        description: String,
        /// What to do.
        remedy: &'static str,
        /// The party that can end it.
        fault: SignInFault,
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// The certificate's key does not sign.
    #[error(
        "the key of the certificate {thumbprint} does not sign; make a new pair of key and certificate"
    )]
    Signing {
        /// The certificate's.
        thumbprint: String,
    },
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers; check that getrandom is allowed here")]
    NoRandomness,
    /// 401 with a fresh token.
    #[error(
        "Graph refused a fresh token with 401 for {call}; this passes by itself, or the tenant's sign-in address and Graph address belong to different clouds"
    )]
    Unauthorized {
        /// The call.
        call: &'static str,
    },
    /// 403.
    #[error(
        "Graph forbids {call} to this application: {message}; grant it the {permission} and consent as an administrator"
    )]
    Forbidden {
        /// The call.
        call: &'static str,
        /// Graph's words.
        message: String,
        /// What it needs, with the permission's kind: `application permission …`.
        permission: &'static str,
    },
    /// 404.
    #[error(
        "Graph knows nothing of {what} for {call}; if the person was deleted in Entra, remove the Teams account here"
    )]
    NotFound {
        /// The call.
        call: &'static str,
        /// What was not found.
        what: String,
    },
    /// 429, or another status with `Retry-After`.
    #[error("Graph throttles {call}; waiting as it asks")]
    Throttled {
        /// The call.
        call: &'static str,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// 5xx.
    #[error("{peer} failed with {status} at {call}; it is tried again")]
    Service {
        /// The service.
        peer: Peer,
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// An answer that is neither success nor a refusal for good, such as 408, 409, 423 or an empty 400.
    #[error(
        "{peer} answered {call} with {status}{said}, which confirms nothing; it is tried again"
    )]
    Unconfirmed {
        /// The service.
        peer: Peer,
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Graph's words, or the kind of the body, with a colon in front, if there is any.
        said: String,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not Microsoft's: something on the way gave it.
    #[error(
        "the answer to {} ({status}) is not Microsoft's: {interference}; it is tried again", peer.with(call)
    )]
    Intercepted {
        /// The service that was asked.
        peer: Peer,
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// What gave it, and the remedy.
        interference: Interference,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// A link of the directory has ended: it is to be read from its beginning.
    #[error("Graph has ended the link of {call} ({status}); everything is read again")]
    LinkEnded {
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// Graph refuses the request for good.
    #[error("Graph refused {call} with {status}: {message}")]
    Refused {
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Graph's words.
        message: String,
    },
    /// A successful answer that is longer than any that Offhook reads.
    #[error(
        "the answer to {call} is longer than {max} bytes, as with very long automatic replies of people; it is not read"
    )]
    TooLarge {
        /// The call.
        call: &'static str,
        /// The limit.
        max: usize,
    },
    /// An answer that is not as Microsoft documents it.
    #[error("the answer to {call} cannot be read: {cause}; is the address really Microsoft's?")]
    Malformed {
        /// The call.
        call: &'static str,
        /// What is wrong.
        cause: String,
    },
}

impl GraphError {
    /// The error that an answer stands for; `None` if it is no failure of this request. `what` was asked for, with
    /// `permission`.
    pub(crate) fn of_answer(
        kind: RequestKind,
        Asked {
            call,
            permission,
            what,
        }: Asked<'_>,
        (status, retry_after): (u16, Option<Duration>),
        body: &Body,
    ) -> Option<Self> {
        let message = match body {
            Body::Error { code, message } if code.is_empty() => message.clone(),
            Body::Error { code, message } => format!("{code}: {message}"),
            Body::Empty | Body::Json | Body::Foreign => String::new(),
        };
        Some(match judge(kind, status, body) {
            Verdict::Done | Verdict::NothingThere => return None,
            Verdict::StartOver => Self::LinkEnded { call, status },
            Verdict::Administrator => Self::Forbidden {
                call,
                message,
                permission,
            },
            Verdict::Final if status == 404 => Self::NotFound {
                call,
                what: what.into(),
            },
            Verdict::Final | Verdict::Exists => Self::Refused {
                call,
                status,
                message,
            },
            Verdict::Passing(Side::Intermediary) => Self::Intercepted {
                peer: Peer::Graph,
                call,
                status,
                interference: Interference::of(status),
                retry_after,
            },
            Verdict::Passing(Side::Microsoft) if status == 429 => {
                Self::Throttled { call, retry_after }
            }
            Verdict::Token => Self::Service {
                peer: Peer::Graph,
                call,
                status,
                retry_after,
            },
            Verdict::Passing(Side::Microsoft) if status >= 500 => Self::Service {
                peer: Peer::Graph,
                call,
                status,
                retry_after,
            },
            Verdict::Passing(Side::Microsoft) => Self::Unconfirmed {
                peer: Peer::Graph,
                call,
                status,
                said: match message.is_empty() {
                    true => String::new(),
                    false => format!(": {message}"),
                },
                retry_after,
            },
        })
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unreachable { .. }
            | Self::Unauthorized { .. }
            | Self::Throttled { .. }
            | Self::Service { .. }
            | Self::Unconfirmed { .. }
            | Self::Intercepted { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => Blame::Service,
            Self::SignIn { fault, .. } | Self::UserSignIn { fault, .. } => fault.blame(),
            Self::Signing { .. } | Self::NoRandomness | Self::Forbidden { .. } => {
                Blame::Administrator
            }
            Self::NotFound { .. } | Self::Refused { .. } | Self::LinkEnded { .. } => Blame::Request,
        }
    }

    /// How long the service asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. }
            | Self::Service { retry_after, .. }
            | Self::Unconfirmed { retry_after, .. }
            | Self::Intercepted { retry_after, .. }
            | Self::SignIn { retry_after, .. }
            | Self::UserSignIn { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::Signing { .. }
            | Self::NoRandomness
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::LinkEnded { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => None,
        }
    }
}
