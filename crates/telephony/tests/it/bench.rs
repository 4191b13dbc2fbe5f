//! A connector and a simulated PBX, with timeouts for expected events.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use presence::{LineChange, LineState};
use telephony::{
    connector::{Connector, ConnectorHandle, Health, LineEvent},
    simulated::{SimulatedPbx, SimulatedPbxConfig},
    sip_connector::{SipConnectorConfig, Transport},
};
use tokio::sync::mpsc;

/// A test that waits this long has failed: every event takes a few seconds at most.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn extensions(n: usize) -> Vec<Arc<str>> {
    (1001..1001 + n).map(|e| e.to_string().into()).collect()
}

pub async fn pbx_at(listen: SocketAddr, n: usize) -> SimulatedPbx {
    SimulatedPbx::start(SimulatedPbxConfig {
        identity: None,
        listen,
        domain: "pbx.test".into(),
        username: "watcher".into(),
        password: "right".into(),
        extensions: extensions(n),
    })
    .await
    .unwrap()
}

pub async fn pbx(n: usize) -> SimulatedPbx {
    pbx_at("127.0.0.1:0".parse().unwrap(), n).await
}

pub struct Bench {
    pub connector: ConnectorHandle,
    pub events: mpsc::Receiver<LineEvent>,
    /// The known state of each line; `None` when stale.
    pub known: BTreeMap<Arc<str>, Option<LineState>>,
}

pub fn config(server: impl ToString, transport: Transport) -> SipConnectorConfig {
    SipConnectorConfig {
        name: "test".into(),
        servers: vec![server.to_string()],
        trust: None,
        name_server: None,
        transport: Some(transport),
        domain: "pbx.test".into(),
        username: "watcher".into(),
        password: "right".into(),
        lists: Vec::new(),
        bind: None,
    }
}

impl Bench {
    pub async fn start(config: SipConnectorConfig, extensions: Vec<Arc<str>>) -> Self {
        let (sender, events) = mpsc::channel(1024);
        let connector = Connector::Sip(config).start(extensions, sender).unwrap();
        Self {
            connector,
            events,
            known: BTreeMap::new(),
        }
    }

    pub async fn next(&mut self) -> LineEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.recv())
            .await
            .expect("no event came")
            .expect("the connector ended");
        let state = match &event.change {
            LineChange::State { state, .. } => Some(*state),
            LineChange::Stale => None,
        };
        self.known.insert(Arc::clone(&event.extension), state);
        event
    }

    /// Waits until this line is in this state, or stale.
    pub async fn until(&mut self, extension: &str, state: impl Into<Option<LineState>>) {
        let state = Some(state.into());
        while self.known.get(extension).copied() != state {
            self.next().await;
        }
    }

    /// Waits until health meets the condition.
    pub async fn health(&mut self, wanted: impl FnMut(&Health) -> bool) -> Health {
        let mut health = self.connector.health();
        let found = tokio::time::timeout(PATIENCE, health.wait_for(wanted)).await;
        let seen = self.connector.health().borrow().clone();
        found
            .unwrap_or_else(|_| panic!("health never got there: {seen:?}"))
            .unwrap()
            .clone()
    }
}
