//! Sources that people connect themselves: desktop agents and calendars.

pub mod agents;
pub mod calendars;
pub mod external_fetch;
