//! Settings of the presence server for phones, and the contact addresses that follow from them.

use std::net::SocketAddr;

use ipnet::IpNet;
use presence::{Extension, Relationship};
use sip::digest::{Algorithm, Credentials};
use telephony::tls::Identity;

/// Settings of the presence server for phones (`[sip]`).
#[derive(Clone, Debug)]
pub struct PhonesOptions {
    /// Address for UDP and TCP.
    pub listen: SocketAddr,
    /// Address for TLS, with the certificate.
    pub tls: Option<(SocketAddr, Identity)>,
    /// Address for browsers (SIP over WebSocket, RFC 7118), encrypted if there is a certificate.
    pub websocket: Option<(SocketAddr, Option<Identity>)>,
    /// Host and port of the contact address that phones receive; `None`: the address for UDP and TCP.
    pub address: Option<String>,
    /// The domain of the PBX: extension 1001 is `sip:1001@domain`. Also the realm of passwords.
    pub domain: String,
    /// Networks of the PBX: the asserted identity of requests from there is trusted, without a password.
    pub trusted: Vec<IpNet>,
    /// What watchers without an extension of a person may see, such as a phone in the lobby.
    pub others: Relationship,
    /// The digest algorithms for phones, in the order of the challenges. `None`: MD5, then SHA-256, and only MD5 for browsers.
    /// Clients with one algorithm answer the first challenge; SIP.js answers the last, and has MD5 alone.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Phones with a password of their own.
    pub accounts: Vec<PhoneAccount>,
}

/// The account of a phone.
#[derive(Clone, Debug)]
pub struct PhoneAccount {
    /// The authentication name, which only this account has, and the password.
    pub credentials: Credentials,
    /// The phone's extension: the phone sees what the extension's person may see.
    pub extension: Extension,
    /// Instead of [`PhonesOptions::algorithms`].
    pub algorithms: Option<Vec<Algorithm>>,
}

/// Contact addresses that phones receive, as host and port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContactAddresses {
    /// For UDP and TCP.
    pub(super) plain: String,
    /// For TLS.
    pub(super) tls: Option<String>,
    /// For browsers.
    pub(super) websocket: Option<String>,
}

impl ContactAddresses {
    /// The configured host, or that of each socket, with the ports of the sockets.
    pub(super) fn new(
        options: &PhonesOptions,
        plain: SocketAddr,
        tls: Option<SocketAddr>,
        websocket: Option<SocketAddr>,
    ) -> Self {
        let configured = options.address.as_deref();
        let host = configured.map(|address| match address.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => address,
        });
        let other = |listens: SocketAddr| match host {
            Some(host) => format!("{host}:{}", listens.port()),
            None => listens.to_string(),
        };
        Self {
            plain: configured.map_or_else(|| plain.to_string(), str::to_owned),
            tls: tls.map(other),
            websocket: websocket.map(other),
        }
    }
}
