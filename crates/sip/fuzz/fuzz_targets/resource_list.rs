//! Any multipart body and any resource list is read or refused; the result of a list is written unchanged.
#![no_main]

#[allow(dead_code, reason = "this target is one of several functions")]
#[path = "../../tests/it/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_input::resource_list(bytes));
