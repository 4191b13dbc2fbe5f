//! The thread that may draw: on macOS it is the program's first, and it has to run an application.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::exit,
    thread,
};

use dispatch2::DispatchQueue;
use objc2::MainThreadMarker;
use objc2_app_kit::{NSApplication, NSApplicationActivationPolicy};

/// Runs an application without windows or a place in the Dock on this thread, and the work beside it; when that is done, the
/// process ends with its exit code. Where this is not the program's first thread, nothing can be drawn.
pub fn run_beside(work: impl FnOnce() -> i32 + Send + 'static) -> ! {
    let Some(main) = MainThreadMarker::new() else {
        exit(work());
    };
    // An application without its work would stay and show what was.
    thread::spawn(move || exit(catch_unwind(AssertUnwindSafe(work)).unwrap_or(101)));
    let application = NSApplication::sharedApplication(main);
    application.setActivationPolicy(NSApplicationActivationPolicy::Accessory);
    application.run();
    exit(0);
}

/// Does this on the thread that may draw, after what was given before.
pub fn run(work: impl FnOnce() + Send + 'static) {
    DispatchQueue::main().exec_async(work);
}
