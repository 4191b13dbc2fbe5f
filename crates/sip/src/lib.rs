//! SIP without IO, for a presence product, as plain types.
//!
//! Nothing in this crate opens a socket, reads a clock or asks for randomness. Time is a [`std::time::Duration`] since a start
//! that the caller chooses and never moves back; randomness comes from an [`ids::Ids`] with a seed that the caller draws. State
//! machines take `handle(now, event)` and return actions; a shell moves the bytes.
//!
//! Read in this order: [`message`] (parsing and writing), [`request`] (requests that are refused at once), [`stream`] (framing
//! on TCP), [`transaction`] (retransmission), [`digest`] (passwords), [`dialog_info`], [`order`] and [`dialog_set`] (the calls of
//! an extension), [`presence_info`] (the presence of a person), [`resource_list`] and [`multipart`] (many extensions in one
//! document), [`subscriber`] (watching a PBX), [`publisher`] (publishing to a PBX) and [`agent`] (being watched, with an example).
//!
//! # Watching an extension
//! A [`subscriber::Subscriber`] writes SUBSCRIBE, reads the PBX's 200 and NOTIFY, and hands out the document; a
//! [`dialog_set::DialogSet`] keeps the calls.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use sip::{
//!     Transport,
//!     dialog_info::{DialogInfo, DialogState},
//!     dialog_set::DialogSet,
//!     ids::Ids,
//!     message::{Message, Writer, answer},
//!     subscriber::{Account, Action, Event, Subscriber},
//! };
//!
//! let account = Account {
//!     from: "sip:offhook@pbx.example".into(),
//!     contact: "sip:offhook@192.0.2.1:5080".into(),
//!     sent_by: "192.0.2.1:5080".into(),
//!     transport: Transport::Udp,
//!     credentials: None,
//!     event: "dialog".into(),
//!     accept: "application/dialog-info+xml".into(),
//!     supported: None,
//!     user_agent: "example".into(),
//! };
//! let mut subscriber = Subscriber::new("sip:1001@pbx.example".into(), Ids::new([7; 32]));
//! let now = Duration::from_secs(1);
//! let actions = subscriber.handle(now, Event::Start(Arc::new(account)));
//! let Some(Action::Send(subscribe)) = actions.first() else {
//!     return Err("no SUBSCRIBE".into());
//! };
//! let subscribe = Message::parse(subscribe)?;
//! assert_eq!(subscribe.request_uri(), Some("sip:1001@pbx.example"));
//!
//! // The PBX accepts ...
//! let ok = answer(&subscribe, 200, Some("pbx"))
//!     .header("Contact", "<sip:192.0.2.9:5060>")
//!     .header("Expires", 600)
//!     .finish()?;
//! subscriber.handle(now, Event::Received(&Message::parse(&ok)?));
//!
//! // ... and reports a call.
//! let document = r#"<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full"
//!     entity="sip:1001@pbx.example"><dialog id="a"><state>confirmed</state></dialog></dialog-info>"#;
//! let notify = Writer::request("NOTIFY", "sip:offhook@192.0.2.1:5080")
//!     .header("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1")
//!     .header("From", "<sip:1001@pbx.example>;tag=pbx")
//!     .header("To", subscribe.header("From").unwrap_or_default())
//!     .header("Call-ID", subscribe.call_id()?)
//!     .header("CSeq", "1 NOTIFY")
//!     .header("Event", "dialog")
//!     .header("Subscription-State", "active;expires=600")
//!     .body("application/dialog-info+xml", document.as_bytes())?;
//! let actions = subscriber.handle(now, Event::Received(&Message::parse(&notify)?));
//! let [Action::Send(answer), Action::Notified { body, remaining, .. }] = &actions[..] else {
//!     return Err("no document".into());
//! };
//! assert_eq!(Message::parse(answer)?.code(), Some(200));
//! assert_eq!(*remaining, Duration::from_secs(600));
//!
//! let mut calls = DialogSet::new();
//! calls.fold(now, DialogInfo::parse(body)?);
//! assert_eq!(calls.dialogs()[0].state, DialogState::Confirmed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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

/// The transport of a message; it decides retransmission (RFC 3261 §17.1.2.2) and the name in Via.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams: requests are repeated until the answer.
    Udp,
    /// A connection: nothing is repeated.
    Tcp,
    /// An encrypted connection.
    Tls,
    /// A WebSocket, for browsers (RFC 7118).
    WebSocket,
    /// An encrypted WebSocket.
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

/// The network of an address, by which limits count clients: the /64 network of an IPv6 address, since each client has a whole
/// one, and the IPv4 address itself.
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
    fn addresses_in_an_ipv6_network_count_as_one() {
        let network = |text: &str| super::network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}
