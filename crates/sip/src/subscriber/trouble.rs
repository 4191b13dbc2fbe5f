//! What can be wrong with a subscription.

/// Why a subscription does not stand, typed so that its owner can say what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No answer to SUBSCRIBE (timer F).
    #[error("no answer to SUBSCRIBE")]
    Timeout,
    /// Accepted, but no NOTIFY came (timer N).
    #[error("SUBSCRIBE was accepted, but no NOTIFY came")]
    NoNotify,
    /// The same credentials were refused twice.
    #[error("{code} for the user name and password")]
    WrongCredentials {
        /// 401 or 407.
        code: u16,
    },
    /// Only challenges that cannot be answered.
    #[error("{code} without a digest challenge in MD5 or SHA-256")]
    UnusableChallenge {
        /// 401 or 407.
        code: u16,
    },
    /// A 423 that cannot be satisfied.
    #[error("423 Interval Too Brief with a minimum of {minimum:?} seconds")]
    Interval {
        /// The Min-Expires.
        minimum: Option<u32>,
    },
    /// Any other refusal.
    #[error("SUBSCRIBE was refused with {code}")]
    Refused {
        /// The status code.
        code: u16,
    },
    /// A publication was accepted, but not named: it cannot be renewed.
    #[error("PUBLISH was accepted without SIP-ETag")]
    NoEntityTag,
    /// 481 to a renewal: the notifier has restarted.
    #[error("the notifier has forgotten the subscription")]
    Forgotten,
    /// It expired before a renewal was accepted.
    #[error("the subscription expired")]
    Expired,
    /// The notifier ended it.
    #[error("the notifier ended the subscription: {reason}")]
    Ended {
        /// The reason parameter, or what stood in for it.
        reason: String,
    },
    /// It waits for somebody to allow it.
    #[error("the subscription waits for authorization")]
    Pending,
    /// The configuration holds something that cannot be sent.
    #[error("SUBSCRIBE cannot be written: {0}")]
    Unwritable(String),
}
