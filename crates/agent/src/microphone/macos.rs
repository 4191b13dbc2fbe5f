//! macOS: the processes that Core Audio says record, which also says when that changes. Before macOS 14.2 it says only that
//! somebody does: a program without a name, which nobody has listed.

#![expect(
    clippy::disallowed_methods,
    reason = "a thread of its own that waits for macOS, which keeps its own time"
)]

use std::{
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use agent_macos::recording::{Microphones, Recording};
use tokio::sync::mpsc::Sender;

use super::{Capture, Event, MicrophoneUse, in_a_thread};
use crate::process::{self, Mac};

/// One change makes several events: that long they are gathered.
const SETTLE: Duration = Duration::from_millis(20);
/// If macOS should ever say nothing, the microphone is looked at all the same.
const RECHECK: Duration = Duration::from_secs(60);

/// The microphones of this computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct MacOs;

impl MicrophoneUse for MacOs {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        in_a_thread(events, run);
    }
}

fn run(events: &Sender<Event>) {
    let (wake, woken) = sync_channel(1);
    let mut microphones = Microphones::new(move || {
        // Whoever is being woken need not be woken twice.
        let _ = wake.try_send(());
    });
    let mut last = None;
    while !events.is_closed() {
        let event = match microphones.read() {
            Some(recording) => Event::Captures(captures(recording)),
            None => Event::Lost("Core Audio does not answer; it is asked again".into()),
        };
        if last.as_ref() != Some(&event) {
            last = Some(event.clone());
            if events.blocking_send(event).is_err() {
                return;
            }
        }
        match woken.recv_timeout(RECHECK) {
            Ok(()) => {
                thread::sleep(SETTLE);
                let _ = woken.try_recv();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn captures(recording: Recording) -> Vec<Capture> {
    match recording {
        Recording::Processes(pids) => pids
            .into_iter()
            .map(|pid| Capture {
                pid,
                names: process::names(&Mac, pid),
            })
            .collect(),
        Recording::Devices(false) => Vec::new(),
        Recording::Devices(true) => vec![Capture::default()],
    }
}
