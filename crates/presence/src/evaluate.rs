//! The heart: presence as a pure function of signals, settings and time (domain section 2).
//!
//! One walk over the rules decides the presence and, for whoever asks, writes down every reason on the way, so that
//! the explanation cannot differ from the decision.

use std::sync::Arc;

use crate::{
    Activity, Choice, Confidence, LineSignal, LineState, Observation, Profile, Settings, Signals,
    Slot, Status, Timestamp,
    mirror::Mirror,
    own::{Held, Own},
    reason::{Reason, Rule, Source},
};

/// What is shown of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The shown status.
    pub status: Status,
    /// What the person is doing, if anything.
    pub activity: Option<Activity>,
    /// The name of the profile in force.
    pub profile: Arc<str>,
    /// Since when this is so.
    pub since: Timestamp,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

impl Presence {
    /// The text beside the status: the activity's label, else the profile's name.
    pub fn text(&self) -> &str {
        match self.activity {
            Some(activity) => activity.label(),
            None => &self.profile,
        }
    }
}

/// Everything about a person that decides the presence.
pub(crate) struct Facts<'a> {
    pub(crate) signals: &'a Signals,
    pub(crate) mirror: &'a Mirror,
    pub(crate) settings: &'a Settings,
    /// The person has a Teams account.
    pub(crate) linked: bool,
    /// How many lines the person has.
    pub(crate) lines: usize,
    /// Since when nothing has been going on.
    pub(crate) rest_since: Timestamp,
}

/// A profile that a rule offers.
struct Offer {
    rule: Rule,
    profile: Option<Profile>,
    since: Timestamp,
}

/// Is told the reasons in the order of the rules. Whoever only wants the presence passes [`Silent`] and pays nothing.
pub(crate) trait Explain {
    fn tell(&mut self, reason: impl FnOnce() -> Reason);
}

/// Wants no reasons.
pub(crate) struct Silent;

impl Explain for Silent {
    fn tell(&mut self, _: impl FnOnce() -> Reason) {}
}

impl Explain for Vec<Reason> {
    fn tell(&mut self, reason: impl FnOnce() -> Reason) {
        self.push(reason());
    }
}

/// The presence, and whether it is that of a person about whom there is nothing to say.
pub(crate) struct Decision {
    pub(crate) presence: Presence,
    pub(crate) at_rest: bool,
}

/// Decides.
pub(crate) fn evaluate(facts: &Facts<'_>, now: Timestamp, explain: &mut impl Explain) -> Decision {
    let profile = profile_axis(facts, now, explain);
    let activity = activity_axis(facts, now, explain);
    let confidence = confidence(facts, now);
    mirror_reasons(facts, confidence, explain);

    let chosen = profile.profile;
    let profile_status = chosen
        .as_ref()
        .map_or(profile.rule.built_in_status(), |profile| profile.status);
    let status = match activity {
        _ if profile_status == Status::DoNotDisturb => Status::DoNotDisturb,
        Some((activity, _)) if activity.makes_busy() => Status::Busy,
        _ => profile_status,
    };
    Decision {
        at_rest: profile.rule == Rule::Rest && activity.is_none(),
        presence: Presence {
            status,
            activity: activity.map(|(activity, _)| activity),
            profile: chosen.map_or_else(
                || profile.rule.built_in_profile().into(),
                |profile| profile.name,
            ),
            since: match activity {
                Some((_, since)) if profile.rule == Rule::Rest => since,
                Some((_, since)) => since.max(profile.since),
                None => profile.since,
            },
            confidence,
        },
    }
}

/// One axis: takes candidates in the order of the rules, keeps the first, explains all.
struct Axis<'e, E, T> {
    explain: &'e mut E,
    winner: Option<T>,
}

impl<E: Explain, T> Axis<'_, E, T> {
    fn offer(&mut self, candidate: T, reason: impl FnOnce() -> Reason) {
        let counted = self.winner.is_none();
        self.explain.tell(|| Reason {
            counted,
            ..reason()
        });
        self.winner.get_or_insert(candidate);
    }
}

