//! The clock of the tenant: real, or moved by hand so that tests cover hours in milliseconds.
//!
//! The only file that reads the operating system's clock. In manual mode time moves in steps, and whoever shares the
//! clock ([`Clock::follow`]) is waited for after each of them, so that nothing is skipped on either side.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use crate::config::ClockMode;
use crate::duration::{Milliseconds, SECOND};

/// The longest step of manual time: a third of the shortest lease anybody keeps alive (60 s), so that a follower that
/// renews at half time never finds a lease expired between two steps.
const STEP_MAX: Milliseconds = 20 * SECOND;

/// How long a follower may take for one step before time goes on without it. Whoever is left behind finds leases expired
/// that it was about to renew, so this is for a follower that hangs, not for one on a busy machine.
const FOLLOWER_PATIENCE: Duration = Duration::from_secs(20);

/// How long deliveries under way may take before time goes on without them.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(2);

/// Followers at a time; a test harness has one or two.
const FOLLOWERS_MAX: usize = 64;

/// A handle on the tenant's clock; clones share it.
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
    /// What the emulator itself has to do at certain times, and word that some of it is done.
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

/// Work of the emulator itself that manual time stops for.
pub(crate) trait Agenda: Send + Sync {
    /// Lets everything due take effect; how many deliveries are under way.
    fn outstanding(&self) -> usize;
    /// When there is something to deliver next.
    fn next_due(&self) -> Option<Milliseconds>;
    /// Manual time goes on without the deliveries under way.
    fn abandon(&self);
}

/// Where time comes from.
#[derive(Debug, Clone, Copy)]
struct Dial {
    mode: ClockMode,
    /// Manual time, or the last real time told: time never goes back, whatever the operating system does.
    last: Milliseconds,
    /// Real mode: the emulator's time minus the operating system's.
    offset: Milliseconds,
}

impl Clock {
    /// Starts at the present.
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

    /// Whether time is real or moved by hand.
    #[must_use]
    pub fn mode(&self) -> ClockMode {
        self.dial().mode
    }

    /// Switches between real and manual time. Time goes on from where it is: it never jumps.
    pub fn set_mode(&self, mode: ClockMode) {
        let now = self.now_milliseconds();
        {
            let mut dial = self.dial();
            dial.mode = mode;
            dial.offset = now.saturating_sub(operating_system_time());
        }
        self.shared.moved.send_replace(now);
    }

    /// Joins the clock: from now on each step of manual time waits for this follower, within limits.
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

    /// Moves manual time forward in steps of at most 20 seconds, waiting for the followers after each. Real time
    /// cannot be moved; the call does nothing then.
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
                // Nobody to wait for: the deadlines in between still take effect at their own moments.
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
            tell(&followers, now).await;
            self.settle().await;
        }
    }

    /// Gives manual time something to stop for.
    pub(crate) fn set_agenda(&self, agenda: Weak<dyn Agenda>) {
        // There is one emulator per clock, so nobody else has set it.
        let _ = self.shared.agenda.set(agenda);
    }

    /// Says that a delivery has ended.
    pub(crate) fn settled(&self) {
        self.shared.settled.notify_waiters();
    }

    fn agenda(&self) -> Option<Arc<dyn Agenda>> {
        self.shared.agenda.get().and_then(Weak::upgrade)
    }

    /// Waits until everything due has been delivered, within limits.
    async fn settle(&self) {
        let Some(agenda) = self.agenda() else {
            return;
        };
        let patience = Instant::now() + DELIVERY_PATIENCE;
        loop {
            let settled = self.shared.settled.notified();
            let mut settled = std::pin::pin!(settled);
            // From here on no word is missed.
            settled.as_mut().enable();
            if agenda.outstanding() == 0 {
                return;
            }
            if timeout_at(patience, settled).await.is_err() {
                agenda.abandon();
                return;
            }
        }
    }

    /// Waits until a moment of the tenant, in whatever way time passes.
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

    /// Announces movements of manual time and changes of mode.
    pub(crate) fn movements(&self) -> watch::Receiver<Milliseconds> {
        self.shared.moved.subscribe()
    }

    fn dial(&self) -> MutexGuard<'_, Dial> {
        lock(&self.shared.dial)
    }
}

/// Hands a step to all followers at once, then waits for all; one that does not answer in time is left behind.
async fn tell(followers: &[mpsc::Sender<Step>], now_milliseconds: Milliseconds) {
    let deadline = Instant::now() + FOLLOWER_PATIENCE;
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

/// Somebody who shares the clock and is waited for.
#[derive(Debug)]
pub struct Follower {
    steps: mpsc::Receiver<Step>,
}

impl Follower {
    /// The next step of manual time; `None` when the clock is gone.
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
    /// Says that everything due at this time has been done.
    pub fn done(self) {
        // The clock may have lost patience meanwhile; then nobody listens, which is fine.
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
