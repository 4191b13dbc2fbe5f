//! Documents of phones are read; written documents have the texts that phones look for.

use proptest::prelude::*;

use super::*;

#[test]
fn a_document_has_the_exact_text_that_simple_watchers_look_for() {
    let busy = PresenceInfo {
        entity: "sip:1001@pbx.test".into(),
        open: true,
        activities: vec![Activity::Busy, Activity::OnThePhone],
        note: Some("On the phone <MS Teams>".into()),
    };
    let xml = busy.to_xml();
    for words in [
        "<basic>open</basic>",
        "<rpid:activities><rpid:busy/><rpid:on-the-phone/></rpid:activities>",
        "<note>On the phone &lt;MS Teams&gt;</note>",
        "entity=\"sip:1001@pbx.test\"",
    ] {
        assert!(xml.contains(words), "{words} is not in {xml}");
    }
}

#[test]
fn documents_of_phones_are_read_with_any_prefix() {
    let document = br#"<?xml version="1.0"?><pidf:presence xmlns:pidf="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf:data-model"
        xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" entity="pres:1001@pbx.test"><pidf:tuple id="a"><pidf:status><pidf:basic>closed</pidf:basic></pidf:status>
        </pidf:tuple><pidf:tuple id="b"><pidf:status><pidf:basic> open </pidf:basic></pidf:status><pidf:note>desk</pidf:note>
        </pidf:tuple><p:person id="c"><r:activities><r:on-the-phone/><r:dancing/></r:activities><p:note>R&amp;D</p:note></p:person>
        </pidf:presence>"#;
    let read = PresenceInfo::parse(document).unwrap();
    assert_eq!(
        read,
        PresenceInfo {
            entity: "pres:1001@pbx.test".into(),
            open: true,
            activities: vec![Activity::OnThePhone],
            note: Some("R&D".into()),
        }
    );
}

/// A6, A12, A18: drafts of RPID, ugly details, and elements of other namespaces.
#[test]
fn documents_of_phones_beside_the_specification_are_read() {
    let read = |inner: &str| {
        let text = format!(
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:ep='urn:ietf:params:xml:ns:pidf:status:rpid-status' xmlns:x='urn:x'>{inner}</presence> bye"
        );
        let read = PresenceInfo::parse(text.as_bytes()).unwrap();
        (
            read.open,
            read.activities.first().copied(),
            read.note.unwrap_or_default(),
        )
    };
    let busy = Some(Activity::OnThePhone);
    for (inner, expected) in [
        (
            "<tuple><status><basic>open</basic><ep:activities><ep:on-the-phone/></ep:activities></status></tuple>",
            (true, busy, ""),
        ),
        (
            "<tuple><ep:activities><ep:on-the-phone/></ep:activities><status><basic>closed</basic></status></tuple>",
            (false, busy, ""),
        ),
        (
            "<tuple><status><basic>open</status></tuple><note>Meyer & Co</note>",
            (true, None, "Meyer & Co"),
        ),
        (
            "<tuple><status><x:basic>open</x:basic></status></tuple>",
            (false, None, ""),
        ),
        (
            "<tuple><status><y:basic>open</y:basic></status></tuple>",
            (true, None, ""),
        ),
    ] {
        let (open, activity, note) = expected;
        assert_eq!(read(inner), (open, activity, note.to_owned()), "{inner}");
    }
}

#[test]
fn a_document_that_is_not_presence_is_refused() {
    let refused = |text: &str| PresenceInfo::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused("<html/>"), PresenceError::Root("html".into()));
    assert_eq!(
        refused("<!DOCTYPE a [<!ENTITY b \"c\">]><presence/>"),
        PresenceError::Doctype
    );
    assert_eq!(refused(""), PresenceError::Root(String::new()));
    let deep = "<presence>".to_owned() + &"<a>".repeat(40);
    assert_eq!(refused(&deep), PresenceError::TooDeep);
    assert!(matches!(refused("<presence>&x;"), PresenceError::Xml(_)));
    let long = "x".repeat(DOCUMENT_BYTES_MAX + 1);
    assert!(matches!(refused(&long), PresenceError::TooLong(_)));
}

fn any_info() -> impl Strategy<Value = PresenceInfo> {
    (
        "sip:[a-z0-9]{1,8}@[a-z.]{1,8}",
        any::<bool>(),
        proptest::sample::subsequence(Activity::ALL.to_vec(), 0..=5),
        proptest::option::of("[!-~äß€]{1,20}"),
    )
        .prop_map(|(entity, open, activities, note)| PresenceInfo {
            entity,
            open,
            activities,
            note,
        })
}

proptest! {
    #[test]
    fn a_written_document_is_read_back(info in any_info()) {
        prop_assert_eq!(PresenceInfo::parse(info.to_xml().as_bytes()), Ok(info));
    }

    #[test]
    fn damaged_documents_never_panic(info in any_info(), at: prop::sample::Index, byte: u8) {
        let mut damaged = info.to_xml().into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let _ = PresenceInfo::parse(&damaged);
        let _ = PresenceInfo::parse(&damaged[..at]);
    }
}
