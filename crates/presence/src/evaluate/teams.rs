//! Reasons about Teams that decide nothing: Teams' last state, and our writes there.

use super::{Explain, Facts};
use crate::{
    Confidence, Observation, Slot,
    reason::{Reason, ReasonDetail, ReasonKind, Rule, Source, WriteState},
    slot::{ClearAnswer, SlotState, SlotWrite},
};

/// Explains the last state that Teams showed, and our writes in both slots.
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
            Reason::new(Rule::TeamsDetail, Source::Teams, kind, seen.since).traced(seen.trace)
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
            // `evaluate/not_counted.rs` explains why a refused write is not in force.
            SlotState::Empty | SlotState::Refused(_) => {}
            SlotState::Written(write) => add(&|| {
                // Before the acknowledgement Teams may not have the write.
                let state = match write.acknowledged_at {
                    Some(_) => WriteState::InForce,
                    None => WriteState::NotInForce,
                };
                wrote(state, write.since)
                    .until(Some(write.expires_at))
                    .detail(hidden_by(slot, write, observation))
            }),
            SlotState::Clearing(clear) => add(&|| {
                // After a refused clear the write is still there.
                let (state, note) = match clear.answer {
                    ClearAnswer::Refused => (WriteState::InForce, Some(ReasonDetail::ClearRefused)),
                    // A clear counts only when Microsoft confirms it.
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

/// The reason why Teams does not show our write, if it does not.
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
