//! SIP without IO: what a presence product needs of it, as plain types.
//!
//! Nothing in this crate opens a socket, reads a clock or asks for randomness. Time is a
//! [`std::time::Duration`] since a start that the caller chooses and never moves back; randomness
//! comes from an [`ids::Ids`] made from a seed that the caller draws. State machines take
//! `handle(now, event)` and return what is to be done; a shell moves the bytes.
//!
//! Read in this order: [`message`] (the wire), [`request`] (what is refused at once), [`stream`] (framing on TCP), [`transaction`]
//! (retransmission), [`digest`] (passwords), [`dialog_info`], [`order`] and [`dialog_set`] (what a telephone
//! is doing), [`presence_info`] (what a person is doing), [`resource_list`] and [`multipart`] (many at once), [`subscriber`] (we watch), [`publisher`] (we tell) and [`agent`] (we are watched).

pub mod agent;
pub mod dialog_info;
pub mod dialog_set;
pub mod digest;
mod floor;
pub mod ids;
pub mod message;
pub mod multipart;
pub mod order;
pub mod presence_info;
pub mod publisher;
pub mod redirect;
pub mod remark;
pub mod request;
pub mod resource_list;
pub mod software;
pub mod stream;
pub mod subscriber;
pub mod transaction;
pub mod uri;
mod xml;

/// How a message travels; it decides retransmission (RFC 3261 §17.1.2.2) and what a Via says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams: requests are repeated until they are answered.
    Udp,
    /// A connection: nothing is repeated.
    Tcp,
    /// The same, encrypted.
    Tls,
    /// A WebSocket, as browsers have it (RFC 7118).
    WebSocket,
    /// The same, encrypted.
    SecureWebSocket,
}

impl Transport {
    /// The name in a Via header (RFC 3261 §20.42).
    pub fn via_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::WebSocket => "WS",
            Self::SecureWebSocket => "WSS",
        }
    }

    /// The value of a URI's transport parameter (RFC 3261 §19.1.1, RFC 7118 §5.2).
    pub fn uri_name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::WebSocket => "ws",
            Self::SecureWebSocket => "wss",
        }
    }

    /// Whether the transport itself delivers or reports failure.
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }
}

/// Whose an address is: whoever has one address of IPv6 has the whole network of 64 bits. What strangers may use up is counted
/// by this.
pub fn network(address: std::net::IpAddr) -> std::net::IpAddr {
    match address.to_canonical() {
        std::net::IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn neighbours_in_an_ipv6_network_are_one() {
        let network = |text: &str| super::network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}
