//! Properties that hold for every history.

use proptest::prelude::*;

use super::{ANNA, DESK, World, seconds};
use crate::{Action, Fact, Input, LineState, Own, Slot, Status, SyncMode, TeamsState, Timestamp};

#[derive(Clone, Debug)]
enum Step {
    Line(LineState),
    LineLost,
    Teams(&'static str, &'static str, u64),
    Choose(&'static str),
    Automatic,
    Mode(SyncMode),
    Pass(u64),
    Acknowledge(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![
            Just(LineState::Idle),
            Just(LineState::Ringing),
            Just(LineState::Held),
            Just(LineState::Connected)
        ].prop_map(Step::Line),
        1 => Just(Step::LineLost),
        6 => (prop_oneof![
            Just(("Available", "Available")),
            Just(("Busy", "InACall")),
            Just(("DoNotDisturb", "Presenting")),
            Just(("DoNotDisturb", "DoNotDisturb")),
            Just(("Busy", "Busy")),
            Just(("Offline", "Offline")),
            Just(("PresenceUnknown", "PresenceUnknown")),
        ], 0u64..5).prop_map(|((availability, activity), age)| Step::Teams(availability, activity, age)),
        2 => prop_oneof![Just("Available"), Just("Busy"), Just("Do not disturb")].prop_map(Step::Choose),
        1 => Just(Step::Automatic),
        1 => prop_oneof![
            Just(SyncMode::None),
            Just(SyncMode::TelephonyAndPresence),
            Just(SyncMode::TelephonyOnly)
        ].prop_map(Step::Mode),
        6 => prop_oneof![0u64..4_000, 10_000u64..400_000, Just(90_000_000u64)].prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Acknowledge),
    ]
}

fn apply(world: &mut World, step: &Step) {
    match step {
        Step::Line(state) => world.line(*state),
        Step::LineLost => world.fact(Fact::LineStale(DESK)),
        Step::Teams(availability, activity, age) => {
            let state = TeamsState::new(availability, activity);
            let asked_at = world.now - seconds(*age);
            world.fact(Fact::TeamsObserved { state, asked_at });
        }
        Step::Choose(name) => world.choose(name),
        Step::Automatic => world.back_to_automatic(),
        Step::Mode(mode) => world.set_mode(*mode),
        Step::Pass(milliseconds) => {
            let end = world.now + std::time::Duration::from_millis(*milliseconds);
            run_until(world, end);
        }
        Step::Acknowledge(yes) => world.acknowledges = *yes,
    }
}

/// Follows the engine's own deadlines, as its caller must.
fn run_until(world: &mut World, end: Timestamp) {
    let mut turns = 0;
    while let Some(deadline) = world.engine.next_deadline().filter(|at| *at <= end) {
        world.now = world.now.max(deadline);
        world.input(Input::Tick);
        turns += 1;
        assert!(turns < 10_000, "the engine never comes to rest");
    }
    world.now = end;
    world.input(Input::Tick);
}

fn check(world: &World) {
    let now = world.now;
    let (presence, reasons) = world.engine.explain(ANNA, true, now).unwrap();
    assert_eq!(
        &presence,
        world.presence(),
        "what was told is what follows from the signals"
    );
    assert!(
        reasons.iter().any(|reason| reason.counted),
        "every presence has a reason"
    );
    for reason in reasons.iter().filter(|reason| reason.counted) {
        assert!(
            reason.lease_end.is_none_or(|end| end > now),
            "outlived its lease: {reason:?}"
        );
        assert!(reason.since <= now, "begins in the future: {reason:?}");
    }
    if let Some(activity) = presence.activity.filter(|activity| activity.makes_busy()) {
        let busy = matches!(presence.status, Status::Busy | Status::DoNotDisturb);
        assert!(busy, "{activity:?} without busy");
    }
    if let Some(deadline) = world.engine.next_deadline() {
        assert!(deadline > now, "a deadline in the past");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_presence_has_live_reasons(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        for step in &steps {
            apply(&mut world, step);
            check(&world);
        }
    }

    #[test]
    fn the_same_history_gives_the_same_effects(steps in prop::collection::vec(step(), 1..40)) {
        let run = || {
            let mut world = World::new(SyncMode::TelephonyAndPresence);
            steps.iter().for_each(|step| apply(&mut world, step));
            (world.writes, world.records)
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn silence_leads_to_rest_on_both_sides(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        for step in &steps {
            apply(&mut world, step);
        }
        world.acknowledges = true;
        world.back_to_automatic();
        // A clear that Teams never acknowledged ends with the day that Do not disturb lasts there.
        let end = world.now + seconds(26 * 3600);
        run_until(&mut world, end);
        check(&world);
        prop_assert_eq!(world.presence().status, Status::Available);
        prop_assert_eq!(&world.presence().activity, &None);
        for slot in Slot::ALL {
            prop_assert_eq!(world.engine.own(ANNA, slot), Some(&Own::None));
            let last = world.writes.iter().rev().find(|(written, _)| *written == slot);
            prop_assert!(last.is_none_or(|(_, action)| *action == Action::Clear)
                || slot == Slot::Preferred, "left {:?} in Teams", slot);
        }
    }

    /// Teams shows nothing but our own writes, as late as it likes within the promised minute: no Teams call and no
    /// Do not disturb of Teams' own may ever be seen.
    #[test]
    fn the_echo_of_our_own_write_is_never_news(
        steps in prop::collection::vec((step(), 1u64..40), 1..60),
        lag in prop_oneof![0u64..3, 0u64..58],
    ) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        // What Teams holds, and since when: (session set, do not disturb set).
        let mut truth = vec![(world.now, false, false)];
        for (step, pause) in &steps {
            if matches!(step, Step::Teams(..) | Step::Acknowledge(_) | Step::Pass(_) | Step::LineLost) {
                continue;
            }
            apply(&mut world, step);
            for _ in 0..*pause {
                record_writes(&mut world, &mut truth);
                world.now = world.now + seconds(1);
                let seen_at = world.now - seconds(lag);
                let (_, session, preferred) =
                    *truth.iter().rev().find(|(at, ..)| *at <= seen_at).unwrap_or(&truth[0]);
                match (preferred, session) {
                    (true, _) => world.teams("DoNotDisturb", "DoNotDisturb"),
                    (false, true) => world.teams("Busy", "InACall"),
                    (false, false) => world.teams("Available", "Available"),
                }
                let signals = world.engine.signals(ANNA).unwrap();
                prop_assert_eq!(signals.teams_call, None);
                prop_assert_eq!(signals.teams_do_not_disturb_since, None);
            }
        }
    }
}

fn record_writes(world: &mut World, truth: &mut Vec<(Timestamp, bool, bool)>) {
    for (slot, action) in world.take_writes() {
        let (_, mut session, mut preferred) = *truth.last().unwrap();
        let set = action != Action::Clear;
        match slot {
            Slot::Session => session = set,
            Slot::Preferred => preferred = set,
        }
        truth.push((world.now, session, preferred));
    }
}
