//! Writes to Teams, row by row and rule by rule (docs/presence-rules.md, "What Offhook writes to Teams").

use super::{ANNA, AVAILABLE, CALL, DESK, DND, HOUR, PRESENTING, World, reported, seconds};
use crate::{
    Action::{Abandon, Clear, Set},
    ClientState, Effect, Fact, Input, LineChange, LineState, PersonRecord,
    Slot::{Preferred, Session},
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
};

#[test]
fn a_call_connected_or_held_is_written_in_both_modes() {
    for mode in [TelephonyAndPresence, TelephonyOnly] {
        for state in [LineState::Connected, LineState::Held] {
            let mut world = World::new(mode);
            world.line(state);
            assert_eq!(world.take_writes(), [(Session, Set)], "{mode:?} {state:?}");
        }
    }
}

#[test]
fn a_call_is_written_although_a_state_by_hand_hides_it_and_the_explanation_names_the_state() {
    for state in [AVAILABLE, ("BeRightBack", "BeRightBack"), DND] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(5), Some(state));
        world.line(LineState::Connected);
        assert_eq!(world.take_writes(), [(Session, Set)]);
        world.pass(seconds(5), Some(state));
        let expected = format!("hidden in Teams, which shows {}/{}", state.0, state.1);
        assert!(world.notes().contains(&expected), "{:?}", world.notes());
    }
}

#[test]
fn ringing_programs_and_other_profiles_write_nothing() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Ringing);
    world.programs(&["Slack"]);
    for profile in [
        "Available",
        "Busy",
        "Be right back",
        "Absent",
        "Appointment",
    ] {
        world.choose(profile);
        world.pass(seconds(3), None);
    }
    world.back_to_automatic();
    world.appointment(1, "Busy", HOUR);
    world.client(ClientState::Locked);
    world.no_client_for(seconds(120));
    assert_eq!(world.take_writes(), []);
}

#[test]
fn do_not_disturb_by_rule_one_is_written_and_cleared() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    world.choose("Busy");
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
}

#[test]
fn do_not_disturb_by_rule_two_is_written_and_cleared_at_its_end() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Do not disturb", seconds(60));
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    world.pass(seconds(60), None);
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
}

#[test]
fn a_suspended_do_not_disturb_appointment_is_not_written() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Do not disturb", HOUR);
    world.choose("Available");
    assert_eq!(world.take_writes(), [(Preferred, Set), (Preferred, Clear)]);
}

#[test]
fn do_not_disturb_by_rule_three_is_never_written() {
    for state in [
        DND,
        PRESENTING,
        ("DoNotDisturb", "UrgentInterruptionsOnly"),
        ("Focusing", "Focusing"),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(5), Some(state));
        assert_eq!(world.presence().status, crate::Status::DoNotDisturb);
        world.pass(seconds(5), Some(AVAILABLE));
        assert_eq!(world.presence().status, crate::Status::Available);
        assert_eq!(world.take_writes(), [], "{state:?}");
    }
}

#[test]
fn do_not_disturb_is_written_only_in_the_mode_with_presence() {
    for mode in [TelephonyOnly, SyncMode::None] {
        let mut world = World::new(mode);
        world.choose("Do not disturb");
        world.appointment(1, "Do not disturb", HOUR);
        assert_eq!(world.take_writes(), [], "{mode:?}");
    }
}

#[test]
fn a_teams_call_with_a_do_not_disturb_profile_writes_nothing() {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles([super::personal("MS Teams", crate::Status::DoNotDisturb)]);
    world.teams(CALL.0, CALL.1);
    assert_eq!(world.shown(), "DoNotDisturb, On the phone (MS Teams)");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_state_that_offhook_did_not_set_is_never_cleared() {
    let mut world = World::new(TelephonyAndPresence);
    for state in [CALL, DND, PRESENTING, AVAILABLE] {
        world.pass(seconds(5), Some(state));
    }
    world.set_mode(SyncMode::None);
    world.input(Input::RemovePerson(ANNA));
    assert_eq!(world.take_writes(), []);
}

#[test]
fn repeated_lines_leave_an_account_that_was_found_in_between() {
    let record = PersonRecord::default();
    let mut world = World::with_record(TelephonyAndPresence, record);
    world.fact(Fact::TeamsLinked);
    world.fact(Fact::Lines(vec![DESK]));
    world.line(LineState::Connected);
    assert_eq!(world.take_writes(), [(Session, Set)]);
}

#[test]
fn an_account_that_is_taken_away_is_left_clean() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.choose("Do not disturb");
    world.take_writes();
    world.fact(Fact::TeamsUnlinked);
    assert_eq!(world.take_writes(), [(Session, Clear), (Preferred, Clear)]);
    assert_eq!(world.shown(), "DoNotDisturb, On the phone");
}

