//! What the desktop agent asks of macOS, without any decision of its own: which program a process runs, which processes
//! record (Core Audio), whether somebody is there, and the one thread that may draw. All unsafe code of the agent for macOS
//! is here. Elsewhere it is empty.
#![cfg(target_os = "macos")]

pub mod attention;
pub mod processes;
pub mod recording;
pub mod screen;
