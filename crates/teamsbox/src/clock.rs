//! The clock of the tenants: real, or moved manually so that tests cover hours in milliseconds.
//!
//! The only module that reads the operating system's clock. Manual time moves in steps and waits after each step for its
//! followers ([`Clock::follow`]), programs that share the clock, so that no deadline is skipped on either side.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};

use crate::{
    config::ClockMode,
    duration::{Milliseconds, SECOND},
};

/// The longest step of manual time: a third of the shortest lease that a follower renews (60 s), so that a follower that
/// renews at half the lease never finds it expired between two steps.
const STEP_MAX: Milliseconds = 20 * SECOND;

/// The longest wait for a follower after a step. Time then goes on without it, and it finds leases expired that it was
/// about to renew: the timeout is meant for a follower that hangs, not for one on a busy machine.
const FOLLOWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest wait for deliveries in progress before manual time goes on without them.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(2);

/// The most followers. A test has one or two.
const FOLLOWERS_MAX: usize = 64;

/// A handle to the clock of the tenants. Clones share the clock.
#[derive(Debug, Clone)]
pub struct Clock {
    shared: Arc<Shared>,
}

struct Shared {
    dial: Mutex<Dial>,
    /// Announces steps and changes of mode.
    moved: watch::Sender<Milliseconds>,
    /// One advance at a time.
    advancing: tokio::sync::Mutex<()>,
    followers: Mutex<Vec<mpsc::Sender<Step>>>,
    /// Scheduled work of the emulator, and a notice when some of it is done.
    agenda: OnceLock<Weak<dyn Agenda>>,
    settled: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Clock")
            .field("dial", &self.dial)
            .finish_non_exhaustive()
    }
}

/// Scheduled work of the emulator, for which manual time stops.
pub(crate) trait Agenda: Send + Sync {
    /// Applies all due deadlines; returns the number of deliveries in progress.
    fn outstanding(&self) -> usize;
    /// Time of the next delivery.
    fn next_due(&self) -> Option<Milliseconds>;
    /// Gives up waiting for the deliveries in progress.
    fn abandon(&self);
}

/// The source of time.
#[derive(Debug, Clone, Copy)]
struct Dial {
    mode: ClockMode,
    /// Manual time, or the last real time that was read. Time never goes back, even if the operating system's does.
    last: Milliseconds,
    /// In real mode, the emulator's time minus the operating system's.
    offset: Milliseconds,
}

