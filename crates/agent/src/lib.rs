//! Microphone Sync's desktop agent (domain section 4): tells the server which of the programs that the administrator listed
//! uses the microphone. It never opens an audio device, and what is not listed never leaves the machine.
//!
//! `microphone` and `attention` watch the system, `agent` decides what is reported (pure), `connection` talks with the server, `control`
//! lets the command line and the icon in the `tray` ask and pause, `running` ties them together.

pub mod agent;
pub mod attention;
pub mod backoff;
pub mod browser;
pub mod clock;
pub mod connection;
pub mod control;
pub mod files;
pub mod i18n;
pub mod lookup;
pub mod microphone;
pub mod pairing;
pub mod problem;
pub mod process;
pub mod running;
pub mod secret;
pub mod trace;
pub mod tray;
pub mod usage;
