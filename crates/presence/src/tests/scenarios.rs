//! Scenarios of one person, from docs/presence-rules.md.

use super::{ANNA, DESK, World, seconds};
use crate::{
    Action::{Clear, Renew, Set},
    Confidence, Fact, Input, LineChange, LineState,
    Slot::{Preferred, Session},
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
};

const CALL: (&str, &str) = ("Busy", "InACall");
const PRESENTING: (&str, &str) = ("DoNotDisturb", "Presenting");
const DND: (&str, &str) = ("DoNotDisturb", "DoNotDisturb");
const AVAILABLE: (&str, &str) = ("Available", "Available");
const BUSY: (&str, &str) = ("Busy", "Busy");

#[test]
fn a_pbx_call_is_written_renewed_and_cleared() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.line(LineState::Ringing);
    assert_eq!(world.shown(), "Available, Ringing");
    assert_eq!(world.take_writes(), []);
    world.line(LineState::Connected);
    assert_eq!(world.shown(), "Busy, On the phone");
    assert_eq!(world.take_writes(), [(Session, Set)]);
    let since = world.presence().since;
    world.pass(seconds(30), Some(CALL));
    world.line(LineState::Held);
    assert_eq!(
        world.presence().since,
        since,
        "hold does not start a new call"
    );
    assert_eq!(world.presence().confidence, Confidence::Masked);
    world.pass(seconds(215), Some(CALL));
    assert_eq!(world.take_writes(), [(Session, Renew)]);
    world.line(LineState::Idle);
    assert_eq!(world.take_writes(), [(Session, Clear)]);
    assert_eq!(world.shown(), "Available, Available");
    world.pass(seconds(12), Some(AVAILABLE));
    assert_eq!(world.presence().confidence, Confidence::Certain);
    assert_eq!(world.last_slot_record(Session), None);
}

#[test]
fn the_table_of_calls_in_the_mode_with_presence() {
    for (teams, shown, kind) in [
        (CALL, "Busy, On the phone (MS Teams)", "OnThePhone"),
        (
            ("Busy", "InAConferenceCall"),
            "Busy, On the phone (MS Teams)",
            "OnThePhone",
        ),
        (PRESENTING, "DoNotDisturb, Presenting", "Presenting"),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.teams(teams.0, teams.1);
        assert_eq!(world.shown(), shown);
        assert_eq!(world.presence().activity.as_ref().unwrap().kind(), kind);
        assert_eq!(world.presence().activity.as_ref().unwrap().via(), "teams");
        assert_eq!(
            world.take_writes(),
            [],
            "nothing learned from Teams is written back"
        );
    }
}

#[test]
fn the_table_of_calls_in_the_mode_telephony_only() {
    for teams in [CALL, PRESENTING] {
        let mut world = World::new(TelephonyOnly);
        world.teams(teams.0, teams.1);
        assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    }
    let mut world = World::new(TelephonyOnly);
    world.teams("DoNotDisturb", "DoNotDisturb");
    assert_eq!(world.shown(), "Available, Available");
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn sharing_begins_and_ends_within_one_appointment() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Busy", "InACall");
    let call = world.engine.signals(ANNA).unwrap().teams_call.unwrap();
    world.pass(seconds(10), Some(PRESENTING));
    assert_eq!(world.shown(), "DoNotDisturb, Presenting");
    world.pass(seconds(10), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    let same = world.engine.signals(ANNA).unwrap().teams_call.unwrap();
    assert_eq!(call.since, same.since);
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.engine.signals(ANNA).unwrap().teams_call, None);
}

#[test]
fn in_mode_none_nothing_crosses() {
    let mut world = World::new(SyncMode::None);
    world.teams("Busy", "InACall");
    assert_eq!(world.shown(), "Available, Available");
    world.line(LineState::Connected);
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.shown(), "DoNotDisturb, On the phone");
}

#[test]
fn a_change_of_mode_clears_the_writes_of_the_old_mode() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), [(Session, Set), (Preferred, Set)]);
    world.pass(seconds(5), Some(DND));
    world.set_mode(TelephonyOnly);
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
    world.pass(seconds(5), Some(CALL));
    world.set_mode(SyncMode::None);
    assert_eq!(world.take_writes(), [(Session, Clear)]);
}

#[test]
fn states_without_a_call_change_nothing() {
    for state in [
        ("Busy", "InAMeeting"),
        BUSY,
        ("Away", "Away"),
        ("BeRightBack", "BeRightBack"),
        ("Offline", "Offline"),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(3), Some(state));
        assert_eq!(world.shown(), "Available, Available", "{state:?}");
    }
}

#[test]
fn unknown_presence_starts_and_ends_nothing() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Busy", "InACall");
    world.pass(seconds(20), Some(("PresenceUnknown", "PresenceUnknown")));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    world.pass(seconds(20), Some(("Nonsense", "Nonsense")));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    world.pass(seconds(30), Some(("PresenceUnknown", "PresenceUnknown")));
    assert_eq!(world.presence().confidence, Confidence::Stale);
}

