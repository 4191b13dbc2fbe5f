//! The table of domain section 7, written down a second time: what each relationship may learn. The core's own table of
//! permissions is not asked.

use presence::{Confidence, Presence, Reason, Relationship, Rule, Status, View, reasons_for, view};

use super::must;
use crate::someone::{ALIASES, PRIVATE};

const OWN_CHOICE: [Rule; 3] = [
    Rule::ManualDoNotDisturb,
    Rule::ManualChoice,
    Rule::ManualAvailable,
];

/// Nobody learns more than the table gives, and those who may see something do see it. `without` is the presence with
/// its reasons as if no program used the microphone.
pub fn visible(
    presence: &Presence,
    reasons: &[Reason],
    without: &Presence,
    quiet_reasons: &[Reason],
) -> Result<(), String> {
    for level in Relationship::ALL {
        let microphone = level >= Relationship::TeamColleague;
        let reasons = if microphone { reasons } else { quiet_reasons };
        let seen = view(presence, level);
        let told = reasons_for(presence, reasons.to_vec(), level);
        let base = if microphone { presence } else { without };
        one_level(base, &seen, &told, level).map_err(|what| format!("{level} sees {what}"))?;
        if !microphone {
            must!(
                seen == view(without, level),
                "{level} sees the microphone in {seen:?}"
            );
        }
    }
    Ok(())
}

fn one_level(
    base: &Presence,
    seen: &View,
    told: &[Reason],
    level: Relationship,
) -> Result<(), String> {
    let nobody = level <= Relationship::Unknown
        || (base.status == Status::Offline && level < Relationship::Assistant);
    if nobody {
        must!(*seen == View::offline(), "more than Offline: {seen:?}");
        must!(told.is_empty(), "reasons of nobody: {told:?}");
        return Ok(());
    }
    must!(
        seen.status == base.status,
        "{} instead of {}",
        seen.status,
        base.status
    );
    let insider = level >= Relationship::Employee;
    let activity = base.activity.as_ref().filter(|_| insider);
    must!(
        seen.activity.as_ref() == activity,
        "the activity {:?} instead of {activity:?}",
        seen.activity
    );
    let profile = Some(&base.profile).filter(|_| insider || base.chosen);
    must!(
        seen.profile.as_ref() == profile,
        "the profile {:?} instead of {profile:?}",
        seen.profile
    );
    must!(
        insider || seen.confidence == Confidence::Certain,
        "how sure others are: {:?}",
        seen.confidence
    );
    text(base, seen, level)?;
    for reason in told {
        must!(
            insider || base.chosen,
            "a choice that is overruled: {reason:?}"
        );
        one_reason(reason, level).map_err(|what| format!("{what}: {reason:?}"))?;
    }
    // The outer world must not learn from the time of an activity that it does not see.
    let since = match (&base.activity, insider) {
        (None, _) | (_, true) => Some(base.since),
        (Some(_), false) if base.status == base.profile_status => Some(base.profile_since),
        (Some(_), false) => None,
    };
    must!(
        seen.since == since,
        "the time {:?} instead of {since:?}",
        seen.since
    );
    let own = level >= Relationship::External && base.chosen;
    let until = base
        .profile_until
        .filter(|_| (insider || own) && base.status == base.profile_status);
    must!(
        seen.until == until,
        "until {:?} instead of {until:?}",
        seen.until
    );
    if insider {
        let counted = |reason: &&Reason| reason.counted && !is_appointment(reason.rule);
        must!(
            base.activity.is_none() || told.iter().any(|reason| counted(&reason)),
            "an activity without its reason"
        );
    }
    Ok(())
}

const fn is_appointment(rule: Rule) -> bool {
    matches!(rule, Rule::AppointmentDoNotDisturb | Rule::Appointment)
}

/// The text beside the status.
fn text(base: &Presence, seen: &View, level: Relationship) -> Result<(), String> {
    let insider = level >= Relationship::Employee;
    let appointment = base.appointment.as_ref().and_then(|appointment| {
        match (appointment.private, level >= Relationship::Assistant) {
            _ if level < Relationship::TeamColleague => None,
            (true, false) => Some("Private"),
            _ => Some(&*appointment.text).filter(|text| !text.is_empty()),
        }
    });
    let expected = match &base.activity {
        Some(activity) if insider => activity.label(),
        _ => match appointment {
            Some(text) => text,
            None if insider || base.chosen => &base.profile,
            None => base.status.words(),
        },
    };
    must!(
        *seen.text == *expected,
        "the text {:?} instead of {expected:?}",
        seen.text
    );
    discreet(&seen.text, level)
}

fn one_reason(reason: &Reason, level: Relationship) -> Result<(), String> {
    match reason.rule {
        rule if OWN_CHOICE.contains(&rule) => {}
        Rule::Microphone => must!(level >= Relationship::TeamColleague, "a program"),
        _ => must!(level >= Relationship::Employee, "what others decided"),
    }
    discreet(&reason.kind.to_string(), level)?;
    must!(
        level >= Relationship::Assistant || reason.party.is_none(),
        "the other party"
    );
    if let Some(note) = reason.detail.as_ref().map(ToString::to_string) {
        discreet(&note, level)?;
        must!(
            level >= Relationship::Employee || !note.contains("Teams"),
            "a note about Teams"
        );
    }
    if let Some(about) = &reason.appointment {
        must!(
            level >= Relationship::TeamColleague,
            "an appointment's text"
        );
        discreet(&about.text, level)?;
        must!(
            !about.private || level >= Relationship::Assistant || &*about.text == "Private",
            "a private text"
        );
    }
    Ok(())
}

/// No word that the level may not read, wherever it stands.
fn discreet(text: &str, level: Relationship) -> Result<(), String> {
    must!(
        level >= Relationship::Assistant || !text.contains(PRIVATE),
        "the private words {text:?}"
    );
    must!(
        level >= Relationship::TeamColleague
            || !(text.contains("text-") || ALIASES.iter().any(|alias| text.contains(alias))),
        "the words {text:?}"
    );
    Ok(())
}

/// Whoever may not see microphones sees what would be seen in a world without them.
pub(super) fn deaf(
    presence: &Presence,
    reasons: &[Reason],
    deaf: &Presence,
    deaf_reasons: &[Reason],
) -> Result<(), String> {
    for level in [Relationship::External, Relationship::Employee] {
        let (seen, without) = (view(presence, level), view(deaf, level));
        must!(
            seen == without,
            "{level} notices a microphone: {seen:?} instead of {without:?}"
        );
        let seen = reasons_for(presence, reasons.to_vec(), level);
        let without = reasons_for(deaf, deaf_reasons.to_vec(), level);
        must!(
            seen == without,
            "{level} notices a microphone in the reasons: {seen:?} instead of {without:?}"
        );
    }
    Ok(())
}
