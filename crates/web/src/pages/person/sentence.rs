//! The sentence about a person's presence: the activity now, its start, and the appointment that follows.

use api_types::{
    appointments::AppointmentBody,
    presence::{ActivityBody, ActivityKind, ActivitySystem, PresenceBody},
};
use jiff::{Timestamp, Zoned};
use presence::Status;

use crate::texts::Texts;

/// Longest time in minutes that is told as a duration: twelve hours.
const DURATION_MAX: i64 = 12 * 60;

/// What a person does, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sentence {
    /// What the person does, and for how long or until when.
    pub lead: String,
    /// What comes next; may be empty.
    pub rest: String,
}

/// The sentence of a presence as the viewer sees it. `next`: the next appointment that the viewer may see. `is_chosen`:
/// whether the person chose the status. `now` is in the viewer's time zone.
pub(super) fn sentence(
    words: Texts,
    presence: &PresenceBody,
    next: Option<&AppointmentBody>,
    is_chosen: bool,
    now: &Zoned,
) -> Sentence {
    let what = what(words, presence);
    if presence.status == Status::Offline {
        return Sentence {
            lead: what,
            rest: String::new(),
        };
    }
    let until = presence
        .until
        .as_deref()
        .and_then(|until| clock(until, now));
    let follows = follows(words, next, now);
    let lead = match (&until, is_chosen && presence.activity.is_none()) {
        (Some(until), true) => {
            words.of_two("sentence-chosen-until", ("status", &what), ("time", until))
        }
        _ => lasting(words, &what, presence.since.as_deref(), now),
    };
    let end = match (presence.status, &presence.activity, until) {
        (_, None, Some(_)) if is_chosen => String::new(),
        (Status::Available, _, Some(time)) => words.with("sentence-free-until", "time", time),
        (Status::BeRightBack | Status::Absent, _, Some(time)) => {
            words.with("sentence-back-at", "time", time)
        }
        (Status::Busy | Status::DoNotDisturb, _, Some(time)) => {
            words.with("sentence-free-at", "time", time)
        }
        (_, Some(activity), None) => words.text(end_of(activity.kind)),
        (_, _, _) => String::new(),
    };
    let parts: Vec<String> = [end, follows]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    Sentence {
        lead,
        rest: begun(&parts.join("; ")),
    }
}

/// A text with a capital letter at its beginning.
fn begun(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.as_str().chars()).collect()
}

fn what(words: Texts, presence: &PresenceBody) -> String {
    let status = words.text(&format!("status-{}", presence.status.name()));
    let told = match &presence.activity {
        Some(activity) => doing(words, activity),
        None if is_own_text(presence) => {
            return words.of_two(
                "sentence-text",
                ("status", &status),
                ("value", &presence.text),
            );
        }
        None => return status,
    };
    match presence.status {
        Status::Busy => told,
        Status::Available
        | Status::BeRightBack
        | Status::DoNotDisturb
        | Status::Absent
        | Status::Offline => format!("{status} – {told}"),
    }
}

/// Whether the text says more than the status: the built-in profiles have the English words of the statuses as names.
fn is_own_text(presence: &PresenceBody) -> bool {
    let text = &presence.text;
    !text.is_empty() && Status::from_words(text).is_none()
}

fn doing(words: Texts, activity: &ActivityBody) -> String {
    match (activity.kind, activity.via) {
        (ActivityKind::OnThePhone, ActivitySystem::Teams) => words.text("sentence-teams-call"),
        (ActivityKind::UsingApp, _) => words.with("sentence-app", "app", &*activity.label),
        (
            kind @ (ActivityKind::OnThePhone
            | ActivityKind::Ringing
            | ActivityKind::InMeeting
            | ActivityKind::Presenting),
            _,
        ) => words.text(&format!("sentence-{}", kind.name())),
    }
}

/// Key of what is said of the end of an activity.
const fn end_of(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::OnThePhone => "sentence-until-call-ends",
        ActivityKind::InMeeting => "sentence-until-meeting-ends",
        ActivityKind::UsingApp | ActivityKind::Presenting => "sentence-until-it-ends",
        ActivityKind::Ringing => "sentence-nothing",
    }
}

/// "… for 4 minutes".
fn lasting(words: Texts, what: &str, since: Option<&str>, now: &Zoned) -> String {
    let since = since.and_then(|since| since.parse::<Timestamp>().ok());
    let minutes = since.map(|since| now.timestamp().duration_since(since).as_mins());
    let (key, count) = match minutes {
        Some(minutes @ 1..60) => ("sentence-minutes", minutes),
        Some(minutes @ 60..=DURATION_MAX) => ("sentence-hours", minutes / 60),
        Some(_) | None => return what.to_owned(),
    };
    let duration = words.with(key, "count", count);
    words.of_two("sentence-lasting", ("status", what), ("value", &duration))
}

/// "“Quarterly review” follows at 10:00", if it begins today.
fn follows(words: Texts, next: Option<&AppointmentBody>, now: &Zoned) -> String {
    let Some(next) = next else {
        return String::new();
    };
    let start = next.start.parse::<Timestamp>();
    let start = start.map(|start| start.to_zoned(now.time_zone().clone()));
    if !start.is_ok_and(|start| start.date() == now.date()) {
        return String::new();
    }
    let time = clock(&next.start, now).unwrap_or_default();
    match next.text.as_deref().filter(|text| !text.is_empty()) {
        Some(_) if next.private == Some(true) => words.with("sentence-private", "time", time),
        Some(text) => words.of_two("sentence-follows", ("value", text), ("time", &time)),
        None => words.with("sentence-appointment", "time", time),
    }
}

