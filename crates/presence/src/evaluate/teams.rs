//! What Teams shows and what Offhook wrote there: explained, though it decides nothing by itself.

use super::{Explain, Facts};
use crate::{
    Confidence, Observation, Slot,
    own::{Held, Own},
    reason::{Reason, Rule, Source},
};

/// What Teams shows and what we wrote there: never decides by itself, always explained.
pub(super) fn reasons(facts: &Facts<'_>, confidence: Confidence, explain: &mut impl Explain) {
    if !facts.linked || !facts.policy.mode.telephony() {
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
                .until(Some(withdrawn.settled_at(facts.timing)))
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
