//! A thread that may own windows: dispatches their messages, and runs the work that it receives.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread::{Builder, JoinHandle},
};

use windows::Win32::{
    Foundation::WAIT_FAILED,
    System::Threading::INFINITE,
    UI::WindowsAndMessaging::{
        DispatchMessageW, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx, PM_REMOVE,
        PeekMessageW, QS_ALLINPUT, TranslateMessage,
    },
};

use crate::event::Event;

type Work = Box<dyn FnOnce() + Send>;

/// The thread. It ends when this handle is dropped, together with its windows.
#[derive(Debug)]
pub struct Screen {
    work: Option<Sender<Work>>,
    /// Wakes the thread. A thread message would be lost while a menu is open.
    wake: Arc<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    /// Starts the thread.
    ///
    /// # Errors
    /// Windows cannot create the thread.
    pub fn start() -> io::Result<Self> {
        let wake = Arc::new(Event::new()?);
        let (work, to_do) = channel();
        let woken = wake.clone();
        let thread = Builder::new().name("screen".into());
        let thread = thread.spawn(move || serve(&woken, &to_do))?;
        Ok(Self {
            work: Some(work),
            wake,
            thread: Some(thread),
        })
    }

    /// Queues work for the thread; it runs in order, and not while a menu is open.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) {
        if let Some(to) = &self.work {
            // A thread that has ended can draw nothing.
            let _ = to.send(Box::new(work));
            self.wake.signal();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.work = None;
        self.wake.signal();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(woken: &Event, to_do: &Receiver<Work>) {
    loop {
        loop {
            match to_do.try_recv() {
                Ok(work) => work(),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        pass_on();
        let events = [woken.handle()];
        // SAFETY: the event is open as long as `woken` lives, and the list until the end of the call.
        let waited = unsafe {
            MsgWaitForMultipleObjectsEx(Some(&events), INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE)
        };
        if waited == WAIT_FAILED {
            return;
        }
    }
}

/// Dispatches all waiting messages.
fn pass_on() {
    let mut message = MSG::default();
    // SAFETY: `message` lives until the end of the call.
    while unsafe { PeekMessageW(&raw mut message, None, 0, 0, PM_REMOVE) }.as_bool() {
        // SAFETY: Windows has just filled `message`.
        unsafe {
            let _ = TranslateMessage(&raw const message);
            DispatchMessageW(&raw const message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_in_its_order_and_the_thread_ends() {
        let screen = Screen::start().unwrap();
        let (done, doing) = channel();
        for number in 0..100 {
            let done = done.clone();
            screen.run(move || done.send(number).unwrap());
        }
        drop(done);
        assert_eq!(
            doing.iter().collect::<Vec<_>>(),
            (0..100).collect::<Vec<_>>()
        );
        drop(screen);
    }
}
