//! The rule that reduces an extension's dialogs to one line state. Pure.

use std::sync::Arc;

use presence::LineState;
use sip::dialog_info::{Dialog, DialogState};

/// The state of a line from its dialogs: connected before held, held before ringing, ringing before idle. Incoming and
/// outgoing calls count alike; terminated dialogs do not count.
pub fn line_state(dialogs: &[Dialog]) -> LineState {
    dialogs
        .iter()
        .map(dialog_state)
        .max()
        .unwrap_or(LineState::Idle)
}

/// The other party of the dialog that decides the line state: the number, with the name if the PBX sends one. At most
/// 100 characters, without control characters.
pub fn other_party(dialogs: &[Dialog]) -> Option<Arc<str>> {
    let live = dialogs
        .iter()
        .filter(|dialog| dialog_state(dialog) > LineState::Idle);
    let remote = live
        .max_by_key(|dialog| dialog_state(dialog))?
        .remote
        .as_ref()?;
    let number = remote.identity.as_deref().map(number).unwrap_or_default();
    let name = remote.display.as_deref().unwrap_or_default().trim();
    let party = match (name, number) {
        (name, number) if name.is_empty() || name == number => number.to_owned(),
        (name, "") => name.to_owned(),
        (name, number) => format!("{name} ({number})"),
    };
    let shown = party.chars().filter(|c| !c.is_control()).take(PARTY_MAX);
    Some(shown.collect::<String>().into()).filter(|party: &Arc<str>| !party.is_empty())
}

/// Longest party in characters; numbers and names are shorter.
const PARTY_MAX: usize = 100;

/// The user part of an address; the whole text if it is not an address.
fn number(identity: &str) -> &str {
    let address = identity.trim().trim_start_matches('<');
    let without_scheme = ["sip:", "sips:", "tel:"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme))
        .unwrap_or(address);
    let end = without_scheme.find(['@', ';', '>']);
    end.map_or(without_scheme, |end| &without_scheme[..end])
}

fn dialog_state(dialog: &Dialog) -> LineState {
    match dialog.state {
        DialogState::Terminated => LineState::Idle,
        DialogState::Trying | DialogState::Proceeding | DialogState::Early => LineState::Ringing,
        DialogState::Confirmed if dialog.is_held() => LineState::Held,
        DialogState::Confirmed => LineState::Connected,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sip::dialog_info::Participant;

    #[test]
    fn the_other_party_is_that_of_the_dialog_that_decides() {
        let with = |state, identity: &str, display: &str| {
            let mut dialog = Dialog::new("1", state);
            dialog.remote = Some(Participant {
                identity: Some(identity.into()).filter(|text: &String| !text.is_empty()),
                display: Some(display.into()).filter(|text: &String| !text.is_empty()),
                ..Participant::default()
            });
            dialog
        };
        let party = |dialogs: &[Dialog]| other_party(dialogs).map(|party| party.to_string());
        let talking = with(
            DialogState::Confirmed,
            "sip:1002@pbx.test;user=phone",
            "Bert",
        );
        let ringing = with(DialogState::Early, "<sips:+4930123@pbx.test>", "");
        let over = with(DialogState::Terminated, "sip:1009@pbx.test", "");
        assert_eq!(
            party(&[ringing.clone(), talking, over.clone()]).unwrap(),
            "Bert (1002)"
        );
        assert_eq!(party(&[ringing, over.clone()]).unwrap(), "+4930123");
        assert_eq!(party(&[over]), None);
        assert_eq!(party(&[with(DialogState::Confirmed, "", "")]), None);
        assert_eq!(
            party(&[with(DialogState::Confirmed, "", "Re\nception")]).unwrap(),
            "Reception"
        );
        let long = with(DialogState::Confirmed, &"9".repeat(1_000), "");
        assert_eq!(party(&[long]).unwrap().len(), PARTY_MAX);
    }

    use super::*;

    fn dialog(state: u8, held: bool) -> Dialog {
        use DialogState::{Confirmed, Early, Proceeding, Terminated, Trying};
        let states = [Trying, Proceeding, Early, Confirmed, Terminated];
        let mut dialog = Dialog::new("1", states[usize::from(state) % 5]);
        dialog.local = held.then(|| Participant {
            rendering: Some(false),
            ..Participant::default()
        });
        dialog
    }

    proptest! {
        #[test]
        fn the_rule_in_words(dialogs in proptest::collection::vec((0u8..5, any::<bool>()), 0..6)) {
            let all: Vec<Dialog> = dialogs.into_iter().map(|(s, h)| dialog(s, h)).collect();
            let confirmed = || all.iter().filter(|d| d.state == DialogState::Confirmed);
            let expected = if confirmed().any(|d| !d.is_held()) {
                LineState::Connected
            } else if confirmed().count() > 0 {
                LineState::Held
            } else if all.iter().any(|d| d.state != DialogState::Terminated) {
                LineState::Ringing
            } else {
                LineState::Idle
            };
            prop_assert_eq!(line_state(&all), expected);
        }

        #[test]
        fn the_order_of_dialogs_does_not_matter(mut dialogs in proptest::collection::vec((0u8..5, any::<bool>()), 0..6)) {
            let all: Vec<Dialog> = dialogs.iter().map(|(s, h)| dialog(*s, *h)).collect();
            dialogs.reverse();
            let reversed: Vec<Dialog> = dialogs.into_iter().map(|(s, h)| dialog(s, h)).collect();
            prop_assert_eq!(line_state(&all), line_state(&reversed));
        }
    }
}
