//! Any document about presence: what is read is written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::presence_info::PresenceInfo;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = PresenceInfo::parse(bytes) {
        let again = PresenceInfo::parse(document.to_xml().as_bytes());
        let again = again.expect("what we write can be read");
        assert_eq!(again.open, document.open);
        assert_eq!(again.activities, document.activities);
    }
});
