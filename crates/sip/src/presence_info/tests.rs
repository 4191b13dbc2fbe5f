//! What telephones publish is read, what we write is what they look for.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_written_has_the_very_words_that_simple_watchers_look_for() {
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
fn what_telephones_publish_is_read_with_any_prefix() {
    let document = br#"<?xml version="1.0"?><pidf:presence xmlns:pidf="urn:ietf:params:xml:ns:pidf" xmlns:p="x"
        xmlns:r="y" entity="pres:1001@pbx.test"><pidf:tuple id="a"><pidf:status><pidf:basic>closed</pidf:basic></pidf:status>
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

#[test]
fn what_is_no_presence_is_refused() {
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
    fn what_the_writer_wrote_is_read_back(info in any_info()) {
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
