//! Event objects of Windows: one thread waits, another one signals.

use std::io;

use windows::{
    Win32::{
        Foundation::{CloseHandle, HANDLE, WAIT_FAILED},
        System::Threading::{CreateEventW, INFINITE, SetEvent, WaitForSingleObject},
    },
    core::PCWSTR,
};

/// An auto-reset event: a wait consumes the signal. Closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Event(HANDLE);

// SAFETY: handles of events belong to the process and may be used by all of its threads.
unsafe impl Send for Event {}
// SAFETY: as above; Windows allows threads to use an event at the same time.
unsafe impl Sync for Event {}

impl Event {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the call takes no pointer other than the name, which is null.
        let event = unsafe { CreateEventW(None, false, false, PCWSTR::null()) };
        Ok(Self(event?))
    }

    /// Handle for calls of Windows; open as long as the event lives.
    pub(crate) fn handle(&self) -> HANDLE {
        self.0
    }

    /// Signals the event.
    pub(crate) fn signal(&self) {
        // SAFETY: the event is open as long as `self` lives.
        let _ = unsafe { SetEvent(self.0) };
    }

    /// Waits for a signal. Returns false if the wait failed.
    pub(crate) fn wait(&self) -> bool {
        // SAFETY: the event is open as long as `self` lives.
        let waited = unsafe { WaitForSingleObject(self.0, INFINITE) };
        waited != WAIT_FAILED
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event was created here and is closed once.
        let _ = unsafe { CloseHandle(self.0) };
    }
}
