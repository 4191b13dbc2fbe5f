//! How a presence agent behaves: where it is reached, how long it promises anything, and how much it keeps.

use super::Package;
use crate::Transport;

/// How an agent behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host and port at which the agent is reached, for Via and Contact.
    pub address: String,
    /// The same by TLS; `None`: the address above.
    pub tls_address: Option<String>,
    /// The same by WebSocket; `None`: the address above.
    pub websocket_address: Option<String>,
    /// The packages that may be subscribed to.
    pub packages: Vec<Package>,
    /// Shorter subscriptions are refused with 423, except those that end at once.
    pub min_expires: u32,
    /// Longer ones are shortened.
    pub max_expires: u32,
    /// Longer publications are shortened: for so long is believed what a telephone said that has died since.
    pub max_publication: u32,
    /// Most subscriptions that are kept; beyond, 503.
    pub subscriptions_max: usize,
    /// Most subscriptions from one address that is not trusted; beyond, 503.
    pub subscriptions_per_source_max: usize,
    /// Most publications that are kept; beyond, 503.
    pub publications_max: usize,
}

impl Settings {
    /// Where the agent is reached in this way.
    pub(super) fn address(&self, transport: Transport) -> &str {
        let other = match transport {
            Transport::Udp | Transport::Tcp => &None,
            Transport::Tls => &self.tls_address,
            Transport::WebSocket | Transport::SecureWebSocket => &self.websocket_address,
        };
        other.as_deref().unwrap_or(&self.address)
    }
}
