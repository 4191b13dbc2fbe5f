//! The one line in which a list tells a person's presence. The board's script (`assets/status-line.js`) does the same.

use api_types::presence::{ActivityBody, ActivityKind, ActivitySystem, PresenceBody};
use presence::{Confidence, Status};

use crate::texts::Texts;

/// A presence in words, for one line and a smaller one below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusLine {
    /// What comes first and in the colour of the status: the status, or the activity that made it Busy.
    pub lead: String,
    /// What is said after it: the system of a call, the program, or the activity beside Do not disturb. May be empty.
    pub detail: String,
    /// The subject of an appointment or the name of a profile, if it says more than the status, and that the source has not
    /// reported for long. May be empty.
    pub below: String,
    /// The end of the status as in the API. May be empty.
    pub until: String,
}

impl StatusLine {
    /// The line of a presence as the viewer sees it.
    pub(crate) fn new(words: Texts, presence: &PresenceBody) -> Self {
        let mut line = Self::confirmed(words, presence);
        if presence.confidence == Confidence::Stale {
            let stale = words.text("confidence-stale");
            line.below = match &*line.below {
                "" => stale,
                below => format!("{below} · {stale}"),
            };
        }
        line
    }

    /// The line without doubts about its age.
    fn confirmed(words: Texts, presence: &PresenceBody) -> Self {
        let status = words.text(&format!("status-{}", presence.status.name()));
        let until = presence.until.clone().unwrap_or_default();
        let Some(activity) = &presence.activity else {
            return Self {
                below: below(words, presence.status, &presence.text),
                lead: status,
                detail: String::new(),
                until,
            };
        };
        let (lead, detail) = match (presence.status, activity.kind) {
            (Status::Busy, ActivityKind::UsingApp) => (status, activity.label.clone()),
            (Status::Busy, _) => (kind(words, activity.kind), system(words, activity)),
            (
                Status::Available
                | Status::BeRightBack
                | Status::DoNotDisturb
                | Status::Absent
                | Status::Offline,
                _,
            ) => (status, words.activity(activity)),
        };
        Self {
            lead,
            detail,
            below: String::new(),
            until,
        }
    }
}

/// A text that says more than the status. The built-in profiles have the English words of the statuses as names.
fn below(words: Texts, status: Status, text: &str) -> String {
    match Status::from_words(text) {
        Some(same) if same == status => String::new(),
        Some(other) => words.text(&format!("status-{}", other.name())),
        None => text.to_owned(),
    }
}

fn kind(words: Texts, kind: ActivityKind) -> String {
    words.text(&format!("activity-{}", kind.name()))
}

fn system(words: Texts, activity: &ActivityBody) -> String {
    match (activity.kind, activity.via) {
        (ActivityKind::OnThePhone, ActivitySystem::Teams) => words.text("line-teams-call"),
        (ActivityKind::UsingApp, _) => activity.label.clone(),
        (
            ActivityKind::OnThePhone
            | ActivityKind::Ringing
            | ActivityKind::InMeeting
            | ActivityKind::Presenting,
            _,
        ) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use i18n::Language;
    use presence::Confidence;

    use super::*;

    fn line(
        language: Language,
        status: Status,
        activity: Option<ActivityBody>,
        text: &str,
    ) -> StatusLine {
        let presence = PresenceBody {
            status,
            activity,
            profile: None,
            text: text.to_owned(),
            since: None,
            until: None,
            confidence: Confidence::Certain,
        };
        StatusLine::new(Texts(language), &presence)
    }

    fn activity(kind: ActivityKind, via: ActivitySystem, label: &str) -> Option<ActivityBody> {
        Some(ActivityBody {
            kind,
            via,
            label: label.to_owned(),
        })
    }

    #[test]
    fn a_row_says_nothing_twice() {
        use ActivityKind::{OnThePhone, Presenting, UsingApp};
        use ActivitySystem::{Microphone, Pbx, Teams};
        let phone = activity(OnThePhone, Pbx, "On the phone");
        let call = activity(OnThePhone, Teams, "On the phone (MS Teams)");
        let zoom = activity(UsingApp, Microphone, "Zoom Meeting");
        let screen = activity(Presenting, Teams, "Presenting");
        for (status, activity, text, lead, detail, below) in [
            (Status::Available, None, "Available", "Available", "", ""),
            (Status::Absent, None, "Lunch", "Absent", "", "Lunch"),
            (Status::Busy, None, "Available", "Busy", "", "Available"),
            (
                Status::Busy,
                None,
                "Quarterly review",
                "Busy",
                "",
                "Quarterly review",
            ),
            (
                Status::Busy,
                phone.clone(),
                "On the phone",
                "On the phone",
                "",
                "",
            ),
            (
                Status::Busy,
                call,
                "On the phone (MS Teams)",
                "On the phone",
                "Teams call",
                "",
            ),
            (
                Status::Busy,
                zoom,
                "Zoom Meeting",
                "Busy",
                "Zoom Meeting",
                "",
            ),
            (
                Status::DoNotDisturb,
                screen,
                "Presenting",
                "Do not disturb",
                "Presenting",
                "",
            ),
            (
                Status::DoNotDisturb,
                phone,
                "On the phone",
                "Do not disturb",
                "On the phone",
                "",
            ),
        ] {
            let line = line(Language::English, status, activity, text);
            assert_eq!(
                (&*line.lead, &*line.detail, &*line.below),
                (lead, detail, below)
            );
        }
    }

    #[test]
    fn what_no_source_confirms_is_marked_in_words() {
        let below = |text: &str| {
            let presence = PresenceBody {
                status: Status::Busy,
                activity: None,
                profile: None,
                text: text.to_owned(),
                since: None,
                until: None,
                confidence: Confidence::Stale,
            };
            StatusLine::new(Texts(Language::English), &presence).below
        };
        assert_eq!(below("Busy"), "no recent update");
        assert_eq!(below("Review"), "Review · no recent update");
    }

    #[test]
    fn built_in_names_are_in_the_language_of_the_page() {
        let away = line(Language::German, Status::Busy, None, "Do not disturb");
        assert_eq!(
            (&*away.lead, &*away.below),
            ("Beschäftigt", "Bitte nicht stören")
        );
    }
}
