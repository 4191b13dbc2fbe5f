//! Teamsbox over HTTP, driven by its manual clock: the conformance rows of the Graph reference, the token endpoint, the
//! control plane, faults and the page.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests may stop the test like the tests themselves"
)]

mod bounds;
mod clients;
mod clock;
mod control;
mod delivery;
mod entra;
mod faults;
mod hook;
mod limits;
mod page;
mod people;
mod program;
mod rows;
mod signin;
mod subscriptions;
mod support;
