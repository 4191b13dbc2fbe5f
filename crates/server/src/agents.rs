//! Microphone Sync's gateway (domain section 4): desktop agents connect by WebSocket, hear what to look for, and report
//! what is used. What an agent says holds until its connection closes, and for 30 seconds at most.

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

use presence::{ClientId, PersonId, Timestamp};
use tokio::sync::{
    Notify,
    broadcast::{self, error::RecvError},
    mpsc, watch,
};

pub(crate) use connection::connect;
pub(crate) use pairing::{Codes, SYSTEMS, pair};

use crate::context::Context;

/// Keeps the numbers of agents apart from those of open pages and of clients that have names.
const AGENTS: u64 = 1 << 62;
/// Tables are looked at again at once, and then not before this: an import changes people one by one.
const TABLES: Duration = Duration::from_secs(2);
/// Orders that wait for one agent.
const ORDERS_MAX: usize = 8;

/// The agents that are connected. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Agents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    live: RwLock<Live>,
    next: AtomicU64,
    /// Grows when what agents look for may have changed.
    tables: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Live {
    devices: HashMap<Arc<str>, Connected>,
    people: HashMap<PersonId, Vec<Arc<str>>>,
}

/// A connected agent, as others see it.
#[derive(Clone, Debug)]
struct Connected {
    client: ClientId,
    orders: mpsc::Sender<Order>,
    look: Arc<Notify>,
    told: Told,
}

/// What an agent last said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Since when it is connected.
    pub(crate) since: Timestamp,
    /// Its version.
    pub(crate) version: String,
    /// What it reports, by alias, the first to start first.
    pub(crate) programs: Vec<String>,
    /// Until when nothing is reported because the person wants so.
    pub(crate) paused_until: Option<Timestamp>,
}

/// What an agent's connection is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Order {
    /// End, and say why.
    End(&'static str),
    /// Tell the agent to report nothing for so long.
    Pause(Duration),
    /// Send the agent its settings and profiles, where these changed.
    Refresh,
}

/// One connection's place among the connected; gone when dropped.
#[derive(Debug)]
struct Seat {
    agents: Agents,
    device: Arc<str>,
    person: PersonId,
    client: ClientId,
    orders: mpsc::Receiver<Order>,
    look: Arc<Notify>,
}

impl Default for Agents {
    fn default() -> Self {
        Self(Arc::new(Inner {
            live: RwLock::default(),
            next: AtomicU64::new(AGENTS),
            tables: watch::Sender::new(0),
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

    /// A device is connected from now on. If it was already, the older connection is told to end: a machine that slept
    /// does not know that its connection is dead.
    fn sit(&self, device: &str, person: PersonId, since: Timestamp) -> Seat {
        let device: Arc<str> = device.into();
        let client = ClientId(self.0.next.fetch_add(1, Ordering::Relaxed));
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let look = Arc::new(Notify::new());
        let connected = Connected {
            client,
            orders,
            look: look.clone(),
            told: Told {
                since,
                ..Told::default()
            },
        };
        let mut live = self.write();
        let before = live.devices.insert(device.clone(), connected);
        match before {
            Some(before) => {
                let _ = before
                    .orders
                    .try_send(Order::End("the device connected anew"));
            }
            None => live.people.entry(person).or_default().push(device.clone()),
        }
        Seat {
            agents: self.clone(),
            device,
            person,
            client,
            orders: receiver,
            look,
        }
    }

    /// What a device last said, if it is connected.
    pub(crate) fn told(&self, device: &str) -> Option<Told> {
        let live = self.read();
        Some(live.devices.get(device)?.told.clone())
    }

    /// How many are connected.
    pub(crate) fn count(&self) -> usize {
        self.read().devices.len()
    }

    /// A device may not be connected any more.
    pub(crate) fn end(&self, device: &str) {
        self.order(device, Order::End("the device was removed"));
    }

    /// A device is to report nothing for so long; whether it is connected to hear of it.
    pub(crate) fn pause(&self, device: &str, lasting: Duration) -> bool {
        self.order(device, Order::Pause(lasting))
    }

    fn order(&self, device: &str, order: Order) -> bool {
        let live = self.read();
        let connected = live.devices.get(device);
        connected.is_some_and(|connected| connected.orders.try_send(order).is_ok())
    }

    /// Somebody is shown otherwise: their agents look.
    fn look(&self, person: PersonId) {
        let live = self.read();
        for device in live.people.get(&person).into_iter().flatten() {
            if let Some(connected) = live.devices.get(device) {
                connected.look.notify_one();
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

    /// Lets agents hear of what changes, for ever.
    pub(crate) async fn run(self, context: Context) {
        let agents = self.clone();
        context.events.observe(move |event| {
            if let Some(change) = event.presence() {
                agents.look(change.person);
            }
        });
        let refresh = self.follow_policies(context.policy_changes());
        let mut changes = context.organisation.changes();
        let tables = async {
            while changes.changed().await.is_ok() {
                self.0.tables.send_modify(|tables| *tables += 1);
                tokio::time::sleep(TABLES).await;
            }
        };
        tokio::join!(refresh, tables);
    }

    /// Refreshes the agents of people whose policy changes, for ever.
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

impl Seat {
    /// Remembers what the agent says, for those who look.
    fn tell(&self, tell: impl FnOnce(&mut Told)) {
        let mut live = self.agents.write();
        let connected = live.devices.get_mut(&self.device);
        if let Some(connected) = connected.filter(|connected| connected.client == self.client) {
            tell(&mut connected.told);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut live = self.agents.write();
        let is_mine = |connected: &Connected| connected.client == self.client;
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
        let mut first = agents.sit("a", ANNA, NOW);
        let mut second = agents.sit("a", ANNA, NOW);
        assert!(matches!(first.orders.try_recv(), Ok(Order::End(_))));
        assert!(second.orders.try_recv().is_err());
        first.tell(|told| told.version = "old".into());
        second.tell(|told| told.version = "new".into());
        drop(first);
        assert_eq!(agents.told("a").unwrap().version, "new");
        assert_eq!(agents.count(), 1);
        drop(second);
        assert_eq!((agents.told("a"), agents.count()), (None, 0));
        assert!(agents.read().people.is_empty());
    }

    #[test]
    fn only_whom_it_concerns_looks() {
        let agents = Agents::default();
        let seats = [
            agents.sit("a", ANNA, NOW),
            agents.sit("b", PersonId(2), NOW),
        ];
        agents.look(ANNA);
        let woken = seats.map(|seat| {
            let notified = std::pin::pin!(seat.look.notified());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            notified.poll(&mut context).is_ready()
        });
        assert_eq!(woken, [true, false]);
    }
}
