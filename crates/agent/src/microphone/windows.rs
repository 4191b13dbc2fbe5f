//! Windows: the recording sessions of Core Audio, with events for changes. Without recording devices – if the microphone is
//! redirected from another computer, for example – the consent store is read instead.

use std::{thread, time::Duration};

use agent_windows::{consent as store, sessions::Sessions};
use tokio::sync::mpsc::Sender;

use super::{
    Capture, Event, EventSender, MicrophoneUse,
    consent::TrustedEntries,
    spawn_watcher,
    wake::{self, RECHECK, Waker},
};
use crate::process::{self, ToolHelp};

/// Interval between reads while entries of the consent store count, which does not report crashes, and while Core Audio is
/// missing, which does not report its return.
const RECHECK_SOON: Duration = Duration::from_secs(2);

/// Microphones of this session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Windows;

impl MicrophoneUse for Windows {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        spawn_watcher(events, run);
    }
}

fn run(mut sender: EventSender) {
    let (waker, woken) = wake::channel();
    let of_store = waker.clone();
    // Without this thread the consent store is read every minute.
    let _ = thread::Builder::new()
        .name("consent store".into())
        .spawn(move || store::watch(|| of_store.wake()));
    let mut sessions = None;
    let mut trust = TrustedEntries::default();
    loop {
        let (captures, recheck) = poll(&mut sessions, &waker, &mut trust);
        if !sender.send(Event::Captures(captures)) || !woken.wait(recheck) {
            return;
        }
    }
}

/// Processes that record now, and the time until the next read.
fn poll(
    sessions: &mut Option<Sessions>,
    waker: &Waker,
    trust: &mut TrustedEntries,
) -> (Vec<Capture>, Duration) {
    let processes = ToolHelp::now();
    // Read in any case, because entries seen at rest now can be trusted later.
    let remembered = trust.captures(&store::entries(), |entry| processes.running(entry));
    let recheck = match remembered.is_empty() {
        true => RECHECK,
        false => RECHECK_SOON,
    };
    if sessions.is_none() {
        let waker = waker.clone();
        let made = Sessions::new(move || {
            waker.wake();
        });
        *sessions = made
            .inspect_err(|error| tracing::debug!(%error, "Core Audio is not available"))
            .ok();
    }
    let Some(listening) = sessions else {
        return (remembered, recheck);
    };
    let Ok(recording) = listening.read() else {
        // The next read reconnects, soon, because no event will report the return of Core Audio.
        *sessions = None;
        return (remembered, RECHECK_SOON);
    };
    if recording.devices == 0 {
        return (remembered, recheck);
    }
    let captures = recording.pids.into_iter().map(|pid| Capture {
        pid,
        names: process::names(&processes, pid),
    });
    (captures.collect(), RECHECK)
}
