//! The phone systems that Offhook can watch: one variant of [`Connector`] for each protocol, and the types that all of them
//! share.
//!
//! # To add a phone system
//! 1. A folder beside `sip_connector` with a configuration that implements [`PhoneSystem`]: a task that turns the phone system's
//!    messages into [`LineEvent`]s and keeps [`Health`] current.
//! 2. A variant of [`Connector`] and its arm in `Connector::system`.
//! 3. An arm for its `protocol` where the server reads `[[pbx]]` from the configuration.
//! 4. A page in `docs/` on how to connect it.
//!
//! # Example
//! ```
//! use presence::{LineChange, LineState};
//! use telephony::{
//!     connector::Connector,
//!     simulated::{SimulatedPbx, SimulatedPbxConfig},
//!     sip_connector::{SipConnectorConfig, Transport},
//! };
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pbx = SimulatedPbx::start(SimulatedPbxConfig {
//!     listen: ([127, 0, 0, 1], 0).into(),
//!     domain: "pbx.example".into(),
//!     username: "offhook".into(),
//!     password: "secret".into(),
//!     extensions: vec!["1001".into(), "1002".into()],
//!     identity: None,
//! })
//! .await?;
//! let connector = Connector::Sip(SipConnectorConfig {
//!     name: "head office".into(),
//!     servers: vec![pbx.address().to_string()],
//!     transport: Some(Transport::Udp),
//!     trust: None,
//!     name_server: None,
//!     domain: "pbx.example".into(),
//!     username: "offhook".into(),
//!     password: "secret".into(),
//!     lists: Vec::new(),
//!     bind: None,
//! });
//! let (sender, mut events) = tokio::sync::mpsc::channel(100);
//! let running = connector.start(vec!["1002".into()], sender)?;
//! running.health().wait_for(|health| health.active == 1).await?;
//!
//! pbx.ring("1001", "1002")?;
//! loop {
//!     let event = events.recv().await.ok_or("the connector ended")?;
//!     if let LineChange::State { state: LineState::Ringing, party, .. } = event.change {
//!         assert_eq!((&*event.extension, party.as_deref()), ("1002", Some("1001")));
//!         break;
//!     }
//! }
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use tokio::sync::mpsc;

pub use crate::phone_system::{
    Command, ConnectorHandle, Documents, Health, LINE_TROUBLE_MAX, LineEvent, LoginFault,
    PhoneSystem, Publication, Software, StartError, TaskChannels, Trouble, UnregisteredExtensions,
    host_and_port,
};
use crate::sip_connector::SipConnectorConfig;

/// A phone system to be watched, by protocol.
#[derive(Clone, Debug)]
pub enum Connector {
    /// Any phone system with SIP's dialog event package (RFC 4235).
    Sip(SipConnectorConfig),
}

impl Connector {
    fn system(&self) -> &(dyn PhoneSystem + Sync) {
        match self {
            Self::Sip(config) => config,
        }
    }

    /// The administrator's name for the phone system.
    pub fn name(&self) -> &str {
        self.system().name()
    }

    /// The domain of the phone system's addresses: extension 1001 is `sip:1001@domain`.
    pub fn domain(&self) -> &str {
        self.system().domain()
    }

    /// Hosts, with or without a port, in the order of preference.
    pub fn servers(&self) -> &[String] {
        self.system().servers()
    }

    /// Connects and watches the extensions. A phone system that cannot be reached is no error, see [`ConnectorHandle::health`].
    /// Must be called in a Tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]: the configuration can never work on this machine.
    pub fn start(
        &self,
        extensions: Vec<Arc<str>>,
        events: mpsc::Sender<LineEvent>,
    ) -> Result<ConnectorHandle, StartError> {
        ConnectorHandle::start(self.system(), extensions, events)
    }

    /// The extensions without a registered phone; empty if the protocol does not have this information.
    ///
    /// # Errors
    /// In words: the phone system cannot be reached.
    pub async fn unregistered_extensions(
        &self,
        extensions: &[Arc<str>],
    ) -> Result<Vec<Arc<str>>, String> {
        self.system().unregistered_extensions(extensions).await
    }
}
