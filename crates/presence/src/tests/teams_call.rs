//! The appointment of a Teams call: lifetime and end (docs/presence-rules.md, "The Teams call appointment").

use super::{ANNA, AVAILABLE, CALL, CLIENT, LONG, PRESENTING, START, World, seconds};
use crate::{
    ClientId, ClientState, Fact, LineState, PersonRecord, Record,
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
    TeamsCall,
};

const HALF_A_DAY: u64 = 12 * 3600;

fn call(world: &World) -> Option<TeamsCall> {
    world.engine.signals(ANNA).unwrap().teams_call
}

fn stored(world: &World) -> Option<TeamsCall> {
    world.records.iter().rev().find_map(|record| match record {
        Record::TeamsCall { call, .. } => Some(*call),
        _ => None,
    })?
}

fn remembering(since: u64, confirmed: u64) -> PersonRecord {
    PersonRecord {
        teams_call: Some(TeamsCall {
            since: START - seconds(since),
            confirmed_at: START - seconds(confirmed),
        }),
        ..PersonRecord::default()
    }
}

#[test]
fn it_is_stored_with_its_start_and_deleted_when_the_call_ends() {
    for mode in [TelephonyAndPresence, TelephonyOnly] {
        for state in [CALL, PRESENTING, ("Busy", "InAConferenceCall")] {
            let mut world = World::new(mode);
            world.teams(state.0, state.1);
            assert_eq!(stored(&world), call(&world), "{state:?}");
            assert_eq!(stored(&world).unwrap().since, world.now);
            world.teams(AVAILABLE.0, AVAILABLE.1);
            assert_eq!((call(&world), stored(&world)), (None, None));
        }
    }
}

#[test]
fn it_is_the_same_one_before_during_and_after_sharing() {
    for mode in [TelephonyAndPresence, TelephonyOnly] {
        let mut world = World::new(mode);
        for state in [CALL, PRESENTING, CALL] {
            world.pass(seconds(30), Some(state));
            assert_eq!(call(&world).unwrap().since, START + seconds(1));
        }
    }
}

#[test]
fn an_observation_without_the_call_ends_it() {
    for state in ["Available", "Busy", "Away", "BeRightBack", "Offline"] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(5), Some(CALL));
        world.teams(state, state);
        assert_eq!(call(&world), None, "{state}");
    }
}

#[test]
fn at_restart_it_is_adopted_if_teams_still_shows_it() {
    let mut world = World::with_record(TelephonyAndPresence, remembering(600, 30));
    assert_eq!(call(&world), None, "not before Teams says so");
    world.teams(CALL.0, CALL.1);
    assert_eq!(call(&world).unwrap().since, START - seconds(600));
}

#[test]
fn at_restart_it_is_removed_if_teams_does_not_show_it() {
    let mut world = World::with_record(TelephonyAndPresence, remembering(600, 30));
    world.teams(AVAILABLE.0, AVAILABLE.1);
    assert_eq!(
        world.records.last(),
        Some(&Record::TeamsCall {
            person: ANNA,
            call: None
        })
    );
    world.teams(CALL.0, CALL.1);
    assert_eq!(call(&world).unwrap().since, world.now, "a new one");
}

#[test]
fn at_restart_without_a_mode_that_knows_calls_it_is_removed() {
    let world = World::with_record(SyncMode::None, remembering(600, 30));
    assert!(world.records.contains(&Record::TeamsCall {
        person: ANNA,
        call: None
    }));
}

#[test]
fn it_ends_twelve_hours_after_teams_last_confirmed_it() {
    // Under our own session no answer can confirm the call, so that only the limit ends it.
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(1), Some(CALL));
    let confirmed = world.now;
    world.acknowledges = true;
    while world.now < confirmed + seconds(HALF_A_DAY - 10) {
        world.line(LineState::Connected);
        world.now = world.now + seconds(10);
        world.teams(CALL.0, CALL.1);
    }
    assert_eq!(call(&world).unwrap().confirmed_at, confirmed);
    world.line(LineState::Connected);
    world.now = confirmed + seconds(HALF_A_DAY);
    world.teams(CALL.0, CALL.1);
    assert_eq!(call(&world), None);
}

#[test]
fn a_remembered_one_is_dropped_after_twelve_hours() {
    let mut world = World::with_record(TelephonyAndPresence, remembering(50_000, HALF_A_DAY - 5));
    world.pass(seconds(5), None);
    assert_eq!(
        world.records.last(),
        Some(&Record::TeamsCall {
            person: ANNA,
            call: None
        })
    );
}

