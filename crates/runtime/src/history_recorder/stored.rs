//! The stored form of a presence: complete, because visibility is decided when it is read.

use std::sync::Arc;

use presence::{Activity, AppointmentText, Confidence, Forwarding, Presence, Status, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Stored {
    status: String,
    activity: Option<StoredActivity>,
    profile: String,
    chosen: bool,
    appointment: Option<StoredAppointment>,
    since: i64,
    profile_since: i64,
    /// Absent in rows of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile_until: Option<i64>,
    profile_status: String,
    confidence: String,
    without_microphone: Option<Box<Stored>>,
}

#[derive(Deserialize, Serialize)]
struct StoredActivity {
    kind: String,
    via: String,
    label: String,
}

#[derive(Deserialize, Serialize)]
struct StoredAppointment {
    text: String,
    private: bool,
}

impl From<&Presence> for Stored {
    fn from(presence: &Presence) -> Self {
        let activity = |activity: &Activity| StoredActivity {
            kind: activity.kind().into(),
            via: activity.via().into(),
            label: activity.label().into(),
        };
        let appointment = |appointment: &AppointmentText| StoredAppointment {
            text: appointment.text.to_string(),
            private: appointment.private,
        };
        let without = presence.without_microphone.as_deref();
        Self {
            status: presence.status.name().into(),
            activity: presence.activity.as_ref().map(activity),
            profile: presence.profile.to_string(),
            chosen: presence.chosen,
            appointment: presence.appointment.as_ref().map(appointment),
            since: presence.since.milliseconds(),
            profile_since: presence.profile_since.milliseconds(),
            profile_until: presence.profile_until.map(Timestamp::milliseconds),
            profile_status: presence.profile_status.name().into(),
            confidence: presence.confidence.name().into(),
            without_microphone: without.map(|without| Box::new(Self::from(without))),
        }
    }
}

impl Stored {
    /// The presence; `None` if a newer version wrote words that this one does not know.
    fn presence(self) -> Option<Presence> {
        let appointment = self.appointment.map(|stored| AppointmentText {
            text: stored.text.into(),
            private: stored.private,
        });
        Some(Presence {
            status: Status::from_name(&self.status)?,
            activity: match self.activity {
                Some(stored) => Some(stored.activity()?),
                None => None,
            },
            profile: self.profile.into(),
            forwarding: Forwarding::Off,
            chosen: self.chosen,
            appointment,
            since: Timestamp::from_milliseconds(self.since),
            profile_since: Timestamp::from_milliseconds(self.profile_since),
            profile_until: self.profile_until.map(Timestamp::from_milliseconds),
            profile_status: Status::from_name(&self.profile_status)?,
            confidence: confidence(&self.confidence)?,
            without_microphone: match self.without_microphone {
                Some(without) => Some(Arc::new(without.presence()?)),
                None => None,
            },
        })
    }
}

impl StoredActivity {
    fn activity(self) -> Option<Activity> {
        let known = [
            Activity::Ringing,
            Activity::OnThePhone,
            Activity::OnThePhoneTeams,
            Activity::InMeeting,
            Activity::Presenting,
            Activity::UsingApp(self.label.into()),
        ];
        let mut known = known.into_iter();
        known.find(|known| known.kind() == self.kind && known.via() == self.via)
    }
}

fn confidence(name: &str) -> Option<Confidence> {
    let all = [
        Confidence::Certain,
        Confidence::Likely,
        Confidence::Masked,
        Confidence::Stale,
    ];
    all.into_iter().find(|known| known.name() == name)
}

/// The presence in JSON.
pub(super) fn to_json(presence: &Presence) -> String {
    // A structure of strings and numbers always serialises.
    serde_json::to_string(&Stored::from(presence)).unwrap_or_default()
}

/// The presence of a JSON text; `None` if this version cannot read it.
pub(super) fn from_json(text: &str) -> Option<Presence> {
    serde_json::from_str::<Stored>(text).ok()?.presence()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use presence::{
        Activity, AppointmentText, Confidence, Forwarding, Presence, Status, Timestamp,
    };

    use super::{from_json, to_json};

    #[test]
    fn whatever_is_shown_comes_back_as_it_was() {
        let activities = [
            Activity::Ringing,
            Activity::OnThePhone,
            Activity::OnThePhoneTeams,
            Activity::InMeeting,
            Activity::Presenting,
            Activity::UsingApp("Zoom".into()),
        ];
        let activities = activities.into_iter().map(Some).chain([None]);
        for (activity, status) in activities.zip(Status::ALL.into_iter().cycle()) {
            let presence = Presence {
                status,
                activity,
                profile: "Focus \"deep\"".into(),
                forwarding: Forwarding::Off,
                chosen: true,
                appointment: Some(AppointmentText {
                    text: "Review".into(),
                    private: true,
                }),
                since: Timestamp::from_milliseconds(1_800_000_000_123),
                profile_since: Timestamp::from_milliseconds(1_700_000_000_000),
                profile_until: Some(Timestamp::from_milliseconds(1_700_000_600_000)),
                profile_status: Status::Busy,
                confidence: Confidence::Masked,
                without_microphone: None,
            };
            let whole = Presence {
                without_microphone: Some(Arc::new(presence.clone())),
                ..presence
            };
            assert_eq!(from_json(&to_json(&whole)), Some(whole));
        }
    }

    #[test]
    fn what_another_version_wrote_is_left_out() {
        for text in ["", "{}", "null", "{\"status\":\"Asleep\"}"] {
            assert_eq!(from_json(text), None);
        }
    }
}
