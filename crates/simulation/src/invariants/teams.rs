//! Invariants between the engine and Teams.

use std::time::Duration;

use presence::{
    Action, Activity, ClearAnswer, Engine, Meaning, MicrophoneLayer, PersonId, Rule, Slot,
    SlotState, Status, SyncMode, TeamsState, Timestamp,
};

use super::ensure;
use crate::{
    account::{Stretch, Words},
    lag::Lags,
    person::SimulatedPerson,
    world::{SLOW_SWEEP, World},
};

/// Time after which a visible choice of the person in Teams must be respected.
const OVERRIDE: Duration = Duration::from_secs(600);

/// A write may be sent now: nothing learned from Teams is written back, every write was stored before, and only
/// our own writes are cleared.
pub(crate) fn write(
    world: &World<'_>,
    person: &SimulatedPerson,
    slot: Slot,
    action: Action,
) -> Result<(), String> {
    let (id, now, mode) = (person.id, world.now, person.policy.mode);
    if action == Action::Clear {
        let since = person.account.overridden_since;
        ensure!(
            slot == Slot::Session
                || !world.calm
                || world.silent
                // A write of ours on its way takes the slot again.
                || !person.writer.is_idle()
                || since.is_none_or(|since| now.since(since.max(world.started_at)) < OVERRIDE),
            "{id}: clears the choice of the person in Teams since {since:?}"
        );
        return Ok(());
    }
    if action == Action::Abandon {
        let is_there = match slot {
            Slot::Session => person
                .account
                .session_until
                .is_some_and(|until| until > now),
            Slot::Preferred => person.account.holds_ours(now),
        };
        ensure!(
            !world.calm || !is_there,
            "{id}: leaves {slot:?} of ours in Teams"
        );
        return Ok(());
    }
    ensure!(
        mode != SyncMode::None,
        "{id}: writes though nothing crosses"
    );
    let stored = person.slots[slot as usize];
    ensure!(
        stored.is_some_and(|own| own.cleared_at.is_none()
            && own.released.is_none()
            && own.expires_at > now),
        "{id}: writes {slot:?} {action:?}, but the store has {stored:?}"
    );
    match slot {
        Slot::Session => ensure!(
            person.on_the_phone(now) || person.in_meeting(now) || is_adopting(person),
            "{id}: writes a call that no source has reported"
        ),
        Slot::Preferred => ensure!(
            mode.presence() && person.wants_do_not_disturb(now),
            "{id}: writes a Do not disturb without a request"
        ),
    }
    let timing = world.engine.timing();
    let sets = || {
        let sets = person.sets.iter().rev();
        sets.filter(|(known, _)| *known == slot).map(|(_, at)| *at)
    };
    let recent = sets().filter(|at| now.since(*at) < timing.flapping_within);
    ensure!(
        action != Action::Set
            || recent.count() < timing.flapping_sets
            || sets()
                .next()
                .is_none_or(|at| now.since(at) >= timing.write_interval),
        "{id}: sets {slot:?} again, before: {:?}",
        person.sets
    );
    Ok(())
}

/// Whether a line has not reported since the start.
fn is_adopting(person: &SimulatedPerson) -> bool {
    let has_reported = |line| person.reported.iter().any(|known| known.0 == line);
    person.lines.iter().any(|(line, ..)| !has_reported(*line))
}

/// Start of the believed Teams call, and of the believed Do not disturb in Teams.
pub(crate) fn belief(engine: &Engine, id: PersonId) -> [Option<Timestamp>; 2] {
    let signals = engine.signals(id);
    [
        signals.and_then(|signals| signals.teams_call.map(|call| call.since)),
        signals.and_then(|signals| signals.teams_do_not_disturb_since),
    ]
}

