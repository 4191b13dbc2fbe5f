//! Any behaviour of a PBX in well-formed messages: the rate of requests is limited, no old state stays, no other line is disturbed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| telephony::sip_connector::play_random_notifier(bytes));
