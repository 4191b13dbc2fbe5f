//! Any byte stream in any pieces gives the same messages and ends in the same error.
#![no_main]

#[allow(dead_code, reason = "this target is one of several functions")]
#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_input::stream(bytes));
