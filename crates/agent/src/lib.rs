//! Desktop agent of Microphone Sync: reports to the server which of the programs listed by the administrator uses the
//! microphone. It never opens an audio device, and programs that are not listed never leave the computer.
//!
//! `microphone` and `attention` watch the system, `agent` decides on the reports (pure), `connection` exchanges messages
//! with the server, `control` serves the command line and the icon in the `tray`, `running` connects these parts.

pub mod agent;
pub mod attention;
pub mod backoff;
pub mod browser;
pub mod clock;
pub mod connection;
pub mod control;
pub mod files;

pub mod lookup;
pub mod microphone;
pub mod pairing;
pub mod problem;
pub mod process;
pub mod running;
pub mod secret;
pub mod texts;
pub mod trace;
pub mod tray;
pub mod usage;
