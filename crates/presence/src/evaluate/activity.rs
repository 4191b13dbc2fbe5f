//! The activity axis (docs/presence-rules.md, "Which activity is shown"). An activity never changes call
//! forwarding.

use super::{Axis, Explain, Facts};
use crate::{
    Activity, LineState, MicrophoneLayer, Timestamp,
    reason::{Reason, ReasonDetail, ReasonKind, Rule, Source},
};

/// Decides the activity: call on a PBX line > meeting with audio > Presenting > Teams call > program at the
/// microphone > ringing.
pub(super) fn axis(
    facts: &Facts<'_>,
    now: Timestamp,
    explain: &mut impl Explain,
) -> Option<(Activity, Timestamp)> {
    let signals = facts.signals;
    let mut axis = Axis::new(explain);
    lines(facts, now, &mut axis, Rule::PbxCall);
    meetings(facts, now, &mut axis);
    teams(facts, now, &mut axis);
    if facts.microphone == MicrophoneLayer::Included && !signals.programs.is_empty() {
        let mut programs: Vec<_> = signals
            .programs
            .iter()
            .filter(|program| program.until > now)
            .collect();
        programs.sort_by_key(|program| program.since);
        for program in programs {
            axis.offer(
                || (Activity::UsingApp(program.alias.clone()), program.since),
                || {
                    let kind = ReasonKind::UsesMicrophone(program.alias.clone());
                    Reason::new(Rule::Microphone, Source::Agent, kind, program.since)
                        .until(Some(program.until))
                },
            );
        }
    }
    lines(facts, now, &mut axis, Rule::Ringing);
    axis.winner
}

/// Offers the leading line that is in a call, or that rings; explains the others.
fn lines(
    facts: &Facts<'_>,
    now: Timestamp,
    axis: &mut Axis<'_, impl Explain, (Activity, Timestamp)>,
    rule: Rule,
) {
    let leading = facts.signals.leading_line(now);
    for line in &facts.signals.lines {
        let (activity, kind) = match line.state {
            LineState::Connected if rule == Rule::PbxCall => {
                (Activity::OnThePhone, ReasonKind::InACall)
            }
            LineState::Held if rule == Rule::PbxCall => {
                (Activity::OnThePhone, ReasonKind::CallOnHold)
            }
            LineState::Ringing if rule == Rule::Ringing => (Activity::Ringing, ReasonKind::Ringing),
            LineState::Connected | LineState::Held | LineState::Ringing | LineState::Idle => {
                continue;
            }
        };
        let reason = || {
            let reason = Reason::new(rule, Source::Line(line.line), kind, line.since);
            reason
                .until(Some(line.until))
                .stale(line.stale)
                .with(line.party.clone())
        };
        if leading == Some(line) {
            axis.offer(|| (activity, line.since), reason);
        } else if line.until > now {
            axis.explain.add(reason);
        }
    }
}

fn meetings(
    facts: &Facts<'_>,
    now: Timestamp,
    axis: &mut Axis<'_, impl Explain, (Activity, Timestamp)>,
) {
    let leading = facts.signals.leading_meeting(now);
    for meeting in &facts.signals.meetings {
        let reason = |kind| {
            Reason::new(Rule::Meeting, Source::Meeting, kind, meeting.since)
                .until(Some(meeting.until))
        };
        if leading == Some(meeting) {
            axis.offer(
                || (Activity::InMeeting, meeting.since),
                || reason(ReasonKind::InAMeeting),
            );
        } else if meeting.until > now && meeting.audio {
            axis.explain.add(|| reason(ReasonKind::InAMeeting));
        } else if meeting.until > now {
            axis.explain.add(|| {
                reason(ReasonKind::InAMeetingWithoutAudio).detail(ReasonDetail::OnlyTheScreen)
            });
        }
    }
}

fn teams(
    facts: &Facts<'_>,
    now: Timestamp,
    axis: &mut Axis<'_, impl Explain, (Activity, Timestamp)>,
) {
    let Facts {
        signals,
        policy,
        mirror,
        timing,
        ..
    } = facts;
    let stale = || facts.teams_stale(now);
    if policy.mode.presence()
        && let Some(since) = signals.presenting_since
    {
        axis.offer(
            || (Activity::Presenting, since),
            || {
                let kind = ReasonKind::PresentingInTeams;
                Reason::new(Rule::Presenting, Source::Teams, kind, since)
                    .until(mirror.observed_until(signals, timing))
                    .stale(stale())
            },
        );
    }
    if let Some(call) = &signals.teams_call {
        axis.offer(
            || (Activity::OnThePhoneTeams, call.since),
            || {
                let kind = ReasonKind::InACallInTeams;
                Reason::new(Rule::TeamsCallActivity, Source::Teams, kind, call.since)
                    .until(mirror.call_until(signals, timing))
                    .stale(stale())
            },
        );
    }
}
