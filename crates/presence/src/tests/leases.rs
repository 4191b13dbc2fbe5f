//! Leases, row by row (docs/presence-rules.md, "Leases").

use super::{ANNA, AVAILABLE, CALL, CLIENT, DESK, DND, World, reported, seconds};
use crate::{
    Action::{Clear, Set},
    ClientState, Confidence, Fact, Input, LineChange, LineId, LineKnowledge, LineState,
    PersonRecord, Rule,
    Slot::{Preferred, Session},
    SlotRecord,
    SyncMode::{self, TelephonyAndPresence},
};

#[test]
fn a_call_ends_with_its_subscription() {
    let mut world = World::new(SyncMode::None);
    world.line(LineState::Connected);
    world.pass(seconds(599), None);
    assert_eq!(world.shown(), "Busy, On the phone");
    world.pass(seconds(1), None);
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.presence().confidence, Confidence::Stale);
}

#[test]
fn a_refresh_renews_the_lease_of_a_call() {
    let mut world = World::new(SyncMode::None);
    world.line(LineState::Connected);
    let since = world.presence().since;
    world.pass(seconds(599), None);
    world.line(LineState::Connected);
    world.pass(seconds(599), None);
    assert_eq!(world.shown(), "Busy, On the phone");
    assert_eq!(world.presence().since, since);
}

#[test]
fn a_lost_connection_marks_the_line_stale_at_once_and_ends_its_call_after_a_minute() {
    let mut world = World::new(SyncMode::None);
    world.line(LineState::Connected);
    world.fact(Fact::Line(DESK, LineChange::Stale));
    assert_eq!(world.presence().confidence, Confidence::Stale);
    world.pass(seconds(30), None);
    world.fact(Fact::Line(DESK, LineChange::Stale));
    world.pass(seconds(29), None);
    assert_eq!(world.shown(), "Busy, On the phone");
    world.pass(seconds(1), None);
    assert_eq!(
        world.shown(),
        "Available, Available",
        "a second loss gives no second minute"
    );
}

#[test]
fn a_line_is_unknown_until_confirmed_and_again_after_its_lease() {
    let mut world = World::with_record(SyncMode::None, PersonRecord::default());
    let known = |world: &World| world.engine.signals(ANNA).unwrap().line(DESK, world.now);
    assert_eq!(known(&world), LineKnowledge::Unknown);
    world.line(LineState::Idle);
    let (state, since) = (LineState::Idle, world.now);
    assert_eq!(known(&world), LineKnowledge::Confirmed { state, since });
    world.fact(Fact::Line(DESK, LineChange::Stale));
    assert_eq!(known(&world), LineKnowledge::Stale { state, since });
    world.pass(seconds(60), None);
    assert_eq!(known(&world), LineKnowledge::Unknown);
}

#[test]
fn a_line_that_returns_is_certain_again_and_goes_on() {
    let mut world = World::new(SyncMode::None);
    world.line(LineState::Connected);
    let since = world.presence().since;
    world.fact(Fact::Line(DESK, LineChange::Stale));
    world.pass(seconds(30), None);
    world.line(LineState::Connected);
    assert_eq!(world.presence().confidence, Confidence::Certain);
    world.pass(seconds(90), None);
    assert_eq!(world.shown(), "Busy, On the phone");
    assert_eq!(world.presence().since, since);
}

#[test]
fn an_observation_is_fresh_for_as_long_as_sweeps_have_come_to_take() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(CALL.0, CALL.1);
    world.input(Input::ObservationFresh(seconds(90)));
    world.input(Input::ObservationFresh(seconds(30)));
    world.pass(seconds(89), None);
    assert_eq!(world.presence().confidence, Confidence::Certain);
    world.pass(seconds(1), None);
    assert_eq!(world.presence().confidence, Confidence::Stale);
}

#[test]
fn a_teams_observation_is_stale_after_a_minute_and_its_call_ends_five_minutes_later() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(CALL.0, CALL.1);
    world.pass(seconds(59), None);
    assert_eq!(world.presence().confidence, Confidence::Certain);
    world.pass(seconds(1), None);
    assert_eq!(world.presence().confidence, Confidence::Stale);
    world.pass(seconds(299), None);
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    world.pass(seconds(1), None);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn do_not_disturb_of_a_silent_teams_ends_likewise() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(DND.0, DND.1);
    world.pass(seconds(359), None);
    assert_eq!(world.rule(), Rule::TeamsDoNotDisturb);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn a_masked_teams_call_is_held() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(1), Some(CALL));
    for _ in 0..10 {
        world.line(LineState::Connected);
        world.pass(seconds(60), Some(CALL));
    }
    assert!(world.engine.signals(ANNA).unwrap().teams_call.is_some());
    assert_eq!(world.presence().confidence, Confidence::Masked);
}

