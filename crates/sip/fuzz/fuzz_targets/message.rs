//! Any datagram is read or refused without a panic; an answer can be read again and is hardly longer.
#![no_main]

#[allow(dead_code, reason = "this target is one of several functions")]
#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_input::message(bytes));
