//! The presence of a person: the result of the rules.

use std::sync::Arc;

use crate::{Activity, Confidence, Forwarding, Permission, Relationship, Status, Timestamp};

/// A person's presence for a viewer who may see everything; [`crate::view`] filters it for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Shown status.
    pub status: Status,
    /// Activity, if there is one.
    pub activity: Option<Activity>,
    /// Name of the profile in force.
    pub profile: Arc<str>,
    /// Call forwarding of the profile in force. No viewer sees it, and the history does not keep it.
    pub forwarding: Forwarding,
    /// Whether the profile is the person's own choice.
    pub chosen: bool,
    /// The appointment that put the profile in force, if one did.
    pub appointment: Option<AppointmentText>,
    /// Start of the shown status, activity and profile.
    pub since: Timestamp,
    /// Time since which the profile has been in force.
    pub profile_since: Timestamp,
    /// End of the choice or appointment that put the profile in force; `None`: it has no fixed end.
    pub profile_until: Option<Timestamp>,
    /// Status of the profile alone, without the activity.
    pub profile_status: Status,
    /// Confidence of the presence.
    pub confidence: Confidence,
    /// Presence for viewers who may not see programs at the microphone, if it differs.
    pub without_microphone: Option<Arc<Presence>>,
}

impl Presence {
    /// The presence of a person before the first evaluation: Available without a profile, and stale.
    pub fn initial(now: Timestamp) -> Self {
        Self {
            status: Status::Available,
            activity: None,
            profile: "".into(),
            forwarding: Forwarding::Off,
            chosen: false,
            appointment: None,
            since: now,
            profile_since: now,
            profile_until: None,
            profile_status: Status::Available,
            confidence: Confidence::Stale,
            without_microphone: None,
        }
    }
}

/// Whether programs at the microphone count in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicrophoneLayer {
    /// They count, for viewers who may see them.
    Included,
    /// They do not count, for all other viewers.
    Hidden,
}

impl MicrophoneLayer {
    /// The layer for a viewer with the relationship `level`.
    pub fn for_viewer(level: Relationship) -> Self {
        if level.may(Permission::SeeMicrophone) {
            Self::Included
        } else {
            Self::Hidden
        }
    }
}

/// Subject of an appointment, and who may read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppointmentText {
    /// The subject.
    pub text: Arc<str>,
    /// Only the person and assistants may read it.
    pub private: bool,
}

impl Presence {
    /// The text beside the status: the activity's label, else the appointment's text, else the profile's
    /// name.
    pub fn text(&self) -> &str {
        match (&self.activity, &self.appointment) {
            (Some(activity), _) => activity.label(),
            (None, Some(appointment)) if !appointment.text.is_empty() => &appointment.text,
            _ => &self.profile,
        }
    }
}
