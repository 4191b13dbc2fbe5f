//! What telephone lines are doing, heard from telephone systems, and a simulated telephone system.
//!
//! A connector turns a system's own words into [`presence::LineState`] with a lease. This crate
//! decides nothing about people. [`line_state`] is the pure rule, [`own_dialogs`] what is no call, [`sip_connector`] the connector
//! for any system that speaks the SIP dialog event package (RFC 4235), [`simulated`] such a system
//! in the same process, for the demo, benchmarks and tests; [`sip_server`] is the shell of a SIP server.

pub mod connector;
pub mod line_state;
pub mod own_dialogs;
mod password;
mod phone_system;
pub mod simulated;
pub mod sip_connector;
pub mod sip_server;
pub mod tls;

pub use connector::{Connector, ConnectorHandle, Health, LineEvent, StartError, Trouble};
pub use password::Password;
pub use simulated::{CallId, SimulatedPbx, SimulatedPbxConfig};
pub use sip_connector::{SipConnectorConfig, Transport};
