//! Documents of real PBXs, damaged ones, hostile ones, and the crate's own read back.

use proptest::prelude::*;

use super::*;

mod ugly;

fn wrap(inner: &str) -> String {
    format!(
        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"1\" state=\"full\" entity=\"sip:a@b\">{inner}</dialog-info>"
    )
}

fn refused(text: &str) -> String {
    DialogInfo::parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn prefixes_capitals_and_unquoted_values_are_tolerated() {
    let text = "\r\n<?xml version='1.0'?><d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info' version=7 state='partial' entity='sip:a@b'>\
<d:dialog id='x' direction='Recipient'><d:state code='180'>\n Trying </d:state><d:duration>7</d:duration>\
<d:local><d:identity display='A &amp; B'>sip:a&#64;b</d:identity><d:target uri='sip:a@h'><d:param pname='+sip.rendering' pval='no'/></d:target></d:local>\
<x:state xmlns:x='urn:x'>held</x:state></d:dialog></d:dialog-info>";
    let document = DialogInfo::parse(text.as_bytes()).unwrap();
    assert_eq!(
        (document.version, document.completeness),
        (Some(7), Completeness::Partial)
    );
    let dialog = &document.dialogs[0];
    assert_eq!(
        (dialog.state, dialog.direction),
        (DialogState::Trying, Some(Direction::Recipient))
    );
    assert!(dialog.is_held());
    let local = dialog.local.as_ref().unwrap();
    assert_eq!(
        (local.identity.as_deref(), local.display.as_deref()),
        (Some("sip:a@b"), Some("A & B"))
    );
}

#[test]
fn only_the_local_side_puts_a_line_on_hold() {
    let side = |side: &str| {
        wrap(&format!(
            "<dialog id='1'><state>confirmed</state><{side}><target uri='x'><param pname='+sip.rendering' pval='no'/></target></{side}></dialog>"
        ))
    };
    assert!(DialogInfo::parse(side("local").as_bytes()).unwrap().dialogs[0].is_held());
    assert!(
        !DialogInfo::parse(side("remote").as_bytes())
            .unwrap()
            .dialogs[0]
            .is_held()
    );
}

#[test]
fn errors_name_the_fault() {
    assert!(refused("").contains("<dialog-info> is missing"));
    assert!(refused("idle").contains("<dialog-info> is missing"));
    assert!(refused("<presence/>").contains("<presence>"));
    assert!(refused("<dialog-info").contains("well-formed"));
    assert!(refused("<dialog-info xmlns='urn:x' version='1'/>").contains("urn:x"));
}

#[test]
fn entities_do_not_expand() {
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
    let document = format!(
        "{bomb}{}",
        wrap("<dialog id='1'><state>&b;</state></dialog>")
    );
    assert_eq!(
        DialogInfo::parse(document.as_bytes()),
        Err(DocumentError::Doctype)
    );
    // Without a DOCTYPE references are text.
    let document = wrap("<dialog id='&b;'><state>early</state></dialog>");
    assert_eq!(
        DialogInfo::parse(document.as_bytes()).unwrap().dialogs[0].id,
        "&b;"
    );
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let many = |n: usize| wrap(&"<dialog id='1'><state>early</state></dialog>".repeat(n));
    let document = DialogInfo::parse(many(DIALOGS_MAX).as_bytes()).unwrap();
    assert_eq!(
        (document.dialogs.len(), document.unread.more),
        (DIALOGS_MAX, false)
    );
    // A6: the first dialogs of too many count.
    let document = DialogInfo::parse(many(DIALOGS_MAX + 1).as_bytes()).unwrap();
    assert_eq!(
        (document.dialogs.len(), document.unread.more),
        (DIALOGS_MAX, true)
    );
    assert_eq!(
        document.unread.remarks.to_string(),
        "it has more than 256 dialogs"
    );
    for unread in ["<dialog/>", "<x:dialog xmlns:x='urn:x'/>"] {
        let document = DialogInfo::parse(wrap(&unread.repeat(1_000)).as_bytes()).unwrap();
        assert!(document.unread.dialogs.len() <= DIALOGS_MAX);
    }
    let remarks: String = (0..100)
        .map(|n| format!("<dialog><state>{n}</state></dialog>"))
        .collect();
    let document = DialogInfo::parse(wrap(&remarks).as_bytes()).unwrap();
    assert_eq!(
        document.unread.remarks.iter().count(),
        crate::remark::REMARKS_MAX
    );
    let long = format!(
        "<dialog id='1'><state>early</state><remote><identity>{}</identity></remote></dialog>",
        "x".repeat(9_000)
    );
    assert_eq!(
        DialogInfo::parse(wrap(&long).as_bytes())
            .unwrap()
            .dialogs
            .len(),
        1
    );
    assert_eq!(
        DialogInfo::parse(&vec![b' '; DOCUMENT_BYTES_MAX + 1]),
        Err(DocumentError::TooLong(DOCUMENT_BYTES_MAX + 1))
    );
    assert_eq!(
        DialogInfo::parse(wrap(&"<x>".repeat(40)).as_bytes()),
        Err(DocumentError::TooDeep)
    );
}

/// A document of any shape that the writer can be given.
pub(crate) fn any_document() -> impl Strategy<Value = DialogInfo> {
    let text = "[ -~äß]{1,20}"
        .prop_map(|t| t.trim().to_owned())
        .prop_filter("text", |t| !t.is_empty());
    let word = proptest::option::of("[a-z0-9<&\"']{1,8}");
    let side = (
        proptest::option::of(text),
        proptest::option::of("[ -~]{0,10}"),
        proptest::option::of("sip:[a-z]{1,5}@h"),
        any::<Option<bool>>(),
    );
    let side =
        proptest::option::of(
            side.prop_map(|(identity, display, target, rendering)| Participant {
                identity,
                display,
                target,
                rendering,
            }),
        );
    let state = prop_oneof![
        Just(DialogState::Trying),
        Just(DialogState::Proceeding),
        Just(DialogState::Early),
        Just(DialogState::Confirmed),
        Just(DialogState::Terminated)
    ];
    let direction = prop_oneof![
        Just(None),
        Just(Some(Direction::Initiator)),
        Just(Some(Direction::Recipient))
    ];
    let dialog = (
        "[a-d]",
        word.clone(),
        word.clone(),
        word,
        direction,
        state,
        side.clone(),
        side,
    )
        .prop_map(
            |(id, call_id, local_tag, remote_tag, direction, state, local, remote)| Dialog {
                id,
                call_id,
                local_tag,
                remote_tag,
                direction,
                state,
                local,
                remote,
            },
        );
    let completeness = prop_oneof![Just(Completeness::Full), Just(Completeness::Partial)];
    (
        "sip:[a-z]{1,5}@h",
        proptest::option::of(0u64..20),
        completeness,
        proptest::collection::vec(dialog, 0..5),
    )
        .prop_map(|(entity, version, completeness, dialogs)| DialogInfo {
            entity,
            version,
            completeness,
            dialogs,
            unread: Unread::default(),
        })
}

proptest! {
    #[test]
    fn a_written_document_is_read_back(document in any_document()) {
        prop_assert_eq!(DialogInfo::parse(document.to_xml().as_bytes()), Ok(document));
    }

    #[test]
    fn arbitrary_and_damaged_documents_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), document in any_document(), at: prop::sample::Index, byte: u8) {
        let _ = DialogInfo::parse(&bytes);
        let mut damaged = document.to_xml().into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let _ = DialogInfo::parse(&damaged);
        let _ = DialogInfo::parse(&damaged[..at]);
    }
}
