//! The rule that reduces an extension's dialogs to one line state. Pure.

use presence::LineState;
use sip::dialog_info::{Dialog, DialogState};

/// What the line is doing: talking beats hold, hold beats ringing, ringing beats nothing. Whether the
/// telephone calls or is called makes no difference; ended dialogs do not count.
pub fn line_state(dialogs: &[Dialog]) -> LineState {
    dialogs
        .iter()
        .map(dialog_state)
        .max()
        .unwrap_or(LineState::Idle)
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
