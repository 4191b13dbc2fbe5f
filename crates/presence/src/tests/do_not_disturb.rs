//! Do not disturb in both directions, as scenarios of one person.

use super::{ANNA, World, seconds};
use crate::{
    Action::{Abandon, Clear, Set},
    Fact, LineState,
    Slot::Preferred,
    SyncMode::TelephonyAndPresence,
};

const CALL: (&str, &str) = ("Busy", "InACall");
const DND: (&str, &str) = ("DoNotDisturb", "DoNotDisturb");
const AVAILABLE: (&str, &str) = ("Available", "Available");

#[test]
fn do_not_disturb_in_teams_shows_here_and_ends_with_teams() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(3), Some(DND));
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
    world.choose("Busy");
    assert_eq!(
        world.shown(),
        "DoNotDisturb, Do not disturb",
        "end it in Teams"
    );
    world.back_to_automatic();
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn own_do_not_disturb_goes_to_teams_and_its_echo_is_no_news() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    world.pass(seconds(30), Some(DND));
    assert_eq!(
        world
            .engine
            .signals(ANNA)
            .unwrap()
            .teams_do_not_disturb_since,
        None
    );
    world.back_to_automatic();
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
    assert_eq!(world.shown(), "Available, Available");
    world.pass(seconds(9), Some(DND));
    assert_eq!(
        world.shown(),
        "Available, Available",
        "an echo for at least ten seconds while few writes were seen"
    );
    world.pass(seconds(1), Some(DND));
    assert_eq!(
        world.shown(),
        "DoNotDisturb, Do not disturb",
        "what remains is Teams' own"
    );
}

#[test]
fn do_not_disturb_overridden_in_teams_stays_here_and_is_left_alone_there() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.choose("Do not disturb");
    world.pass(seconds(10), Some(DND));
    world.take_writes();
    world.pass(seconds(10), Some(("Offline", "Offline")));
    world.pass(seconds(10), Some(DND));
    assert!(
        world.engine.slot(ANNA, Preferred).unwrap().is_written(),
        "Offline is no override"
    );
    world.pass(seconds(10), Some(AVAILABLE));
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
    let notes = world.notes();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("overridden in Teams")),
        "{notes:?}"
    );
    world.back_to_automatic();
    assert_eq!(world.take_writes(), []);
}

#[test]
fn do_not_disturb_that_teams_had_already_is_never_cleared() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(3), Some(DND));
    world.choose("Do not disturb");
    world.back_to_automatic();
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
}

#[test]
fn own_do_not_disturb_is_not_renewed_after_a_day() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Do not disturb");
    world.take_writes();
    world.pass(seconds(24 * 3600), Some(DND));
    world.pass(seconds(3600), Some(AVAILABLE));
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
}

#[test]
fn do_not_disturb_in_teams_during_a_pbx_call_is_seen_at_once() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.pass(seconds(5), Some(CALL));
    world.teams("DoNotDisturb", "DoNotDisturb");
    assert_eq!(world.shown(), "DoNotDisturb, On the phone");
    let notes = world.notes();
    assert!(
        notes.iter().any(|note| note.contains("hidden in Teams")),
        "{notes:?}"
    );
}

#[test]
fn one_that_teams_never_acknowledged_is_cleared_even_after_a_day() {
    let mut world = World::new(TelephonyAndPresence);
    world.acknowledges = false;
    world.choose("Do not disturb");
    world.pass(seconds(25 * 3600), Some(AVAILABLE));
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    world.back_to_automatic();
    assert_eq!(
        world.take_writes(),
        [(Preferred, Clear)],
        "what may still wait to be sent is replaced"
    );
}

#[test]
fn the_end_of_microsofts_day_is_no_override() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.choose("Do not disturb");
    world.pass(seconds(24 * 3600 - 1), Some(DND));
    world.teams("Available", "Available");
    let notes = world.notes();
    assert!(
        notes.iter().any(|note| note.contains("after 24 hours")),
        "{notes:?}"
    );
}

/// Do not disturb that Offhook wrote and Teams shows.
fn shown_in_teams() -> World {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.choose("Do not disturb");
    world.pass(seconds(10), Some(DND));
    world
}

// A clear without confirmation stays recorded and does not clear the person's later choice in
// Teams.
#[test]
fn a_clear_that_is_not_confirmed_does_not_take_back_a_later_choice() {
    let mut world = shown_in_teams();
    world.acknowledges = false;
    world.take_writes();
    world.back_to_automatic();
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
    world.pass(seconds(600), Some(DND));
    assert_eq!(world.take_writes(), [], "the queue tries again");
    let record = world.last_slot_record(Preferred).unwrap();
    assert_eq!(record.cleared_at, None, "recorded for a restart");
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.take_writes(), [], "one answer may be old");
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.take_writes(), [(Preferred, Abandon)]);
    let record = world.last_slot_record(Preferred);
    assert!(record.is_none_or(|record| record.cleared_at.is_some()));
}

#[test]
fn a_clear_that_is_not_confirmed_within_microsofts_day_is_not_sent_later() {
    let mut world = shown_in_teams();
    world.acknowledges = false;
    world.back_to_automatic();
    world.take_writes();
    world.pass(seconds(24 * 3600), Some(DND));
    assert_eq!(world.take_writes(), [(Preferred, Abandon)]);
}

// Teams never showed the write before the clear.
#[test]
fn a_clear_before_the_first_answer_does_not_take_back_a_later_choice() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.choose("Do not disturb");
    world.acknowledges = false;
    world.back_to_automatic();
    world.take_writes();
    world.pass(seconds(5), Some(AVAILABLE));
    assert_eq!(world.take_writes(), [], "not shown yet");
    world.pass(seconds(20), Some(DND));
    world.pass(seconds(2), Some(("Busy", "Busy")));
    assert_eq!(world.take_writes(), [(Preferred, Abandon)]);
}

// A 404 to a clear acknowledges nothing while Teams still shows our write (docs/presence-rules.md, "Teams calls
// and echoes").
#[test]
fn a_session_that_teams_answers_with_404_and_still_shows_is_cleared_again() {
    let mut world = shown_in_teams();
    world.acknowledges = false;
    world.back_to_automatic();
    world.take_writes();
    for _ in 0..10 {
        world.fact(Fact::TeamsNothingToClear(Preferred));
        let record = world.last_slot_record(Preferred).unwrap();
        assert_eq!(record.cleared_at, None);
        world.pass(seconds(12), Some(DND));
        assert_eq!(world.take_writes(), [(Preferred, Clear)]);
        assert_ne!(
            world.shown(),
            "Do not disturb, Do not disturb",
            "not a choice in Teams"
        );
    }
    world.fact(Fact::TeamsNothingToClear(Preferred));
    world.pass(seconds(1), Some(AVAILABLE));
    let record = world.last_slot_record(Preferred);
    assert!(record.is_none_or(|record| record.cleared_at.is_some()));
    // A later Do not disturb is the person's own.
    world.pass(seconds(70), Some(AVAILABLE));
    world.pass(seconds(70), Some(DND));
    assert_eq!(world.take_writes(), []);
}

// A write that Teams never showed may not have arrived: Do not disturb after the 404 may be the person's own.
#[test]
fn do_not_disturb_after_a_404_to_a_write_that_was_never_shown_is_not_cleared() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.acknowledges = false;
    world.choose("Do not disturb");
    world.pass(seconds(10), Some(AVAILABLE));
    world.back_to_automatic();
    world.take_writes();
    world.fact(Fact::TeamsNothingToClear(Preferred));
    world.pass(seconds(100), Some(DND));
    assert_eq!(world.take_writes(), []);
}
