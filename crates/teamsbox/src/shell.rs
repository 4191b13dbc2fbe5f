//! The shell around the pure tenant: one lock, the clock, and the announcements.
//!
//! Every access goes through [`Shell::with`]: it lets time catch up first and carries the facts to journal and page
//! afterwards, so no handler can forget either.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, broadcast};
use tokio::task::AbortHandle;

use crate::clock::Clock;
use crate::config::{ClockMode, DEFAULT_PASSWORD, NewTenant, NewUser};
use crate::courier;
use crate::duration::Milliseconds;
use crate::error::ControlError;
use crate::estate::Estate;
use crate::faults::Faults;
use crate::guid::Guid;
use crate::journal::{Detail, Journal};
use crate::keys::Keys;
use crate::knobs::Knobs;
use crate::notify::outbox::Outbox;
use crate::notify::subscription::Subscriptions;
use crate::random::Random;
use crate::registrations::Registrations;
use crate::rules::Rules;
use crate::session::Attention;
use crate::signins::SignIns;
use crate::tenant::Tenant;
use crate::throttle::Throttle;
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
    /// Sign-ins under way.
    pub(crate) signins: SignIns,
    /// Who is notified.
    pub(crate) subscriptions: Subscriptions,
    /// What is to be delivered.
    pub(crate) outbox: Outbox,
    /// Who has called how often.
    pub(crate) throttle: Throttle,
    /// Repeatable randomness.
    pub(crate) random: Random,
    /// Behaviour that is not documented.
    pub(crate) knobs: Knobs,
}

/// A running tenant, shared by all handlers.
pub(crate) struct Shell {
    /// What all tenants share.
    pub(crate) estate: Arc<Estate>,
    /// The tenant's id.
    pub(crate) guid: Guid,
    /// The same as text.
    pub(crate) tenant_id: String,
    /// The tenant's verified domain.
    pub(crate) domain: String,
    world: Mutex<World>,
    notices: broadcast::Sender<Notice>,
    wake: Notify,
    posted: Notify,
    tasks: Mutex<Vec<AbortHandle>>,
}

/// What a tenant starts with.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// Behaviour that is not documented.
    pub(crate) knobs: Knobs,
    /// Whether strangers register themselves.
    pub(crate) register_unknown_apps: bool,
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
    removed: bool,
}

impl Shell {
    /// Builds a tenant from its configuration.
    pub(crate) fn new(
        estate: Arc<Estate>,
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
            estate,
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

    /// Starts what runs beside the requests: the passing of time, and the delivery of notifications.
    pub(crate) fn start(shell: &Arc<Self>) {
        let timekeeper = tokio::spawn(Arc::clone(shell).keep_time()).abort_handle();
        let courier = tokio::spawn(courier::run(Arc::clone(shell))).abort_handle();
        let mut tasks = shell.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.extend([timekeeper, courier]);
    }

    /// Stops what runs beside the requests and tells all pages.
    pub(crate) fn stop(&self) {
        // Nobody may be listening.
        let _ = self.notices.send(Notice::Stop);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for task in tasks.drain(..) {
            task.abort();
        }
    }

    /// Time.
    pub(crate) fn clock(&self) -> &Clock {
        &self.estate.clock
    }

    /// Token keys.
    pub(crate) fn keys(&self) -> &Keys {
        &self.estate.keys
    }

    /// The way out.
    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        self.estate.http()
    }

    /// Word that there is something to deliver.
    pub(crate) fn posted(&self) -> &Notify {
        &self.posted
    }

    /// Does something with the tenant, now.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut World, Milliseconds) -> R) -> R {
        // A panic in a handler leaves plain values behind; the emulator goes on.
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

    /// Listens to the announcements.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Tells the page about the clock.
    pub(crate) fn announce_clock(&self) {
        let state = ClockState {
            mode: self.clock().mode(),
            now: crate::state::Moment(self.clock().now_milliseconds()),
        };
        self.announce("clock", &state);
    }

    /// Tells the page something.
    pub(crate) fn announce(&self, event: &'static str, data: &impl Serialize) {
        announce(&self.notices, event, data);
    }

    /// Lets time take effect by itself, so that journal and page hear of it even when nobody asks.
    async fn keep_time(self: Arc<Self>) {
        let mut movements = self.clock().movements();
        loop {
            let (deadline, now) = self.with(|world, now| (world.next_deadline(), now));
            let wait = deadline
                .filter(|_| self.clock().mode() == ClockMode::Real)
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
        // Everybody can sign in with the same password until told otherwise.
        self.tenant.users[index].account.password = Some(DEFAULT_PASSWORD.into());
        for device in &new.clients {
            self.tenant.sign_in(index, *device, now);
        }
        Ok(index)
    }

    /// When time alone next changes something.
    fn next_deadline(&self) -> Option<Milliseconds> {
        let both = [
            self.tenant.next_deadline(),
            self.subscriptions.next_deadline(),
        ];
        both.into_iter().flatten().min()
    }

    /// When there is something to deliver next, or something happens that may have to be delivered.
    pub(crate) fn next_delivery(&self) -> Option<Milliseconds> {
        let happens = self
            .next_deadline()
            .filter(|_| self.subscriptions.len() > 0);
        happens.into_iter().chain(self.outbox.next_deadline()).min()
    }

    /// Lets time take effect. Subscriptions settle between the deadlines of people, each at its own moment.
    fn settle(&mut self, now: Milliseconds) {
        while let Some(at) = self.next_deadline()
            && at <= now
        {
            self.tenant.settle(at);
            self.notify_all();
            self.settle_subscriptions(at);
        }
        self.tenant.settle(now);
    }

    /// Turns what has just changed into notifications; the facts stay for the report.
    fn notify_all(&mut self) {
        let mut changes = self.tenant.take_changes();
        for change in &mut changes {
            if std::mem::take(&mut change.notifies) {
                self.notify(change);
            }
        }
        self.tenant.put_back(changes);
    }

    /// Carries the facts of the last action away.
    fn report(&mut self, notices: &broadcast::Sender<Notice>) {
        self.notify_all();
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
                    removed: user.removed.is_some(),
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
            // A client in the background of a phone counts like a locked one.
            "locked" | "background" => Some(Attention::Locked),
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
