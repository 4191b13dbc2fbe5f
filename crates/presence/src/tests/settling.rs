//! Evidence after our clear: tenants with lags that are steady, change between calls or grow during one, in every
//! interleaving of phone call, Teams call and Presenting (docs/presence-rules.md, "Teams calls and echoes").

mod tenant;

use proptest::prelude::*;
use tenant::{Event, SWEEP, TICK, Tenant, events, milliseconds};

use super::{ANNA, AVAILABLE, CALL, DND, PRESENTING, World, seconds};
use crate::{Action, Fact, LineState, PersonRecord, Slot, SyncMode::TelephonyAndPresence};

/// A Teams call under a phone call; both end within three seconds, in either order.
#[test]
fn p2_two_calls_that_end_together_are_over_three_sweeps_after_the_clear() {
    for first in [Event::HangUp, Event::TeamsHangUp] {
        for presenting in [false, true] {
            for phase in 0..10 {
                let mut tenant = Tenant::new(800, 20, phase * 100).experienced(1_000);
                tenant.happen(Event::TeamsCall);
                if presenting {
                    tenant.happen(Event::Share);
                }
                tenant.pass(10_000);
                tenant.happen(Event::PhoneCall);
                tenant.pass(20_000);
                tenant.happen(first);
                tenant.pass(2_500);
                let second = if first == Event::HangUp {
                    Event::TeamsHangUp
                } else {
                    Event::HangUp
                };
                tenant.happen(second);
                tenant.pass(3 * SWEEP + 2 * TICK);
                assert_eq!(
                    tenant.world.shown(),
                    "Available, Available",
                    "{first:?} {phase}"
                );
            }
        }
    }
}

/// A phone call, and a Teams call soon after it.
#[test]
fn p3_a_teams_call_after_a_phone_call_is_seen_after_the_wait() {
    for (writes_seen, wait) in [(true, 3), (false, 11)] {
        let mut tenant = Tenant::new(500, 20, 300);
        if writes_seen {
            tenant = tenant.experienced(900);
        }
        tenant.pass(5_000);
        tenant.happen(Event::PhoneCall);
        tenant.pass(20_000);
        tenant.happen(Event::HangUp);
        tenant.pass(4_000);
        tenant.happen(Event::TeamsCall);
        tenant.pass(wait * SWEEP + 600);
        assert_eq!(
            tenant.world.shown(),
            "Busy, On the phone (MS Teams)",
            "{writes_seen}"
        );
    }
}

#[test]
fn a_session_that_was_never_seen_is_waited_for_as_long_as_it_lived() {
    // A call of three seconds, in a tenant with a known lag of two: its echo comes late this time.
    let mut tenant = Tenant::new(20_000, 20, 0).experienced(2_000);
    tenant.pass(30_000);
    tenant.happen(Event::PhoneCall);
    tenant.pass(3_000);
    tenant.happen(Event::HangUp);
    tenant.pass(80_000);
    assert_eq!(tenant.false_calls, 0);
    assert_eq!(
        tenant.world.presence().confidence,
        crate::Confidence::Certain
    );
}

#[test]
fn the_lag_of_a_write_is_measured_also_after_the_clear() {
    let measured = |lag: u64, lasts: u64| {
        let mut tenant = Tenant::new(lag, 20, 0);
        tenant.pass(lag + 5_000);
        for _ in 0..10 {
            tenant.happen(Event::PhoneCall);
            tenant.pass(lasts);
            tenant.happen(Event::HangUp);
            tenant.pass(200_000);
        }
        tenant
            .world
            .tenant_lag
            .of(milliseconds(0))
            .map(|lag| lag.as_millis())
    };
    let is_between =
        |lag: Option<u128>, least, most| lag.is_some_and(|lag| (least..=most).contains(&lag));
    assert!(
        is_between(measured(300, 30_000), 300, 1_400),
        "at the next sweep"
    );
    assert!(
        is_between(measured(7_500, 3_000), 7_500, 8_600),
        "after the clear"
    );
    assert_eq!(
        measured(70_000, 300_000),
        None,
        "above a minute it is dropped"
    );
}

#[test]
fn a_state_that_hid_a_write_does_not_count_for_the_tenants_lag() {
    let mut world = World::new(TelephonyAndPresence);
    for _ in 0..12 {
        world.pass(seconds(1), Some(DND));
        world.line(LineState::Connected);
        world.pass(seconds(20), Some(DND));
        world.pass(seconds(5), Some(CALL));
        world.line(LineState::Idle);
        world.pass(seconds(70), Some(AVAILABLE));
    }
    assert_eq!(world.tenant_lag.of(seconds(1)), None);
}

#[test]
fn a_held_call_is_not_ended_by_what_our_do_not_disturb_explains() {
    for (state, ends) in [
        (DND, false),
        (("Offline", "Offline"), false),
        (AVAILABLE, true),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(5), Some(CALL));
        world.choose("Do not disturb");
        world.pass(seconds(60), Some(state));
        let held = world.engine.signals(ANNA).unwrap().teams_call.is_some();
        assert_eq!(held, !ends, "{state:?}");
    }
}

#[test]
fn under_our_do_not_disturb_a_call_is_held_for_an_hour() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    world.choose("Do not disturb");
    world.pass(seconds(3_590), Some(DND));
    assert_eq!(world.shown(), "DoNotDisturb, On the phone (MS Teams)");
    world.pass(seconds(15), Some(DND));
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
}

