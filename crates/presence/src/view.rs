//! What a viewer may see of a presence (domain section 7): a pure function of the presence and the relationship. Nothing
//! leaves the server that has not passed here.

use std::sync::Arc;

use crate::{
    Activity, AppointmentText, Confidence, Permission, Presence, Reason, Relationship, Status,
    Timestamp,
};

/// A presence as one viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The status.
    pub status: Status,
    /// What the person is doing, where the viewer may see it.
    pub activity: Option<Activity>,
    /// The profile's name, where the viewer may see it.
    pub profile: Option<Arc<str>>,
    /// The text beside the status.
    pub text: Arc<str>,
    /// Since when; never told of somebody who is offline, and not of a status that a hidden activity makes.
    pub since: Option<Timestamp>,
    /// The end of the status, where it is known and the viewer may see it: of the person's choice or of an appointment.
    pub until: Option<Timestamp>,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

impl View {
    /// Offline, and nothing else: of somebody who really is, and of somebody who blocks the viewer.
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

/// The presence for a viewer whom the person lets see so much. The person and an administrator see what
/// [`Relationship::AssistantPlus`] sees.
pub fn view(presence: &Presence, level: Relationship) -> View {
    let presence = visible(presence, level);
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
        .and_then(|appointment| words(appointment, level))
        .filter(|text| !text.is_empty());
    let text = match (activity, appointment, profile) {
        (Some(activity), ..) => activity.label().into(),
        (None, Some(text), _) => text,
        (None, None, Some(profile)) => profile.clone(),
        (None, None, None) => presence.status.words().into(),
    };
    // A hidden activity must not be told by the time either: where it changes the status only the status itself tells,
    // so that a second call after the first is no news.
    let since = if activity.is_some() || presence.activity.is_none() {
        Some(presence.since)
    } else {
        Some(presence.profile_since).filter(|_| presence.status == presence.profile_status)
    };
    // A status that an activity makes ends with that.
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

/// The reasons for a viewer; `reasons` were asked for with the microphone only if the viewer may see it. A reason that
/// the viewer may not see is absent.
pub fn reasons_for(presence: &Presence, reasons: Vec<Reason>, level: Relationship) -> Vec<Reason> {
    let presence = visible(presence, level);
    if is_offline(presence, level) {
        return Vec::new();
    }
    // Who may see only a profile that the person chose must not read the name of a choice that is overruled.
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
                    text: words(appointment, level)?,
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

/// The layer of the presence that the viewer may see.
fn visible(presence: &Presence, level: Relationship) -> &Presence {
    match &presence.without_microphone {
        Some(without) if !level.may(Permission::SeeMicrophone) => without,
        _ => presence,
    }
}

/// Whether the viewer sees nobody there. Who acts for the person must be able to tell a chosen Offline.
fn is_offline(presence: &Presence, level: Relationship) -> bool {
    !level.may(Permission::SeeStatus)
        || (presence.status == Status::Offline && !level.may(Permission::ChangeProfile))
}

/// What an appointment is about, as far as the viewer may read it.
fn words(appointment: &AppointmentText, level: Relationship) -> Option<Arc<str>> {
    if appointment.private && !level.may(Permission::SeePrivateText) {
        return level
            .may(Permission::SeeAppointmentText)
            .then(|| "Private".into());
    }
    level
        .may(Permission::SeeAppointmentText)
        .then(|| appointment.text.clone())
}
