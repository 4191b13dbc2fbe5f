//! Faults of a subscription.

use crate::digest::ChallengeProblem;

/// The reason for which a subscription is not active, typed so that its owner can name the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No answer to SUBSCRIBE (timer F).
    #[error("no answer to SUBSCRIBE")]
    Timeout,
    /// Accepted, but no NOTIFY came (timer N).
    #[error("SUBSCRIBE was accepted, but no NOTIFY came")]
    NoNotify,
    /// A NOTIFY of this subscription was refused: a header is missing or cannot be read.
    #[error("a NOTIFY was refused with {code}")]
    BadNotify {
        /// The status code of the subscriber's answer.
        code: u16,
    },
    /// A renewal was accepted, but no NOTIFY came after it (RFC 6665 §4.2.1.2).
    #[error("no NOTIFY came after a renewal")]
    RenewedWithoutNotify,
    /// The response to a challenge of the same attempt was rejected.
    #[error("{code} for the user name and password")]
    WrongCredentials {
        /// 401 or 407.
        code: u16,
    },
    /// No password can answer the challenge.
    #[error("{code} with {why}")]
    UnusableChallenge {
        /// 401 or 407.
        code: u16,
        /// The problem of the challenge.
        why: ChallengeProblem,
    },
    /// A 423 with a minimum that is too long.
    #[error("423 Interval Too Brief with a minimum of {minimum:?} seconds")]
    Interval {
        /// The Min-Expires.
        minimum: Option<u32>,
    },
    /// A redirection that is not followed: to a proxy, to a target that is not a SIP address, or one too many.
    #[error("SUBSCRIBE was redirected with {code}")]
    Redirected {
        /// The status code.
        code: u16,
        /// The target, if it is a SIP address.
        target: Option<String>,
    },
    /// Any other refusal.
    #[error("SUBSCRIBE was refused with {code}")]
    Refused {
        /// The status code.
        code: u16,
    },
    /// A publication was accepted without an entity tag: it cannot be renewed.
    #[error("PUBLISH was accepted without SIP-ETag")]
    NoEntityTag,
    /// The CSeq of two NOTIFYs did not grow: the notifier counts from the beginning again.
    #[error("the CSeq of the NOTIFYs goes back or stands still")]
    Numbering,
    /// The documents of the NOTIFYs cannot be used, even after a refresh.
    #[error("NOTIFYs come, but no document among them tells the whole state")]
    Unconfirmed,
    /// The granted lease ends before its renewal is due.
    #[error("only {seconds} s were granted")]
    ShortLease {
        /// The granted Expires.
        seconds: u64,
    },
    /// 481 to a renewal: the notifier has restarted.
    #[error("the notifier has forgotten the subscription")]
    Forgotten,
    /// The subscription expired before a renewal was accepted.
    #[error("the subscription expired")]
    Expired,
    /// The notifier ended the subscription.
    #[error("the notifier ended the subscription: {reason}")]
    Ended {
        /// The reason parameter, or a substitute for it.
        reason: String,
    },
    /// The subscription waits for authorization.
    #[error("the subscription waits for authorization")]
    Pending,
    /// A value in the configuration cannot be sent.
    #[error("SUBSCRIBE cannot be written: {0}")]
    Unwritable(String),
}