#[test]
fn a_teams_call_before_a_pbx_call_is_held_through_the_mask() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    world.line(LineState::Connected);
    world.pass(seconds(20), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone");
    world.line(LineState::Idle);
    world.pass(seconds(70), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    assert_eq!(world.presence().confidence, Confidence::Certain);
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn a_teams_call_that_began_under_the_mask_shows_after_the_wait() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.line(LineState::Connected);
    world.pass(seconds(20), Some(CALL));
    world.line(LineState::Idle);
    world.pass(seconds(9), Some(CALL));
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.presence().confidence, Confidence::Likely);
    world.pass(seconds(1), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
}

#[test]
fn a_teams_call_inside_a_pbx_call_makes_no_event() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.pass(seconds(60), Some(CALL));
    world.line(LineState::Idle);
    world.pass(seconds(90), Some(AVAILABLE));
    assert!(
        world
            .records
            .iter()
            .all(|record| !matches!(record, crate::Record::TeamsCall { .. }))
    );
}

#[test]
fn after_a_quick_echo_the_wait_is_ten_seconds() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.line(LineState::Connected);
    world.pass(seconds(5), Some(CALL));
    world.line(LineState::Idle);
    world.pass(seconds(9), Some(AVAILABLE));
    world.teams("Busy", "InACall");
    assert_eq!(
        world.shown(),
        "Available, Available",
        "it may still be an echo"
    );
    world.pass(seconds(11), Some(AVAILABLE));
    world.teams("Busy", "InACall");
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
}

#[test]
fn an_echo_that_was_never_seen_keeps_the_whole_window() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.pass(seconds(5), Some(AVAILABLE));
    world.line(LineState::Idle);
    world.pass(seconds(20), Some(AVAILABLE));
    world.pass(seconds(30), Some(CALL));
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn a_read_requested_before_our_write_proves_nothing() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.line(LineState::Connected);
    world.pass(seconds(5), Some(CALL));
    let asked_at = world.now;
    world.now = world.now + seconds(1);
    world.line(LineState::Idle);
    let state = crate::TeamsState::new("Busy", "InACall");
    world.fact(Fact::TeamsObserved(crate::TeamsAnswer {
        state,
        asked_at,
        sequence: None,
        tenant_lag: None,
    }));
    world.pass(seconds(11), Some(AVAILABLE));
    assert_eq!(world.presence().confidence, Confidence::Certain);
}

#[test]
fn a_choice_never_hides_the_activity_and_suspends_the_appointment() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(3), Some(CALL));
    assert_eq!(&*world.presence().profile, "Appointment");
    world.choose("Available");
    assert_eq!(&*world.presence().profile, "Available");
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    world.pass(seconds(1), Some(AVAILABLE));
    world.pass(seconds(1), Some(CALL));
    assert_eq!(
        &*world.presence().profile,
        "Appointment",
        "one that starts later counts"
    );
}

#[test]
fn a_choice_ends_by_itself() {
    let mut world = World::new(TelephonyAndPresence);
    let profile = "do not disturb ".into();
    let until = Some(world.now + seconds(60));
    let choice = crate::Choice {
        profile,
        since: world.now,
        until,
    };
    world.fact(Fact::Choice(Some(choice)));
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
    assert!(world.engine.next_deadline() <= until);
    world.pass(seconds(60), None);
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), [(Preferred, Set), (Preferred, Clear)]);
}

#[test]
fn a_silent_teams_goes_stale_and_then_ends_the_call() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Busy", "InACall");
    world.pass(seconds(61), None);
    assert_eq!(world.presence().confidence, Confidence::Stale);
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    world.pass(seconds(300), None);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn a_lost_line_ends_its_call_after_a_minute() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.line(LineState::Connected);
    world.fact(Fact::Line(DESK, LineChange::Stale));
    assert_eq!(world.presence().confidence, Confidence::Stale);
    world.pass(seconds(59), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone");
    world.pass(seconds(1), Some(CALL));
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), [(Session, Set), (Session, Clear)]);
}

#[test]
fn a_session_that_could_not_be_renewed_is_written_again() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.acknowledges = false;
    world.pass(seconds(241), Some(CALL));
    assert_eq!(world.take_writes(), [(Session, Set), (Session, Renew)]);
}

#[test]
fn a_removed_person_leaves_nothing_in_teams() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.input(Input::RemovePerson(ANNA));
    assert_eq!(world.take_writes(), [(Session, Set), (Session, Clear)]);
    assert_eq!(world.engine.presence(ANNA), None);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_line_that_is_taken_away_takes_its_call_along() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.pass(seconds(3), None);
    world.take_writes();
    world.fact(Fact::Lines(Vec::new()));
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), [(Session, Clear)]);
    world.line(LineState::Connected);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn a_line_without_a_report_makes_the_presence_stale() {
    let mut world = World::with_record(SyncMode::None, crate::PersonRecord::default());
    assert_eq!(world.presence().confidence, Confidence::Stale);
    world.line(LineState::Idle);
    assert_eq!(world.presence().confidence, Confidence::Certain);
    world.fact(Fact::Line(DESK, LineChange::Stale));
    assert_eq!(world.presence().confidence, Confidence::Stale);
    world.pass(seconds(120), None);
    assert_eq!(
        world.presence().confidence,
        Confidence::Stale,
        "gone is not the same as idle"
    );
}
