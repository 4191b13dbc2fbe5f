//! Windows: the recording sessions of Core Audio, which says when something changes. Where it lists no recording device –
//! it is not there, or the microphone is another machine's – the consent store is read instead.

use std::{thread, time::Duration};

use agent_windows::{consent as store, sessions::Sessions};
use tokio::sync::mpsc::Sender;

use super::{
    Capture, Event, MicrophoneUse, Teller,
    consent::Trust,
    in_a_thread,
    wake::{self, RECHECK, Waker},
};
use crate::process::{self, ToolHelp};

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

fn run(mut teller: Teller) {
    let (waker, woken) = wake::channel();
    let of_store = waker.clone();
    // Without this thread the store is looked at every minute.
    let _ = thread::Builder::new()
        .name("consent store".into())
        .spawn(move || store::watch(|| of_store.wake()));
    let mut sessions = None;
    let mut trust = Trust::default();
    loop {
        let (captures, recheck) = look(&mut sessions, &waker, &mut trust);
        if !teller.tell(Event::Captures(captures)) || !woken.wait(recheck) {
            return;
        }
    }
}

/// Who uses the microphone now, and when to look again.
fn look(
    sessions: &mut Option<Sessions>,
    waker: &Waker,
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
        let waker = waker.clone();
        let made = Sessions::new(move || {
            waker.wake();
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
