//! What the end-to-end tests stand on: programs started as users start them, stopped by their own process id, and a
//! way to wait for what should become true.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is test code throughout: a failure must stop the test where it happens"
)]

mod accounts;
mod browser;
mod bus;
mod certificate;
mod contract;
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
pub use contract::{Contract, Operation};
pub use descriptors::raise_descriptor_limit;
pub use desktop::Desktop;
use jiff::Timestamp;
pub use keyring::Keyring;
pub use lab::Lab;
pub use offhook::{Demo, Installation, KEY, Server};
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

/// A time of the API (RFC 3339), to calculate with.
///
/// # Panics
/// It is none.
pub fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Waits until `look` gives `expected`, and fails with what it gave last.
///
/// # Panics
/// It does not become so within `limit`.
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

/// Checks that `look` gives `expected` for the whole of `time`.
///
/// # Panics
/// It gives something else.
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
