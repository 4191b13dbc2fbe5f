//! What can go wrong with a request, by whose fault, and what to do about it.

use std::time::Duration;

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
        /// Entra's words.
        description: String,
        /// What to do.
        remedy: &'static str,
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
    #[error("Graph failed with {status} at {call}; it is tried again")]
    Service {
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// Any other refusal.
    #[error("Graph refused {call} with {status}: {message}")]
    Refused {
        /// The call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// Graph's words.
        message: String,
    },
    /// An answer that is not what Graph documents.
    #[error("the answer to {call} cannot be read: {cause}; is the address really Graph's?")]
    Malformed {
        /// The call.
        call: &'static str,
        /// What is wrong.
        cause: String,
    },
}

impl GraphError {
    /// A failure by its status; `what` was asked for, with `permission`.
    pub(crate) fn of_status(
        call: &'static str,
        permission: &'static str,
        what: &str,
        status: u16,
        message: String,
        retry_after: Option<Duration>,
    ) -> Self {
        match status {
            403 => Self::Forbidden {
                call,
                message,
                permission,
            },
            404 => Self::NotFound {
                call,
                what: what.into(),
            },
            429 => Self::Throttled { call, retry_after },
            // 424 is of a batch: another item failed, not this one.
            401 | 424 | 500.. => Self::Service {
                call,
                status,
                retry_after,
            },
            _ => Self::Refused {
                call,
                status,
                message,
            },
        }
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unreachable { .. }
            | Self::Unauthorized { .. }
            | Self::Throttled { .. }
            | Self::Service { .. }
            | Self::Malformed { .. } => Blame::Service,
            Self::SignIn { .. }
            | Self::UserSignIn { .. }
            | Self::Signing { .. }
            | Self::NoRandomness
            | Self::Forbidden { .. } => Blame::Administrator,
            Self::NotFound { .. } | Self::Refused { .. } => Blame::Request,
        }
    }

    /// How long the service asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Service { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
