//! SIP without IO: what a presence product needs of it, as plain types.
//!
//! Nothing in this crate opens a socket, reads a clock or asks for randomness. Time is a
//! [`std::time::Duration`] since a start that the caller chooses and never moves back; randomness
//! comes from an [`ids::Ids`] made from a seed that the caller draws. State machines take
//! `handle(now, event)` and return what is to be done; a shell moves the bytes.
//!
//! Read in this order: [`message`] (the wire), [`stream`] (framing on TCP), [`transaction`]
//! (retransmission), [`digest`] (passwords), [`dialog_info`] and [`dialog_set`] (what a telephone
//! is doing), [`subscriber`] (we watch) and [`notifier`] (we are watched).

pub mod dialog_info;
pub mod dialog_set;
pub mod digest;
pub mod ids;
pub mod message;
pub mod notifier;
pub mod stream;
pub mod subscriber;
pub mod transaction;

/// How a message travels; it decides retransmission (RFC 3261 §17.1.2.2) and what a Via says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams: requests are repeated until they are answered.
    Udp,
    /// A connection: nothing is repeated.
    Tcp,
}

impl Transport {
    /// The name in a Via header (RFC 3261 §20.42).
    pub fn via_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// Whether the transport itself delivers or reports failure.
    pub fn is_reliable(self) -> bool {
        self == Self::Tcp
    }
}
