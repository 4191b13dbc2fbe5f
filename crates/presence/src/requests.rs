//! The person's own requests: the choice and the appointments that hold at a time, their profiles, and the one
//! that requests Do not disturb.

use crate::{
    APPOINTMENT_PROFILE, Appointment, Choice, PersonPolicy, Profile, Signals, Status, Timestamp,
};

/// The person's choice at `now`, with its profile; `None` if the profile was deleted or is inactive.
pub(crate) fn choice<'a>(
    signals: &'a Signals,
    policy: &'a PersonPolicy,
    now: Timestamp,
) -> Option<(&'a Choice, &'a Profile)> {
    let choice = signals.choice_at(now)?;
    Some((choice, policy.profiles.named(&choice.profile)?))
}

/// Whether the choice at `now` suspends an appointment or Teams call that began at `start`: it was current when
/// the person chose. This holds even if the chosen profile was deleted since.
pub(crate) fn is_suspended(signals: &Signals, start: Timestamp, now: Timestamp) -> bool {
    signals
        .choice_at(now)
        .is_some_and(|choice| start <= choice.since)
}

/// Profile that an appointment puts in force: its own, or `Appointment` for busy time.
pub(crate) fn profile_of<'a>(
    appointment: &Appointment,
    policy: &'a PersonPolicy,
) -> Option<&'a Profile> {
    let named = policy.profiles.named(&appointment.profile);
    // Time out of office or tentative time has its own meaning: the profile `Appointment` would change it.
    match appointment.fallback {
        Status::Busy => named.or_else(|| policy.profiles.named(APPOINTMENT_PROFILE)),
        Status::Available
        | Status::BeRightBack
        | Status::DoNotDisturb
        | Status::Absent
        | Status::Offline => named,
    }
}

pub(crate) fn status_of(appointment: &Appointment, policy: &PersonPolicy) -> Status {
    profile_of(appointment, policy).map_or(appointment.fallback, |profile| profile.status)
}

/// A choice or an appointment that requests Do not disturb.
pub(crate) enum DoNotDisturbRequest<'a> {
    Choice(&'a Choice),
    Appointment(&'a Appointment),
}

impl DoNotDisturbRequest<'_> {
    pub(crate) fn since(&self) -> Timestamp {
        match self {
            Self::Choice(choice) => choice.since,
            Self::Appointment(appointment) => appointment.start,
        }
    }
}

/// The choice or appointment that requests Do not disturb by profile rule 1 or 2: only these are written to Teams
/// (docs/presence-rules.md, "What Offhook writes to Teams").
pub(crate) fn do_not_disturb<'a>(
    signals: &'a Signals,
    policy: &'a PersonPolicy,
    now: Timestamp,
) -> Option<DoNotDisturbRequest<'a>> {
    let chosen = choice(signals, policy, now)
        .filter(|(_, profile)| profile.status == Status::DoNotDisturb)
        .map(|(choice, _)| DoNotDisturbRequest::Choice(choice));
    let appointment = || {
        let asks = |appointment: &&Appointment| {
            appointment.is_current(now)
                && !is_suspended(signals, appointment.start, now)
                && status_of(appointment, policy) == Status::DoNotDisturb
        };
        let mut appointments = signals.appointments.iter();
        appointments
            .find(asks)
            .map(DoNotDisturbRequest::Appointment)
    };
    chosen.or_else(appointment)
}
