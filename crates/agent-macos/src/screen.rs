//! The thread that may draw: on macOS the first thread of the program, which must run an application.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::exit,
    thread,
};

use dispatch2::DispatchQueue;
use objc2::MainThreadMarker;
use objc2_app_kit::{NSApplication, NSApplicationActivationPolicy};

/// Runs an application without windows and Dock icon on this thread, and `work` on another one. The process ends with the
/// exit code of `work`. Fails to draw on any thread other than the first.
pub fn run_beside(work: impl FnOnce() -> i32 + Send + 'static) -> ! {
    let Some(main) = MainThreadMarker::new() else {
        exit(work());
    };
    // Ends the process if `work` panics; otherwise the icon would stay without updates.
    thread::spawn(move || exit(catch_unwind(AssertUnwindSafe(work)).unwrap_or(101)));
    let application = NSApplication::sharedApplication(main);
    application.setActivationPolicy(NSApplicationActivationPolicy::Accessory);
    application.run();
    exit(0);
}

/// Queues work for the thread that may draw; it runs in order.
pub fn run(work: impl FnOnce() + Send + 'static) {
    DispatchQueue::main().exec_async(work);
}
