//! The recorded NOTIFYs of a Kamailio and an Asterisk.

use std::collections::BTreeMap;

use sip::dialog_info::{DialogInfo, DialogState};
use sip::dialog_set::{DialogSet, Fold};
use sip::message::{Message, SubscriptionState, answer};

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

/// Per extension: the live dialogs' states after each document, `!` before one that was not newer.
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
        let extension = sip::message::uri_user(&document.entity).unwrap().to_owned();
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
            "!"
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
            "!"
        ]
    );
}
