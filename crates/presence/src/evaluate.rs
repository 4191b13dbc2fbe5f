//! Evaluation: presence as a pure function of signals, profiles, settings and time (docs/presence-rules.md,
//! "Which profile is in force", "Which activity is shown", "Shown status and text").
//!
//! One walk over the rules decides the presence and, on request, collects every reason on the way: the
//! explanation cannot differ from the decision. `evaluate/profile.rs` has the profile axis,
//! `evaluate/activity.rs` the activity axis, `evaluate/teams.rs` the reasons about Teams that decide nothing.

mod activity;
mod not_counted;
mod profile;
mod teams;

use std::sync::Arc;

use crate::{
    Activity, Confidence, LineSignal, MicrophoneLayer, PersonPolicy, Presence, Signals, Status,
    TeamsAccount, Timestamp,
    mirror::Mirror,
    reason::{Reason, Rule},
    slot::SlotState,
    timing::Timing,
};

/// Everything that the rules need to know about a person.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) signals: &'a Signals,
    pub(crate) mirror: &'a Mirror,
    pub(crate) policy: &'a PersonPolicy,
    pub(crate) timing: &'a Timing,
    /// The person's Teams account.
    pub(crate) account: TeamsAccount,
    /// Time of the last change of account or mode.
    pub(crate) teams_since: Timestamp,
    /// Number of the person's watched lines.
    pub(crate) lines: usize,
    /// Time since which no rule but the last one has applied.
    pub(crate) rest_since: Timestamp,
    /// Whether programs that use the microphone count.
    pub(crate) microphone: MicrophoneLayer,
}

impl Facts<'_> {
    /// Whether the last answer of Teams is older than it should be.
    fn teams_stale(&self, now: Timestamp) -> bool {
        self.mirror.is_stale(self.signals, self.timing, now)
    }
}

/// Receives the reasons in the order of the rules. [`Silent`] ignores them at no cost.
pub(crate) trait Explain {
    fn add(&mut self, reason: impl FnOnce() -> Reason);
}

/// Ignores reasons.
pub(crate) struct Silent;

impl Explain for Silent {
    fn add(&mut self, _: impl FnOnce() -> Reason) {}
}

impl Explain for Vec<Reason> {
    fn add(&mut self, reason: impl FnOnce() -> Reason) {
        self.push(reason());
    }
}

/// A presence, and whether only the last profile rule and no activity applies.
pub(crate) struct Decision {
    pub(crate) presence: Presence,
    pub(crate) at_rest: bool,
}

/// Decides the presence of a person and explains it.
pub(crate) fn evaluate(facts: &Facts<'_>, now: Timestamp, explain: &mut impl Explain) -> Decision {
    let profile = profile::axis(facts, now, explain);
    let activity = activity::axis(facts, now, explain);
    let confidence = confidence(facts, now);
    teams::reasons(facts, confidence, explain);
    not_counted::reasons(facts, now, explain);

    let status = match &activity {
        _ if profile.status == Status::DoNotDisturb => Status::DoNotDisturb,
        Some((activity, _)) if activity.makes_busy() => Status::Busy,
        _ => profile.status,
    };
    let hidden = matches!(activity, Some((Activity::UsingApp(_), _)));
    let without_microphone = hidden.then(|| {
        let facts = Facts {
            microphone: MicrophoneLayer::Hidden,
            ..*facts
        };
        Arc::new(evaluate(&facts, now, &mut Silent).presence)
    });
    let at_rest = profile.rule == Rule::Rest;
    // A program at the microphone must leave no trace for viewers who may not see it, not even in the start of
    // the time at rest.
    let busy = activity
        .as_ref()
        .is_some_and(|(activity, _)| activity.makes_busy() && !hidden);
    Decision {
        at_rest: at_rest && !busy,
        presence: Presence {
            status,
            since: match &activity {
                Some((_, since)) if at_rest => *since,
                Some((_, since)) => profile.since.max(*since),
                None => profile.since,
            },
            activity: activity.map(|(activity, _)| activity),
            profile: profile.name,
            forwarding: profile.forwarding,
            chosen: profile.rule.is_own_choice(),
            appointment: profile.appointment,
            profile_since: profile.since,
            profile_until: profile.until,
            profile_status: profile.status,
            confidence,
            without_microphone,
        },
    }
}

/// One axis: takes candidates in the order of the rules, keeps the first, explains all.
struct Axis<'e, E, T> {
    explain: &'e mut E,
    winner: Option<T>,
}

impl<'e, E: Explain, T> Axis<'e, E, T> {
    fn new(explain: &'e mut E) -> Self {
        Self {
            explain,
            winner: None,
        }
    }

    fn offer(&mut self, candidate: impl FnOnce() -> T, reason: impl FnOnce() -> Reason) {
        let counted = self.winner.is_none();
        self.explain.add(|| Reason {
            counted,
            ..reason()
        });
        self.winner.get_or_insert_with(candidate);
    }
}

/// Confidence of the whole presence: the worst of its parts.
fn confidence(facts: &Facts<'_>, now: Timestamp) -> Confidence {
    // A line without a live report may be in a call.
    let fresh = |line: &&LineSignal| !line.stale && line.until > now && !line.line.is_published();
    let lines_stale = facts.signals.lines.iter().filter(fresh).count() < facts.lines;
    let teams = facts.account.is_source() && facts.policy.mode.telephony();
    if lines_stale || (teams && facts.teams_stale(now)) {
        Confidence::Stale
    } else if !teams {
        Confidence::Certain
    } else if facts.mirror.slots.iter().any(SlotState::is_written) {
        Confidence::Masked
    } else if facts.mirror.slots.iter().any(SlotState::may_echo) {
        Confidence::Likely
    } else {
        Confidence::Certain
    }
}
