//! The server: reads the configuration, starts its parts, supervises and stops them; holds no rules of presence.
//!
//! [`config`] reads the configuration file, [`App`] starts the parts in order and ends them, and the HTTP router
//! combines the routes of `api` and `web`.

mod app;
mod compression;
pub mod config;
mod http;

pub use app::{App, Options, StartError};
