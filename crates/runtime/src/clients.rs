//! Clients as sources of presence: open pages of signed-in people. A client counts until it disconnects; the lease of a minute
//! ends it if the server cannot report that.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use presence::{ClientId, ClientState, Fact, Input, PersonId, Timestamp};

use crate::{
    clock::Clock,
    engine_handle::{Cause, EngineHandle},
};

/// The lease of a client (docs/presence-rules.md, "Leases").
pub const LEASE: Duration = Duration::from_secs(60);
/// Interval of renewal: one lost renewal does no harm.
const RENEWAL: Duration = Duration::from_secs(20);

/// The connected clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    connected: Arc<Mutex<BTreeMap<ClientId, (PersonId, Timestamp)>>>,
    next: Arc<AtomicU64>,
    engine: EngineHandle,
    clock: Clock,
}

/// A connected client, until this is dropped.
#[derive(Debug)]
pub struct Connected {
    id: ClientId,
    person: PersonId,
    clients: Clients,
}

impl Clients {
    /// No client yet.
    pub fn new(engine: EngineHandle, clock: Clock) -> Self {
        Self {
            connected: Arc::default(),
            next: Arc::new(AtomicU64::new(1)),
            engine,
            clock,
        }
    }

    /// Connects a client of the person.
    pub async fn connect(&self, person: PersonId) -> Connected {
        let id = ClientId::Page(self.next.fetch_add(1, Ordering::Relaxed));
        let since = self.clock.now();
        self.lock().insert(id, (person, since));
        self.engine
            .input(self.input(id, person, since), Cause::Other)
            .await;
        Connected {
            id,
            person,
            clients: self.clone(),
        }
    }

    /// Renews every lease.
    pub async fn renew(&self) {
        let connected = self.lock().clone();
        let inputs = connected
            .into_iter()
            .map(|(id, (person, since))| self.input(id, person, since));
        self.engine.inputs(inputs.collect(), Cause::Other).await;
    }

    /// Renews every lease at the interval, until the server ends.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(RENEWAL).await;
            self.renew().await;
        }
    }

    /// The input of an open page. A page does not know whether the person is at the device.
    fn input(&self, client: ClientId, person: PersonId, since: Timestamp) -> Input {
        let fact = Fact::Client {
            client,
            state: ClientState::Unknown,
            since,
            until: self.clock.now() + LEASE,
        };
        Input::Person(person, fact)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, (PersonId, Timestamp)>> {
        self.connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.clients.lock().remove(&self.id);
        let (engine, id, person) = (self.clients.engine.clone(), self.id, self.person);
        // Without a tokio runtime the server is ending, and the engine with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let input = Input::Person(person, Fact::ClientEnded(id));
                engine.input(input, Cause::Other).await;
            });
        }
    }
}
