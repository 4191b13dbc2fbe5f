//! Any body of several parts and any list of resources: read or refused, and what is read of a list is written as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::multipart;
use sip::resource_list::ResourceList;

fuzz_target!(|bytes: &[u8]| {
    let kind = "multipart/related;type=\"application/rlmi+xml\";boundary=b";
    for part in multipart::parse(kind, bytes).unwrap_or_default() {
        let _ = ResourceList::parse(&part.body);
    }
    if let Ok(list) = ResourceList::parse(bytes) {
        let again = ResourceList::parse(list.to_xml().as_bytes());
        let again = again.expect("what we write can be read");
        assert_eq!(again.resources.len(), list.resources.len());
        assert_eq!((again.full, again.version), (list.full, list.version));
    }
});
