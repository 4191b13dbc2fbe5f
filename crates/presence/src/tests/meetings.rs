//! Meetings outside Teams (docs/presence-rules.md, "Meetings outside Teams").

use super::{ANNA, AVAILABLE, CALL, World, seconds};
use crate::{
    Action::{Clear, Renew, Set},
    Fact, LineState, ReasonDetail, Rule,
    Slot::Session,
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
};

fn leave(world: &mut World, meeting: &str) {
    world.fact(Fact::MeetingEnded(meeting.into()));
}

#[test]
fn a_meeting_with_audio_is_a_call_in_teams_and_cleared_at_its_end() {
    for mode in [TelephonyAndPresence, TelephonyOnly] {
        let mut world = World::new(mode);
        world.meeting("Board", true, false);
        assert_eq!(world.shown(), "Busy, In a meeting");
        assert_eq!(world.take_writes(), [(Session, Set)]);
        world.pass(seconds(5), Some(CALL));
        assert_eq!(world.engine.signals(ANNA).unwrap().teams_call, None, "echo");
        leave(&mut world, "Board");
        assert_eq!(world.shown(), "Available, Available");
        assert_eq!(world.take_writes(), [(Session, Clear)]);
    }
}

#[test]
fn in_mode_none_a_meeting_shows_here_and_writes_nothing() {
    let mut world = World::new(SyncMode::None);
    world.meeting("Board", true, true);
    assert_eq!(world.shown(), "Busy, In a meeting");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_meeting_in_which_only_the_screen_is_shared_changes_nothing_on_either_side() {
    let mut world = World::new(TelephonyAndPresence);
    let before = world.presence().clone();
    world.meeting("Board", false, true);
    assert_eq!(world.presence(), &before);
    assert_eq!(world.take_writes(), []);
    let explained = world
        .reasons()
        .into_iter()
        .find(|reason| reason.rule == Rule::Meeting)
        .unwrap();
    assert!(!explained.counted);
    assert!(explained.detail == Some(ReasonDetail::OnlyTheScreen));
}

#[test]
fn audio_that_is_switched_on_and_off_within_a_meeting_counts_from_then_on() {
    let mut world = World::new(TelephonyAndPresence);
    world.meeting("Board", false, true);
    world.pass(seconds(10), None);
    world.meeting("Board", true, true);
    assert_eq!(world.presence().since, world.now);
    assert_eq!(world.take_writes(), [(Session, Set)]);
    world.meeting("Board", false, true);
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), [(Session, Clear)]);
}

#[test]
fn sharing_that_begins_within_a_meeting_does_not_restart_it() {
    let mut world = World::new(TelephonyAndPresence);
    world.meeting("Board", true, false);
    let since = world.presence().since;
    world.pass(seconds(10), None);
    world.meeting("Board", true, true);
    assert_eq!(world.presence().since, since);
}

#[test]
fn of_two_meetings_the_first_is_shown_and_the_session_outlasts_either() {
    let mut world = World::new(TelephonyAndPresence);
    world.meeting("One", true, false);
    world.pass(seconds(10), None);
    world.meeting("Two", true, false);
    world.meeting("One", true, false);
    leave(&mut world, "One");
    assert_eq!(world.shown(), "Busy, In a meeting");
    assert_eq!(world.take_writes(), [(Session, Set)]);
    leave(&mut world, "Two");
    assert_eq!(world.take_writes(), [(Session, Clear)]);
}

#[test]
fn a_call_and_a_meeting_share_one_session() {
    let mut world = World::new(TelephonyAndPresence);
    world.meeting("Board", true, false);
    world.line(LineState::Connected);
    assert_eq!(world.shown(), "Busy, On the phone");
    leave(&mut world, "Board");
    assert_eq!(world.take_writes(), [(Session, Set)]);
    world.line(LineState::Idle);
    assert_eq!(world.take_writes(), [(Session, Clear)]);
}

#[test]
fn the_session_of_a_long_meeting_is_renewed() {
    let mut world = World::new(TelephonyAndPresence);
    for _ in 0..25 {
        world.meeting("Board", true, false);
        world.pass(seconds(10), Some(CALL));
    }
    assert_eq!(world.take_writes(), [(Session, Set), (Session, Renew)]);
}

#[test]
fn a_meeting_whose_server_falls_silent_ends_after_a_minute() {
    let mut world = World::new(TelephonyAndPresence);
    world.meeting("Board", true, false);
    world.pass(seconds(59), Some(AVAILABLE));
    assert_eq!(world.shown(), "Busy, In a meeting");
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), [(Session, Set), (Session, Clear)]);
}
