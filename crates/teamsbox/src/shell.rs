//! The shell of a tenant: its lock, its tasks, and the events for its page.
//!
//! Every access goes through [`Shell::with`], which applies due deadlines first and reports the changes to journal and page
//! afterwards, so that no handler can forget either.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Notify, broadcast},
    task::AbortHandle,
};

use crate::{
    clock::Clock,
    config::{ClockMode, NewTenant},
    duration::Milliseconds,
    error::ControlError,
    faults::Faults,
    guid::Guid,
    host::Host,
    journal::Journal,
    keys::Keys,
    knobs::Knobs,
    notices::{Notice, announce},
    notify::{outbox::Outbox, subscription::Subscriptions},
    random::Random,
    registrations::Registrations,
    rules::Rules,
    signins::SignIns,
    state::Moment,
    tenant::Tenant,
    throttle::Throttle,
    world::World,
};

/// The most events that a slow page can lag behind before it has to load all data again.
const NOTICES_MAX: usize = 4_096;

/// A running tenant, shared by all handlers.
pub(crate) struct Shell {
    /// The shared part of all tenants.
    pub(crate) host: Arc<Host>,
    /// Id of the tenant.
    pub(crate) guid: Guid,
    /// Id of the tenant as text.
    pub(crate) tenant_id: String,
    /// Verified domain of the tenant, in lower case.
    pub(crate) domain: String,
    world: Mutex<World>,
    notices: broadcast::Sender<Notice>,
    wake: Notify,
    posted: Notify,
    tasks: Mutex<Vec<AbortHandle>>,
}

/// The settings of a new tenant.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// Choices of undocumented behaviour.
    pub(crate) knobs: Knobs,
    /// True if unknown applications register themselves.
    pub(crate) register_unknown_apps: bool,
}

impl Shell {
    /// A tenant with its configured applications and people.
    pub(crate) fn new(
        host: Arc<Host>,
        template: &Template,
        new: &NewTenant,
    ) -> Result<Self, ControlError> {
        let guid: Guid = new.tenant_id.parse().map_err(|_| {
            let remedy = "give a GUID such as 5f0c1a52-9d5b-4b0e-9a3e-7c1f20b6d001";
            ControlError::invalid("tenant_id", &new.tenant_id, "is not a GUID", remedy)
        })?;
        template.knobs.check()?;
        let world = World {
            tenant: Tenant::new(Rules::of(&template.knobs)),
            journal: Journal::default(),
            faults: Faults::default(),
            registrations: Registrations::new(&new.apps, template.register_unknown_apps)?,
            signins: SignIns::default(),
            subscriptions: Subscriptions::default(),
            outbox: Outbox::default(),
            throttle: Throttle::default(),
            random: Random::new(template.knobs.seed),
            knobs: template.knobs.clone(),
        };
        let shell = Self {
            host,
            guid,
            tenant_id: guid.to_string(),
            domain: new.domain.to_lowercase(),
            world: Mutex::new(world),
            notices: broadcast::Sender::new(NOTICES_MAX),
            wake: Notify::new(),
            posted: Notify::new(),
            tasks: Mutex::default(),
        };
        for user in &new.users {
            shell.with(|world, now| world.add_user(user, now))?;
        }
        Ok(shell)
    }

    /// Adds a task that [`Self::stop`] aborts.
    pub(crate) fn own(&self, task: AbortHandle) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(task);
    }

    /// Aborts the tasks of the tenant and ends the event streams of all pages.
    pub(crate) fn stop(&self) {
        // An error means that no page is connected.
        let _ = self.notices.send(Notice::Stop);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for task in tasks.drain(..) {
            task.abort();
        }
    }

    /// The clock of all tenants.
    pub(crate) fn clock(&self) -> &Clock {
        &self.host.clock
    }

    /// The keys that sign tokens.
    pub(crate) fn keys(&self) -> &Keys {
        &self.host.keys
    }

    /// The HTTP client of notifications; `None` if TLS cannot be set up.
    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        self.host.http()
    }

    /// Notified when a delivery is due earlier than before.
    pub(crate) fn posted(&self) -> &Notify {
        &self.posted
    }

    /// Runs `act` on the state of the tenant at the present time.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut World, Milliseconds) -> R) -> R {
        // A panic in a handler leaves plain values behind, so that the emulator can go on.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let (deadline, due) = (world.next_deadline(), world.outbox.next_due());
        let now = self.clock().now_milliseconds();
        world.settle(now);
        world.report(&self.notices);
        let result = act(&mut world, now);
        world.report(&self.notices);
        if world.next_deadline() != deadline {
            self.wake.notify_one();
        }
        if world.outbox.next_due().is_some() && world.outbox.next_due() != due {
            self.posted.notify_one();
        }
        result
    }

    /// A receiver of the events for the page.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Sends the state of the clock to the page.
    pub(crate) fn announce_clock(&self) {
        let state = ClockState {
            mode: self.clock().mode(),
            now: Moment(self.clock().now_milliseconds()),
        };
        self.announce("clock", &state);
    }

    /// Sends an event to the page.
    pub(crate) fn announce(&self, event: &'static str, data: &impl Serialize) {
        announce(&self.notices, event, data);
    }

    /// Applies deadlines when they are due, so that journal and page get changes without any request.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        let mut movements = self.clock().movements();
        loop {
            let (deadline, now) = self.with(|world, now| (world.next_deadline(), now));
            let wait = deadline
                .filter(|_| self.clock().mode() == ClockMode::Real)
                .map(|deadline| {
                    // At least a millisecond: due deadlines are already applied, so that the next one is in the future.
                    Duration::from_millis(
                        u64::try_from(deadline.saturating_sub(now))
                            .unwrap_or(0)
                            .max(1),
                    )
                });
            let sleep = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.wake.notified() => {}
                moved = movements.changed() => {
                    if moved.is_err() {
                        return;
                    }
                    self.announce_clock();
                }
            }
        }
    }
}

/// The state of the clock in the control plane.
#[derive(Debug, Serialize)]
pub(crate) struct ClockState {
    /// Real or manual.
    pub(crate) mode: ClockMode,
    /// The time.
    pub(crate) now: Moment,
}
