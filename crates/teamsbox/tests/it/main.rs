//! Teamsbox over HTTP, driven by its manual clock: the conformance rows for Graph, the token endpoint, the
//! control plane, faults and the page.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests may stop the test like the tests themselves"
)]

mod bounds;
mod browser;
mod clients;
mod clock;
mod control;
mod coverage;
mod delivery;
mod directory;
mod entra;
mod entra_support;
mod faults;
mod hook;
mod interactive;
mod knobs;
mod limits;
mod page;
mod penalties;
mod people;
mod program;
mod rows;
mod rules;
mod signin;
mod subscriptions;
mod support;
mod variants;
