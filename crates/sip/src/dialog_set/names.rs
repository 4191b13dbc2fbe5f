//! Which entries of documents are the same dialog.

use crate::dialog_info::{Dialog, DialogState};

/// Whether two entries are the same dialog: id, Call-ID and tags are the same where both have them.
pub(super) fn same(one: &Dialog, other: &Dialog) -> bool {
    one.id == other.id && match_any(&one.call_id, &other.call_id) && same_tags(one, other)
}

/// Whether an entry of a partial document replaces a known dialog. Within a subscription the id alone identifies a dialog
/// (RFC 4235 §4.1.2), except for the branches of one forked call; once one is answered, the others stop ringing.
pub(super) fn replaces(reported: &Dialog, known: &Dialog) -> bool {
    let is_branch = reported.call_id.is_some() && reported.call_id == known.call_id;
    let is_answer =
        reported.state == DialogState::Confirmed && known.state < DialogState::Confirmed;
    reported.id == known.id && (!is_branch || is_answer || same_tags(reported, known))
}

fn same_tags(one: &Dialog, other: &Dialog) -> bool {
    match_any(&one.local_tag, &other.local_tag) && match_any(&one.remote_tag, &other.remote_tag)
}

/// Whether two parts of names match; a missing part matches any.
fn match_any(one: &Option<String>, other: &Option<String>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    }
}

/// The name of an ended dialog. It needs a Call-ID: an id alone may be used again, as by Asterisk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndedDialog {
    id: String,
    call_id: String,
    local_tag: Option<String>,
    remote_tag: Option<String>,
}

impl EndedDialog {
    pub(super) fn of(dialog: &Dialog) -> Option<Self> {
        Some(Self {
            id: dialog.id.clone(),
            call_id: dialog.call_id.clone()?,
            local_tag: dialog.local_tag.clone(),
            remote_tag: dialog.remote_tag.clone(),
        })
    }

    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.id == other.id
            && self.call_id == other.call_id
            && match_any(&self.local_tag, &other.local_tag)
            && match_any(&self.remote_tag, &other.remote_tag)
    }
}
