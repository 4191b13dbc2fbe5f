//! Support of the end-to-end tests: starts programs as users start them, stops them by their process id, and waits for
//! conditions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is test code throughout: a failure must stop the test where it happens"
)]

mod accessibility;
mod accounts;
mod browser;
mod bus;
mod certificate;
mod collector;
mod contract;
mod demo;
mod descriptors;
mod desktop;
mod keyring;
mod lab;
mod offhook;
mod port;
mod presences;
mod program;
mod proxies;
mod serving;
mod session;
mod small_disk;
mod sound;
mod teamsbox;
mod tls;
mod watchers;
mod web;

use std::{fmt::Debug, future::Future, time::Duration};

pub use browser::{Browser, CHROMIUM};
pub use certificate::certify;
pub use collector::Collector;
pub use contract::{Contract, Operation};
pub use demo::Demo;
pub use descriptors::raise_descriptor_limit;
pub use desktop::Desktop;
use jiff::Timestamp;
pub use keyring::Keyring;
pub use lab::Lab;
pub use offhook::{Installation, KEY, Server};
pub use port::free_port;
pub use program::{Program, binary, repository};
pub use proxies::{ForwardProxy, ReverseProxy};
use serde_json::Value;
pub use session::Session;
pub use small_disk::SmallDisk;
pub use sound::{Agent, Sound};
pub use teamsbox::Teamsbox;
pub use tls::TlsServer;
use tokio::time::Instant;
pub use watchers::{Watching, python_packages, sipp, sipsak};
pub use web::{OpenIdProvider, Walker};

/// Parses a time of the API (RFC 3339).
///
/// # Panics
/// The value is no time.
pub fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Waits until `look` returns `expected`.
///
/// # Panics
/// `look` still returns another value after `limit`; the message shows it.
pub async fn eventually<T, F>(what: &str, limit: Duration, expected: T, look: impl Fn() -> F)
where
    T: PartialEq + Debug,
    F: Future<Output = T>,
{
    let end = Instant::now() + limit;
    loop {
        let seen = look().await;
        if seen == expected {
            return;
        }
        assert!(
            Instant::now() < end,
            "{what}: expected {expected:?}, still {seen:?} after {limit:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Checks that `look` returns `expected` for the whole of `time`.
///
/// # Panics
/// `look` returns another value.
pub async fn stays<T, F>(what: &str, time: Duration, expected: T, look: impl Fn() -> F)
where
    T: PartialEq + Debug,
    F: Future<Output = T>,
{
    let end = Instant::now() + time;
    while Instant::now() < end {
        assert_eq!(look().await, expected, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
