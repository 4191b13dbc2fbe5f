//! A viewer's view of a presence (docs/presence-rules.md, "What a viewer may see"): a pure function of presence
//! and relationship. Every presence, reason and event passes it before leaving the server.

use std::sync::Arc;

use crate::{
    Activity, AppointmentText, Confidence, Permission, Presence, Reason, Relationship, Status,
    Timestamp,
};

/// A presence as one viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Status.
    pub status: Status,
    /// Activity, if the viewer may see it.
    pub activity: Option<Activity>,
    /// Name of the profile, if the viewer may see it.
    pub profile: Option<Arc<str>>,
    /// Text beside the status.
    pub text: Arc<str>,
    /// Start of the status; `None` for Offline, and for a status that follows from a hidden activity.
    pub since: Option<Timestamp>,
    /// End of the status, if it has one and the viewer may see it: the end of the person's choice or of an
    /// appointment.
    pub until: Option<Timestamp>,
    /// Confidence.
    pub confidence: Confidence,
}

impl View {
    /// Offline, without any detail: for a person who is offline, and for a person who blocks the viewer.
    pub fn offline() -> Self {
        Self {
            status: Status::Offline,
            activity: None,
            profile: None,
            text: Status::Offline.words().into(),
            since: None,
            until: None,
            confidence: Confidence::Certain,
        }
    }
}

/// Filters a presence for a viewer with the relationship `level`. The person and administrators see what
/// [`Relationship::AssistantPlus`] sees.
pub fn view(presence: &Presence, level: Relationship) -> View {
    let presence = layer_for(presence, level);
    if is_offline(presence, level) {
        return View::offline();
    }
    let activity = presence
        .activity
        .as_ref()
        .filter(|_| level.may(Permission::SeeActivity));
    let may_see_profile = level.may(Permission::SeeProfile)
        || (presence.chosen && level.may(Permission::SeeChosenProfile));
    let profile = Some(&presence.profile).filter(|_| may_see_profile);
    let appointment = presence
        .appointment
        .as_ref()
        .and_then(|appointment| subject(appointment, level))
        .filter(|text| !text.is_empty());
    let text = match (activity, appointment, profile) {
        (Some(activity), ..) => activity.label().into(),
        (None, Some(text), _) => text,
        (None, None, Some(profile)) => profile.clone(),
        (None, None, None) => presence.status.words().into(),
    };
    // The time must not disclose a hidden activity either. If the activity changes the status, only the status
    // shows it: a second call after the first changes nothing for the viewer.
    let since = if activity.is_some() || presence.activity.is_none() {
        Some(presence.since)
    } else {
        Some(presence.profile_since).filter(|_| presence.status == presence.profile_status)
    };
    // A status that follows from an activity has no known end.
    let until = presence
        .profile_until
        .filter(|_| may_see_profile && presence.status == presence.profile_status);
    View {
        status: presence.status,
        activity: activity.cloned(),
        profile: profile.cloned(),
        text,
        since,
        until,
        confidence: if level.may(Permission::SeeActivity) {
            presence.confidence
        } else {
            Confidence::Certain
        },
    }
}

/// Filters reasons for a viewer: hidden ones are absent. `reasons` must come from [`crate::Engine::explain`] with
/// the microphone only if the viewer may see it.
pub fn reasons_for(presence: &Presence, reasons: Vec<Reason>, level: Relationship) -> Vec<Reason> {
    let presence = layer_for(presence, level);
    if is_offline(presence, level) {
        return Vec::new();
    }
    // A viewer who may see only chosen profiles must not read the name of an overruled choice.
    let may_see = |reason: &Reason| {
        level.may(reason.rule.permission())
            && (presence.chosen
                || !reason.rule.is_own_choice()
                || level.may(Permission::SeeProfile))
    };
    reasons
        .into_iter()
        .filter(may_see)
        .map(|reason| {
            let appointment = reason.appointment.as_ref().and_then(|appointment| {
                Some(AppointmentText {
                    text: subject(appointment, level)?,
                    private: appointment.private,
                })
            });
            let may_see_party = level.may(Permission::SeeOtherParty);
            Reason {
                appointment,
                party: reason.party.clone().filter(|_| may_see_party),
                ..reason
            }
        })
        .collect()
}

/// The presence with or without the program at the microphone, as the viewer may see it.
fn layer_for(presence: &Presence, level: Relationship) -> &Presence {
    match &presence.without_microphone {
        Some(without) if !level.may(Permission::SeeMicrophone) => without,
        _ => presence,
    }
}

/// Whether the viewer sees Offline without details. An assistant must be able to recognise a chosen Offline.
fn is_offline(presence: &Presence, level: Relationship) -> bool {
    !level.may(Permission::SeeStatus)
        || (presence.status == Status::Offline && !level.may(Permission::ChangeProfile))
}

/// Subject of an appointment, as far as the viewer may read it.
fn subject(appointment: &AppointmentText, level: Relationship) -> Option<Arc<str>> {
    if appointment.private && !level.may(Permission::SeePrivateText) {
        return level
            .may(Permission::SeeAppointmentText)
            .then(|| "Private".into());
    }
    level
        .may(Permission::SeeAppointmentText)
        .then(|| appointment.text.clone())
}
