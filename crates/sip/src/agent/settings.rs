//! Settings of a presence agent: addresses, durations and limits.

use super::Package;
use crate::Transport;

/// Settings of a presence agent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host and port of the agent, for Via and Contact.
    pub address: String,
    /// Host and port for TLS; `None`: the address above.
    pub tls_address: Option<String>,
    /// Host and port for WebSockets; `None`: the address above.
    pub websocket_address: Option<String>,
    /// The packages that the agent serves.
    pub packages: Vec<Package>,
    /// Shortest subscription in seconds; a shorter one is refused with 423 unless it ends at once.
    pub min_expires: u32,
    /// Longest subscription in seconds; a longer one is shortened.
    pub max_expires: u32,
    /// Longest publication in seconds; a longer one is shortened. The state of a phone that has lost power stays for as
    /// long.
    pub max_publication: u32,
    /// Most subscriptions; beyond that the agent answers 503.
    pub subscriptions_max: usize,
    /// Most subscriptions from one address that is not trusted; beyond that the agent answers 503.
    pub subscriptions_per_source_max: usize,
    /// Most publications; beyond that the agent answers 503.
    pub publications_max: usize,
}

impl Settings {
    /// Host and port for this transport.
    pub(super) fn address(&self, transport: Transport) -> &str {
        let other = match transport {
            Transport::Udp | Transport::Tcp => &None,
            Transport::Tls => &self.tls_address,
            Transport::WebSocket | Transport::SecureWebSocket => &self.websocket_address,
        };
        other.as_deref().unwrap_or(&self.address)
    }
}
