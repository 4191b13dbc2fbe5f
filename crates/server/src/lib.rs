//! The server: wires sources, engine and sinks together and speaks HTTP.
//!
//! Sources (`pbx`, `teams::sweep`) turn what they hear into inputs; `engine` lets the engine decide; sinks (`events`,
//! `writer`, `teams::writes`) carry effects out. Sources and sinks never talk to each other.

pub mod access;
mod agents;
mod api;
mod app;
mod assets;
mod audit;
mod board;
mod body_limits;
mod calendars;
mod caller;
mod change_limit;
mod client_ip;
mod clients;
pub mod clock;
mod clock_jump;
pub mod config;
mod connections;
mod context;
mod cookies;
mod doctor;
mod engine_task;
pub mod entra;
mod events;
mod external_fetch;
#[cfg(test)]
mod fixtures;
mod health;
mod history;
mod history_recorder;
mod http;
mod i18n;
mod identity;
mod jobs;
mod layout;
mod limit_checks;
mod limits;
pub mod metrics;
mod my_account;
mod notifications;
mod open_id;
mod organisation;
mod pages;
mod password;
pub mod password_rules;
mod pbx;
mod people_index;
mod rate_limit;

mod commit_queue;
mod engine_handle;
mod phones;
mod preconditions;
mod problem;
mod programs;
mod public_url;
mod restores;
mod retention;
mod revocations;
pub mod secrets;
mod sessions;
mod sign_in;
mod sign_in_page;
mod sign_in_record;
mod status;
mod store_health;
mod teams;
mod values;
pub mod vault;
mod web_state;

pub use app::{App, Options, StartError};
pub use board::Demo;
pub use clients::Connected;
pub use doctor::{Doctor, Finding};
pub use external_fetch::OutsideOptions;
pub use open_id::OpenIdOptions;
pub use organisation::MAIN_TENANT;
pub use pbx::PbxOptions;
pub use phones::{PhoneAccount, PhonesOptions};
pub use restores::{AskedRestores, Restore, Restored, Restores, backups_folder};
pub use retention::AuditRetention;
pub use sessions::SESSION_COOKIE;
pub use teams::{
    LoginsOf, NotificationOptions, SignIn, TeamsOptions, forget_service_account,
    keep_service_account, service_account_scope, service_accounts,
};
