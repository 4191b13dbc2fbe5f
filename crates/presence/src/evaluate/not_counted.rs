//! Reasons why a signal does not count (docs/presence-rules.md, "What does not count"). None of them decides
//! anything.

use super::{Explain, Facts, profile::request_source};
use crate::{
    Meaning, Slot, SyncMode, TeamsAccount, Timestamp, Unreachable,
    reason::{NotCounted, Reason, ReasonKind, Rule, Source},
    requests::do_not_disturb,
    slot::SlotState,
};

/// Explains signals of Teams that do not count in Offhook, and requests in Offhook that do not count in Teams.
pub(super) fn reasons(facts: &Facts<'_>, now: Timestamp, explain: &mut impl Explain) {
    let mut add = |why, source, since| {
        explain.add(|| Reason::new(Rule::NotCounted, source, ReasonKind::NotCounted(why), since));
    };
    let since = facts.teams_since;
    if facts.policy.mode == SyncMode::None {
        // In this mode an account would change nothing: no further reason is given.
        return add(NotCounted::ModeNone, Source::Offhook, since);
    }
    let login_ended = match facts.account {
        TeamsAccount::None => return add(NotCounted::NoAccount, Source::Offhook, since),
        TeamsAccount::Unreachable(Unreachable::LoginEnded) => {
            add(NotCounted::LoginEnded, Source::Offhook, since);
            true
        }
        TeamsAccount::Unreachable(Unreachable::Missing) => {
            add(NotCounted::AccountMissing, Source::Teams, since);
            false
        }
        TeamsAccount::Linked => false,
    };
    if facts.policy.mode == SyncMode::TelephonyOnly {
        if let Some(since) = shown_do_not_disturb(facts, now) {
            add(NotCounted::DoNotDisturbInTeams, Source::Teams, since);
        }
        if let Some(asks) = do_not_disturb(facts.signals, facts.policy, now) {
            let (source, since) = (request_source(&asks), asks.since());
            add(NotCounted::DoNotDisturbHere, source, since);
        }
    }
    for slot in Slot::ALL {
        if let SlotState::Refused(write) = facts.mirror.slot(slot)
            && !login_ended
        {
            add(NotCounted::WriteRefused(slot), Source::Teams, write.since);
        }
    }
}

/// Since when Teams has shown a Do not disturb of its own, if that is not too old.
fn shown_do_not_disturb(facts: &Facts<'_>, now: Timestamp) -> Option<Timestamp> {
    let seen = facts.signals.observation.as_ref()?;
    let is_shown = match seen.state.meaning() {
        Meaning::Presenting => true,
        // Our own Do not disturb, which a change of mode clears, is no state of Teams.
        Meaning::DoNotDisturb => !facts.mirror.slot(Slot::Preferred).may_echo(),
        Meaning::Call
        | Meaning::Available
        | Meaning::Busy
        | Meaning::BeRightBack
        | Meaning::Away
        | Meaning::Offline
        | Meaning::Unknown => false,
    };
    let until = facts.mirror.observed_until(facts.signals, facts.timing)?;
    (is_shown && until > now).then_some(seen.since)
}