/// The time of day in the zone of `now`, with the date on another day.
pub(super) fn clock(at: &str, now: &Zoned) -> Option<String> {
    let at = at.parse::<Timestamp>().ok()?;
    let at = at.to_zoned(now.time_zone().clone());
    let format = match at.date() == now.date() {
        true => "%H:%M",
        false => "%Y-%m-%d %H:%M",
    };
    Some(at.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use i18n::Language;
    use presence::Confidence;

    use super::*;

    fn now() -> Zoned {
        "2026-12-01T09:45[Europe/Berlin]".parse().unwrap()
    }

    fn presence(status: Status, text: &str) -> PresenceBody {
        PresenceBody {
            status,
            activity: None,
            profile: None,
            text: text.to_owned(),
            since: Some("2026-12-01T08:41:00Z".into()),
            until: None,
            confidence: Confidence::Certain,
        }
    }

    fn call() -> PresenceBody {
        PresenceBody {
            activity: Some(ActivityBody {
                kind: ActivityKind::OnThePhone,
                label: "On the phone (MS Teams)".into(),
                via: ActivitySystem::Teams,
            }),
            ..presence(Status::Busy, "On the phone (MS Teams)")
        }
    }

    fn review(text: Option<&str>) -> AppointmentBody {
        AppointmentBody {
            id: "1".into(),
            start: "2026-12-01T09:00:00Z".into(),
            end: Some("2026-12-01T10:00:00Z".into()),
            text: text.map(str::to_owned),
            colour: None,
            profile: None,
            private: text.map(|_| false),
            origin: None,
        }
    }

    fn both(
        presence: &PresenceBody,
        next: Option<&AppointmentBody>,
        is_chosen: bool,
    ) -> [[String; 2]; 2] {
        [Language::English, Language::German].map(|language| {
            let told = sentence(Texts(language), presence, next, is_chosen, &now());
            [told.lead, told.rest]
        })
    }

    #[test]
    fn a_call_tells_how_long_it_lasts_and_what_follows() {
        assert_eq!(
            both(&call(), Some(&review(Some("Quarterly review"))), false),
            [
                [
                    "In a Teams call for 4 minutes",
                    "Busy until the call ends; “Quarterly review” follows at 10:00"
                ],
                [
                    "Im Teams-Gespräch seit 4 Minuten",
                    "Beschäftigt bis zum Ende des Gesprächs; „Quarterly review“ folgt um 10:00"
                ],
            ]
        );
        let until = PresenceBody {
            until: Some("2026-12-01T09:00:00Z".into()),
            ..call()
        };
        assert_eq!(
            both(&until, None, true),
            [
                ["In a Teams call for 4 minutes", "Free at about 10:00"],
                [
                    "Im Teams-Gespräch seit 4 Minuten",
                    "Voraussichtlich frei um 10:00"
                ],
            ]
        );
    }

    #[test]
    fn a_choice_tells_its_end() {
        let chosen = PresenceBody {
            until: Some("2026-12-01T14:00:00Z".into()),
            ..presence(Status::DoNotDisturb, "Do not disturb")
        };
        assert_eq!(
            both(&chosen, None, true),
            [
                ["Do not disturb until 15:00 (own choice)", ""],
                ["Bitte nicht stören bis 15:00 (selbst gewählt)", ""],
            ]
        );
    }

    #[test]
    fn who_may_not_read_a_subject_reads_that_an_appointment_follows() {
        let [[_, english], [_, german]] = both(&call(), Some(&review(None)), false);
        assert!(
            english.ends_with("an appointment follows at 10:00"),
            "{english}"
        );
        assert!(german.ends_with("ein Termin folgt um 10:00"), "{german}");
        let free = presence(Status::Available, "Available");
        let [[_, english], _] = both(&free, Some(&review(None)), false);
        assert_eq!(english, "An appointment follows at 10:00");
    }

    #[test]
    fn offline_has_no_times_and_tomorrow_is_not_told() {
        let mut next = review(Some("Quarterly review"));
        assert_eq!(
            both(&presence(Status::Offline, "Offline"), Some(&next), false),
            [["Offline", ""], ["Offline", ""]]
        );
        next.start = "2026-12-02T09:00:00Z".into();
        let [[lead, rest], _] = both(&presence(Status::Available, ""), Some(&next), false);
        assert_eq!((&*lead, &*rest), ("Available for 4 minutes", ""));
    }

    #[test]
    fn durations_are_told_up_to_twelve_hours() {
        for (since, told) in [
            ("2026-12-01T08:44:40Z", "Available"),
            ("2026-12-01T08:44:00Z", "Available for 1 minute"),
            ("2026-12-01T06:40:00Z", "Available for 2 hours"),
            ("2026-11-30T08:45:00Z", "Available"),
        ] {
            let body = PresenceBody {
                since: Some(since.into()),
                ..presence(Status::Available, "Available")
            };
            let [[lead, _], _] = both(&body, None, false);
            assert_eq!(lead, told);
        }
    }
}
