//! End-to-end tests: the programs as users start them, with real counterparts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure must stop the test where it happens"
)]

mod access;
mod accessibility;
mod account_search;
mod administration_home;
mod administrators;
mod authorization;
mod behind_proxy;
mod board;
mod calendar_readers;
mod calendars;
mod chaos;
mod clicks_me;
mod clock;
mod connections;
mod crash;
mod decisions;
mod delivery;
mod demo;
mod disk;
mod durability;
mod entra;
mod entra_answers;
mod hidden;
mod identity;
mod independent_watchers;
mod key_scopes;
mod keyring;
mod killed;
mod lost_files;
mod microphone;
mod microphone_trouble;
mod model;
mod my_account;
mod not_counted;
mod notifications;
mod odd_answers;
mod once;
mod open_id;
mod open_id_kinds;
mod openapi;
mod openapi_limits;
mod pages;
mod pbx_pages;
mod people_changes;
mod phones;
mod phones_sign_in;
mod privacy;
mod quotas;
mod redirects;
mod rights;
mod sign_in;
mod spreadsheets;
mod synchronisation;
mod telephone;
mod template_people;
mod templates;
mod tenants;
mod tidy;
mod trace;
mod tray;
mod trouble;
mod unconfirmed;
mod upkeep;
mod web;
mod web_forms;
mod wizard;
mod work;
mod written_back;

use std::time::Duration;

/// Longest time for immediate effects, including the sweep interval of a second and slow machines.
const SOON: Duration = Duration::from_secs(5);
/// Longest time for effects that need retries.
const HEALS: Duration = Duration::from_secs(45);
