//! What Teams shows and what Offhook wrote there: explained, though it decides nothing by itself.

use super::{Explain, Facts};
use crate::{
    Confidence, Observation, Slot,
    own::{Cleared, Held, Own},
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
        let own = |fate, since| {
            Reason::new(
                Rule::OwnWrite,
                Source::Teams,
                Says::Wrote(slot, fate),
                since,
            )
        };
        match facts.mirror.own(slot) {
            // Why it is not in force is told with what does not count.
            Own::None | Own::Refused(_) => {}
            Own::Held(held) => tell(&|| {
                // Nothing is known to be there before Teams has acknowledged it.
                let fate = match held.acknowledged_at {
                    Some(_) => Fate::InForce,
                    None => Fate::NotInForce,
                };
                own(fate, held.since)
                    .until(Some(held.expires_at))
                    .note(hidden_by(slot, held, observation))
            }),
            Own::Withdrawn(withdrawn) => tell(&|| {
                // What Microsoft refuses to take back is still there.
                let (fate, note) = match withdrawn.cleared {
                    Cleared::Refused => (Fate::InForce, Some(Note::ClearRefused)),
                    // D1: nothing has happened before Microsoft says so.
                    Cleared::Pending | Cleared::Denied(_) => (Fate::BeingTakenBack, None),
                    Cleared::Acknowledged(_) => (Fate::TakenBack, None),
                };
                own(fate, withdrawn.requested_at)
                    .until(Some(withdrawn.ends_at(facts.timing)))
                    .note(note)
            }),
            Own::Yielded(yielded) => {
                tell(&|| own(Fate::NotInForce, yielded.at).note(Note::Yielded(yielded.reason)))
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
fn hidden_by(slot: Slot, held: &Held, observation: Option<&Observation>) -> Option<Note> {
    let Some(acknowledged_at) = held.acknowledged_at else {
        return Some(Note::NotAcknowledged);
    };
    observation
        .filter(|seen| seen.received_at > acknowledged_at && seen.state.meaning() != slot.echo())
        .map(|seen| Note::HiddenBy(seen.state.clone()))
}
