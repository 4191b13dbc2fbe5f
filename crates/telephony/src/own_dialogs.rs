//! Offhook's own dialogs, which show a person's Teams calls and profiles on BLF keys and are not calls of the PBX. A PBX
//! sends them to all watchers, including Offhook; Offhook would take them for calls and publish them again. A mark in their
//! names identifies them, also those of an earlier process.

use sip::dialog_info::{Dialog, DialogInfo, DialogState};

/// Prefix of the ids of Offhook's dialogs.
const MARK: &str = "offhook-";

/// A dialog of Offhook. Each of its ids has the mark, because PBXs that merge documents change the id or leave out the
/// Call-ID.
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

/// Removes Offhook's own dialogs from a document.
pub fn remove_own_dialogs(document: &mut DialogInfo) {
    document.dialogs.retain(|dialog| !is_own(dialog));
    document.unread.dialogs.retain(|id| !id.starts_with(MARK));
}

#[cfg(test)]
mod tests {
    use sip::dialog_info::Completeness;

    use super::*;

    #[test]
    fn own_dialogs_are_removed_after_every_change_by_a_pbx() {
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
