//! Spelling of presence values, by the knobs.

use std::borrow::Cow;

use crate::{
    knobs::{Focusing, Knobs, ValueList},
    value::{Activity, Availability, Shown},
};

/// The availability in answers and notifications.
pub(crate) fn spell_availability(shown: Shown, knobs: &Knobs) -> Cow<'static, str> {
    match (knobs.value_list, shown.availability, shown.activity) {
        (ValueList::Pascal, availability, _) => Cow::Borrowed(availability.as_str()),
        // The list of December 2025 has these under availability.
        (_, Availability::Busy | Availability::DoNotDisturb, activity)
            if matches!(
                activity,
                Activity::InACall
                    | Activity::InAMeeting
                    | Activity::Presenting
                    | Activity::Focusing
            ) =>
        {
            lower(activity.as_str())
        }
        (_, availability, _) => lower(availability.as_str()),
    }
}

/// The activity in answers and notifications.
pub(crate) fn spell_activity(shown: Shown, knobs: &Knobs) -> Cow<'static, str> {
    let activity = match (shown.activity, knobs.focusing) {
        (Activity::Focusing, Focusing::DoNotDisturb) => Activity::DoNotDisturb,
        (activity, _) => activity,
    };
    match knobs.value_list {
        ValueList::Pascal => Cow::Borrowed(activity.as_str()),
        _ => lower(activity.as_str()),
    }
}

fn lower(word: &str) -> Cow<'static, str> {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    Cow::Owned(first.into_iter().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_14_the_later_list_is_spelled_differently() {
        let mut knobs = Knobs::default();
        let spelled = |shown, knobs: &Knobs| {
            format!(
                "{}/{}",
                spell_availability(shown, knobs),
                spell_activity(shown, knobs)
            )
        };
        assert_eq!(spelled(Shown::IN_A_CALL, &knobs), "Busy/InACall");
        knobs.value_list = ValueList::List2025;
        assert_eq!(spelled(Shown::IN_A_CALL, &knobs), "inACall/inACall");
        assert_eq!(spelled(Shown::AVAILABLE, &knobs), "available/available");
        let focusing = Shown::new(Availability::DoNotDisturb, Activity::Focusing);
        assert_eq!(spelled(focusing, &knobs), "focusing/focusing");
    }
}
