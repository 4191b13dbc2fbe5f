//! Windows and macOS do not tell of it: they are asked with each report, so that the agent wakes no more often for it.

use std::time::Duration;

use agent_protocol::{Attention, Report};
use tokio::sync::{mpsc::Sender, watch};

use super::Told;
use crate::clock::milliseconds;

/// Who touched nothing for so long is idle. Shorter than any time after which the server does something about it.
const IDLE_AFTER: Duration = Duration::from_secs(60);

/// Tells at the beginning and with each report, until nobody listens or reports any more.
pub async fn watch(told: Sender<Told>, mut reports: watch::Receiver<Report>) {
    loop {
        if told.send(look()).await.is_err() || reports.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(windows)]
fn look() -> Told {
    use agent_windows::attention::{idle_for, is_locked};
    judge(is_locked(), idle_for())
}

#[cfg(target_os = "macos")]
fn look() -> Told {
    use agent_macos::attention::{idle_for, is_locked};
    judge(is_locked(), idle_for())
}

#[cfg(not(any(windows, target_os = "macos")))]
fn look() -> Told {
    judge(None, None)
}

fn judge(is_locked: Option<bool>, idle_for: Option<Duration>) -> Told {
    match (is_locked, idle_for) {
        (Some(true), _) => Told::now(Attention::Locked),
        (_, Some(idle_for)) if idle_for >= IDLE_AFTER => Told {
            attention: Attention::Idle,
            lasting: milliseconds(idle_for),
        },
        (_, Some(_)) => Told::now(Attention::Active),
        (_, None) => Told::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_screen_says_more_than_an_idle_keyboard() {
        let long = Some(IDLE_AFTER);
        assert_eq!(judge(Some(true), long).attention, Attention::Locked);
        let idle = judge(Some(false), long);
        assert_eq!((idle.attention, idle.lasting), (Attention::Idle, 60_000));
        let active = judge(None, Some(Duration::from_secs(59)));
        assert_eq!(active, Told::now(Attention::Active));
        assert_eq!(judge(Some(false), None).attention, Attention::Unknown);
    }
}
