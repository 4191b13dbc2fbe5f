//! The server: reads the configuration, starts the parts, supervises and stops them. It decides nothing itself.
//!
//! [`config`] reads the configuration file, [`App`] starts the parts in order and ends them, and the HTTP router puts
//! together the routes of `api` and `web`.

mod app;
pub mod config;
mod http;

pub use app::{App, Options, StartError};
