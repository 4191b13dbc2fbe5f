//! The server's clock: the machine's, or one that a test drives. The only file that reads the time.

use std::{sync::Arc, time::Duration};

use presence::Timestamp;
use tokio::{sync::watch, time::Instant};

/// Tells the time and waits for it. Cheap to clone.
///
/// The machine's clock is read once, at the start; from then on time is counted by the monotonic clock, so that
/// it never runs backwards and a step of the machine's clock moves no lease.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    System {
        /// The machine's time at `started`.
        anchor: Timestamp,
        /// When the anchor was read.
        started: Instant,
    },
    /// Driven by hand.
    Driven(watch::Receiver<Timestamp>),
}

/// Drives a clock by hand.
#[derive(Clone, Debug)]
pub struct ClockDriver(Arc<watch::Sender<Timestamp>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the machine's clock"
        )]
        let anchor = Timestamp::from_milliseconds(jiff::Timestamp::now().as_millisecond());
        Self::System {
            anchor,
            started: Instant::now(),
        }
    }

    /// A clock that stands at `start` until it is driven.
    pub fn driven(start: Timestamp) -> (Self, ClockDriver) {
        let (sender, receiver) = watch::channel(start);
        (Self::Driven(receiver), ClockDriver(Arc::new(sender)))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System { anchor, started } => *anchor + started.elapsed(),
            Self::Driven(receiver) => *receiver.borrow(),
        }
    }

    /// Waits until `deadline`; for ever without one.
    pub async fn sleep_until(&self, deadline: Option<Timestamp>) {
        match (self, deadline) {
            (_, None) => std::future::pending().await,
            (Self::System { .. }, Some(deadline)) => {
                tokio::time::sleep(deadline.since(self.now())).await;
            }
            (Self::Driven(receiver), Some(deadline)) => {
                let mut receiver = receiver.clone();
                // A driver that is gone leaves the clock standing.
                if receiver.wait_for(|now| *now >= deadline).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(Some(self.now() + duration)).await;
    }
}

impl ClockDriver {
    /// Moves the clock to `now`; never backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.send_if_modified(|time| {
            let later = now > *time;
            *time = now.max(*time);
            later
        });
    }
}

/// A moment as RFC 3339, for the API.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.milliseconds())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}

/// Reads RFC 3339.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let parsed: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_milliseconds(parsed.as_millisecond()))
}
