//! Any presence document: the result is written and read again unchanged.
#![no_main]

#[allow(dead_code, reason = "this target is one of several functions")]
#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_input::presence_info(bytes));
