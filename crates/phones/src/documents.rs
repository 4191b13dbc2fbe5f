//! Documents about a person for phones, made from the view that the watcher may see.

use presence::{Activity, Status, View};
use sip::{
    dialog_info::{Completeness, Dialog, DialogInfo, DialogState, Direction, Participant},
    presence_info::{self, PresenceInfo},
};
use telephony::own_dialogs::own_dialog;

/// The document for BLF keys (RFC 4235): lit while busy, flashing while ringing, else dark. A terminated dialog is part of the
/// document: some phones keep the lamp lit without one.
pub(super) fn dialog_info(entity: &str, name: &str, view: &View) -> DialogInfo {
    let ringing = view.activity == Some(Activity::Ringing);
    let state = match view.status {
        Status::Busy | Status::DoNotDisturb => DialogState::Confirmed,
        _ if ringing => DialogState::Early,
        Status::Available | Status::BeRightBack | Status::Absent | Status::Offline => {
            DialogState::Terminated
        }
    };
    let local = Participant {
        identity: Some(entity.to_owned()),
        display: words(view),
        ..Participant::default()
    };
    let dialog = Dialog {
        direction: Some(Direction::Recipient),
        local: Some(local),
        ..own_dialog(name, state)
    };
    DialogInfo {
        entity: entity.to_owned(),
        version: Some(0),
        completeness: Completeness::Full,
        dialogs: vec![dialog],
        ..DialogInfo::default()
    }
}

/// The document for phones and programs that show more than a lamp (RFC 3863, RFC 4480).
pub(super) fn presence_info(entity: &str, view: &View) -> PresenceInfo {
    use presence_info::Activity as Shown;
    let mut activities = Vec::new();
    match view.status {
        // Simple watchers show the first activity only.
        Status::Busy | Status::DoNotDisturb => activities.push(Shown::Busy),
        Status::BeRightBack | Status::Absent => activities.push(Shown::Away),
        Status::Available | Status::Offline => {}
    }
    activities.extend(match view.activity {
        Some(Activity::OnThePhone | Activity::OnThePhoneTeams) => Some(Shown::OnThePhone),
        Some(Activity::InMeeting) => Some(Shown::Meeting),
        Some(Activity::Presenting) => Some(Shown::Presentation),
        Some(Activity::Ringing | Activity::UsingApp(_)) | None => None,
    });
    PresenceInfo {
        entity: entity.to_owned(),
        open: view.status != Status::Offline,
        activities,
        note: words(view),
    }
}

/// The text beside the name on a display.
fn words(view: &View) -> Option<String> {
    let words = match &view.activity {
        // A phone shows one text only: without the status a call would look as if it could be disturbed.
        Some(activity) if view.status == Status::DoNotDisturb => {
            format!("{} – {}", view.status.words(), activity.label())
        }
        Some(Activity::UsingApp(alias)) => format!("Busy – {alias}"),
        Some(activity) => activity.label().to_owned(),
        None if view.text.is_empty() => view.status.words().to_owned(),
        None => view.text.to_string(),
    };
    Some(words)
}

#[cfg(test)]
mod tests {
    use presence::Confidence;

    use super::*;

    fn view(status: Status, activity: Option<Activity>) -> View {
        View {
            status,
            activity,
            profile: None,
            text: "".into(),
            since: None,
            until: None,
            confidence: Confidence::Certain,
        }
    }

    #[test]
    fn lamps_and_displays_show_the_activity_of_the_person() {
        use DialogState::{Confirmed, Early, Terminated};
        let zoom = Activity::UsingApp("Zoom Meeting".into());
        for (status, activity, lamp, activities, words) in [
            (Status::Available, None, Terminated, "", "Available"),
            (
                Status::Available,
                Some(Activity::Ringing),
                Early,
                "",
                "Ringing",
            ),
            (
                Status::Busy,
                Some(Activity::OnThePhoneTeams),
                Confirmed,
                "<rpid:busy/><rpid:on-the-phone/>",
                "On the phone (MS Teams)",
            ),
            (
                Status::Busy,
                Some(Activity::InMeeting),
                Confirmed,
                "<rpid:busy/><rpid:meeting/>",
                "In a meeting",
            ),
            (
                Status::Busy,
                Some(zoom),
                Confirmed,
                "<rpid:busy/>",
                "Busy – Zoom Meeting",
            ),
            (
                Status::DoNotDisturb,
                None,
                Confirmed,
                "<rpid:busy/>",
                "Do not disturb",
            ),
            (
                Status::DoNotDisturb,
                Some(Activity::Presenting),
                Confirmed,
                "<rpid:busy/><rpid:presentation/>",
                "Do not disturb – Presenting",
            ),
            (
                Status::DoNotDisturb,
                Some(Activity::OnThePhone),
                Confirmed,
                "<rpid:busy/><rpid:on-the-phone/>",
                "Do not disturb – On the phone",
            ),
            (Status::Absent, None, Terminated, "<rpid:away/>", "Absent"),
            (Status::Offline, None, Terminated, "", "Offline"),
        ] {
            let view = view(status, activity);
            let dialogs = dialog_info("sip:1001@pbx.test", "7", &view).dialogs;
            assert_eq!((dialogs[0].state, &*dialogs[0].id), (lamp, "offhook-7"));
            let document = presence_info("sip:1001@pbx.test", &view);
            assert_eq!(document.note.as_deref(), Some(words));
            assert_eq!(document.open, status != Status::Offline);
            let xml = document.to_xml();
            let activities = format!("<rpid:activities>{activities}</rpid:activities>");
            assert!(xml.contains(&activities), "{xml}");
        }
    }
}