#[test]
fn a_program_lasts_thirty_seconds_and_a_meeting_a_minute() {
    let mut world = World::new(SyncMode::None);
    world.programs(&["Slack"]);
    world.meeting("Board", true, false);
    world.pass(seconds(30), None);
    assert_eq!(world.engine.signals(ANNA).unwrap().programs, []);
    assert_eq!(world.shown(), "Busy, In a meeting");
    world.pass(seconds(30), None);
    assert_eq!(world.engine.signals(ANNA).unwrap().meetings, []);
}

#[test]
fn a_client_lasts_a_minute_without_a_heartbeat_then_the_grace_begins() {
    let mut world = World::new(SyncMode::None);
    world.fact(Fact::ClientEnded(CLIENT));
    let until = world.now + seconds(60);
    let (client, state, since) = (CLIENT, ClientState::Active, world.now);
    world.fact(Fact::Client {
        client,
        state,
        since,
        until,
    });
    world.pass(seconds(119), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::NoClient);
}

#[test]
fn a_client_that_was_lost_counts_from_the_end_of_its_lease_however_late_that_is_seen() {
    let mut world = World::new(SyncMode::None);
    world.fact(Fact::ClientEnded(CLIENT));
    let (client, state, since) = (CLIENT, ClientState::Active, world.now);
    let until = world.now + seconds(60);
    world.fact(Fact::Client {
        client,
        state,
        since,
        until,
    });
    world.now = until + seconds(300);
    world.input(Input::Tick);
    assert_eq!(world.presence().since, until + seconds(60));
}

#[test]
fn a_choice_has_no_lease() {
    let mut world = World::new(SyncMode::None);
    world.choose("Absent");
    world.now = world.now + seconds(29 * 24 * 3600);
    world.input(Input::Tick);
    assert_eq!(world.profile(), "Absent (Absent)");
}

#[test]
fn an_appointment_lasts_until_its_end() {
    let mut world = World::new(SyncMode::None);
    world.appointment(1, "Busy", seconds(3600));
    world.now = world.now + seconds(3600);
    world.input(Input::Tick);
    assert_eq!(world.rule(), Rule::Rest);
    assert_eq!(world.engine.signals(ANNA).unwrap().appointments, []);
}

#[test]
fn after_a_crash_everything_is_right_within_five_seconds() {
    let own = SlotRecord {
        written_at: super::START - seconds(60),
        expires_at: super::START + seconds(240),
        acknowledged: true,
        cleared_at: None,
        released: None,
    };
    let record = PersonRecord {
        slots: [Some(own), Some(own)],
        ..PersonRecord::default()
    };
    let mut world = World::with_record(TelephonyAndPresence, record);
    world.pass(seconds(5), Some(AVAILABLE));
    let mut writes = world.take_writes();
    writes.sort_by_key(|(slot, _)| *slot);
    assert_eq!(writes, [(Session, Clear), (Preferred, Clear)]);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn a_session_without_renewals_ends_after_five_minutes() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    let record = world.last_slot_record(Session).unwrap();
    assert_eq!(record.expires_at, world.now + seconds(300));
    world.choose("Do not disturb");
    let record = world.last_slot_record(Preferred).unwrap();
    assert_eq!(record.expires_at, world.now + seconds(24 * 3600));
    assert_eq!(world.take_writes(), [(Session, Set), (Preferred, Set)]);
}

#[test]
fn at_rest_nothing_wakes_the_engine() {
    let mut world = World::new(SyncMode::None);
    world.fact(Fact::Lines(Vec::new()));
    world.fact(Fact::TeamsUnlinked);
    world.no_client_for(seconds(120));
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_publication_of_a_phone_is_a_call_and_its_absence_makes_nothing_stale() {
    let mut world = World::new(SyncMode::None);
    world.pass(seconds(5), None);
    world.line(LineState::Idle);
    let line = LineId::Published(3);
    let publish = |world: &mut World, state, lease| {
        world.fact(Fact::Line(line, reported(state, lease)));
    };
    publish(&mut world, LineState::Connected, seconds(60));
    assert_eq!(world.shown(), "Busy, On the phone");
    // The lease ends without another report.
    world.pass(seconds(61), None);
    assert_eq!(world.shown(), "Available, Available");
    publish(&mut world, LineState::Connected, seconds(60));
    publish(&mut world, LineState::Idle, seconds(0));
    assert_eq!(world.shown(), "Available, Available");
}
