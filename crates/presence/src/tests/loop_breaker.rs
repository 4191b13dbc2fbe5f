//! The loop breaker: new calls, meetings and choices never pause writes, repetitions over another program's state
//! do (docs/presence-rules.md, "The loop breaker").

use super::{AVAILABLE, CALL, World, seconds};
use crate::{
    Action::{Clear, Set},
    Fact, LineState,
    Slot::{Preferred, Session},
    SyncMode::{None as Nothing, TelephonyAndPresence},
};

fn sets(world: &mut World) -> usize {
    let writes = world.take_writes();
    writes.iter().filter(|(_, action)| *action == Set).count()
}

/// Ten calls of four seconds, two seconds apart.
#[test]
fn a_switchboard_has_ten_calls_a_minute() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    for call in 1..=30 {
        world.line(LineState::Connected);
        assert_eq!(world.take_writes(), [(Session, Set)], "call {call}");
        world.pass(seconds(4), Some(CALL));
        world.line(LineState::Idle);
        assert_eq!(world.take_writes(), [(Session, Clear)], "call {call}");
        world.pass(seconds(2), Some(AVAILABLE));
    }
    assert_eq!(world.pauses, 0);
}

/// The same for choices.
#[test]
fn a_person_may_choose_any_number_of_times() {
    let mut world = World::new(TelephonyAndPresence);
    for _ in 0..30 {
        world.choose("Do not disturb");
        world.pass(seconds(2), Some(("DoNotDisturb", "DoNotDisturb")));
        world.back_to_automatic();
        world.pass(seconds(2), Some(AVAILABLE));
    }
    assert_eq!((sets(&mut world), world.pauses), (30, 0));
}

#[test]
fn the_same_choice_set_again_and_again_over_what_teams_shows_pauses_writing() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Do not disturb");
    for _ in 0..8 {
        world.pass(seconds(3), Some(AVAILABLE));
        world.set_mode(Nothing);
        world.pass(seconds(3), Some(AVAILABLE));
        world.set_mode(TelephonyAndPresence);
    }
    assert_eq!(
        (sets(&mut world), world.pauses),
        (7, 1),
        "the first and six repetitions"
    );
    let notes = world.notes();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("second presence synchronisation")),
        "{notes:?}"
    );
    world.line(LineState::Connected);
    assert_eq!(sets(&mut world), 0, "nothing is set during the pause");
    world.pass(seconds(300), Some(AVAILABLE));
    assert_eq!(world.take_writes(), [(Session, Set), (Preferred, Set)]);
}

#[test]
fn the_same_meeting_joined_again_and_again_counts_only_where_teams_showed_something_else() {
    for (between, pauses) in [(Some(AVAILABLE), 1), (Some(CALL), 0)] {
        let mut world = World::new(TelephonyAndPresence);
        for _ in 0..10 {
            world.meeting("standup", true, false);
            world.pass(seconds(2), Some(CALL));
            world.fact(Fact::MeetingEnded("standup".into()));
            world.pass(seconds(2), between);
        }
        assert_eq!(world.pauses, pauses, "{between:?}");
    }
}

/// A set after a clear is sent at once, except of a slot that was set three times within ten seconds.
#[test]
fn only_a_flapping_slot_keeps_its_distance() {
    let mut world = World::new(TelephonyAndPresence);
    for _ in 0..3 {
        world.line(LineState::Connected);
        assert_eq!(world.take_writes(), [(Session, Set)]);
        world.line(LineState::Idle);
        assert_eq!(
            world.take_writes(),
            [(Session, Clear)],
            "taking back never waits"
        );
    }
    world.line(LineState::Connected);
    world.pass(seconds(1), None);
    assert_eq!(world.take_writes(), []);
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), [(Preferred, Set)], "the other slot");
    world.pass(seconds(1), None);
    assert_eq!(
        world.take_writes(),
        [(Session, Set)],
        "two seconds after the clear"
    );
    world.pass(seconds(9), None);
    world.line(LineState::Idle);
    world.line(LineState::Connected);
    assert_eq!(world.take_writes(), [(Session, Clear), (Session, Set)]);
}
