//! macOS APIs for the desktop agent, without decisions: executable files of processes, recordings (Core Audio), attention,
//! and the one thread that may draw. Contains all unsafe code of the agent for macOS. Empty on other systems.
#![cfg(target_os = "macos")]

pub mod attention;
pub mod processes;
pub mod recording;
pub mod screen;
