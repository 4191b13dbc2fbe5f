//! Any document about dialogs: what is read is written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::dialog_info::DialogInfo;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = DialogInfo::parse(bytes) {
        let again = DialogInfo::parse(document.to_xml().as_bytes());
        let again = again.expect("what we write can be read");
        assert_eq!(again.dialogs.len(), document.dialogs.len());
        for (one, other) in document.dialogs.iter().zip(&again.dialogs) {
            assert_eq!(one.state, other.state);
        }
    }
});