/// Slots with a false belief after an answer: the state did not exist at the true time of the answer.
pub(crate) fn false_beliefs(
    before: [Option<Timestamp>; 2],
    after: [Option<Timestamp>; 2],
    person: &SimulatedPerson,
    true_at: Timestamp,
    now: Timestamp,
) -> impl Iterator<Item = Slot> {
    let books = [&person.account.calls, &person.account.do_not_disturbs];
    let false_beliefs = Slot::ALL.map(|slot| {
        let at = slot as usize;
        // A call from before the start of the process began earlier.
        let begins = before[at].is_none() && after[at] == Some(now);
        (slot, begins && !is_in(books[at], true_at))
    });
    false_beliefs
        .into_iter()
        .filter_map(|(slot, is_false)| is_false.then_some(slot))
}

fn is_in(stretches: &[Stretch], at: Timestamp) -> bool {
    stretches
        .iter()
        .any(|(start, end)| *start <= at && end.is_none_or(|end| at <= end))
}

/// An echo is never believed with lags that are constant or change between calls; where the lag grows it may be
/// believed once, and once more after another state in between.
pub(crate) fn false_calls(lags: Lags, count: u64, person: &SimulatedPerson) -> Result<(), String> {
    let allowed = match lags {
        Lags::Steady(_) | Lags::BetweenCalls => 0,
        Lags::GrowsDuringCalls => 2,
        Lags::EachAnswer => u64::MAX,
    };
    ensure!(
        count <= allowed,
        "{}: believes an echo of ours, {lags:?}; real calls: {:?}, real Do not disturb: {:?}",
        person.id,
        person.account.calls,
        person.account.do_not_disturbs
    );
    Ok(())
}

/// The first answer that neither a call nor our write explains ends a call.
pub(crate) fn ended(
    world: &World<'_>,
    person: &SimulatedPerson,
    words: Words,
    asked_at: Timestamp,
) -> Result<(), String> {
    let id = person.id;
    let own = |slot| world.engine.slot(id, slot).copied().unwrap_or_default();
    let is_newer = |slot| match own(slot) {
        SlotState::Empty | SlotState::Refused(_) | SlotState::Released(_) => true,
        SlotState::Written(held) => {
            slot == Slot::Preferred && asked_at >= held.acknowledged_at.unwrap_or(held.since)
        }
        SlotState::Clearing(withdrawn) => {
            matches!(withdrawn.answer, ClearAnswer::Acknowledged(at) if at <= asked_at)
        }
    };
    let explains_nothing = matches!(
        TeamsState::new(words.0, words.1).meaning(),
        Meaning::Available | Meaning::Busy | Meaning::BeRightBack | Meaning::Away
    );
    let [call, _] = belief(&world.engine, id);
    ensure!(
        !explains_nothing
            || world.lags == Lags::EachAnswer
            || !Slot::ALL.into_iter().all(is_newer)
            || call.is_none(),
        "{id}: {words:?} in Teams, but a call is believed since {call:?}"
    );
    Ok(())
}

/// A pause of writes needs a loop: seven sets within a minute.
pub(crate) fn pause(person: &SimulatedPerson, now: Timestamp) -> Result<(), String> {
    let minute = Duration::from_secs(60);
    let sets = person.sets.iter().filter(|(_, at)| now.since(*at) < minute);
    let sets = sets.count();
    ensure!(sets > 6, "{}: paused after {sets} sets", person.id);
    Ok(())
}

