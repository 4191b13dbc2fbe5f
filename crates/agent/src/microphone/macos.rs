//! macOS: the processes that Core Audio says record, which also says when that changes. Before macOS 14.2 it says only that
//! somebody does: a program without a name, which nobody has listed.

use agent_macos::recording::{Microphones, Recording};
use tokio::sync::mpsc::Sender;

use super::{
    Capture, Event, MicrophoneUse, Teller, in_a_thread,
    wake::{self, RECHECK},
};
use crate::process::{self, Mac};

/// The microphones of this computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct MacOs;

impl MicrophoneUse for MacOs {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        in_a_thread(events, run);
    }
}

fn run(mut teller: Teller) {
    let (waker, woken) = wake::channel();
    let mut microphones = Microphones::new(move || {
        waker.wake();
    });
    loop {
        let event = match microphones.read() {
            Some(recording) => Event::Captures(captures(recording)),
            None => Event::Lost("Core Audio does not answer; it is asked again".into()),
        };
        if !teller.tell(event) || !woken.wait(RECHECK) {
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