/// Which profile is in force. Rules 2, 5 and 7 have no sources yet.
fn profile_axis(facts: &Facts<'_>, now: Timestamp, explain: &mut impl Explain) -> Offer {
    let Facts {
        signals,
        settings,
        mirror,
        ..
    } = facts;
    let mut axis = Axis {
        explain,
        winner: None,
    };
    let choice = signals.choice_at(now);
    let do_not_disturb = choice.filter(|choice| choice.profile.status == Status::DoNotDisturb);
    let other_choice = choice.filter(|choice| choice.profile.status != Status::DoNotDisturb);

    if let Some(choice) = do_not_disturb {
        offer_choice(&mut axis, Rule::ManualDoNotDisturb, choice);
    }
    if settings.mode.presence() {
        let until = mirror.observed_until(signals, &settings.timing);
        for (since, says) in [
            (
                signals.teams_do_not_disturb_since,
                "Do not disturb in Teams",
            ),
            (signals.presenting_since, "Presenting in Teams"),
        ] {
            let Some(since) = since else { continue };
            let rule = Rule::TeamsDoNotDisturb;
            let profile = settings.profiles.first_do_not_disturb().cloned();
            axis.offer(
                Offer {
                    rule,
                    profile,
                    since,
                },
                || Reason::new(rule, Source::Teams, says, since).until(until),
            );
        }
    }
    if let Some(call) = &signals.teams_call
        && let Some(profile) = settings.profiles.teams_call()
    {
        let (rule, since) = (Rule::TeamsCall, call.since);
        let reason = || {
            Reason::new(
                rule,
                Source::Teams,
                "appointment of the call in Teams",
                since,
            )
            .until(mirror.call_until(signals, &settings.timing))
        };
        if choice.is_some_and(|choice| call.since <= choice.since) {
            let note = "suspended by the choice that the person made during it";
            axis.explain.tell(|| reason().note(note));
        } else {
            axis.offer(
                Offer {
                    rule,
                    profile: Some(profile.clone()),
                    since,
                },
                reason,
            );
        }
    }
    if let Some(choice) = other_choice {
        let available = choice.profile.status == Status::Available;
        let rule = if available {
            Rule::ManualAvailable
        } else {
            Rule::ManualChoice
        };
        offer_choice(&mut axis, rule, choice);
    }
    axis.winner.unwrap_or_else(|| {
        let (rule, since) = (Rule::Rest, facts.rest_since);
        axis.explain.tell(|| Reason {
            counted: true,
            ..Reason::new(rule, Source::Offhook, "nothing else applies", since)
        });
        Offer {
            rule,
            profile: settings.profiles.named("Available").cloned(),
            since,
        }
    })
}

fn offer_choice(axis: &mut Axis<'_, impl Explain, Offer>, rule: Rule, choice: &Choice) {
    let (profile, since) = (Some(choice.profile.clone()), choice.since);
    axis.offer(
        Offer {
            rule,
            profile,
            since,
        },
        || {
            Reason::new(
                rule,
                Source::Person,
                format!("chose {}", choice.profile.name),
                since,
            )
            .until(choice.until)
        },
    );
}

/// What is shown on top: own PBX call > Presenting > Teams call > ringing.
fn activity_axis(
    facts: &Facts<'_>,
    now: Timestamp,
    explain: &mut impl Explain,
) -> Option<(Activity, Timestamp)> {
    let Facts {
        signals,
        settings,
        mirror,
        ..
    } = facts;
    let mut axis = Axis {
        explain,
        winner: None,
    };
    let line = signals.leading_line(now);
    let line_reason = |line: &LineSignal, rule, says: &'static str| {
        let reason = Reason::new(rule, Source::Line(line.line), says, line.since);
        reason.until(Some(line.until)).stale(line.stale)
    };
    if let Some(line) = line.filter(|line| line.in_call(now)) {
        let says = if line.state == LineState::Held {
            "call on hold"
        } else {
            "in a call"
        };
        axis.offer((Activity::OnThePhone, line.since), || {
            line_reason(line, Rule::PbxCall, says)
        });
    }
    let stale = mirror.is_stale(signals, &settings.timing, now);
    if settings.mode.presence()
        && let Some(since) = signals.presenting_since
    {
        axis.offer((Activity::Presenting, since), || {
            Reason::new(
                Rule::Presenting,
                Source::Teams,
                "shares the screen in Teams",
                since,
            )
            .until(mirror.observed_until(signals, &settings.timing))
            .stale(stale)
        });
    }
    if let Some(call) = &signals.teams_call {
        axis.offer((Activity::OnThePhoneTeams, call.since), || {
            Reason::new(
                Rule::TeamsCallActivity,
                Source::Teams,
                "in a call in Teams",
                call.since,
            )
            .until(mirror.call_until(signals, &settings.timing))
            .stale(stale)
        });
    }
    if let Some(line) = line.filter(|line| line.ringing(now)) {
        axis.offer((Activity::Ringing, line.since), || {
            line_reason(line, Rule::Ringing, "ringing")
        });
    }
    axis.winner
}