/// Both sides agree after a time without changes, or the explanation names the reason.
pub(crate) fn settled(world: &World<'_>, person: &SimulatedPerson) -> Result<(), String> {
    let (id, now, mode) = (person.id, world.now, person.policy.mode);
    let Some(signals) = world.engine.signals(id) else {
        return Ok(());
    };
    let own = |slot| world.engine.slot(id, slot).copied().unwrap_or_default();
    let wanted = [
        (
            Slot::Session,
            mode.telephony()
                && (person.on_the_phone(now) || person.in_meeting(now) || is_adopting(person)),
        ),
        (
            Slot::Preferred,
            mode.presence() && person.wants_do_not_disturb(now),
        ),
    ];
    for (slot, wanted) in wanted {
        ensure!(
            wanted || !own(slot).is_written() || !person.linked,
            "{id}: {slot:?} is not taken back: {:?}",
            own(slot)
        );
    }
    let quiet = SLOW_SWEEP * 2 + Duration::from_secs(120) + world.lags.longest();
    let settled = world.calm
        && world.link_up
        && person.linked
        && mode.telephony()
        && person.writer.is_idle()
        && now.since(person.quiet_since) > quiet;
    let Some((presence, reasons)) = world
        .engine
        .explain(id, MicrophoneLayer::Included, now)
        .filter(|_| settled)
    else {
        return Ok(());
    };
    let explained = reasons.iter().any(|reason| {
        matches!(reason.rule, Rule::OwnWrite | Rule::LoopBreaker) && reason.detail.is_some()
    });
    let words = person.account.shows();
    let shown = TeamsState::new(words.0, words.1).meaning();
    let shows_quiet = matches!(shown, Meaning::DoNotDisturb | Meaning::Presenting);
    if mode.presence() && person.wants_do_not_disturb(now) {
        ensure!(
            shows_quiet || explained || shown == Meaning::Unknown,
            "{id}: Do not disturb here, {words:?} in Teams, without an explanation: {reasons:?}"
        );
    }
    if mode.presence() && shows_quiet {
        ensure!(
            presence.status == Status::DoNotDisturb,
            "{id}: {words:?} in Teams, {} here: {reasons:?}",
            presence.status
        );
    }
    let on_the_phone = person.on_the_phone(now) || person.in_meeting(now);
    ensure!(
        on_the_phone == person.account.session_until.is_some() || explained,
        "{id}: on the phone is {on_the_phone}, our session in Teams ends at {:?}",
        person.account.session_until
    );
    let masked = Slot::ALL.into_iter().any(|slot| own(slot).may_echo());
    let call = matches!(shown, Meaning::Call | Meaning::Presenting);
    ensure!(
        masked || shown == Meaning::Unknown || call == signals.teams_call.is_some(),
        "{id}: {words:?} in Teams, but the call here is {:?}",
        signals.teams_call
    );
    ensure!(
        !mode.presence()
            || shown != Meaning::Presenting
            || on_the_phone
            || presence.activity == Some(Activity::Presenting),
        "{id}: presents in Teams, shown is {:?}",
        presence.activity
    );
    Ok(())
}

/// After a long silence no state is left on either side.
pub(crate) fn rest(world: &World<'_>, person: &SimulatedPerson) -> Result<(), String> {
    let id = person.id;
    for slot in Slot::ALL {
        let own = world.engine.slot(id, slot).copied().unwrap_or_default();
        ensure!(
            own == SlotState::Empty,
            "{id}: after the silence {slot:?} is {own:?}"
        );
        let stored = person.slots[slot as usize];
        ensure!(
            stored.is_none(),
            "{id}: after the silence the store has {stored:?}"
        );
    }
    let account = &person.account;
    ensure!(
        account.session_until.is_none()
            && account.preferred.is_none_or(|preferred| !preferred.ours),
        "{id}: left behind in Teams: {account:?}"
    );
    ensure!(
        person.teams_call.is_none(),
        "{id}: a Teams call is still stored"
    );
    ensure!(
        person.writer.is_idle(),
        "{id}: something still waits for Teams"
    );
    let Some((presence, reasons)) = world
        .engine
        .explain(id, MicrophoneLayer::Included, world.now)
    else {
        return Err(format!("{id} is not known"));
    };
    let resting = reasons
        .iter()
        .any(|reason| reason.counted && matches!(reason.rule, Rule::Rest | Rule::NoClient));
    ensure!(
        resting && presence.activity.is_none(),
        "{id}: still {presence:?} because of {reasons:?}"
    );
    Ok(())
}
