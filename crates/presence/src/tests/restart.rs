//! Adoption of the store's records after a crash.

use super::{ANNA, START, World, seconds};
use crate::{
    Action::{Abandon, Clear, Renew, Set},
    LineState, PersonRecord,
    Slot::{Preferred, Session},
    SlotRecord,
    SyncMode::TelephonyAndPresence,
    TeamsCall,
};

fn held(ago: u64, lifetime: u64) -> SlotRecord {
    SlotRecord {
        written_at: START - seconds(ago),
        expires_at: START - seconds(ago) + seconds(lifetime),
        acknowledged: true,
        cleared_at: None,
        released: None,
    }
}

fn restarted(record: PersonRecord) -> World {
    World::with_record(TelephonyAndPresence, record)
}

#[test]
fn an_adopted_session_is_renewed_while_the_call_lasts() {
    let slots = [Some(held(10, 300)), None];
    let mut world = restarted(PersonRecord {
        slots,
        ..PersonRecord::default()
    });
    world.pass(seconds(1), Some(("Busy", "InACall")));
    assert_eq!(
        world.shown(),
        "Available, Available",
        "our echo is no Teams call"
    );
    world.line(LineState::Connected);
    assert_eq!(world.take_writes(), []);
    world.pass(seconds(235), Some(("Busy", "InACall")));
    assert_eq!(world.take_writes(), [(Session, Renew)]);
}

#[test]
fn an_adopted_session_is_cleared_when_the_call_is_over() {
    let slots = [Some(held(10, 300)), None];
    let mut world = restarted(PersonRecord {
        slots,
        ..PersonRecord::default()
    });
    world.line(LineState::Idle);
    assert_eq!(world.take_writes(), [(Session, Clear)]);
    world.pass(seconds(10), Some(("Available", "Available")));
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn an_adopted_session_is_cleared_when_no_line_reports() {
    let slots = [Some(held(10, 300)), None];
    let mut world = restarted(PersonRecord {
        slots,
        ..PersonRecord::default()
    });
    world.pass(seconds(3), Some(("Busy", "InACall")));
    assert_eq!(world.take_writes(), []);
    world.pass(seconds(2), Some(("Busy", "InACall")));
    assert_eq!(world.take_writes(), [(Session, Clear)]);
}

#[test]
fn a_session_that_ran_out_while_we_were_down_is_no_teams_call() {
    let slots = [Some(held(310, 300)), None];
    let mut world = restarted(PersonRecord {
        slots,
        ..PersonRecord::default()
    });
    world.pass(seconds(10), Some(("Busy", "InACall")));
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn an_adopted_do_not_disturb_is_cleared_when_the_choice_ends() {
    let profile = "Do not disturb".into();
    let choice = Some(crate::Choice {
        profile,
        since: START - seconds(60),
        until: None,
    });
    let slots = [None, Some(held(60, 24 * 3600))];
    let mut world = restarted(PersonRecord {
        slots,
        choice,
        ..PersonRecord::default()
    });
    world.pass(seconds(5), Some(("DoNotDisturb", "DoNotDisturb")));
    assert_eq!(world.take_writes(), [], "not silently renewed");
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
}

#[test]
fn a_do_not_disturb_that_was_stored_but_never_sent_is_sent() {
    let profile = "Do not disturb".into();
    let choice = Some(crate::Choice {
        profile,
        since: START - seconds(1),
        until: None,
    });
    let slots = [
        None,
        Some(SlotRecord {
            acknowledged: false,
            ..held(1, 24 * 3600)
        }),
    ];
    let mut world = restarted(PersonRecord {
        slots,
        choice,
        ..PersonRecord::default()
    });
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
}

#[test]
fn a_remembered_teams_call_keeps_its_start_if_teams_still_shows_it() {
    let since = START - seconds(600);
    let teams_call = Some(TeamsCall {
        since,
        confirmed_at: START - seconds(5),
    });
    let mut world = restarted(PersonRecord {
        teams_call,
        ..PersonRecord::default()
    });
    assert_eq!(world.shown(), "Available, Available");
    world.teams("Busy", "InACall");
    assert_eq!(world.presence().since, since);
}

#[test]
fn a_remembered_teams_call_is_dropped_if_teams_no_longer_shows_it() {
    let teams_call = Some(TeamsCall {
        since: START - seconds(600),
        confirmed_at: START - seconds(5),
    });
    let mut world = restarted(PersonRecord {
        teams_call,
        ..PersonRecord::default()
    });
    world.teams("Available", "Available");
    assert_eq!(world.shown(), "Available, Available");
    assert_eq!(
        world.records.last(),
        Some(&crate::Record::TeamsCall {
            person: ANNA,
            call: None
        })
    );
}

#[test]
fn a_remembered_teams_call_is_dropped_twelve_hours_after_its_last_confirmation() {
    let teams_call = Some(TeamsCall {
        since: START - seconds(13 * 3600),
        confirmed_at: START - seconds(12 * 3600 - 30),
    });
    let mut world = restarted(PersonRecord {
        teams_call,
        ..PersonRecord::default()
    });
    world.pass(seconds(31), None);
    world.teams("Busy", "InACall");
    assert_eq!(
        world.presence().since,
        world.now,
        "a new call, not the remembered one"
    );
}

#[test]
fn a_live_teams_call_is_never_cut_by_the_limit() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Busy", "InACall");
    let since = world.presence().since;
    world.pass(seconds(13 * 3600), Some(("Busy", "InACall")));
    assert_eq!(world.presence().since, since);
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
}

// After a restart the recorded clear is not confirmed either; the person's later choice is not
// cleared.
#[test]
fn a_clear_that_is_not_confirmed_after_a_restart_does_not_take_back_a_later_choice() {
    let slots = [None, Some(held(600, 24 * 3600))];
    let record = PersonRecord {
        slots,
        ..PersonRecord::default()
    };
    let mut world = World::unacknowledged(TelephonyAndPresence, record);
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
    world.pass(seconds(20), Some(("DoNotDisturb", "DoNotDisturb")));
    assert_eq!(world.take_writes(), []);
    world.pass(seconds(300), Some(("Busy", "Busy")));
    assert_eq!(world.take_writes(), [(Preferred, Abandon)]);
}
