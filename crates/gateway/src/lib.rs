//! Sources that people connect themselves: desktop agents and calendars.

pub mod agents;
pub mod calendars;
pub mod config;
pub mod external_fetch;
