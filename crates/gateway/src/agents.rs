//! Gateway of Microphone Sync (`docs/presence-rules.md`): desktop agents connect by WebSocket, receive the list of programs
//! to watch, and report which of them use the microphone. A report holds until the agent's connection closes, at most 30 s.

mod connection;
mod pairing;
mod table;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use connection::ProfileChooser;
pub use pairing::{CodeError, PairingCodes};
use presence::{ClientId, PersonId, Timestamp};
use runtime::context::Context;
use tokio::sync::{
    Notify,
    broadcast::{self, error::RecvError},
    mpsc, watch,
};

/// Pause after agents were sent changed settings: an import changes people one by one.
const SETTINGS_INTERVAL: Duration = Duration::from_secs(2);
/// Orders that wait for one agent.
const ORDERS_MAX: usize = 8;

/// The connected agents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Agents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    live: RwLock<Live>,
    next_client: AtomicU64,
    /// Grows when settings of any person may have changed.
    settings: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Live {
    devices: HashMap<Arc<str>, ConnectedAgent>,
    people: HashMap<PersonId, Vec<Arc<str>>>,
}

/// A connected agent in the table of all.
#[derive(Clone, Debug)]
struct ConnectedAgent {
    client: ClientId,
    orders: mpsc::Sender<Order>,
    end: watch::Sender<Option<EndReason>>,
    presence_changed: Arc<Notify>,
    last_report: LastReport,
}

/// The last report of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastReport {
    /// Time of connection.
    pub since: Timestamp,
    /// The agent's version.
    pub version: String,
    /// Display names of the programs that use the microphone, the first to start first.
    pub programs: Vec<String>,
    /// End of the pause that the person asked for.
    pub paused_until: Option<Timestamp>,
}

/// Reason why the server closes an agent's connection, for the agent's log.
type EndReason = &'static str;

/// An order to one agent's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Order {
    /// Have the agent report nothing for this time.
    Pause(Duration),
    /// Send changed settings and profiles.
    Refresh,
}

/// The entry of one connection in the table of connected agents; removed when dropped.
#[derive(Debug)]
struct AgentSession {
    agents: Agents,
    device: Arc<str>,
    person: PersonId,
    client: ClientId,
    orders: mpsc::Receiver<Order>,
    /// Set when the connection must be closed. Beside the orders, because their queue may be full.
    end: watch::Receiver<Option<EndReason>>,
    presence_changed: Arc<Notify>,
}

impl Default for Agents {
    fn default() -> Self {
        Self(Arc::new(Inner {
            live: RwLock::default(),
            next_client: AtomicU64::new(1),
            settings: watch::Sender::new(0),
        }))
    }
}

impl Agents {
    fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.0.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a device's connection. An older connection of the device is closed: a machine that slept does not know that its
    /// connection is dead.
    fn begin(&self, device: &str, person: PersonId, since: Timestamp) -> AgentSession {
        let device: Arc<str> = device.into();
        let client = ClientId::Agent(self.0.next_client.fetch_add(1, Ordering::Relaxed));
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let (end, ended) = watch::channel(None);
        let presence_changed = Arc::new(Notify::new());
        let connected = ConnectedAgent {
            client,
            orders,
            end,
            presence_changed: presence_changed.clone(),
            last_report: LastReport {
                since,
                ..LastReport::default()
            },
        };
        let mut live = self.write();
        let before = live.devices.insert(device.clone(), connected);
        match before {
            Some(before) => {
                before.end.send_replace(Some("the device connected again"));
            }
            None => live.people.entry(person).or_default().push(device.clone()),
        }
        AgentSession {
            agents: self.clone(),
            device,
            person,
            client,
            orders: receiver,
            end: ended,
            presence_changed,
        }
    }

    /// The last report of a device's agent, if the agent is connected.
    pub fn last_report(&self, device: &str) -> Option<LastReport> {
        let live = self.read();
        Some(live.devices.get(device)?.last_report.clone())
    }

    /// The number of connected agents.
    pub fn count(&self) -> usize {
        self.read().devices.len()
    }

    /// Closes the connection of a removed device.
    pub fn end(&self, device: &str) {
        if let Some(connected) = self.read().devices.get(device) {
            connected.end.send_replace(Some("the device was removed"));
        }
    }

    /// Pauses the reports of a device's agent. Returns false if the agent is not connected or has too many orders waiting.
    pub fn pause(&self, device: &str, lasting: Duration) -> bool {
        let live = self.read();
        let connected = live.devices.get(device);
        connected.is_some_and(|connected| connected.orders.try_send(Order::Pause(lasting)).is_ok())
    }

