//! What all tenants of an emulator share: clock, token keys, address, and the HTTP client of the notifications.

use std::{net::SocketAddr, sync::OnceLock, time::Duration};

use axum::http::{HeaderMap, header};

use crate::{clock::Clock, config::Config, keys::Keys};

/// What all tenants share.
pub(crate) struct Host {
    /// The clock.
    pub(crate) clock: Clock,
    /// Keys that sign tokens.
    pub(crate) keys: Keys,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// The address of the listener.
    pub(crate) address: SocketAddr,
    /// Further host names of the control plane, in lower case.
    pub(crate) allowed_hosts: Vec<String>,
    http: OnceLock<Option<reqwest::Client>>,
}

impl Host {
    /// The shared part of an emulator that listens at `address`.
    pub(crate) fn new(config: &Config, keys: Keys, address: SocketAddr) -> Self {
        Self {
            clock: Clock::new(config.clock, config.clock_start),
            keys,
            scheme: if config.tls { "https" } else { "http" },
            address,
            allowed_hosts: config
                .allowed_hosts
                .iter()
                .map(|host| host.to_lowercase())
                .collect(),
            http: OnceLock::new(),
        }
    }

    /// The base URL under which the client of a request reaches the emulator.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        match host {
            Some(host) => format!("{}://{host}", self.scheme),
            None => format!("{}://{}", self.scheme, self.address),
        }
    }

    /// The HTTP client, built at its first use; `None` if TLS cannot be set up.
    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        let built = self.http.get_or_init(|| {
            http_client()
                .inspect_err(|error| tracing::error!(%error, "notifications cannot be sent"))
                .ok()
        });
        built.as_ref()
    }
}

/// A client that accepts any certificate: servers under test have authorities of their own.
fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .connect_timeout(Duration::from_secs(10))
        .build()
}
