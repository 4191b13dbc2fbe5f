//! macOS: the processes that Core Audio reports as recording. Before macOS 14.2 it only reports whether any process
//! records: a program without a name, which matches no row.

use agent_macos::recording::{Microphones, Recording};
use tokio::sync::mpsc::Sender;

use super::{
    Capture, Event, EventSender, MicrophoneUse, spawn_watcher,
    wake::{self, RECHECK},
};
use crate::process::{self, Mac};

/// Microphones of this computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct MacOs;

impl MicrophoneUse for MacOs {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        spawn_watcher(events, run);
    }
}

fn run(mut sender: EventSender) {
    let (waker, woken) = wake::channel();
    let mut microphones = Microphones::new(move || {
        waker.wake();
    });
    loop {
        let event = match microphones.read() {
            Some(recording) => Event::Captures(captures(recording)),
            None => Event::Lost("Core Audio does not answer; retrying".into()),
        };
        if !sender.send(event) || !woken.wait(RECHECK) {
            return;
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