impl Clock {
    /// A clock that starts at `start`, or at the present.
    pub(crate) fn new(mode: ClockMode, start: Option<Milliseconds>) -> Self {
        let present = operating_system_time();
        let now = start.unwrap_or(present);
        let shared = Shared {
            dial: Mutex::new(Dial {
                mode,
                last: now,
                offset: now.saturating_sub(present),
            }),
            moved: watch::Sender::new(now),
            advancing: tokio::sync::Mutex::new(()),
            followers: Mutex::new(Vec::new()),
            agenda: OnceLock::new(),
            settled: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The time in UTC milliseconds since 1970.
    #[must_use]
    pub fn now_milliseconds(&self) -> i64 {
        let mut dial = self.dial();
        if dial.mode == ClockMode::Real {
            dial.last = dial
                .last
                .max(operating_system_time().saturating_add(dial.offset));
        }
        dial.last
    }

    /// The mode: real or manual.
    #[must_use]
    pub fn mode(&self) -> ClockMode {
        self.dial().mode
    }

    /// Switches between real and manual time. The time itself does not change.
    pub fn set_mode(&self, mode: ClockMode) {
        let now = self.now_milliseconds();
        {
            let mut dial = self.dial();
            dial.mode = mode;
            dial.offset = now.saturating_sub(operating_system_time());
        }
        self.shared.moved.send_replace(now);
    }

    /// Adds a follower. From now on each step of manual time waits for it, at most 20 seconds.
    #[must_use]
    pub fn follow(&self) -> Follower {
        let (sender, steps) = mpsc::channel(1);
        let mut followers = lock(&self.shared.followers);
        followers.retain(|follower| !follower.is_closed());
        if followers.len() < FOLLOWERS_MAX {
            followers.push(sender);
        } else {
            tracing::warn!(
                limit = FOLLOWERS_MAX,
                "too many followers of the clock: drop one before adding another"
            );
        }
        Follower { steps }
    }

    /// Moves manual time forward in steps of at most 20 seconds, and waits for the followers after each. Does nothing in
    /// real mode.
    pub async fn advance(&self, by: Duration) {
        let _one_at_a_time = self.shared.advancing.lock().await;
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let target = self.now_milliseconds().saturating_add(by);
        self.settle().await;
        loop {
            let followers: Vec<_> = lock(&self.shared.followers)
                .iter()
                .filter(|one| !one.is_closed())
                .cloned()
                .collect();
            let next_due = self.agenda().and_then(|agenda| agenda.next_due());
            let now = {
                let mut dial = self.dial();
                if dial.mode == ClockMode::Real {
                    tracing::warn!("real time cannot be moved: switch the clock to manual first");
                    return;
                }
                if dial.last >= target {
                    return;
                }
                // Without followers one step suffices: each deadline in between takes effect at its own time.
                let step = if followers.is_empty() {
                    i64::MAX
                } else {
                    STEP_MAX
                };
                let stop = next_due.map_or(target, |due| due.max(dial.last.saturating_add(1)));
                dial.last = dial.last.saturating_add(step).min(target).min(stop);
                dial.last
            };
            self.shared.moved.send_replace(now);
            send_step(&followers, now).await;
            self.settle().await;
        }
    }

    /// Sets the scheduled work of the emulator.
    pub(crate) fn set_agenda(&self, agenda: Weak<dyn Agenda>) {
        // A clock has one emulator, which sets it once.
        let _ = self.shared.agenda.set(agenda);
    }

    /// Reports the end of a delivery.
    pub(crate) fn settled(&self) {
        self.shared.settled.notify_waiters();
    }

    fn agenda(&self) -> Option<Arc<dyn Agenda>> {
        self.shared.agenda.get().and_then(Weak::upgrade)
    }

    /// Waits until all due notifications are delivered, at most 2 seconds.
    async fn settle(&self) {
        let Some(agenda) = self.agenda() else {
            return;
        };
        let deadline = Instant::now() + DELIVERY_TIMEOUT;
        loop {
            let settled = self.shared.settled.notified();
            let mut settled = std::pin::pin!(settled);
            // From here on no notice is missed.
            settled.as_mut().enable();
            if agenda.outstanding() == 0 {
                return;
            }
            if timeout_at(deadline, settled).await.is_err() {
                agenda.abandon();
                return;
            }
        }
    }

    /// Waits until a time of the clock, in real and in manual mode.
    pub(crate) async fn reached(&self, moment: Milliseconds) {
        let mut movements = self.movements();
        loop {
            let left = moment.saturating_sub(self.now_milliseconds());
            if left <= 0 {
                return;
            }
            let sleep = async {
                if self.mode() == ClockMode::Real {
                    tokio::time::sleep(Duration::from_millis(left.unsigned_abs())).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = sleep => {}
                moved = movements.changed() => {
                    if moved.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }
        }
    }

    /// A receiver of steps of manual time and changes of mode.
    pub(crate) fn movements(&self) -> watch::Receiver<Milliseconds> {
        self.shared.moved.subscribe()
    }

    fn dial(&self) -> MutexGuard<'_, Dial> {
        lock(&self.shared.dial)
    }
}

/// Sends a step to all followers, then waits for all of them, each at most 20 seconds.
async fn send_step(followers: &[mpsc::Sender<Step>], now_milliseconds: Milliseconds) {
    let deadline = Instant::now() + FOLLOWER_TIMEOUT;
    let mut answers = Vec::with_capacity(followers.len());
    for follower in followers {
        let (done, answer) = oneshot::channel();
        let step = Step {
            now_milliseconds,
            done,
        };
        if let Ok(Ok(())) = timeout_at(deadline, follower.send(step)).await {
            answers.push(answer);
        }
    }
    for answer in answers {
        if timeout_at(deadline, answer).await.is_err() {
            tracing::warn!(
                now_milliseconds,
                "a follower of the clock did not finish its step in 20 s; going on without it"
            );
        }
    }
}

/// A program that shares the clock; manual time waits for it.
#[derive(Debug)]
pub struct Follower {
    steps: mpsc::Receiver<Step>,
}

impl Follower {
    /// The next step of manual time; `None` after the clock was dropped.
    ///
    /// # Cancel safety
    /// Dropping the future loses no step.
    pub async fn next(&mut self) -> Option<Step> {
        self.steps.recv().await
    }
}

/// One step of manual time, to be acknowledged with [`Step::done`] (dropping it acknowledges it too).
#[derive(Debug)]
pub struct Step {
    /// The new time in UTC milliseconds.
    pub now_milliseconds: i64,
    done: oneshot::Sender<()>,
}

impl Step {
    /// Acknowledges that all work due at this time is done.
    pub fn done(self) {
        // After the timeout no receiver is left.
        let _ = self.done.send(());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves these plain values usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the real clock"
)]
fn operating_system_time() -> Milliseconds {
    jiff::Timestamp::now().as_millisecond()
}
