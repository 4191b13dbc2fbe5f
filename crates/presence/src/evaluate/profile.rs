//! The profile axis (docs/presence-rules.md, "Which profile is in force", rules 1 to 8).

use std::sync::Arc;

use super::{Axis, Explain, Facts};
use crate::{
    Appointment, AppointmentOrigin, AppointmentText, Choice, ClientState, Forwarding, Meaning,
    PersonPolicy, Profile, Signals, Status, Timestamp,
    reason::{Reason, ReasonDetail, ReasonKind, Rule, Source},
    requests::{DoNotDisturbRequest, choice, is_suspended, profile_of, status_of},
};

/// A profile that a rule offers.
pub(super) struct Offer {
    pub(super) rule: Rule,
    pub(super) name: Arc<str>,
    pub(super) status: Status,
    pub(super) forwarding: Forwarding,
    pub(super) since: Timestamp,
    /// End of the choice or appointment.
    pub(super) until: Option<Timestamp>,
    pub(super) appointment: Option<AppointmentText>,
}

impl Offer {
    fn new(rule: Rule, profile: &Profile, since: Timestamp) -> Self {
        Self {
            rule,
            name: profile.name.clone(),
            status: profile.status,
            forwarding: profile.forwarding.clone(),
            since,
            until: None,
            appointment: None,
        }
    }

    /// A rule without its profile: calls ring, even if another profile has the name of the status.
    fn built_in(rule: Rule, status: Status, since: Timestamp) -> Self {
        Self {
            rule,
            name: status.words().into(),
            status,
            forwarding: Forwarding::Off,
            since,
            until: None,
            appointment: None,
        }
    }
}

/// Rank of an appointment by its status: of several the highest counts.
const fn rank(status: Status) -> u8 {
    match status {
        Status::Offline => 0,
        Status::Available => 1,
        Status::BeRightBack => 2,
        Status::Absent => 3,
        Status::Busy => 4,
        Status::DoNotDisturb => 5,
    }
}

fn source_of(origin: AppointmentOrigin) -> Source {
    match origin {
        AppointmentOrigin::Manual => Source::Person,
        AppointmentOrigin::Calendar => Source::Calendar,
    }
}

/// Source of the request, for the explanation.
pub(super) fn request_source(request: &DoNotDisturbRequest<'_>) -> Source {
    match request {
        DoNotDisturbRequest::Choice(_) => Source::Person,
        DoNotDisturbRequest::Appointment(appointment) => source_of(appointment.origin),
    }
}

/// Decides which profile is in force.
pub(super) fn axis(facts: &Facts<'_>, now: Timestamp, explain: &mut impl Explain) -> Offer {
    let Facts {
        signals, policy, ..
    } = facts;
    let mut axis = Axis::new(explain);
    let choice = choice(signals, policy, now);
    if let Some((choice, profile)) = choice
        && profile.status == Status::DoNotDisturb
    {
        offer_choice(&mut axis, Rule::ManualDoNotDisturb, choice, profile);
    }
    appointments(facts, now, &mut axis, Rule::AppointmentDoNotDisturb);
    teams_do_not_disturb(facts, now, &mut axis);
    teams_call(facts, now, &mut axis);
    appointments(facts, now, &mut axis, Rule::Appointment);
    if let Some((choice, profile)) = choice {
        match profile.status {
            Status::DoNotDisturb => {}
            Status::Available => {
                automatic(facts, now, &mut axis);
                offer_choice(&mut axis, Rule::ManualAvailable, choice, profile);
            }
            Status::BeRightBack | Status::Busy | Status::Absent | Status::Offline => {
                offer_choice(&mut axis, Rule::ManualChoice, choice, profile);
            }
        }
    }
    if choice.is_none()
        && let Some(choice) = signals.choice_at(now)
    {
        axis.explain.add(|| {
            let kind = ReasonKind::ChosenProfile(choice.profile.clone());
            Reason::new(Rule::ManualChoice, Source::Person, kind, choice.since)
                .until(choice.until)
                .detail(ReasonDetail::ProfileGone)
        });
    }
    if choice.is_none_or(|(_, profile)| profile.status != Status::Available) {
        automatic(facts, now, &mut axis);
    }
    axis.winner.unwrap_or_else(|| rest(facts, explain))
}

