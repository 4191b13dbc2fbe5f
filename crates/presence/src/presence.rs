//! The presence of a person: the result of the rules.

use std::sync::Arc;

use crate::{Activity, Confidence, Forwarding, Status, Timestamp};

/// What is shown of a person to whoever may see all of it; [`crate::view`] takes away what others may not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The shown status.
    pub status: Status,
    /// What the person is doing, if anything.
    pub activity: Option<Activity>,
    /// The name of the profile in force.
    pub profile: Arc<str>,
    /// What the profile in force does with calls. Nobody is told; not kept in the history.
    pub forwarding: Forwarding,
    /// The profile is the person's own choice.
    pub chosen: bool,
    /// The appointment that put the profile in force, if one did.
    pub appointment: Option<AppointmentText>,
    /// Since when this is so.
    pub since: Timestamp,
    /// Since when the profile is in force.
    pub profile_since: Timestamp,
    /// When the profile ends by itself: the end of the choice or of the appointment that put it in force.
    pub profile_until: Option<Timestamp>,
    /// The status of the profile alone, without what an activity makes of it.
    pub profile_status: Status,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// What is shown to those who may not see what uses the microphone, if that differs.
    pub without_microphone: Option<Arc<Presence>>,
}

/// What an appointment is about, and who may read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppointmentText {
    /// The words.
    pub text: Arc<str>,
    /// Only assistants and the person may read them.
    pub private: bool,
}

impl Presence {
    /// The text beside the status: the activity's label, else the appointment's text, else the profile's name.
    pub fn text(&self) -> &str {
        match (&self.activity, &self.appointment) {
            (Some(activity), _) => activity.label(),
            (None, Some(appointment)) if !appointment.text.is_empty() => &appointment.text,
            _ => &self.profile,
        }
    }
}