#[test]
fn it_is_checked_at_each_client_start() {
    let mut world = World::new(TelephonyAndPresence);
    assert_eq!(world.reads, 0, "nothing to check");
    world.teams(CALL.0, CALL.1);
    world.client(ClientState::Active);
    assert_eq!(world.reads, 0, "a heartbeat is no start");
    for (count, client) in [ClientId::Page(31), ClientId::Page(32)]
        .into_iter()
        .enumerate()
    {
        let (state, since, until) = (ClientState::Unknown, world.now, world.now + LONG);
        world.fact(Fact::Client {
            client,
            state,
            since,
            until,
        });
        assert_eq!(world.reads, count + 1);
    }
    world.fact(Fact::ClientEnded(CLIENT));
    world.client(ClientState::Active);
    assert_eq!(world.reads, 3, "it started again");
    world.teams(AVAILABLE.0, AVAILABLE.1);
    assert_eq!(call(&world), None, "and the answer ends it");
}

#[test]
fn a_remembered_one_is_checked_at_client_start_too() {
    let world = World::with_record(TelephonyAndPresence, remembering(600, 30));
    assert_eq!(world.reads, 1);
}

#[test]
fn a_live_call_is_never_cut_by_any_limit() {
    let mut world = World::new(TelephonyOnly);
    world.pass(seconds(1), Some(CALL));
    let since = call(&world).unwrap().since;
    for _ in 0..(2 * HALF_A_DAY / 30) {
        world.now = world.now + seconds(30);
        world.teams(CALL.0, CALL.1);
    }
    assert_eq!(call(&world).unwrap().since, since);
}

#[test]
fn unknown_presence_neither_starts_nor_ends_nor_confirms_it() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("PresenceUnknown", "PresenceUnknown");
    assert_eq!(call(&world), None);
    world.teams(CALL.0, CALL.1);
    let confirmed = call(&world).unwrap().confirmed_at;
    world.pass(seconds(30), Some(("PresenceUnknown", "PresenceUnknown")));
    assert_eq!(call(&world).unwrap().confirmed_at, confirmed);
}

#[test]
fn an_account_that_is_taken_away_takes_its_call_along() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(CALL.0, CALL.1);
    world.fact(Fact::TeamsUnlinked);
    assert_eq!(world.shown(), "Available, Available");
    world.teams(CALL.0, CALL.1);
    assert_eq!(world.shown(), "Available, Available", "an answer under way");
}

#[test]
fn a_mode_that_is_switched_off_takes_the_call_along() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(CALL.0, CALL.1);
    world.set_mode(SyncMode::None);
    assert_eq!((call(&world), stored(&world)), (None, None));
    assert_eq!(world.shown(), "Available, Available");
}

/// A calls B: each person's state in Teams and in Offhook.
#[test]
fn the_table_of_calls_row_by_row() {
    const HERE: &str = "Busy, On the phone (MS Teams)";
    const QUIET: &str = "DoNotDisturb, Presenting";
    for (row, teams_a, here_a, teams_b, here_b) in [
        ("audio call", CALL, HERE, CALL, HERE),
        ("video call", CALL, HERE, CALL, HERE),
        ("only screen sharing", PRESENTING, QUIET, CALL, HERE),
        ("video call, A shares", PRESENTING, QUIET, CALL, HERE),
    ] {
        for (who, teams, here) in [("A", teams_a, here_a), ("B", teams_b, here_b)] {
            let mut world = World::new(TelephonyAndPresence);
            world.teams(teams.0, teams.1);
            assert_eq!(world.shown(), here, "{row}: {who}");
            assert!(call(&world).is_some(), "{row}: {who}");
            world.teams(CALL.0, CALL.1);
            assert_eq!(world.shown(), HERE, "{row}: {who} after sharing");
        }
    }
}

#[test]
fn one_that_ended_unseen_under_our_session_ends_when_the_window_does() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    world.line(LineState::Connected);
    world.pass(seconds(30), Some(CALL));
    world.line(LineState::Idle);
    world.pass(seconds(62), Some(AVAILABLE));
    assert_eq!(call(&world), None);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn one_that_is_held_under_our_session_stays_in_force() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    let since = call(&world).unwrap().since;
    world.line(LineState::Connected);
    world.pass(seconds(30), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone");
    assert_eq!(
        &*world.presence().profile,
        "Appointment",
        "rule 4 all along"
    );
    world.line(LineState::Idle);
    world.pass(seconds(90), Some(CALL));
    assert_eq!(call(&world).unwrap().since, since);
}