fn offer_choice(
    axis: &mut Axis<'_, impl Explain, Offer>,
    rule: Rule,
    choice: &Choice,
    profile: &Profile,
) {
    axis.offer(
        || Offer {
            until: choice.until,
            ..Offer::new(rule, profile, choice.since)
        },
        || {
            let kind = ReasonKind::ChosenProfile(choice.profile.clone());
            Reason::new(rule, Source::Person, kind, choice.since).until(choice.until)
        },
    );
}

/// Offers the appointments of rule 2 (Do not disturb) or rule 5 (all others).
fn appointments(
    facts: &Facts<'_>,
    now: Timestamp,
    axis: &mut Axis<'_, impl Explain, Offer>,
    rule: Rule,
) {
    let Facts {
        signals, policy, ..
    } = facts;
    if signals.appointments.is_empty() {
        return;
    }
    let mut current: Vec<(&Appointment, Status)> = signals
        .appointments
        .iter()
        .filter(|appointment| appointment.is_current(now))
        .map(|appointment| (appointment, status_of(appointment, policy)))
        .filter(|(_, status)| {
            (*status == Status::DoNotDisturb) == (rule == Rule::AppointmentDoNotDisturb)
        })
        .collect();
    current.sort_by_key(|(appointment, status)| {
        std::cmp::Reverse((rank(*status), appointment.start, appointment.id))
    });
    for (appointment, status) in current {
        let text = AppointmentText {
            text: appointment.text.clone(),
            private: appointment.private,
        };
        let source = source_of(appointment.origin);
        let reason = || {
            Reason::new(rule, source, ReasonKind::Appointment, appointment.start)
                .until(Some(appointment.end))
                .appointment(text.clone())
        };
        if is_suspended(signals, appointment.start, now) {
            axis.explain
                .add(|| reason().detail(ReasonDetail::Suspended));
            continue;
        }
        let offer = || Offer {
            until: Some(appointment.end),
            appointment: Some(text.clone()),
            ..match profile_of(appointment, policy) {
                Some(profile) => Offer::new(rule, profile, appointment.start),
                None => Offer::built_in(rule, status, appointment.start),
            }
        };
        axis.offer(offer, reason);
    }
}

/// Rule 3.
fn teams_do_not_disturb(
    facts: &Facts<'_>,
    now: Timestamp,
    axis: &mut Axis<'_, impl Explain, Offer>,
) {
    let Facts {
        signals,
        policy,
        mirror,
        timing,
        ..
    } = facts;
    if !policy.mode.presence() {
        return;
    }
    let until = mirror.observed_until(signals, timing);
    for (since, kind) in [
        (
            signals.teams_do_not_disturb_since,
            ReasonKind::DoNotDisturbInTeams,
        ),
        (signals.presenting_since, ReasonKind::PresentingInTeams),
    ] {
        let Some(since) = since else { continue };
        let rule = Rule::TeamsDoNotDisturb;
        axis.offer(
            || match policy.profiles.first_do_not_disturb() {
                Some(profile) => Offer::new(rule, profile, since),
                None => Offer::built_in(rule, Status::DoNotDisturb, since),
            },
            || {
                let reason = Reason::new(rule, Source::Teams, kind, since).until(until);
                match signals.choice_at(now) {
                    Some(_) => reason.detail(ReasonDetail::EndItInTeams),
                    None => reason,
                }
            },
        );
    }
}

/// Rule 4.
fn teams_call(facts: &Facts<'_>, now: Timestamp, axis: &mut Axis<'_, impl Explain, Offer>) {
    let Facts {
        signals,
        policy,
        mirror,
        timing,
        ..
    } = facts;
    let (Some(call), Some(profile)) = (&signals.teams_call, policy.profiles.teams_call()) else {
        return;
    };
    let (rule, since) = (Rule::TeamsCall, call.since);
    let reason = || {
        let kind = ReasonKind::TeamsCallAppointment;
        Reason::new(rule, Source::Teams, kind, since).until(mirror.call_until(signals, timing))
    };
    if is_suspended(signals, since, now) {
        axis.explain
            .add(|| reason().detail(ReasonDetail::Suspended));
    } else {
        axis.offer(|| Offer::new(rule, profile, since), reason);
    }
}

