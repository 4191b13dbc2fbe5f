//! Line states from phone systems, the sockets of a SIP server, and a simulated PBX.
//!
//! A connector turns the messages of a phone system into [`presence::LineState`]s with a lease. This crate decides nothing
//! about people. [`connector`] is the boundary that the server uses: one variant for each protocol. [`sip_connector`]
//! watches any phone system with SIP's dialog event package (RFC 4235); [`line_state`] is the pure rule from dialogs to a
//! line state, [`own_dialogs`] recognises Offhook's own publications. [`simulated`] is a PBX in the same process, for the
//! demo, benchmarks and tests. [`sip_server`] moves the bytes of a SIP server.

pub mod connector;
pub mod line_state;
pub mod own_dialogs;
mod phone_system;
pub mod simulated;
pub mod sip_connector;
pub mod sip_server;
pub mod tls;

pub use connector::{Connector, ConnectorHandle, Health, LineEvent, StartError, Trouble};
pub use simulated::{CallId, SimulatedPbx, SimulatedPbxConfig};
pub use sip_connector::{SipConnectorConfig, Transport};
