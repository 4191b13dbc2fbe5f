//! Windows and macOS: attention is polled with each report, so that the agent needs no further wake-ups.

use std::time::Duration;

use agent_protocol::{Attention, Report};
use tokio::sync::{mpsc::Sender, watch};

use super::AttentionState;
use crate::clock::milliseconds;

/// Time without input after which the person is idle. Shorter than every delay after which the server acts on it.
const IDLE_AFTER: Duration = Duration::from_secs(60);

/// Sends the attention at the start and with each report, until the receiver or the reports are closed.
pub async fn watch(states: Sender<AttentionState>, mut reports: watch::Receiver<Report>) {
    loop {
        if states.send(read_state()).await.is_err() || reports.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(windows)]
fn read_state() -> AttentionState {
    use agent_windows::attention::{idle_for, is_locked};
    judge(is_locked(), idle_for())
}

#[cfg(target_os = "macos")]
fn read_state() -> AttentionState {
    use agent_macos::attention::{idle_for, is_locked};
    judge(is_locked(), idle_for())
}

#[cfg(not(any(windows, target_os = "macos")))]
fn read_state() -> AttentionState {
    judge(None, None)
}

fn judge(is_locked: Option<bool>, idle_for: Option<Duration>) -> AttentionState {
    match (is_locked, idle_for) {
        (Some(true), _) => AttentionState::now(Attention::Locked),
        (_, Some(idle_for)) if idle_for >= IDLE_AFTER => AttentionState {
            attention: Attention::Idle,
            lasting: milliseconds(idle_for),
        },
        (_, Some(_)) => AttentionState::now(Attention::Active),
        (_, None) => AttentionState::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_screen_outranks_an_idle_keyboard() {
        let long = Some(IDLE_AFTER);
        assert_eq!(judge(Some(true), long).attention, Attention::Locked);
        let idle = judge(Some(false), long);
        assert_eq!((idle.attention, idle.lasting), (Attention::Idle, 60_000));
        let active = judge(None, Some(Duration::from_secs(59)));
        assert_eq!(active, AttentionState::now(Attention::Active));
        assert_eq!(judge(Some(false), None).attention, Attention::Unknown);
    }
}