/// Rule 7.
fn automatic(facts: &Facts<'_>, now: Timestamp, axis: &mut Axis<'_, impl Explain, Offer>) {
    let Facts {
        signals, policy, ..
    } = facts;
    let Some(trigger) = trigger(signals, policy, now) else {
        return;
    };
    let (rule, since) = (trigger.rule, trigger.since);
    if rule == Rule::NoClient
        && policy.base_from_teams
        && policy.mode.presence()
        && let Some((meaning, since)) = signals.teams_base
    {
        let rule = Rule::TeamsBase;
        let status = match meaning {
            Meaning::Available => Status::Available,
            Meaning::Busy => Status::Busy,
            Meaning::BeRightBack => Status::BeRightBack,
            Meaning::Call
            | Meaning::Presenting
            | Meaning::DoNotDisturb
            | Meaning::Away
            | Meaning::Offline
            | Meaning::Unknown => Status::Absent,
        };
        let reason = || {
            let kind = ReasonKind::NoClientAsTeamsShows(status);
            let until = facts.mirror.observed_until(signals, facts.timing);
            Reason::new(rule, Source::Teams, kind, since).until(until)
        };
        // The person's choice of an Available profile (rule 8) gives the same status, and has call
        // forwarding.
        if status == Status::Available && signals.choice_at(now).is_some() {
            axis.explain.add(reason);
        } else {
            axis.offer(|| Offer::built_in(rule, status, since), reason);
        }
        return;
    }
    axis.offer(
        || match policy.profiles.named(trigger.profile) {
            Some(profile) => Offer::new(rule, profile, since),
            None => Offer::built_in(rule, trigger.fallback, since),
        },
        || Reason::new(rule, Source::Client, trigger.kind, since),
    );
}

struct Trigger<'a> {
    rule: Rule,
    profile: &'a str,
    fallback: Status,
    since: Timestamp,
    kind: ReasonKind,
}

fn trigger<'a>(signals: &Signals, policy: &'a PersonPolicy, now: Timestamp) -> Option<Trigger<'a>> {
    let automatic = &policy.automatic;
    if signals.clients.is_empty() {
        let since = signals.clients_gone_at + automatic.client_end_after;
        let profile = automatic.client_end.as_deref().filter(|_| since <= now)?;
        return Some(Trigger {
            rule: Rule::NoClient,
            profile,
            fallback: Status::Absent,
            since,
            kind: ReasonKind::NoClient,
        });
    }
    // A person who uses one machine is not away because another is locked. A client that cannot detect use
    // proves nothing.
    let mut since = None;
    let mut is_locked = false;
    for client in &signals.clients {
        match automatic.away_at(client) {
            None if client.state == ClientState::Unknown => {}
            Some(at) if at <= now => since = since.max(Some(at)),
            _ => return None,
        }
        is_locked |= client.state == ClientState::Locked;
    }
    let since = since?;
    let (rule, profile, kind) = if is_locked && automatic.locked.is_some() {
        (Rule::Locked, &automatic.locked, ReasonKind::Locked)
    } else {
        let kind = ReasonKind::Inactive;
        (Rule::Inactive, &automatic.inactivity, kind)
    };
    Some(Trigger {
        rule,
        profile: profile.as_deref()?,
        fallback: Status::BeRightBack,
        since,
        kind,
    })
}

/// Rule 8 without a choice.
fn rest(facts: &Facts<'_>, explain: &mut impl Explain) -> Offer {
    let Facts {
        signals, policy, ..
    } = facts;
    let (rule, since) = (Rule::Rest, facts.rest_since);
    let started = policy
        .automatic
        .client_start
        .as_deref()
        .filter(|_| !signals.clients.is_empty());
    let kind = if started.is_some() {
        ReasonKind::AtRestWithClient
    } else {
        ReasonKind::AtRest
    };
    explain.add(|| Reason {
        counted: true,
        ..Reason::new(rule, Source::Offhook, kind, since)
    });
    match policy.profiles.at_rest(started) {
        Some(profile) => Offer::new(rule, profile, since),
        None => Offer::built_in(rule, Status::Available, since),
    }
}
