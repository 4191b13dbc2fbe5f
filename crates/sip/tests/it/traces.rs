//! The recorded NOTIFYs of a Kamailio and an Asterisk.

use std::collections::BTreeMap;

use sip::{
    dialog_info::{DialogInfo, DialogState},
    dialog_set::{DialogSet, Fold},
    message::{Message, SubscriptionState, answer},
    resource_list::{ListedResource, ResourceList},
};

const KAMAILIO: &str = include_str!("../data/kamailio-dialog-notify.txt");
const ASTERISK: &str = include_str!("../data/asterisk-dialog-notify.txt");

/// The messages between the recorder's own lines.
fn messages(trace: &str) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for line in trace.split_inclusive('\n') {
        if line.starts_with("{\"at\"") {
            messages.push(String::new());
        } else if let Some(message) = messages.last_mut() {
            message.push_str(line);
        }
    }
    messages.retain(|m| !m.trim().is_empty());
    messages
}

/// For each extension the states of the live dialogs after each document, with `!` before a document that did not count.
fn stories(trace: &str) -> BTreeMap<String, Vec<String>> {
    let mut sets: BTreeMap<String, DialogSet> = BTreeMap::new();
    let mut stories: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in messages(trace) {
        let message = Message::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e} in {text}"));
        assert_eq!(message.method(), Some("NOTIFY"));
        let state =
            SubscriptionState::parse(&message.header("Subscription-State").unwrap()).unwrap();
        assert!(["active", "terminated"].contains(&state.state.as_str()));
        let answer = answer(&message, 200, Some("x")).finish().unwrap();
        assert_eq!(Message::parse(&answer).unwrap().cseq(), message.cseq());
        let document =
            DialogInfo::parse(message.body()).unwrap_or_else(|e| panic!("{e} in {text}"));
        let extension = sip::uri::user(&document.entity).unwrap();
        let set = sets.entry(extension.clone()).or_default();
        let mark = if set.fold(std::time::Duration::ZERO, document) == Fold::Applied {
            ""
        } else {
            "!"
        };
        let states: Vec<&str> = set
            .dialogs()
            .iter()
            .map(|d| DialogState::as_str(d.state))
            .collect();
        stories
            .entry(extension)
            .or_default()
            .push(format!("{mark}{}", states.join("+")));
    }
    stories
}

#[test]
fn kamailio_with_capitals_ended_dialogs_and_the_same_dialog_twice() {
    let stories = stories(KAMAILIO);
    // The stale `Trying` beside each later state of the same call does not count.
    assert_eq!(
        stories["1001"],
        [
            "",
            "trying",
            "early",
            "confirmed",
            "",
            "trying",
            "early",
            "",
            "",
            "",
            ""
        ]
    );
    assert_eq!(
        stories["1002"],
        ["", "early", "confirmed", "", "early", "", ""]
    );
}

#[test]
fn asterisk_with_one_dialog_per_extension_and_a_repeated_version_at_the_end() {
    let stories = stories(ASTERISK);
    assert_eq!(
        stories["1001"],
        [
            "",
            "",
            "confirmed",
            "",
            "confirmed",
            "",
            "confirmed",
            "",
            "confirmed",
            "",
            "confirmed",
            "",
            ""
        ]
    );
    assert_eq!(
        stories["1002"],
        [
            "",
            "early",
            "confirmed",
            "",
            "early",
            "",
            "early",
            "confirmed",
            "confirmed",
            "confirmed",
            "",
            "confirmed",
            "",
            "early",
            "confirmed",
            "",
            "",
            ""
        ]
    );
}

/// A resource with the length of its document.
type Listed = (String, Option<usize>);

/// Each NOTIFY about a list: whether it names all, and the resources.
fn lists(trace: &str) -> Vec<(bool, Vec<Listed>)> {
    let notifies = trace.split("\nNOTIFY ").skip(1);
    let read = |part: &str| {
        let text = format!("NOTIFY {part}");
        let message = Message::parse(text.as_bytes()).unwrap();
        let kind = message.header("Content-Type").unwrap();
        let parts = sip::multipart::parse(&kind, message.body()).unwrap();
        let root = parts
            .iter()
            .find(|part| part.content_type.ends_with("rlmi+xml"));
        let list = ResourceList::parse(&root.unwrap().body).unwrap();
        let document = |resource: ListedResource| {
            let id = resource
                .instances
                .into_iter()
                .next()
                .and_then(|instance| instance.content_id);
            let part = id.map(|id| parts.iter().find(|part| part.id == id).unwrap().body.len());
            (resource.uri, part)
        };
        (
            list.full,
            list.resources.into_iter().map(document).collect(),
        )
    };
    notifies.map(read).collect()
}

#[test]
fn asterisk_sends_a_full_list_with_all_documents() {
    let told = lists(include_str!("../data/asterisk-rls-dialog-notify.txt"));
    let (full, resources) = &told[0];
    assert!(full);
    let uris: Vec<&str> = resources.iter().map(|(uri, _)| &**uri).collect();
    assert_eq!(
        uris,
        [
            "sip:1001@127.0.0.1",
            "sip:1002@127.0.0.1",
            "sip:1003@127.0.0.1"
        ]
    );
    assert!(
        resources
            .iter()
            .all(|(_, length)| length.is_some_and(|length| length > 200))
    );
    assert!(told.len() > 1);
}

#[test]
fn kamailio_names_all_first_and_sends_documents_later() {
    let told = lists(include_str!("../data/kamailio-rls-presence-notify.txt"));
    let none = |(_, length): &Listed| length.is_none();
    assert!(told[0].0 && told[0].1.len() == 3 && told[0].1.iter().all(none));
    assert!(!told[1].0 && told[1].1.len() == 3 && !told[1].1.iter().any(none));
}
