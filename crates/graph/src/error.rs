//! Errors of requests: cause, who can help, and the remedy.

use std::{fmt, time::Duration};

use crate::answer::{Body, RequestKind, Side, Verdict, judge};

/// Party that can help, for the retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The service or the network: retry.
    Service,
    /// The administrator: retry slowly, the request succeeds once the administrator has acted.
    Administrator,
    /// No one: this request fails at every retry.
    Request,
}

/// Party that can end a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInFault {
    /// Administrator of this server: its clock is wrong.
    Clock,
    /// Administrator: tenant, client id, address or platform in the configuration or the registration.
    Configuration,
    /// Administrator: secret or certificate of the application.
    Credential,
    /// Administrator: the application, or Graph itself, is disabled in the tenant.
    Disabled,
    /// Administrator: consent to the permissions is missing.
    Consent,
    /// Administrator: a policy or an assignment of the tenant, or a restriction of the network.
    Policy,
    /// Administrator or person: the account is unknown, disabled or of another tenant.
    Account,
    /// No one: the person's account is locked for some minutes.
    Locked,
    /// The person must sign in again.
    Person,
    /// No one: too many sign-ins in a short time; Entra accepts them again after a pause.
    Loop,
    /// Microsoft: a temporary failure.
    Microsoft,
}

impl SignInFault {
    /// Classification for the retry policy.
    pub fn blame(self) -> Blame {
        match self {
            Self::Loop | Self::Microsoft => Blame::Service,
            Self::Clock
            | Self::Configuration
            | Self::Credential
            | Self::Disabled
            | Self::Consent
            | Self::Policy
            | Self::Account
            | Self::Locked
            | Self::Person => Blame::Administrator,
        }
    }

    /// True if the refusal ends a person's login, and only the person can continue. All other faults leave the login as it
    /// is, because it works again after an action of the administrator or after some time.
    fn ends_login(self) -> bool {
        match self {
            Self::Account | Self::Person => true,
            Self::Clock
            | Self::Configuration
            | Self::Credential
            | Self::Disabled
            | Self::Consent
            | Self::Policy
            | Self::Locked
            | Self::Loop
            | Self::Microsoft => false,
        }
    }
}

impl GraphError {
    /// True if only a new sign-in of this person helps.
    pub fn needs_person(&self) -> bool {
        matches!(self, Self::UserSignIn { fault, .. } if fault.ends_login())
    }

    /// Remedy of a refused sign-in.
    pub fn sign_in_remedy(&self) -> Option<&'static str> {
        if let Self::SignIn { remedy, .. } | Self::UserSignIn { remedy, .. } = self {
            return Some(remedy);
        }
        None
    }
}

/// Traces of a proxy, firewall or captive portal between Offhook and Microsoft, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interference {
    /// 3xx: Microsoft does not redirect these requests.
    #[error(
        "a redirect, as proxies and captive portals send to their sign-in page; let this server reach Microsoft without signing in there"
    )]
    Redirect,
    /// 407.
    #[error(
        "a proxy requires a user name and a password; put them into the proxy's address (HTTPS_PROXY), or exempt this server"
    )]
    ProxySignIn,
    /// 511, or a web page.
    #[error(
        "a page of a proxy, a firewall or a captive portal; let this server reach Microsoft without inspection or sign-in"
    )]
    Page,
}

impl Interference {
    /// Classifies a status.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            407 => Self::ProxySignIn,
            _ => Self::Page,
        }
    }
}

/// Service that a request was sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Graph.
    Graph,
    /// The sign-in service at this address.
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
    /// Names the call, with the address of the sign-in service.
    fn with(&self, call: &str) -> String {
        match self {
            Self::Graph => call.to_owned(),
            Self::SignIn(_) => format!("{call} of {self}"),
        }
    }
}

/// Request as error texts name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestContext<'a> {
    /// Name of the call.
    pub(crate) call: &'static str,
    /// Required permission with its kind, such as `application permission …`.
    pub(crate) permission: &'static str,
    /// Person, group or subscription that the request is about.
    pub(crate) what: &'a str,
}

