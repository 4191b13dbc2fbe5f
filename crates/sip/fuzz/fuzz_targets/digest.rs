//! Any Authorization and any challenge: neither panics, and no request is accepted without the password.
#![no_main]

#[allow(dead_code, reason = "this target is one of several functions")]
#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_input::digest(bytes));
