//! The server's clock: the machine's, or one that a test drives. The only file of the server that reads the time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use presence::Timestamp;
use tokio::{sync::watch, time::Instant};

/// The clock. Cheap to clone.
///
/// The monotonic clock counts the time, so that it never runs backwards and never stops when the machine's clock is set. The
/// machine's clock is followed only if it is ahead: the machine slept, or its clock was wrong.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System(Arc<Mutex<Anchor>>),
    /// A clock that a test or a demo drives.
    Driven(watch::Receiver<Timestamp>),
}

/// The machine's time at a time of the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    time: Timestamp,
    read_at: Instant,
}

/// Lead of the machine's clock up to which it is only being adjusted.
const AHEAD: Duration = Duration::from_secs(2);

/// Drives a clock of a test or a demo.
#[derive(Clone, Debug)]
pub struct ClockDriver(Arc<watch::Sender<Timestamp>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        let anchor = Anchor {
            time: machine_time(),
            read_at: Instant::now(),
        };
        Self::System(Arc::new(Mutex::new(anchor)))
    }

    /// A clock at `start` that only its driver moves.
    pub fn driven(start: Timestamp) -> (Self, ClockDriver) {
        let (sender, receiver) = watch::channel(start);
        (Self::Driven(receiver), ClockDriver(Arc::new(sender)))
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System(anchor) => {
                let mut anchor = anchor.lock().unwrap_or_else(PoisonError::into_inner);
                let (counted, machine) = (anchor.time + anchor.read_at.elapsed(), machine_time());
                if machine <= counted + AHEAD {
                    return counted;
                }
                *anchor = Anchor {
                    time: machine,
                    read_at: Instant::now(),
                };
                machine
            }
            Self::Driven(receiver) => *receiver.borrow(),
        }
    }

    /// Waits until `deadline`; never completes without one.
    pub async fn sleep_until(&self, deadline: Option<Timestamp>) {
        match (self, deadline) {
            (_, None) => std::future::pending().await,
            (Self::System(_), Some(deadline)) => {
                tokio::time::sleep(deadline.since(self.now())).await;
            }
            (Self::Driven(receiver), Some(deadline)) => {
                let mut receiver = receiver.clone();
                // Without its driver the clock stands still.
                if receiver.wait_for(|now| *now >= deadline).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl ClockDriver {
    /// Moves the clock forward to `now`; an earlier time has no effect.
    pub fn set(&self, now: Timestamp) {
        self.0.send_if_modified(|time| {
            let later = now > *time;
            *time = now.max(*time);
            later
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the machine's clock"
)]
fn machine_time() -> Timestamp {
    Timestamp::from_milliseconds(jiff::Timestamp::now().as_millisecond())
}

/// A time in the form of RFC 3339, for the API.
pub fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.milliseconds())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}

/// Parses the form of RFC 3339; `None` if the text has another form.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let parsed: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_milliseconds(parsed.as_millisecond()))
}

/// Parses the time of an HTTP header (RFC 9110 §5.6.7).
pub fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_milliseconds(
        parsed.timestamp().as_millisecond(),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::{AHEAD, Anchor, Clock, machine_time};

    fn anchored(time: presence::Timestamp) -> Clock {
        Clock::System(Arc::new(Mutex::new(Anchor {
            time,
            read_at: Instant::now(),
        })))
    }

    #[tokio::test]
    async fn a_machine_that_slept_is_followed_and_one_set_back_is_not() {
        let slept = anchored(machine_time() - AHEAD * 100);
        assert!(slept.now() >= machine_time() - AHEAD);
        let ahead = machine_time() + AHEAD * 100;
        let set_back = anchored(ahead);
        let first = set_back.now();
        assert!(first >= ahead);
        assert!(set_back.now() >= first);
    }

    #[tokio::test]
    async fn a_driven_clock_never_runs_backwards() {
        let start = machine_time();
        let (clock, driver) = Clock::driven(start);
        driver.set(start + AHEAD);
        driver.set(start);
        assert_eq!(clock.now(), start + AHEAD);
        clock.sleep_until(Some(start + AHEAD)).await;
    }
}
