//! What Teams shows and what Offhook wrote there: explained, though it decides nothing by itself.

use super::{Explain, Facts};
use crate::{
    Confidence, Observation, Slot,
    reason::{Reason, ReasonDetail, ReasonKind, Rule, Source, WriteState},
    slot::{ClearAnswer, SlotState, SlotWrite},
};

/// What Teams shows and what we wrote there: never decides by itself, always explained.
pub(super) fn reasons(facts: &Facts<'_>, confidence: Confidence, explain: &mut impl Explain) {
    if !facts.account.is_linked() || !facts.policy.mode.telephony() {
        return;
    }
    let observation = facts.signals.observation.as_ref();
    let mut add = |reason: &dyn Fn() -> Reason| {
        explain.add(|| Reason {
            confidence,
            ..reason()
        });
    };
    if let Some(seen) = observation {
        add(&|| {
            let kind = ReasonKind::TeamsShows(seen.state.clone());
            Reason::new(Rule::TeamsDetail, Source::Teams, kind, seen.since)
        });
    }
    for slot in Slot::ALL {
        let wrote = |state, since| {
            Reason::new(
                Rule::OwnWrite,
                Source::Teams,
                ReasonKind::OwnWrite(slot, state),
                since,
            )
        };
        match facts.mirror.slot(slot) {
            // Why it is not in force is told with what does not count.
            SlotState::Empty | SlotState::Refused(_) => {}
            SlotState::Written(write) => add(&|| {
                // Nothing is known to be there before Teams has acknowledged it.
                let state = match write.acknowledged_at {
                    Some(_) => WriteState::InForce,
                    None => WriteState::NotInForce,
                };
                wrote(state, write.since)
                    .until(Some(write.expires_at))
                    .detail(hidden_by(slot, write, observation))
            }),
            SlotState::Clearing(clear) => add(&|| {
                // What Microsoft refuses to take back is still there.
                let (state, note) = match clear.answer {
                    ClearAnswer::Refused => (WriteState::InForce, Some(ReasonDetail::ClearRefused)),
                    // D1: nothing has happened before Microsoft says so.
                    ClearAnswer::Pending | ClearAnswer::NotFound(_) => {
                        (WriteState::BeingCleared, None)
                    }
                    ClearAnswer::Acknowledged(_) => (WriteState::Cleared, None),
                };
                wrote(state, clear.requested_at)
                    .until(Some(clear.ends_at(facts.timing)))
                    .detail(note)
            }),
            SlotState::Released(release) => add(&|| {
                wrote(WriteState::NotInForce, release.at)
                    .detail(ReasonDetail::Released(release.reason))
            }),
        }
    }
    if let Some((since, until)) = facts.mirror.paused() {
        add(&|| {
            Reason::new(
                Rule::LoopBreaker,
                Source::Offhook,
                ReasonKind::WritingPaused,
                since,
            )
            .until(Some(until))
            .detail(ReasonDetail::SecondSynchronisation)
        });
    }
}

/// What keeps Teams from showing our write.
fn hidden_by(
    slot: Slot,
    write: &SlotWrite,
    observation: Option<&Observation>,
) -> Option<ReasonDetail> {
    let Some(acknowledged_at) = write.acknowledged_at else {
        return Some(ReasonDetail::NotAcknowledged);
    };
    observation
        .filter(|seen| seen.received_at > acknowledged_at && seen.state.meaning() != slot.echo())
        .map(|seen| ReasonDetail::HiddenBy(seen.state.clone()))
}
