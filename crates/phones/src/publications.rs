//! Publications of phones about themselves (RFC 3903), as the state of a line.

use std::sync::Arc;

use presence::LineState;
use sip::{
    agent::Package,
    dialog_info::DialogInfo,
    presence_info::{Activity, PresenceInfo},
};
use telephony::{
    line_state::{line_state, other_party},
    own_dialogs::remove_own_dialogs,
};

/// The state of the line and the other party; `None`: the document cannot be read, or has only dialogs that cannot be read.
pub(super) fn read(package: Package, body: &[u8]) -> Option<(LineState, Option<Arc<str>>)> {
    match package {
        Package::Dialog => {
            let mut document = DialogInfo::parse(body).ok()?;
            // A dialog that Offhook sent to phones is no call, even if a phone publishes it.
            remove_own_dialogs(&mut document);
            let state = line_state(&document.dialogs);
            let is_whole = document.unread.dialogs.is_empty() && !document.unread.more;
            let party = other_party(&document.dialogs);
            (is_whole || state != LineState::Idle).then_some((state, party))
        }
        Package::Presence => {
            let document = PresenceInfo::parse(body).ok()?;
            // Phones publish busy only while they are used.
            let used =
                |activity: &Activity| matches!(activity, Activity::Busy | Activity::OnThePhone);
            let state = match document.activities.iter().any(used) {
                true => LineState::Connected,
                false => LineState::Idle,
            };
            Some((state, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use presence::{Confidence, Status, View};

    use super::*;
    use crate::documents;

    #[test]
    fn a_telephone_that_is_used_is_in_a_call() {
        let state = |activities: Vec<Activity>| {
            let document = PresenceInfo {
                open: true,
                activities,
                ..PresenceInfo::default()
            };
            read(Package::Presence, document.to_xml().as_bytes())
                .unwrap()
                .0
        };
        assert_eq!(state(vec![Activity::OnThePhone]), LineState::Connected);
        assert_eq!(state(vec![Activity::Busy]), LineState::Connected);
        assert_eq!(state(vec![Activity::Away]), LineState::Idle);
        assert_eq!(read(Package::Presence, b"nonsense"), None);
        assert_eq!(read(Package::Dialog, b"<presence/>"), None);
        // A6: what can be read counts, and what cannot is no idle phone.
        let dialog = |text: &str| {
            let document = format!("<dialog-info><dialog id='1'>{text}</dialog></dialog-info>");
            read(Package::Dialog, document.as_bytes()).map(|(state, _)| state)
        };
        assert_eq!(dialog("<state>early</state>"), Some(LineState::Ringing));
        assert_eq!(dialog("<state>terminated</state>"), Some(LineState::Idle));
        assert_eq!(dialog("<state>hold</state>"), None);
    }

    #[test]
    fn a_dialog_of_offhook_is_no_call() {
        let view = View {
            status: Status::Busy,
            activity: Some(presence::Activity::OnThePhoneTeams),
            profile: None,
            text: "".into(),
            since: None,
            until: None,
            confidence: Confidence::Certain,
        };
        let ours = documents::dialog_info("sip:1001@pbx.test", "1", &view).to_xml();
        let read = read(Package::Dialog, ours.as_bytes());
        assert_eq!(read, Some((LineState::Idle, None)));
    }
}