/// How far the whole can be trusted: the worst of what bears on it.
fn confidence(facts: &Facts<'_>, now: Timestamp) -> Confidence {
    // A line that has not spoken, or whose lease ended, may be in a call for all we know.
    let fresh = |line: &&LineSignal| !line.stale && line.until > now;
    let lines_stale = facts.signals.lines.iter().filter(fresh).count() < facts.lines;
    let teams = facts.linked && facts.settings.mode.telephony();
    if lines_stale
        || (teams
            && facts
                .mirror
                .is_stale(facts.signals, &facts.settings.timing, now))
    {
        Confidence::Stale
    } else if !teams {
        Confidence::Certain
    } else if facts.mirror.own.iter().any(Own::is_held) {
        Confidence::Masked
    } else if facts.mirror.own.iter().any(Own::may_echo) {
        Confidence::Likely
    } else {
        Confidence::Certain
    }
}

/// What Teams shows and what we wrote there: never decides by itself, always explained.
fn mirror_reasons(facts: &Facts<'_>, confidence: Confidence, explain: &mut impl Explain) {
    if !facts.linked || !facts.settings.mode.telephony() {
        return;
    }
    let observation = facts.signals.observation.as_ref();
    let mut tell = |reason: &dyn Fn() -> Reason| {
        explain.tell(|| Reason {
            confidence,
            ..reason()
        });
    };
    if let Some(seen) = observation {
        tell(&|| {
            let says = format!("shows {}", seen.state);
            Reason::new(Rule::TeamsDetail, Source::Teams, says, seen.since)
        });
    }
    for slot in Slot::ALL {
        let written = match slot {
            Slot::Session => "our app session Busy/InACall",
            Slot::Preferred => "our Do not disturb",
        };
        let own = |says: &str, since| {
            Reason::new(
                Rule::OwnWrite,
                Source::Teams,
                format!("{written} {says}"),
                since,
            )
        };
        match facts.mirror.own(slot) {
            Own::None => {}
            Own::Held(held) => tell(&|| {
                own("is in force in Teams", held.since)
                    .until(Some(held.expires_at))
                    .note(hidden_by(slot, held, observation))
            }),
            Own::Withdrawn(withdrawn) => tell(&|| {
                own(
                    "was taken back; its echo may still be seen",
                    withdrawn.requested_at,
                )
                .until(Some(withdrawn.settled_at(&facts.settings.timing)))
            }),
            Own::Yielded(yielded) => tell(&|| {
                own("is not in force in Teams", yielded.at).note(yielded.reason.explanation())
            }),
        }
    }
    if let Some((since, until)) = facts.mirror.paused {
        tell(&|| {
            let says = "writing to Teams is paused: too many changes within a minute";
            Reason::new(Rule::LoopBreaker, Source::Offhook, says, since)
                .until(Some(until))
                .note("check that no second presence synchronisation is active for this person")
        });
    }
}

/// What keeps Teams from showing our write.
fn hidden_by(slot: Slot, held: &Held, observation: Option<&Observation>) -> String {
    let Some(acknowledged_at) = held.acknowledged_at else {
        return "Teams has not acknowledged it yet".into();
    };
    observation
        .filter(|seen| seen.received_at > acknowledged_at && seen.state.meaning() != slot.echo())
        .map_or_else(String::new, |seen| {
            format!("hidden in Teams, which shows {}", seen.state)
        })
}
