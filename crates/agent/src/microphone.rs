//! Detects the processes that use the microphone: one trait, and one file for each system. None of them opens an audio
//! device.

#[cfg(target_os = "linux")]
pub mod alsa;
pub mod consent;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "macos")]
pub mod macos;
#[cfg(target_os = "linux")]
pub mod pulse;
#[cfg(any(target_os = "macos", windows))]
mod wake;
#[cfg(windows)]
pub mod windows;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

/// A process that records from a microphone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Process id; 0 if unknown.
    pub pid: u32,
    /// Names of the process: its own first, then those of the programs to which it belongs as a helper.
    pub names: Vec<String>,
}

/// Time during which events are gathered, because one change causes several events.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
const SETTLE: std::time::Duration = std::time::Duration::from_millis(20);

/// Event of a system's microphones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The processes that record now, without others.
    Captures(Vec<Capture>),
    /// The use is unknown at the moment: reason and next step. No process counts as recording then.
    Lost(String),
}

/// Source of microphone events of a system.
pub trait MicrophoneUse: Send + 'static {
    /// Sends events at the start and after each change, from a thread of its own, until the receiver is closed.
    fn watch(self: Box<Self>, events: Sender<Event>);
}

/// Sends events that differ from the previous one.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
struct EventSender {
    events: Sender<Event>,
    last: Option<Event>,
}

#[cfg(any(target_os = "linux", target_os = "macos", windows))]
impl EventSender {
    /// True until the receiver is closed.
    fn is_open(&self) -> bool {
        !self.events.is_closed()
    }

    /// Sends an event. Returns false if the receiver is closed.
    fn send(&mut self, event: Event) -> bool {
        if self.last.as_ref() == Some(&event) {
            return self.is_open();
        }
        self.last = Some(event.clone());
        self.events.blocking_send(event).is_ok()
    }
}

/// Watches in a thread of its own. Without a thread, the failure is sent as an event.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
fn spawn_watcher(events: Sender<Event>, watch: impl FnOnce(EventSender) + Send + 'static) {
    let thread = std::thread::Builder::new().name("microphone".into());
    let started = thread.spawn({
        let (events, last) = (events.clone(), None);
        move || watch(EventSender { events, last })
    });
    if let Err(error) = started {
        let what = format!("the use of the microphone cannot be detected: {error}");
        let _ = events.try_send(Event::Lost(what));
    }
}

/// Source of this system.
pub fn of_this_system() -> Box<dyn MicrophoneUse> {
    #[cfg(target_os = "linux")]
    return Box::new(pulse::Pulse::default());
    #[cfg(windows)]
    return Box::new(windows::Windows);
    #[cfg(target_os = "macos")]
    return Box::new(macos::MacOs);
    #[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
    return Box::new(Unsupported);
}

/// A system without support.
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
struct Unsupported;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
impl MicrophoneUse for Unsupported {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        let what = "this version does not support this system";
        let _ = events.try_send(Event::Lost(what.into()));
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "macos", windows)))]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_after_a_recovery_is_sent_again() {
        let (events, mut received) = tokio::sync::mpsc::channel(8);
        let mut sender = EventSender { events, last: None };
        let lost = || Event::Lost("the sound server is gone".into());
        let captures = || Event::Captures(vec![Capture::default()]);
        for event in [lost(), lost(), captures(), captures(), lost()] {
            assert!(sender.send(event));
        }
        for expected in [lost(), captures(), lost()] {
            assert_eq!(received.try_recv(), Ok(expected));
        }
        assert!(received.try_recv().is_err());
        drop(received);
        assert!(!sender.send(lost()) && !sender.send(captures()));
    }
}