#[test]
fn every_write_is_stored_before_it_is_sent() {
    let mut world = World::new(TelephonyAndPresence);
    let facts = [
        Fact::Line(DESK, reported(LineState::Connected, HOUR)),
        Fact::Choice(Some(crate::Choice {
            profile: "Do not disturb".into(),
            since: world.now,
            until: None,
        })),
        Fact::Line(DESK, LineChange::Stale),
        Fact::Choice(None),
    ];
    for fact in facts {
        let mut stored = Vec::new();
        for effect in world.engine.handle(world.now, Input::Person(ANNA, fact)) {
            match effect {
                Effect::Store(crate::Record::Slot { slot, .. }) => stored.push(slot),
                Effect::Write(write) => assert!(stored.contains(&write.slot), "{write:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn an_expired_session_is_stored_before_it_is_cleared() {
    let mut world = World::new(TelephonyOnly);
    world.acknowledges = false;
    world.line(LineState::Connected);
    world.now = world.now + seconds(400);
    let effects = world.engine.handle(world.now, Input::Tick);
    let stored = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Store(_)));
    let written = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Write(_)));
    assert!(stored.unwrap() < written.unwrap(), "{effects:?}");
}

#[test]
fn a_do_not_disturb_under_our_own_is_an_echo_and_presenting_is_not() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Do not disturb");
    world.pass(seconds(30), Some(DND));
    let signals = |world: &World| world.engine.signals(ANNA).unwrap().clone();
    assert_eq!(signals(&world).teams_do_not_disturb_since, None);
    world.pass(seconds(30), Some(PRESENTING));
    assert!(signals(&world).presenting_since.is_some());
    assert!(signals(&world).teams_call.is_some());
}

// Microsoft drops a session after five minutes; its clear is not retried longer.
#[test]
fn a_clear_that_is_not_confirmed_is_left_when_the_session_has_run_out() {
    for answered in [true, false] {
        let mut world = World::new(TelephonyAndPresence);
        world.acknowledges = answered;
        world.line(LineState::Connected);
        world.pass(seconds(100), Some(CALL));
        world.acknowledges = false;
        world.line(LineState::Idle);
        world.fact(Fact::TeamsRefused(Session, Clear));
        assert_eq!(world.take_writes(), [(Session, Set), (Session, Clear)]);
        // A set without an answer may have arrived at any time until the call ended.
        let rest = if answered { 200 } else { 300 };
        world.pass(seconds(rest - 1), Some(AVAILABLE));
        assert_eq!(world.take_writes(), [], "{answered}");
        world.pass(seconds(1), Some(AVAILABLE));
        assert_eq!(world.take_writes(), [(Session, Abandon)], "{answered}");
        world.pass(seconds(600), Some(AVAILABLE));
        assert_eq!(world.take_writes(), [], "{answered}");
    }
}

// An account without a licence refuses the set and the clear that follows it.
#[test]
fn the_clear_after_a_refused_set_is_left_when_nothing_can_be_there() {
    let mut world = World::new(TelephonyAndPresence);
    world.acknowledges = false;
    for _ in 0..2 {
        // A call within the five minutes needs the slot.
        world.line(LineState::Connected);
        world.fact(Fact::TeamsRefused(Session, Set));
        world.line(LineState::Idle);
        world.fact(Fact::TeamsRefused(Session, Clear));
        assert_eq!(world.take_writes(), [(Session, Set), (Session, Clear)]);
        world.pass(seconds(299), None);
        assert_eq!(world.take_writes(), []);
    }
    world.pass(seconds(1), None);
    assert_eq!(world.take_writes(), [(Session, Abandon)]);
    world.pass(seconds(600), None);
    assert_eq!(world.take_writes(), []);
}
