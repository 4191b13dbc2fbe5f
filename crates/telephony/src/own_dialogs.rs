//! The dialogs that Offhook itself tells of: no calls, but what people do elsewhere. Telephone systems repeat them to whoever
//! watches, and we watch: taken for calls they would go round for ever. Their names say whose they are, also those that an
//! earlier process of ours has left behind.

use sip::dialog_info::{Dialog, DialogInfo, DialogState};

/// What the names of our dialogs begin with.
const MARK: &str = "offhook-";

/// A dialog of ours by that name, with the mark in each of its ids: systems that merge documents give ids of their own, or
/// leave the Call-ID out.
pub fn own_dialog(name: &str, state: DialogState) -> Dialog {
    let name = format!("{MARK}{name}");
    Dialog {
        call_id: Some(name.clone()),
        ..Dialog::new(name, state)
    }
}

/// Whether a dialog is one that Offhook itself published.
pub fn is_own(dialog: &Dialog) -> bool {
    let marked = |name: &str| name.starts_with(MARK);
    marked(&dialog.id) || dialog.call_id.as_deref().is_some_and(marked)
}

/// Leaves only what is not ours.
pub fn remove_own_dialogs(document: &mut DialogInfo) {
    document.dialogs.retain(|dialog| !is_own(dialog));
    document.unread.dialogs.retain(|id| !id.starts_with(MARK));
}

#[cfg(test)]
mod tests {
    use sip::dialog_info::Completeness;

    use super::*;

    #[test]
    fn ours_are_dropped_whatever_a_telephone_system_makes_of_them() {
        let ours = own_dialog("7", DialogState::Confirmed);
        let renumbered = Dialog {
            id: "1".into(),
            ..ours.clone()
        };
        let without_call_id = Dialog {
            call_id: None,
            ..ours.clone()
        };
        let call = Dialog::new("a1b2", DialogState::Confirmed);
        let mut document = DialogInfo {
            entity: "sip:1001@pbx.test".into(),
            version: Some(4),
            completeness: Completeness::Full,
            dialogs: vec![ours, renumbered, call.clone(), without_call_id],
            ..DialogInfo::default()
        };
        remove_own_dialogs(&mut document);
        assert_eq!(document.dialogs, [call]);
    }
}
