//! A second, independent copy of the table in docs/presence-rules.md, "What a viewer may see". The core's own
//! table of permissions is not used.

use presence::{Confidence, Presence, Reason, Relationship, Rule, Status, View, reasons_for, view};

use super::ensure;
use crate::person::{ALIASES, PRIVATE};

const OWN_CHOICE: [Rule; 3] = [
    Rule::ManualDoNotDisturb,
    Rule::ManualChoice,
    Rule::ManualAvailable,
];

/// No viewer learns more than the table gives, and every viewer sees all that the table gives. `without` is the
/// presence, with its reasons, as if no program used the microphone.
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
        let shown_reasons = reasons_for(presence, reasons.to_vec(), level);
        let base = if microphone { presence } else { without };
        one_level(base, &seen, &shown_reasons, level)
            .map_err(|what| format!("{level} sees {what}"))?;
        if !microphone {
            ensure!(
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
    shown_reasons: &[Reason],
    level: Relationship,
) -> Result<(), String> {
    let nobody = level <= Relationship::Unknown
        || (base.status == Status::Offline && level < Relationship::Assistant);
    if nobody {
        ensure!(*seen == View::offline(), "more than Offline: {seen:?}");
        ensure!(
            shown_reasons.is_empty(),
            "reasons for Offline: {shown_reasons:?}"
        );
        return Ok(());
    }
    ensure!(
        seen.status == base.status,
        "{} instead of {}",
        seen.status,
        base.status
    );
    let insider = level >= Relationship::Employee;
    let activity = base.activity.as_ref().filter(|_| insider);
    ensure!(
        seen.activity.as_ref() == activity,
        "the activity {:?} instead of {activity:?}",
        seen.activity
    );
    let profile = Some(&base.profile).filter(|_| insider || base.chosen);
    ensure!(
        seen.profile.as_ref() == profile,
        "the profile {:?} instead of {profile:?}",
        seen.profile
    );
    ensure!(
        insider || seen.confidence == Confidence::Certain,
        "how sure others are: {:?}",
        seen.confidence
    );
    text(base, seen, level)?;
    for reason in shown_reasons {
        ensure!(
            insider || base.chosen,
            "a choice that is overruled: {reason:?}"
        );
        one_reason(reason, level).map_err(|what| format!("{what}: {reason:?}"))?;
    }
    // An external viewer must not learn of a hidden activity from the time.
    let since = match (&base.activity, insider) {
        (None, _) | (_, true) => Some(base.since),
        (Some(_), false) if base.status == base.profile_status => Some(base.profile_since),
        (Some(_), false) => None,
    };
    ensure!(
        seen.since == since,
        "the time {:?} instead of {since:?}",
        seen.since
    );
    let own = level >= Relationship::External && base.chosen;
    let until = base
        .profile_until
        .filter(|_| (insider || own) && base.status == base.profile_status);
    ensure!(
        seen.until == until,
        "until {:?} instead of {until:?}",
        seen.until
    );
    if insider {
        let counted = |reason: &&Reason| reason.counted && !is_appointment(reason.rule);
        ensure!(
            base.activity.is_none() || shown_reasons.iter().any(|reason| counted(&reason)),
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
    ensure!(
        *seen.text == *expected,
        "the text {:?} instead of {expected:?}",
        seen.text
    );
    check_words(&seen.text, level)
}

fn one_reason(reason: &Reason, level: Relationship) -> Result<(), String> {
    match reason.rule {
        rule if OWN_CHOICE.contains(&rule) => {}
        Rule::Microphone => ensure!(level >= Relationship::TeamColleague, "a program"),
        _ => ensure!(level >= Relationship::Employee, "a rule of another source"),
    }
    check_words(&reason.kind.to_string(), level)?;
    ensure!(
        level >= Relationship::Assistant || reason.party.is_none(),
        "the other party"
    );
    if let Some(note) = reason.detail.as_ref().map(ToString::to_string) {
        check_words(&note, level)?;
        ensure!(
            level >= Relationship::Employee || !note.contains("Teams"),
            "a note about Teams"
        );
    }
    if let Some(about) = &reason.appointment {
        ensure!(
            level >= Relationship::TeamColleague,
            "an appointment's text"
        );
        check_words(&about.text, level)?;
        ensure!(
            !about.private || level >= Relationship::Assistant || &*about.text == "Private",
            "a private text"
        );
    }
    Ok(())
}

/// The text has no word that the level may not read.
fn check_words(text: &str, level: Relationship) -> Result<(), String> {
    ensure!(
        level >= Relationship::Assistant || !text.contains(PRIVATE),
        "the private words {text:?}"
    );
    ensure!(
        level >= Relationship::TeamColleague
            || !(text.contains("text-") || ALIASES.iter().any(|alias| text.contains(alias))),
        "the words {text:?}"
    );
    Ok(())
}

/// Viewers who may not see microphones see the same as in a world without them.
pub(super) fn without_microphones(
    presence: &Presence,
    reasons: &[Reason],
    without_microphones: &Presence,
    reasons_without: &[Reason],
) -> Result<(), String> {
    for level in [Relationship::External, Relationship::Employee] {
        let (seen, without) = (view(presence, level), view(without_microphones, level));
        ensure!(
            seen == without,
            "{level} notices a microphone: {seen:?} instead of {without:?}"
        );
        let seen = reasons_for(presence, reasons.to_vec(), level);
        let without = reasons_for(without_microphones, reasons_without.to_vec(), level);
        ensure!(
            seen == without,
            "{level} notices a microphone in the reasons: {seen:?} instead of {without:?}"
        );
    }
    Ok(())
}