/// After a start the earlier write is known, but not whether Teams has shown it.
#[test]
fn after_a_restart_the_whole_minute_is_waited_for() {
    let now = super::START;
    let record = PersonRecord {
        slots: [
            Some(crate::SlotRecord {
                written_at: now - seconds(20),
                expires_at: now + seconds(200),
                acknowledged: true,
                cleared_at: Some(now - seconds(1)),
                released: None,
            }),
            None,
        ],
        ..PersonRecord::default()
    };
    let mut world = World::with_record(TelephonyAndPresence, record);
    world.line(LineState::Idle);
    world.pass(seconds(59), Some(CALL));
    assert_eq!(world.shown(), "Available, Available");
    world.pass(seconds(3), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_steady_lag_makes_no_false_teams_call(
        events in events(),
        lag in prop_oneof![0u64..3_000, 0u64..60_000],
        way in prop_oneof![Just(0u64), 0u64..400],
        phase in 0u64..1_000,
        experience in prop::option::of(0u64..2_000),
    ) {
        let mut tenant = Tenant::new(lag, way, phase);
        // Ten writes of a tenant with this lag, seen at the next sweep.
        if let Some(late) = experience {
            tenant = tenant.experienced(lag + late.min(SWEEP));
        }
        for (event, pause) in events {
            tenant.happen(event);
            tenant.pass(pause);
        }
        tenant.pass(130_000);
        if experience.is_some() || !tenant.mistakable {
            prop_assert_eq!(tenant.false_calls, 0);
        }
    }

    #[test]
    fn lags_that_change_between_calls_make_no_false_teams_call(
        calls in prop::collection::vec((500u64..90_000, 0u64..58_000, 0u64..40_000), 1..10),
        way in 0u64..400,
        phase in 0u64..1_000,
    ) {
        let mut tenant = Tenant::new(0, way, phase);
        tenant.pass(5_000);
        for (lasts, lag, pause) in calls {
            tenant.lag = lag;
            tenant.happen(Event::PhoneCall);
            tenant.pass(lasts);
            tenant.happen(Event::HangUp);
            // The lag changes after the end of the call's echo.
            tenant.pass(lag + 2 * way + pause);
        }
        tenant.pass(130_000);
        prop_assert_eq!(tenant.false_calls, 0);
    }

    #[test]
    fn where_the_lag_grows_during_a_call_the_first_answer_without_it_ends_the_false_call(
        before in 0u64..5_000,
        grows_to in 5_000u64..60_000,
        lasts in 10_000u64..90_000,
        phase in 0u64..1_000,
    ) {
        let mut tenant = Tenant::new(before, 20, phase).experienced(before + 500);
        tenant.pass(5_000);
        tenant.happen(Event::PhoneCall);
        tenant.pass(lasts);
        tenant.lag = grows_to;
        tenant.happen(Event::HangUp);
        tenant.pass(200_000);
        prop_assert!(tenant.false_calls <= 1);
        prop_assert_eq!(tenant.outlived, 0);
        prop_assert!(!tenant.believes_a_call());
    }

    /// The goal: with ten lags of at most a second and a sweep each second, the board is right three sweeps
    /// after the acknowledged clear, if Teams did not change in between.
    #[test]
    fn three_sweeps_after_the_clear_the_board_is_right(
        events in events(),
        lasts in prop_oneof![200u64..3_000, 200u64..60_000],
        lag in 0u64..=1_000,
        way in prop_oneof![Just(0u64), Just(100u64)],
        phase in 0u64..1_000,
    ) {
        let mut tenant = Tenant::new(lag, way, phase).experienced(1_000);
        tenant.pass(2_000);
        for (event, pause) in events {
            tenant.happen(event);
            tenant.pass(pause);
        }
        // A change in Teams that answers show only after the clear is a change in between.
        tenant.pass(lag);
        if !tenant.world.engine.signals(ANNA).unwrap().in_pbx_call(tenant.world.now) {
            tenant.happen(Event::PhoneCall);
            tenant.pass(lasts);
        }
        tenant.happen(Event::HangUp);
        tenant.pass(2 * way + 3 * SWEEP + TICK);
        let in_call = tenant.in_call;
        prop_assert_eq!(tenant.believes_a_call(), in_call, "cleared at {:?}", tenant.cleared_at);
        prop_assert_eq!(tenant.world.presence().activity.is_some(), in_call);
    }
}

/// After a 404 to the clear, the first state that no call explains ends a held call.
#[test]
fn a_held_call_ends_after_a_404_with_the_first_other_state() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    world.acknowledges = false;
    world.line(LineState::Connected);
    world.fact(Fact::TeamsAcknowledged(Slot::Session, Action::Set));
    world.pass(seconds(15), Some(CALL));
    world.line(LineState::Idle);
    world.fact(Fact::TeamsNothingToClear(Slot::Session));
    world.pass(seconds(2), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.shown(), "Available, Available");
}

/// Microsoft drops our Do not disturb after a day: its echo for some seconds does not end a Teams call.
#[test]
fn the_echo_of_an_expired_do_not_disturb_ends_no_call() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Do not disturb");
    world.pass(seconds(24 * 3600 - 20), Some(DND));
    world.pass(seconds(5), Some(PRESENTING));
    let since = world
        .engine
        .signals(ANNA)
        .unwrap()
        .teams_call
        .unwrap()
        .since;
    world.pass(seconds(30), Some(DND));
    let call = world.engine.signals(ANNA).unwrap().teams_call;
    assert_eq!(call.map(|call| call.since), Some(since), "held");
}