/// A failed request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphError {
    /// The service did not answer.
    #[error("no answer from {url}: {cause}; check the network, the proxy and the address")]
    Unreachable {
        /// Address without the query.
        url: String,
        /// Failure of the connection.
        cause: String,
    },
    /// Entra refused a token for the application.
    #[error("Entra refused to sign in the application {client_id}: {description}; {remedy}")]
    SignIn {
        /// Application (client) id.
        client_id: String,
        /// Entra's error number, such as 700016: the one that decides, if any is known.
        code: Option<u32>,
        /// Entra's description.
        description: String,
        /// Remedy.
        remedy: &'static str,
        /// Party that can end the refusal.
        fault: SignInFault,
        /// Requested wait.
        retry_after: Option<Duration>,
    },
    /// Entra refused a token for a person: a new sign-in is needed, unless the remedy differs.
    #[error("Entra refused the sign-in: {description}; {remedy}")]
    UserSignIn {
        /// OAuth error code, such as `invalid_grant`.
        error: String,
        /// Entra's description.
        description: String,
        /// Remedy.
        remedy: &'static str,
        /// Party that can end the refusal.
        fault: SignInFault,
        /// Requested wait.
        retry_after: Option<Duration>,
    },
    /// The certificate's key cannot sign.
    #[error(
        "the private key of certificate {thumbprint} cannot sign; create a new pair of key and certificate"
    )]
    Signing {
        /// Thumbprint of the certificate.
        thumbprint: String,
    },
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes; allow the system call getrandom")]
    NoRandomness,
    /// Graph answered 401 to a new token.
    #[error(
        "Graph refused a fresh token with 401 for {call}; Offhook retries; if it persists, check that the tenant's sign-in address and Graph address belong to the same cloud"
    )]
    Unauthorized {
        /// Name of the call.
        call: &'static str,
    },
    /// Graph answered 403.
    #[error(
        "Graph forbids {call} to this application: {message}; grant it the {permission} and consent as an administrator"
    )]
    Forbidden {
        /// Name of the call.
        call: &'static str,
        /// Graph's code and message.
        message: String,
        /// Required permission with its kind: `application permission …`.
        permission: &'static str,
    },
    /// Graph answered 404.
    #[error(
        "Graph did not find {what} for {call}; if the person was deleted in Entra, remove the Teams account here"
    )]
    NotFound {
        /// Name of the call.
        call: &'static str,
        /// Person, group or subscription that was not found.
        what: String,
    },
    /// Graph answered 429.
    #[error("Graph throttles {call}; Offhook waits as requested")]
    Throttled {
        /// Name of the call.
        call: &'static str,
        /// Requested wait.
        retry_after: Option<Duration>,
    },
    /// The service answered 5xx.
    #[error("{peer} answered {call} with {status}; Offhook retries")]
    Service {
        /// Service.
        peer: Peer,
        /// Name of the call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Requested wait.
        retry_after: Option<Duration>,
    },
    /// An answer that is neither success nor a final refusal, such as 408, 409, 423 or an empty 400.
    #[error(
        "{peer} answered {call} with {status}{detail}, which confirms nothing; Offhook retries"
    )]
    Unconfirmed {
        /// Service.
        peer: Peer,
        /// Name of the call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Graph's code and message, or the kind of the body, after a colon; empty if there is none.
        detail: String,
        /// Requested wait.
        retry_after: Option<Duration>,
    },
    /// A program between Offhook and Microsoft response.
    #[error(
            "the answer to {} ({status}) is not Microsoft's: {interference}; Offhook retries", peer.with(call)
    )]
    Intercepted {
        /// Service that the request was sent to.
        peer: Peer,
        /// Name of the call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Kind of the program, with the remedy.
        interference: Interference,
        /// Requested wait.
        retry_after: Option<Duration>,
    },
    /// A link of the directory has expired.
    #[error(
        "Graph ended the link of {call} ({status}); Offhook reads the directory from its beginning"
    )]
    LinkEnded {
        /// Name of the call.
        call: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// Graph refused the request for good.
    #[error("Graph refused {call} with {status}: {message}")]
    Refused {
        /// Name of the call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Graph's code and message.
        message: String,
    },
    /// A successful answer that is longer than Offhook reads.
    #[error(
        "the answer to {call} is longer than {max} bytes and was not read, as with very long automatic replies of people"
    )]
    TooLarge {
        /// Name of the call.
        call: &'static str,
        /// Limit in bytes.
        max: usize,
    },
    /// An answer that differs from Microsoft's documentation.
    #[error("the answer to {call} cannot be read: {cause}; check that the address is Microsoft's")]
    Malformed {
        /// Name of the call.
        call: &'static str,
        /// Difference.
        cause: String,
    },
}

impl GraphError {
    /// Converts an answer to an error; `None` if the request succeeded.
    pub(crate) fn of_answer(
        kind: RequestKind,
        RequestContext {
            call,
            permission,
            what,
        }: RequestContext<'_>,
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
                detail: match message.is_empty() {
                    true => String::new(),
                    false => format!(": {message}"),
                },
                retry_after,
            },
        })
    }

    /// Party that can help.
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

    /// Wait that the service asked for.
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
