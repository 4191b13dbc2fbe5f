//! The line states that whole recorded traces of real telephone systems amount to.

use std::collections::BTreeMap;

use presence::LineState::{self, Connected, Held, Idle, Ringing};
use sip::dialog_info::DialogInfo;
use sip::dialog_set::DialogSet;
use sip::message::{Message, uri_user};
use telephony::line_state::line_state;

fn states(trace: &str) -> BTreeMap<String, Vec<LineState>> {
    let mut sets: BTreeMap<String, DialogSet> = BTreeMap::new();
    let mut states: BTreeMap<String, Vec<LineState>> = BTreeMap::new();
    for part in trace.split("\nNOTIFY ").skip(1) {
        let text = format!("NOTIFY {part}");
        let message = Message::parse(text.as_bytes()).unwrap();
        let document = DialogInfo::parse(message.body()).unwrap();
        let extension = uri_user(&document.entity).unwrap().to_owned();
        let set = sets.entry(extension.clone()).or_default();
        set.fold(std::time::Duration::ZERO, document);
        states
            .entry(extension)
            .or_default()
            .push(line_state(set.dialogs()));
    }
    states
}

#[test]
fn kamailio_answered_cancelled_and_refused_call() {
    let states = states(include_str!(
        "../../../sip/tests/data/kamailio-dialog-notify.txt"
    ));
    assert_eq!(
        states["1001"],
        [
            Idle, Ringing, Ringing, Connected, Idle, Ringing, Ringing, Idle, Idle, Idle, Idle
        ]
    );
    assert_eq!(
        states["1002"],
        [Idle, Ringing, Connected, Idle, Ringing, Idle, Idle]
    );
}

#[test]
fn asterisk_calls_hold_transfer_and_queue() {
    // Asterisk says `confirmed` for the caller from the INVITE on; a call that the callee holds is
    // `confirmed` with `+sip.rendering` "no".
    let states = states(include_str!(
        "../../../sip/tests/data/asterisk-dialog-notify.txt"
    ));
    let caller = [
        Idle, Idle, Connected, Idle, Connected, Idle, Connected, Idle, Connected, Idle, Connected,
        Idle, Idle,
    ];
    assert_eq!(states["1001"], caller);
    let callee = [
        Idle, Ringing, Connected, Idle, Ringing, Idle, Ringing, Connected, Held, Connected, Idle,
        Connected, Idle, Ringing, Connected, Idle, Idle, Idle,
    ];
    assert_eq!(states["1002"], callee);
}
