//! The shell around the pure tenant: one lock, the clock, and the announcements.
//!
//! Every access goes through [`Shell::with`]: it lets time catch up first and carries the facts to journal and page
//! afterwards, so no handler can forget either.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, broadcast};

use crate::clock::Clock;
use crate::config::{ClockMode, Config, Knobs, NewUser, StartError};
use crate::duration::Milliseconds;
use crate::error::ControlError;
use crate::faults::Faults;
use crate::guid::Guid;
use crate::journal::{Detail, Journal};
use crate::keys::Keys;
use crate::registrations::Registrations;
use crate::session::Attention;
use crate::tenant::{Rules, Tenant};
use crate::user::sequence_text;
use crate::value::{Activity, Availability};

/// Announcements a slow page may fall behind before it has to load everything anew.
const NOTICES_MAX: usize = 4_096;

/// People created with one request or configured at the start have names of at most this length.
const NAME_MAX: usize = 256;

/// Everything behind the one lock.
#[derive(Debug)]
pub(crate) struct World {
    /// The people.
    pub(crate) tenant: Tenant,
    /// What happened.
    pub(crate) journal: Journal,
    /// What is made to go wrong.
    pub(crate) faults: Faults,
    /// Who may fetch tokens.
    pub(crate) registrations: Registrations,
}

/// The running emulator, shared by all handlers.
pub(crate) struct Shell {
    /// Time.
    pub(crate) clock: Clock,
    /// Token keys.
    pub(crate) keys: Keys,
    /// Knobs.
    pub(crate) knobs: Knobs,
    /// The tenant's GUID.
    pub(crate) tenant_id: String,
    /// Further host names of the control plane, in lower case.
    pub(crate) allowed_hosts: Vec<String>,
    world: Mutex<World>,
    notices: broadcast::Sender<Notice>,
    wake: Notify,
}

/// An announcement to the page.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// An event with JSON data.
    Event(&'static str, Arc<str>),
    /// The emulator stops.
    Stop,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserNotice<'a> {
    id: &'a str,
    user_principal_name: &'a str,
    display_name: &'a str,
    availability: Availability,
    activity: Activity,
    sequence_number: String,
}

impl Shell {
    /// Builds the tenant from its configuration.
    pub(crate) fn new(config: Config, keys: Keys) -> Result<Self, StartError> {
        let tenant_id: Guid = config.tenant_id.parse().map_err(|_| {
            let remedy = "give a GUID such as 5f0c1a52-9d5b-4b0e-9a3e-7c1f20b6d001";
            ControlError::invalid("tenant_id", &config.tenant_id, "is not a GUID", remedy)
        })?;
        let grace = i64::try_from(config.knobs.sign_out_grace.as_millis()).unwrap_or(i64::MAX);
        let rules = Rules {
            idle_spelling: config.knobs.idle_spelling,
            sign_out_grace: grace,
        };
        let world = World {
            tenant: Tenant::new(rules),
            journal: Journal::default(),
            faults: Faults::default(),
            registrations: Registrations::new(&config.apps, config.register_unknown_apps)?,
        };
        let shell = Self {
            clock: Clock::new(config.clock),
            keys,
            knobs: config.knobs,
            tenant_id: tenant_id.to_string(),
            allowed_hosts: config
                .allowed_hosts
                .iter()
                .map(|host| host.to_lowercase())
                .collect(),
            world: Mutex::new(world),
            notices: broadcast::Sender::new(NOTICES_MAX),
            wake: Notify::new(),
        };
        for user in &config.users {
            shell.with(|world, now| world.add_user(user, now))?;
        }
        Ok(shell)
    }