    /// Wakes the agents of a person with a changed presence.
    fn presence_changed(&self, person: PersonId) {
        let live = self.read();
        for device in live.people.get(&person).into_iter().flatten() {
            if let Some(connected) = live.devices.get(device) {
                connected.presence_changed.notify_one();
            }
        }
    }

    /// Sends the changed settings and profiles of a person to the person's agents.
    fn refresh(&self, person: PersonId) {
        let live = self.read();
        for device in live.people.get(&person).into_iter().flatten() {
            if let Some(connected) = live.devices.get(device) {
                // An agent with a full queue gets everything with its next report, or connects again.
                let _ = connected.orders.try_send(Order::Refresh);
            }
        }
    }

    /// Passes changes of presence, settings and policies on to the agents, until the task is dropped.
    pub async fn run(self, context: Context) {
        let agents = self.clone();
        context.events.observe(move |event| {
            if let Some(change) = event.presence() {
                agents.presence_changed(change.person);
            }
        });
        let refresh = self.follow_policies(context.policy_changes());
        let mut changes = context.organisation.changes();
        let settings = async {
            while changes.changed().await.is_ok() {
                self.0.settings.send_modify(|settings| *settings += 1);
                tokio::time::sleep(SETTINGS_INTERVAL).await;
            }
        };
        tokio::join!(refresh, settings);
    }

    /// Refreshes the agents of people with a changed policy, until the task is dropped.
    async fn follow_policies(&self, mut policies: broadcast::Receiver<PersonId>) {
        loop {
            match policies.recv().await {
                Ok(person) => self.refresh(person),
                Err(RecvError::Lagged(_)) => {
                    let people: Vec<PersonId> = self.read().people.keys().copied().collect();
                    people.into_iter().for_each(|person| self.refresh(person));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }
}

impl AgentSession {
    /// Updates the agent's last report in the table, unless a newer connection of the device has replaced this one.
    fn update_report(&self, update: impl FnOnce(&mut LastReport)) {
        let mut live = self.agents.write();
        let connected = live.devices.get_mut(&self.device);
        if let Some(connected) = connected.filter(|connected| connected.client == self.client) {
            update(&mut connected.last_report);
        }
    }
}

impl Drop for AgentSession {
    fn drop(&mut self) {
        let mut live = self.agents.write();
        let is_mine = |connected: &ConnectedAgent| connected.client == self.client;
        if !live.devices.get(&self.device).is_some_and(is_mine) {
            return;
        }
        live.devices.remove(&self.device);
        if let Some(devices) = live.people.get_mut(&self.person) {
            devices.retain(|device| *device != self.device);
            if devices.is_empty() {
                live.people.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_000);
    const ANNA: PersonId = PersonId(1);

    #[test]
    fn a_device_that_connects_anew_ends_the_older_connection_only() {
        let agents = Agents::default();
        let first = agents.begin("a", ANNA, NOW);
        let second = agents.begin("a", ANNA, NOW);
        assert_eq!(*first.end.borrow(), Some("the device connected again"));
        assert_eq!(*second.end.borrow(), None);
        first.update_report(|report| report.version = "old".into());
        second.update_report(|report| report.version = "new".into());
        drop(first);
        assert_eq!(agents.last_report("a").unwrap().version, "new");
        assert_eq!(agents.count(), 1);
        drop(second);
        assert_eq!((agents.last_report("a"), agents.count()), (None, 0));
        assert!(agents.read().people.is_empty());
    }

    #[tokio::test]
    async fn a_removed_device_is_disconnected_with_a_full_queue_of_orders_too() {
        let agents = Agents::default();
        let mut session = agents.begin("a", ANNA, NOW);
        while agents.pause("a", Duration::from_secs(1)) {}
        agents.end("a");
        let reason = connection::end_reason(&mut session.end).await;
        assert_eq!(reason, "the device was removed");
        agents.end("b");
    }

    #[test]
    fn only_agents_of_the_person_are_woken() {
        let agents = Agents::default();
        let sessions = [
            agents.begin("a", ANNA, NOW),
            agents.begin("b", PersonId(2), NOW),
        ];
        agents.presence_changed(ANNA);
        let woken = sessions.map(|session| {
            let notified = std::pin::pin!(session.presence_changed.notified());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            notified.poll(&mut context).is_ready()
        });
        assert_eq!(woken, [true, false]);
    }
}
