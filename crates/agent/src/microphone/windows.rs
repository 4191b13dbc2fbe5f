//! Windows: the recording sessions of Core Audio, which says when something changes. Where it lists no recording device –
//! it is not there, or the microphone is another machine's – the consent store is read instead.

#![expect(
    clippy::disallowed_methods,
    reason = "a thread of its own that waits for Windows, which keeps its own time"
)]

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use agent_windows::{consent as store, sessions::Sessions};
use tokio::sync::mpsc::Sender;

use super::{Capture, Event, MicrophoneUse, consent::Trust, in_a_thread};
use crate::process::{self, ToolHelp};

/// One change makes several events: that long they are gathered.
const SETTLE: Duration = Duration::from_millis(20);
/// If Windows should ever say nothing, the microphone is looked at all the same.
const RECHECK: Duration = Duration::from_secs(60);
/// The store does not say that a program crashed: as long as it counts, its process is looked for. Core Audio that went
/// away does not say that it came back.
const RECHECK_SOON: Duration = Duration::from_secs(2);

/// The microphones of this session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Windows;

impl MicrophoneUse for Windows {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        in_a_thread(events, run);
    }
}

fn run(events: &Sender<Event>) {
    let (wake, woken) = sync_channel(1);
    let of_store = wake.clone();
    // Without this thread the store is looked at every minute.
    let _ = thread::Builder::new()
        .name("consent store".into())
        .spawn(move || store::watch(|| is_heard(&of_store)));
    let mut sessions = None;
    let mut trust = Trust::default();
    let mut last = None;
    while !events.is_closed() {
        let (captures, recheck) = look(&mut sessions, &wake, &mut trust);
        if last.as_ref() != Some(&captures) {
            last = Some(captures.clone());
            if events.blocking_send(Event::Captures(captures)).is_err() {
                return;
            }
        }
        if !wait(&woken, recheck) {
            return;
        }
    }
}

/// Whether somebody is there to be woken; whoever is being woken need not be woken twice.
fn is_heard(wake: &SyncSender<()>) -> bool {
    !matches!(wake.try_send(()), Err(TrySendError::Disconnected(())))
}

/// Waits until something may have changed.
fn wait(woken: &Receiver<()>, recheck: Duration) -> bool {
    match woken.recv_timeout(recheck) {
        Ok(()) => {
            thread::sleep(SETTLE);
            let _ = woken.try_recv();
            true
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    }
}

/// Who uses the microphone now, and when to look again.
fn look(
    sessions: &mut Option<Sessions>,
    wake: &SyncSender<()>,
    trust: &mut Trust,
) -> (Vec<Capture>, Duration) {
    let processes = ToolHelp::now();
    // Read in any case: what is at rest now can be trusted later.
    let remembered = trust.captures(&store::entries(), |entry| processes.running(entry));
    let recheck = match remembered.is_empty() {
        true => RECHECK,
        false => RECHECK_SOON,
    };
    if sessions.is_none() {
        let wake = wake.clone();
        let made = Sessions::new(move || {
            is_heard(&wake);
        });
        *sessions = made
            .inspect_err(|error| tracing::debug!(%error, "Core Audio is not there"))
            .ok();
    }
    let Some(listening) = sessions else {
        return (remembered, recheck);
    };
    let Ok(recording) = listening.read() else {
        // The next look begins anew, soon: nobody wakes for Core Audio until then.
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
