//! Tables of faulty documents: the states that count, the unread dialogs, and the remarks.

use super::*;

/// The states in a document, the ids of its unread dialogs (`+` if there may be more), and its remarks.
fn read(text: impl AsRef<[u8]>) -> (String, String, String) {
    let document = DialogInfo::parse(text.as_ref()).unwrap();
    let states: Vec<&str> = document.dialogs.iter().map(|d| d.state.as_str()).collect();
    let more = if document.unread.more { "+" } else { "" };
    (
        states.join(" "),
        document.unread.dialogs.join(" ") + more,
        document.unread.remarks.to_string(),
    )
}

const CALL: &str = "<dialog id='1'><state>confirmed</state></dialog>";

/// Content of a document, the states that count, the unread ids, and the remarks.
type Case = (String, &'static str, &'static str, &'static str);

/// Details that still mean a call and leave nothing out.
fn harmless() -> Vec<Case> {
    let named = |display: &str| {
        format!(
            "<dialog id='1'><state>confirmed</state><remote><identity display={display}>sip:x@y</identity></remote></dialog>"
        )
    };
    let documents = [
        named("\"Meyer & Co\""),
        named("\"A&B; &nbsp;&uuml; &#xZ; &#0; &\""),
        named("\"<b>Meyer</b> > 1\""),
        named("\"\x01\x1b[0m\""),
        named("Meyer"),
        named("\"x\" display=\"y\""),
        format!("Meyer & Co &nbsp; &b;{CALL}"),
        format!("<!-- a -- b -->{CALL}"),
        CALL.replace("confirmed", "<![CDATA[confirmed]]>"),
        CALL.replace("confirmed", "con&#102;irmed&#1;\0"),
        CALL.to_uppercase(),
        CALL.replace(" id='1'", ""),
        CALL.replace("'1'", "''"),
    ];
    documents.map(|inner| (inner, "confirmed", "", "")).into()
}

fn harmful() -> Vec<Case> {
    let beside = |other: &str| format!("{other}{CALL}");
    let states = |states: &str| format!("<dialog id='1'>{states}</dialog>");
    let misnested = "start and end tags do not match";
    let twice = "<state> of a dialog has several values";
    vec![
        (
            beside("<dialog id='2'><state/></dialog>"),
            "confirmed",
            "2",
            "<state> is \"\"",
        ),
        (
            beside("<dialog id='2'/>"),
            "confirmed",
            "2",
            "<state> of a dialog is missing",
        ),
        (
            beside("<dialog><state>Talking</state></dialog>"),
            "confirmed",
            "",
            "<state> is \"Talking\"",
        ),
        (
            states("<state>hold</state><state>confirmed</state>"),
            "confirmed",
            "",
            "<state> is \"hold\"",
        ),
        (
            states("<state>confirmed</state><state>hold</state>"),
            "confirmed",
            "",
            "<state> is \"hold\"",
        ),
        (
            states("<state>terminated</state><state>early</state>"),
            "early",
            "",
            twice,
        ),
        (states("<state>&b;</state>"), "", "1", "<state> is \"&b;\""),
        (states("<state>confirmed"), "confirmed", "", misnested),
        (
            format!("</b>{CALL}</x></dialog>"),
            "confirmed",
            "",
            misnested,
        ),
        (
            states("<state>confirmed</state><remote><identity>a < b</identity></remote>"),
            "confirmed",
            "",
            misnested,
        ),
    ]
}

/// A6: everything readable counts, the faulty part is dropped, and a remark names each dropped part.
#[test]
fn one_ugly_detail_does_not_make_a_call_invisible() {
    for (inner, states, unread, remark) in harmless().into_iter().chain(harmful()) {
        let (found, open, remarks) = read(wrap(&inner));
        assert_eq!(
            (&*found, &*open, &*remarks),
            (states, unread, remark),
            "{inner}"
        );
    }
}

/// A6: the same for the outermost element and the text around it.
#[test]
fn ugly_frames_do_not_make_a_call_invisible() {
    let frame = |attributes: &str| format!("<dialog-info {attributes}>{CALL}</dialog-info>");
    let version = |text: &str| frame(&format!("version='{text}' state='full'"));
    for (text, version, remark) in [
        (frame("state='full'"), None, ""),
        (version(""), None, "attribute version is \"\""),
        (version("1.0"), None, "attribute version is \"1.0\""),
        (version("-1"), None, "attribute version is \"-1\""),
        (
            version("99999999999999999999"),
            None,
            "attribute version is \"99999999999999999999\"",
        ),
        (version(" 7 "), Some(7), ""),
        (version("18446744073709551615"), Some(u64::MAX), ""),
        (
            frame("version='1' state='some'"),
            Some(1),
            "attribute state is \"some\"",
        ),
        (
            version("1") + "\r\nbye & good luck",
            Some(1),
            "content after its end was ignored",
        ),
        (version("1") + "\0\r\n", Some(1), ""),
        (
            version("1") + &version("2"),
            Some(1),
            "content after its end was ignored",
        ),
        (
            version("1") + "</dialog-info>\0<",
            Some(1),
            "content after its end was ignored",
        ),
        (
            format!(
                "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n{}",
                version("1")
            ),
            Some(1),
            "",
        ),
        (
            format!("junk {}", version("1")),
            Some(1),
            "content after its end was ignored",
        ),
    ] {
        let document = DialogInfo::parse(text.as_bytes()).unwrap();
        let remarks = document.unread.remarks.to_string();
        assert_eq!((document.version, &*remarks), (version, remark), "{text}");
        assert_eq!(
            (document.dialogs.len(), document.unread.more),
            (1, false),
            "{text}"
        );
        assert_eq!(document.completeness, Completeness::Full);
    }
}

/// A6: encodings with right and wrong declarations.
#[test]
fn names_in_other_encodings_are_read_as_far_as_possible() {
    let text = |encoding: &str| {
        format!(
            "<?xml version='1.0' encoding='{encoding}'?><dialog-info version='1'><dialog id='1'><state>early</state><remote><identity display='M\u{fc}ller'/></remote></dialog></dialog-info>"
        )
    };
    let latin = |text: &str| {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect::<Vec<_>>()
    };
    let utf16 = |text: &str| {
        [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    for (bytes, name, remarks) in [
        (text("UTF-8").into_bytes(), "M\u{fc}ller", 0),
        (latin(&text("ISO-8859-1")), "M\u{fc}ller", 0),
        (latin(&text("UTF-8")), "M\u{fffd}ller", 1),
        (utf16(&text("UTF-16")), "M\u{fc}ller", 0),
    ] {
        let document = DialogInfo::parse(&bytes).unwrap();
        assert_eq!(
            document.dialogs[0]
                .remote
                .as_ref()
                .unwrap()
                .display
                .as_deref(),
            Some(name)
        );
        assert_eq!(document.unread.remarks.iter().count(), remarks, "{name}");
    }
}

/// A6: at every cut of a document the part before it counts, and other dialogs may follow.
#[test]
fn a_document_that_ends_in_the_middle_is_not_whole() {
    let whole = wrap(
        "<dialog id='1'><state>confirmed</state></dialog><dialog id='2'><state>early</state></dialog>",
    );
    let root = whole.find("<dialog id='1'").unwrap();
    let end = whole.rfind("</dialog-info>").unwrap() + "</dialog-info".len();
    for at in root..=end {
        let document = DialogInfo::parse(&whole.as_bytes()[..at]).unwrap();
        assert!(document.unread.more, "{}", &whole[..at]);
        assert_eq!(document.unread.remarks.to_string(), "it ends in the middle");
        let first = document.dialogs.first().map(|d| d.state);
        let state_at = whole.find("</state>").unwrap() + "</state>".len();
        assert_eq!(
            first,
            (at >= state_at).then_some(DialogState::Confirmed),
            "{}",
            &whole[..at]
        );
    }
    assert_eq!(
        read(&whole),
        ("confirmed early".into(), String::new(), String::new())
    );
}

/// A12: by namespace, not by prefix.
#[test]
fn elements_mean_something_by_their_namespace() {
    const NS: &str = "urn:ietf:params:xml:ns:dialog-info";
    let undeclared = "the namespace prefix \"di\" is not declared";
    let foreign = "<dialog> is in the namespace \"urn:x\"";
    for (text, states, unread, remark) in [
        (format!("<di:dialog-info xmlns:di='{NS}'><dialog xmlns='{NS}' id='1'><state>confirmed</state></dialog></di:dialog-info>"), "confirmed", "", ""),
        (format!("<di:dialog-info xmlns:di='{NS}'><x:dialog xmlns:x='{NS}' id='1'><di:state>confirmed</di:state></x:dialog></di:dialog-info>"), "confirmed", "", ""),
        (format!("<di:dialog-info xmlns:di='{NS}'>{CALL}</di:dialog-info>"), "confirmed", "", ""),
        (format!("<dialog-info>{CALL}</dialog-info>"), "confirmed", "", ""),
        (format!("<dialog-info xmlns=''>{CALL}</dialog-info>"), "confirmed", "", ""),
        (format!("<dialog-info xmlns=' {NS}\n'>{CALL}</dialog-info>"), "confirmed", "", ""),
        ("<di:dialog-info><di:dialog id='1'><di:state>confirmed</di:state></di:dialog></di:dialog-info>".into(), "confirmed", "", undeclared),
        (format!("<dialog-info xmlns='{NS}'><dialog id='1'><di:state>confirmed</di:state></dialog></dialog-info>"), "confirmed", "", undeclared),
        // A state in the document's namespace goes before a doubtful one.
        (format!("<dialog-info xmlns='{NS}'><dialog id='1'><state>early</state><di:state>terminated</di:state></dialog></dialog-info>"), "early", "", undeclared),
        (format!("<dialog-info xmlns='{NS}'><dialog id='1'><di:state>terminated</di:state><state>early</state></dialog></dialog-info>"), "early", "", undeclared),
        // A prefix with another namespace within an element, and with the first namespace after it.
        (format!("<a:dialog-info xmlns:a='{NS}'><a:dialog id='1'><b xmlns:a='urn:x'><a:state>x</a:state></b><a:state>early</a:state></a:dialog></a:dialog-info>"), "early", "", ""),
        // A state in a foreign namespace does not count, with any prefix.
        (format!("<dialog-info xmlns='{NS}'><dialog id='1'><state>early</state><x:state xmlns:x='urn:x'>held</x:state></dialog></dialog-info>"), "early", "", ""),
        (format!("<dialog-info xmlns='{NS}'><dialog id='1'><state xmlns='urn:x'>terminated</state></dialog></dialog-info>"), "", "1", "<state> of a dialog is missing"),
        // Dialogs of another namespace are not understood: the line is not idle.
        (format!("<dialog-info xmlns='{NS}'><dialog xmlns='urn:x' id='1'><state>confirmed</state></dialog></dialog-info>"), "", "", foreign),
        // Extensions cause no remark.
        (format!("<dialog-info xmlns='{NS}' xmlns:x='urn:x'><x:info/><sa:info/>{CALL}</dialog-info>"), "confirmed", "", ""),
    ] {
        let (found, open, remarks) = read(&text);
        assert_eq!((&*found, &*open, &*remarks), (states, unread, remark), "{text}");
        let unclear = DialogInfo::parse(text.as_bytes()).unwrap().unread.dialogs.len();
        assert_eq!(unclear, usize::from(states.is_empty()), "{text}");
    }
    // Attributes: a namespace declaration does not count, nor does one in another namespace.
    let text = format!(
        "<dialog-info xmlns='{NS}' xmlns:version='urn:x' xmlns:x='urn:x' x:version='9' version='3' x:state='partial'/>"
    );
    let document = DialogInfo::parse(text.as_bytes()).unwrap();
    assert_eq!(
        (document.version, document.completeness),
        (Some(3), Completeness::Full)
    );
}
