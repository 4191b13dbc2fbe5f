//! The running state of an installation: people, organisation, engine, events, history, health, metrics and secrets.

pub mod audit;
pub mod clients;
pub mod clock;
pub mod clock_jump;
pub mod commit_queue;
pub mod config;
pub mod context;
pub mod engine_handle;
pub mod engine_task;
pub mod events;
#[cfg(test)]
mod fixtures;
pub mod health;
pub mod history;
pub mod history_recorder;
pub mod limits;
pub mod metrics;
pub mod organisation;
pub mod people_index;
pub mod programs;
pub mod rate_limit;
pub mod retention;
pub mod secrets;
pub mod sign_in_record;
pub mod store_health;
pub mod trace_id;
pub mod values;
pub mod vault;
