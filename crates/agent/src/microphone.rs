//! Who uses the microphone: one trait, and for each system one file. None of them opens an audio device.

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
    /// Its number; 0 if the system does not tell.
    pub pid: u32,
    /// What it is called, its own name first, then those of the programs that it is a helper of.
    pub names: Vec<String>,
}

/// One change makes several events: that long they are gathered.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
const SETTLE: std::time::Duration = std::time::Duration::from_millis(20);

/// What a system tells of its microphones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These use one now, and no others.
    Captures(Vec<Capture>),
    /// It cannot be told at the moment: why, and what is done about it. Nobody uses one then, as far as is known.
    Lost(String),
}

/// A system that tells who uses its microphones.
pub trait MicrophoneUse: Send + 'static {
    /// Tells at the beginning and whenever it changes, until nobody listens any more. It has a thread of its own.
    fn watch(self: Box<Self>, events: Sender<Event>);
}

/// Tells only what is another than before.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
struct Teller {
    events: Sender<Event>,
    last: Option<Event>,
}

#[cfg(any(target_os = "linux", target_os = "macos", windows))]
impl Teller {
    /// Whether anybody still listens.
    fn is_heard(&self) -> bool {
        !self.events.is_closed()
    }

    /// Tells it, and whether anybody still listens.
    fn tell(&mut self, event: Event) -> bool {
        if self.last.as_ref() == Some(&event) {
            return self.is_heard();
        }
        self.last = Some(event.clone());
        self.events.blocking_send(event).is_ok()
    }
}

/// Watches in a thread of its own; that there is none is told as any trouble.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
fn in_a_thread(events: Sender<Event>, watch: impl FnOnce(Teller) + Send + 'static) {
    let thread = std::thread::Builder::new().name("microphone".into());
    let started = thread.spawn({
        let (events, last) = (events.clone(), None);
        move || watch(Teller { events, last })
    });
    if let Err(error) = started {
        let what = format!("the microphone cannot be watched: {error}");
        let _ = events.try_send(Event::Lost(what));
    }
}

/// This system's.
pub fn of_this_system() -> Box<dyn MicrophoneUse> {
    #[cfg(target_os = "linux")]
    return Box::new(pulse::Pulse::default());
    #[cfg(windows)]
    return Box::new(windows::Windows);
    #[cfg(target_os = "macos")]
    return Box::new(macos::MacOs);
    #[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
    return Box::new(Untold);
}

/// A system whose microphones nobody can watch yet.
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
struct Untold;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
impl MicrophoneUse for Untold {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        let what = "this version does not watch the microphones of this system";
        let _ = events.try_send(Event::Lost(what.into()));
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "macos", windows)))]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_after_a_recovery_is_told_again() {
        let (events, mut told) = tokio::sync::mpsc::channel(8);
        let mut teller = Teller { events, last: None };
        let lost = || Event::Lost("the sound server is gone".into());
        let captures = || Event::Captures(vec![Capture::default()]);
        for event in [lost(), lost(), captures(), captures(), lost()] {
            assert!(teller.tell(event));
        }
        for expected in [lost(), captures(), lost()] {
            assert_eq!(told.try_recv(), Ok(expected));
        }
        assert!(told.try_recv().is_err());
        drop(told);
        assert!(!teller.tell(lost()) && !teller.tell(captures()));
    }
}
