//! The bodies of the HTTP API, version 1: what a route answers and what a client sends, with their names in JSON and their
//! descriptions in the OpenAPI document.
//!
//! The API makes these bodies from the types of the core; pages, `offhook explain`, measurements and tests read them, so that a field
//! which is misspelt or has another type does not compile.

pub mod account_search;
pub mod accounts;
pub mod appointments;
pub mod audit;
pub mod backups;
pub mod choice;
mod closed_list;
pub mod core_name;
pub mod devices;
pub mod directory;
pub mod doctor;
pub mod favourites;
pub mod import;
pub mod keys;
pub mod people;
pub mod presence;
pub mod profile;
pub mod programs;
pub mod readiness;
pub mod relationships;
pub mod scopes;
pub mod settings;
pub mod sources;
pub mod teams_account;
pub mod work;
