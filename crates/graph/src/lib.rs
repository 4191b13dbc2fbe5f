//! Client for the parts of Microsoft Graph that presence needs: sign-in, bulk reads, writes, notifications, the directory,
//! and the rules for spending the request limit.
//!
//! Types that decide do no IO and take the time as an argument: [`Budget`], [`WriteQueue`], [`sweep_interval`],
//! [`backoff`]; [`notification::Receiver`] decides which notifications are genuine, [`subscription::Keeper`] keeps
//! subscriptions alive, [`delegated::DeviceFlow`] schedules the polls of a sign-in by device code. [`Client`] sends one
//! request per call and returns its result; the caller owns the loop.

mod answer;
mod backoff;
mod batch;
mod budget;
mod certificate;
mod client;
mod client_config;
mod clock;
mod cloud;
#[cfg(test)]
mod corpus_tests;
mod credential;
pub mod delegated;
mod directory;
mod error;
mod halving;
mod member;
pub mod notification;
mod operation;
mod presences;
mod queue;
mod random;
mod sign_in;
pub mod subscription;
mod sweep;
mod time;
mod token;
#[cfg(test)]
mod vectors;
mod wire;

pub use answer::{Body, RequestKind, Side, Source, Verdict, judge, judge_with_source};
pub use backoff::{backoff, parse_retry_after, retry_after_seconds};
pub use batch::BATCH_MAX;
pub use budget::{Budget, Purpose};
pub use certificate::{Certificate, CertificateError, KeyedCertificate};
pub use client::Client;
pub use client_config::ClientConfig;
pub use cloud::{Cloud, UnknownCloud};
pub use credential::{Credential, client_assertion};
pub use directory::{Delta, DirectoryUser, PageTrail, Update, UserChange, UserPage, UserUpdate};
pub use error::{Blame, GraphError, Interference, Peer, SignInFault};
pub use halving::{Halving, PartAnswer};
pub use operation::{Operation, Priority, Slot, WriteSuccess};
pub use presences::{ElementFault, Presences, SkippedElement, UserPresence};
pub use queue::{Backlog, FinishResult, Next, Outcome, Pending, PushResult, WriteQueue};
pub use random::random_secret;
pub use sweep::{ACTIVE_PEOPLE_MAX, BULK_MAX, SLOWDOWN_MAX, SWEEP_INTERVAL_MIN, sweep_interval};
