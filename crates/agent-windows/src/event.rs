//! An event: one thread waits for it, another lets it happen.

use std::io;

use windows::{
    Win32::{
        Foundation::{CloseHandle, HANDLE, WAIT_FAILED},
        System::Threading::{CreateEventW, INFINITE, SetEvent, WaitForSingleObject},
    },
    core::PCWSTR,
};

/// It is over once somebody saw it. Closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Event(HANDLE);

// SAFETY: handles of events belong to the process, and may be used by all of its threads.
unsafe impl Send for Event {}
// SAFETY: as above; Windows lets threads use an event at the same time.
unsafe impl Sync for Event {}

impl Event {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers but the name, which is none.
        let event = unsafe { CreateEventW(None, false, false, PCWSTR::null()) };
        Ok(Self(event?))
    }

    /// For Windows' own calls; open as long as this lives.
    pub(crate) fn handle(&self) -> HANDLE {
        self.0
    }

    /// Lets it happen.
    pub(crate) fn signal(&self) {
        // SAFETY: the event is open as long as this lives.
        let _ = unsafe { SetEvent(self.0) };
    }

    /// Waits until it happens; whether that can be waited for.
    pub(crate) fn wait(&self) -> bool {
        // SAFETY: the event is open as long as this lives.
        let waited = unsafe { WaitForSingleObject(self.0, INFINITE) };
        waited != WAIT_FAILED
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event was made here and is closed once.
        let _ = unsafe { CloseHandle(self.0) };
    }
}