    /// Does something with the tenant, now.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut World, Milliseconds) -> R) -> R {
        // A panic in a handler leaves plain values behind; the emulator goes on.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = world.tenant.next_deadline();
        let now = self.clock.now_milliseconds();
        world.tenant.settle(now);
        let result = act(&mut world, now);
        world.report(&self.notices);
        if world.tenant.next_deadline() != deadline {
            self.wake.notify_one();
        }
        result
    }

    /// Listens to the announcements.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Tells the page about the clock.
    pub(crate) fn announce_clock(&self) {
        let state = ClockState {
            mode: self.clock.mode(),
            now: crate::state::Moment(self.clock.now_milliseconds()),
        };
        self.announce("clock", &state);
    }

    /// Tells all pages that the end has come.
    pub(crate) fn announce_stop(&self) {
        // Nobody may be listening.
        let _ = self.notices.send(Notice::Stop);
    }

    fn announce(&self, event: &'static str, data: &impl Serialize) {
        announce(&self.notices, event, data);
    }

    /// Lets time take effect by itself, so that journal and page hear of it even when nobody asks.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        let mut movements = self.clock.movements();
        loop {
            let (deadline, now) = self.with(|world, now| (world.tenant.next_deadline(), now));
            let wait = deadline
                .filter(|_| self.clock.mode() == ClockMode::Real)
                .map(|deadline| {
                    // At least a millisecond: what is due is already settled, so the deadline lies ahead.
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

/// The clock as the control plane shows it.
#[derive(Debug, Serialize)]
pub(crate) struct ClockState {
    /// Real or manual.
    pub(crate) mode: ClockMode,
    /// The time.
    pub(crate) now: crate::state::Moment,
}

impl World {
    /// Creates a person.
    pub(crate) fn add_user(
        &mut self,
        new: &NewUser,
        now: Milliseconds,
    ) -> Result<usize, ControlError> {
        let guid = match &new.id {
            Some(id) => id.parse().map_err(|_| {
                let remedy = "give a GUID, or leave the id out to get a random one";
                ControlError::invalid("id", id, "is not a GUID", remedy)
            })?,
            None => Guid::random().map_err(|error| {
                ControlError::invalid("id", "", &format!("cannot be made ({error})"), "give an id")
            })?,
        };
        if new.display_name.trim().is_empty() || new.display_name.len() > NAME_MAX {
            let remedy = "give a name of 1 to 256 bytes";
            return Err(ControlError::invalid(
                "displayName",
                &new.display_name,
                "is empty or too long",
                remedy,
            ));
        }
        let index = self
            .tenant
            .add(guid, &new.display_name, &new.user_principal_name, now)?;
        for device in &new.clients {
            self.tenant.sign_in(index, *device, now);
        }
        Ok(index)
    }

    /// Carries the facts of the last action away.
    fn report(&mut self, notices: &broadcast::Sender<Notice>) {
        for change in self.tenant.take_changes() {
            let Some(user) = self.tenant.user(change.user) else {
                continue;
            };
            if notices.receiver_count() > 0 {
                let current = user.current();
                let notice = UserNotice {
                    id: &user.id,
                    user_principal_name: &user.user_principal_name,
                    display_name: &user.display_name,
                    availability: current.shown.availability,
                    activity: current.shown.activity,
                    sequence_number: sequence_text(current.sequence),
                };
                announce(notices, "user", &notice);
            }
            if let Some(visible) = change.visible {
                self.journal
                    .push_change(change.at, user.guid, visible, change.cause);
            }
        }
    }

    /// Writes a request into the journal.
    pub(crate) fn log_request(&mut self, now: Milliseconds, user: Option<Guid>, request: Detail) {
        self.journal.push(now, "request", user, request, None);
    }

    /// The state of attention a word stands for.
    pub(crate) fn attention(word: &str, now: Milliseconds) -> Option<Attention> {
        match word {
            "active" => Some(Attention::Active),
            "idle" => Some(Attention::Idle(now)),
            "locked" => Some(Attention::Locked),
            _ => None,
        }
    }
}

fn announce(notices: &broadcast::Sender<Notice>, event: &'static str, data: &impl Serialize) {
    // Plain data always serialises, and an announcement without listeners is no loss.
    if let Ok(data) = serde_json::to_string(data) {
        let _ = notices.send(Notice::Event(event, data.into()));
    }
}
