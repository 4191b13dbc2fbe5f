//! The bodies of the HTTP API, version 1: what a route answers and what a client sends, with their names in JSON and their
//! descriptions in the OpenAPI document.
//!
//! The API makes these bodies from the types of the core; pages, `offhook explain`, measurements and tests read them, so that a field
//! which is misspelt or has another type does not compile.

pub mod account_search;
pub mod accounts;
pub mod audit;
pub mod backups;
mod closed_list;
pub mod directory;
pub mod doctor;
pub mod import;
pub mod keys;
pub mod programs;
pub mod readiness;
pub mod scopes;
pub mod teams_account;
pub mod work;
