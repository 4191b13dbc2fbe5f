//! Any body of several parts and any list of resources: read or refused, and what is read of a list is written as the same.
#![no_main]

#[allow(dead_code, reason = "this target is one of several functions")]
#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_input::resource_list(bytes));
