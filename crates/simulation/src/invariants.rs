//! Invariants of every history, at every time. Written from docs/presence-rules.md, and checked against the
//! records of the simulation, not against the core's code.

mod teams;
mod visibility;

use presence::{
    Activity, Engine, MicrophoneLayer, Presence, Reason, Rule, Signals, Status, Timestamp,
};
pub(crate) use teams::{belief, ended, false_beliefs, false_calls, pause, rest, settled, write};
pub use visibility::visible;

use crate::{person::SimulatedPerson, world::World};

/// Returns an error with the message if the condition is false.
macro_rules! ensure {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err(format!($($what)+));
        }
    };
}
pub(crate) use ensure;

/// No deadline is in the past.
pub fn deadline(engine: &Engine, now: Timestamp) -> Result<(), String> {
    let deadline = engine.next_deadline();
    ensure!(
        deadline.is_none_or(|at| at > now),
        "the deadline {deadline:?} is not after {now}"
    );
    Ok(())
}

/// Everything that holds for one person at any time.
pub(crate) fn person(world: &World<'_>, person: &SimulatedPerson) -> Result<(), String> {
    let (id, now) = (person.id, world.now);
    let found = (
        world.engine.explain(id, MicrophoneLayer::Included, now),
        world.engine.presence(id),
        world.engine.signals(id),
    );
    let (Some((presence, reasons)), Some(published), Some(signals)) = found else {
        return Err(format!("{id} is not known"));
    };
    ensure!(
        &presence == published,
        "{id} was published as {published:?} but is {presence:?}"
    );
    ensure!(
        person.last_presence.as_ref() == Some(published),
        "{id}: the last effect has {:?}, the engine has {published:?}",
        person.last_presence
    );
    let computed = world.engine.compute(id, now);
    ensure!(
        computed.as_ref() == Some(published),
        "{id} was published as {published:?} but computes to {computed:?}"
    );
    counted(&presence, &reasons, now)?;
    leases(signals, &world.engine, now)?;
    books(person, &presence, now)?;
    ensure!(
        signals.teams_call.is_none()
            || person
                .call_seen_at
                .is_some_and(|at| now.since(at) <= world.engine.timing().appointment_limit),
        "{id}: a Teams call is believed that was last seen at {:?}",
        person.call_seen_at
    );
    Ok(())
}

/// No viewer sees more of the person than the table allows.
pub(crate) fn privacy(world: &World<'_>, person: &SimulatedPerson) -> Result<(), String> {
    let (id, now) = (person.id, world.now);
    let explained = |microphone| world.engine.explain(id, microphone, now);
    let (Some((presence, reasons)), Some((without, quiet_reasons))) = (
        explained(MicrophoneLayer::Included),
        explained(MicrophoneLayer::Hidden),
    ) else {
        return Err(format!("{id} is not known"));
    };
    visible(&presence, &reasons, &without, &quiet_reasons)?;
    if !world.has_microphones {
        return Ok(());
    }
    let Some((without_microphones, reasons_without)) =
        world
            .without_microphones
            .explain(id, MicrophoneLayer::Hidden, now)
    else {
        return Err(format!(
            "{id} is not known to the engine without microphones"
        ));
    };
    visibility::without_microphones(
        &presence,
        &quiet_reasons,
        &without_microphones,
        &reasons_without,
    )
}

/// Rules that may decide the profile.
const PROFILE: [Rule; 12] = [
    Rule::ManualDoNotDisturb,
    Rule::AppointmentDoNotDisturb,
    Rule::TeamsDoNotDisturb,
    Rule::TeamsCall,
    Rule::Appointment,
    Rule::ManualChoice,
    Rule::Locked,
    Rule::Inactive,
    Rule::NoClient,
    Rule::TeamsBase,
    Rule::ManualAvailable,
    Rule::Rest,
];

/// Whether the rule of the activity axis stands for the shown activity.
fn activity_of(rule: Rule, presence: &Presence) -> bool {
    matches!(
        (rule, &presence.activity),
        (Rule::PbxCall, Some(Activity::OnThePhone))
            | (Rule::Meeting, Some(Activity::InMeeting))
            | (Rule::Presenting, Some(Activity::Presenting))
            | (Rule::TeamsCallActivity, Some(Activity::OnThePhoneTeams))
            | (Rule::Ringing, Some(Activity::Ringing))
            | (Rule::Microphone, Some(Activity::UsingApp(_)))
    )
}

