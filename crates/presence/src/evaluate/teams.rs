//! What Teams shows and what Offhook wrote there: explained, though it decides nothing by itself.

use super::{Explain, Facts};
use crate::{
    Confidence, Observation, Slot,
    own::{ClearAnswer, SlotState, SlotWrite},
    reason::{Fate, Note, Reason, Rule, Says, Source},
};

/// What Teams shows and what we wrote there: never decides by itself, always explained.
pub(super) fn reasons(facts: &Facts<'_>, confidence: Confidence, explain: &mut impl Explain) {
    if !facts.account.is_linked() || !facts.policy.mode.telephony() {
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
            let says = Says::Shows(seen.state.clone());
            Reason::new(Rule::TeamsDetail, Source::Teams, says, seen.since)
        });
    }
    for slot in Slot::ALL {
        let wrote = |fate, since| {
            Reason::new(
                Rule::OwnWrite,
                Source::Teams,
                Says::Wrote(slot, fate),
                since,
            )
        };
        match facts.mirror.slot(slot) {
            // Why it is not in force is told with what does not count.
            SlotState::Empty | SlotState::Refused(_) => {}
            SlotState::Written(write) => tell(&|| {
                // Nothing is known to be there before Teams has acknowledged it.
                let fate = match write.acknowledged_at {
                    Some(_) => Fate::InForce,
                    None => Fate::NotInForce,
                };
                wrote(fate, write.since)
                    .until(Some(write.expires_at))
                    .note(hidden_by(slot, write, observation))
            }),
            SlotState::Clearing(clear) => tell(&|| {
                // What Microsoft refuses to take back is still there.
                let (fate, note) = match clear.answer {
                    ClearAnswer::Refused => (Fate::InForce, Some(Note::ClearRefused)),
                    // D1: nothing has happened before Microsoft says so.
                    ClearAnswer::Pending | ClearAnswer::NotFound(_) => (Fate::BeingTakenBack, None),
                    ClearAnswer::Acknowledged(_) => (Fate::TakenBack, None),
                };
                wrote(fate, clear.requested_at)
                    .until(Some(clear.ends_at(facts.timing)))
                    .note(note)
            }),
            SlotState::Released(release) => {
                tell(&|| wrote(Fate::NotInForce, release.at).note(Note::Released(release.reason)))
            }
        }
    }
    if let Some((since, until)) = facts.mirror.paused() {
        tell(&|| {
            Reason::new(
                Rule::LoopBreaker,
                Source::Offhook,
                Says::WritingPaused,
                since,
            )
            .until(Some(until))
            .note(Note::SecondSynchronisation)
        });
    }
}

/// What keeps Teams from showing our write.
fn hidden_by(slot: Slot, write: &SlotWrite, observation: Option<&Observation>) -> Option<Note> {
    let Some(acknowledged_at) = write.acknowledged_at else {
        return Some(Note::NotAcknowledged);
    };
    observation
        .filter(|seen| seen.received_at > acknowledged_at && seen.state.meaning() != slot.echo())
        .map(|seen| Note::HiddenBy(seen.state.clone()))
}