/// Every axis has exactly one reason that counted, with a live lease; the status follows from both axes.
pub fn counted(presence: &Presence, reasons: &[Reason], now: Timestamp) -> Result<(), String> {
    let counted: Vec<&Reason> = reasons.iter().filter(|reason| reason.counted).collect();
    let (profile, activity): (Vec<&Reason>, Vec<&Reason>) = counted
        .iter()
        .partition(|reason| PROFILE.contains(&reason.rule));
    ensure!(
        profile.len() == 1,
        "not one reason for the profile: {profile:?}"
    );
    ensure!(
        activity.len() == usize::from(presence.activity.is_some()),
        "{:?} with the reasons {activity:?}",
        presence.activity
    );
    for reason in &activity {
        ensure!(
            activity_of(reason.rule, presence),
            "{:?} because of {reason:?}",
            presence.activity
        );
    }
    for reason in counted {
        ensure!(
            reason.lease_end.is_none_or(|end| end > now),
            "outlived its lease: {reason:?}"
        );
        ensure!(reason.since <= now, "begins in the future: {reason:?}");
    }
    let own = profile.iter().any(|reason| reason.rule.is_own_choice());
    ensure!(
        presence.chosen == own,
        "chosen is {} with {profile:?}",
        presence.chosen
    );
    let raised = presence
        .activity
        .as_ref()
        .is_some_and(|activity| *activity != Activity::Ringing);
    ensure!(
        !raised || matches!(presence.status, Status::Busy | Status::DoNotDisturb),
        "{} with {:?}",
        presence.status,
        presence.activity
    );
    ensure!(presence.since <= now, "since the future: {presence:?}");
    Ok(())
}

/// No signal is kept beyond its lease.
pub fn leases(signals: &Signals, engine: &Engine, now: Timestamp) -> Result<(), String> {
    let timing = engine.timing();
    let lines = signals.lines.iter().map(|line| line.until);
    let clients = signals.clients.iter().map(|client| client.until);
    let meetings = signals.meetings.iter().map(|meeting| meeting.until);
    let programs = signals.programs.iter().map(|program| program.until);
    let appointments = signals.appointments.iter().map(|known| known.end);
    let choice = signals.choice.iter().filter_map(|choice| choice.until);
    let call = signals
        .teams_call
        .iter()
        .map(|call| call.confirmed_at + timing.appointment_limit);
    let all = lines
        .chain(clients)
        .chain(meetings)
        .chain(programs)
        .chain(appointments)
        .chain(choice)
        .chain(call);
    for end in all {
        ensure!(end > now, "a signal outlives its end {end}: {signals:?}");
    }
    let seen = signals.observation.as_ref().is_some_and(|seen| {
        seen.received_at + timing.observation_fresh + timing.observation_stale > now
    });
    let believed = signals.presenting_since.is_some()
        || signals.teams_do_not_disturb_since.is_some()
        || signals.teams_base.is_some();
    ensure!(
        seen || !believed,
        "Teams is believed without having spoken: {signals:?}"
    );
    Ok(())
}

/// The presence agrees with the reports of the sources.
fn books(person: &SimulatedPerson, presence: &Presence, now: Timestamp) -> Result<(), String> {
    let id = person.id;
    let activity = presence.activity.as_ref();
    let phone = person.on_the_phone(now);
    ensure!(
        phone == (activity == Some(&Activity::OnThePhone)),
        "{id}: on the phone is {phone}, shown is {activity:?}"
    );
    let meeting = !phone && person.in_meeting(now);
    ensure!(
        meeting == (activity == Some(&Activity::InMeeting)),
        "{id}: in a meeting is {meeting}, shown is {activity:?}"
    );
    let teams = matches!(
        activity,
        Some(Activity::OnThePhoneTeams | Activity::Presenting)
    );
    ensure!(
        !teams || person.policy.mode.telephony(),
        "{id}: {activity:?} while nothing crosses"
    );
    ensure!(
        activity != Some(&Activity::Presenting) || person.policy.mode.presence(),
        "{id}: Presenting while only calls cross"
    );
    let program = person.programs.iter().any(|(_, alias, _, until)| {
        *until > now && activity == Some(&Activity::UsingApp(alias.clone()))
    });
    ensure!(
        program || !matches!(activity, Some(Activity::UsingApp(_))),
        "{id}: {activity:?} is not used by any program"
    );
    let any_program = person.programs.iter().any(|(.., until)| *until > now);
    let expected = phone || meeting || teams || any_program;
    let raised = activity.is_some_and(|activity| *activity != Activity::Ringing);
    ensure!(
        expected == raised,
        "{id}: something goes on is {expected}, shown is {activity:?}"
    );
    ensure!(
        !person.wants_do_not_disturb(now) || presence.status == Status::DoNotDisturb,
        "{id}: asked for Do not disturb, shown is {}",
        presence.status
    );
    Ok(())
}

#[cfg(test)]
mod tests;
