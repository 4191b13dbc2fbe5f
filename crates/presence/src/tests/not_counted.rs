//! Reasons why a signal or a request does not count (docs/presence-rules.md, "What does not count").

use super::{ANNA, AVAILABLE, CALL, DESK, DND, PRESENTING, World, appointment, seconds};
use crate::{
    Action, Appointment, AppointmentOrigin, Confidence, Fact, LineState, NotCounted, PersonRecord,
    Reason, ReasonDetail, ReasonKind, Relationship, Rule,
    Slot::{self, Preferred, Session},
    SlotState, Source, Status,
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
    TeamsState,
};

fn reasons(world: &World) -> Vec<Reason> {
    let mut reasons = world.reasons();
    reasons.retain(|reason| reason.rule == Rule::NotCounted);
    reasons
}

fn why(world: &World) -> Vec<NotCounted> {
    let reasons = reasons(world).into_iter();
    reasons
        .map(|reason| match reason.kind {
            ReasonKind::NotCounted(why) if !reason.counted => why,
            says => panic!("{says}"),
        })
        .collect()
}

fn write_codes(world: &World, slot: Slot) -> Vec<&'static str> {
    let session =
        |reason: &Reason| matches!(&reason.kind, ReasonKind::OwnWrite(wrote, _) if *wrote == slot);
    let reasons = world.reasons();
    let reasons = reasons.iter().filter(|reason| session(reason));
    reasons.map(|reason| reason.kind.code()).collect()
}

/// A world in which Microsoft refuses every write.
fn refusing(mode: SyncMode) -> World {
    let mut world = World::new(mode);
    world.acknowledges = false;
    world
}

#[test]
fn where_everything_counts_there_is_nothing_to_explain() {
    let mut world = World::new(TelephonyAndPresence);
    for state in [AVAILABLE, CALL, DND, PRESENTING] {
        world.teams(state.0, state.1);
        assert_eq!(why(&world), []);
    }
    world.choose("Do not disturb");
    world.line(LineState::Connected);
    assert_eq!(why(&world), []);
}

#[test]
fn in_mode_none_nothing_crosses_and_the_explanation_names_the_mode() {
    let mut world = World::new(SyncMode::None);
    assert_eq!(why(&world), [NotCounted::ModeNone]);
    world.fact(Fact::TeamsUnlinked);
    assert_eq!(why(&world), [NotCounted::ModeNone], "the first cause only");
    world.pass(seconds(5), None);
    world.set_mode(TelephonyOnly);
    assert_eq!(why(&world), [NotCounted::NoAccount]);
    world.set_mode(SyncMode::None);
    assert_eq!(reasons(&world)[0].since, world.now);
}

#[test]
fn in_mode_telephony_only_the_explanation_names_the_do_not_disturb_that_does_not_cross() {
    let mut world = World::new(TelephonyOnly);
    for state in [AVAILABLE, CALL] {
        world.teams(state.0, state.1);
        assert_eq!(why(&world), []);
    }
    let others = [
        ("DoNotDisturb", "Focusing"),
        ("DoNotDisturb", "UrgentInterruptionsOnly"),
    ];
    for state in [DND, PRESENTING].into_iter().chain(others) {
        world.pass(seconds(1), Some(state));
        assert_eq!(why(&world), [NotCounted::DoNotDisturbInTeams], "{state:?}");
        assert_eq!(reasons(&world)[0].since, world.now);
    }
    world.choose("Do not disturb");
    let both = [
        NotCounted::DoNotDisturbInTeams,
        NotCounted::DoNotDisturbHere,
    ];
    assert_eq!(why(&world), both);
    world.teams(AVAILABLE.0, AVAILABLE.1);
    assert_eq!(why(&world), [NotCounted::DoNotDisturbHere]);
    world.back_to_automatic();
    assert_eq!(why(&world), []);
    world.appointment(1, "Do not disturb", seconds(60));
    assert_eq!(why(&world), [NotCounted::DoNotDisturbHere], "rule 2 too");
}

#[test]
fn an_appointment_that_asks_for_do_not_disturb_is_named_as_its_source() {
    for (origin, source) in [
        (AppointmentOrigin::Calendar, Source::Calendar),
        (AppointmentOrigin::Manual, Source::Person),
    ] {
        let mut world = World::new(TelephonyOnly);
        world.pass(seconds(100), None);
        let start = world.now;
        world.fact(Fact::Appointment(Appointment {
            origin,
            ..appointment(1, "Do not disturb", start, seconds(600))
        }));
        world.pass(seconds(10), None);
        let reasons = reasons(&world);
        assert_eq!(why(&world), [NotCounted::DoNotDisturbHere]);
        assert_eq!((reasons[0].source, reasons[0].since), (source, start));
    }
}

#[test]
fn a_state_seen_too_long_ago_is_not_explained_as_shown() {
    let mut world = World::new(TelephonyOnly);
    world.teams(DND.0, DND.1);
    world.pass(seconds(359), None);
    assert_eq!(why(&world), [NotCounted::DoNotDisturbInTeams]);
    world.pass(seconds(2), None);
    assert_eq!(why(&world), []);
}

#[test]
fn our_own_do_not_disturb_that_a_change_of_mode_clears_is_not_teams() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Do not disturb");
    world.pass(seconds(5), Some(DND));
    world.set_mode(TelephonyOnly);
    world.pass(seconds(1), Some(DND));
    assert_eq!(why(&world), [NotCounted::DoNotDisturbHere]);
}

#[test]
fn an_account_that_cannot_be_reached_is_named_until_it_answers() {
    let mut world = World::new(TelephonyAndPresence);
    world.fact(Fact::TeamsUnlinked);
    assert_eq!(why(&world), [NotCounted::NoAccount]);
    // No person has an account that could be lost.
    world.fact(Fact::TeamsLoginEnded);
    world.fact(Fact::TeamsAccountMissing {
        asked_at: world.now,
    });
    assert_eq!(why(&world), [NotCounted::NoAccount]);
    world.fact(Fact::TeamsLinked);
    assert_eq!(why(&world), []);
    world.fact(Fact::TeamsLoginEnded);
    assert_eq!(why(&world), [NotCounted::LoginEnded]);
    // The store repeats the account with every change of a person.
    world.fact(Fact::TeamsLinked);
    assert_eq!(why(&world), [NotCounted::LoginEnded]);
    world.teams(AVAILABLE.0, AVAILABLE.1);
    assert_eq!(why(&world), []);
    world.fact(Fact::TeamsAccountMissing {
        asked_at: world.now,
    });
    assert_eq!(why(&world), [NotCounted::AccountMissing]);
    world.pass(seconds(1), Some(AVAILABLE));
    assert_eq!(why(&world), []);
}

#[test]
fn a_refused_write_is_not_in_force_and_masks_nothing() {
    let mut world = refusing(TelephonyAndPresence);
    world.teams(AVAILABLE.0, AVAILABLE.1);
    world.line(LineState::Connected);
    world.choose("Do not disturb");
    assert_eq!(world.presence().confidence, Confidence::Masked);
    for slot in Slot::ALL {
        world.fact(Fact::TeamsRefused(slot, Action::Set));
        assert_eq!(write_codes(&world, slot), [""; 0]);
    }
    let both = [
        NotCounted::WriteRefused(Session),
        NotCounted::WriteRefused(Preferred),
    ];
    assert_eq!(why(&world), both);
    assert_eq!(world.presence().confidence, Confidence::Certain);
    // Teams now shows its own state.
    world.back_to_automatic();
    world.teams(CALL.0, CALL.1);
    let signals = world.engine.signals(ANNA).unwrap();
    assert!(signals.teams_call.is_some());
    world.line(LineState::Idle);
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    assert_eq!(world.presence().confidence, Confidence::Certain);
}

#[test]
fn a_refused_write_goes_on_as_ours_once_teams_takes_it() {
    let mut world = refusing(TelephonyAndPresence);
    world.line(LineState::Connected);
    world.fact(Fact::TeamsRefused(Session, Action::Set));
    let record = world.last_slot_record(Session).unwrap();
    assert!(
        !record.acknowledged && record.cleared_at.is_none(),
        "a try that is under way may still arrive"
    );
    world.pass(seconds(15), Some(AVAILABLE));
    world.fact(Fact::TeamsAcknowledged(Session, Action::Set));
    assert_eq!(why(&world), []);
    assert_eq!(write_codes(&world, Session), ["session-in-force"]);
    let Some(SlotState::Written(held)) = world.engine.slot(ANNA, Session) else {
        panic!("not held");
    };
    assert_eq!(held.expires_at, world.now + seconds(300));
    world.take_writes();
    world.line(LineState::Idle);
    assert_eq!(world.take_writes(), [(Session, Action::Clear)]);
}

#[test]
fn a_refused_write_leaves_nothing_after_its_cause() {
    for (slot, start, end) in [
        (
            Session,
            (|world| world.line(LineState::Connected)) as fn(&mut World),
            (|world| world.line(LineState::Idle)) as fn(&mut World),
        ),
        (
            Preferred,
            |world| world.choose("Do not disturb"),
            World::back_to_automatic,
        ),
    ] {
        let mut world = refusing(TelephonyAndPresence);
        start(&mut world);
        world.fact(Fact::TeamsRefused(slot, Action::Set));
        world.take_writes();
        end(&mut world);
        assert_eq!(why(&world), []);
        assert_eq!(world.engine.slot(ANNA, slot), Some(&SlotState::Empty));
        assert_eq!(world.last_slot_record(slot), None);
        // Overtakes the retry that waits.
        assert_eq!(world.take_writes(), [(slot, Action::Clear)]);
        world.fact(Fact::TeamsRefused(slot, Action::Clear));
        assert_eq!(world.engine.slot(ANNA, slot), Some(&SlotState::Empty));
        assert_eq!(world.take_writes(), []);
    }
}

#[test]
fn a_refused_write_is_written_again_by_itself() {
    let mut world = refusing(TelephonyAndPresence);
    world.choose("Do not disturb");
    world.fact(Fact::TeamsRefused(Preferred, Action::Set));
    world.take_writes();
    world.pass(seconds(600), Some(AVAILABLE));
    let writes = world.take_writes();
    assert!(
        (2..=3).contains(&writes.len()),
        "about every four minutes: {writes:?}"
    );
    assert!(
        writes
            .iter()
            .all(|write| *write == (Preferred, Action::Set))
    );
    assert_eq!(why(&world), [NotCounted::WriteRefused(Preferred)]);
}

#[test]
fn a_refused_renewal_leaves_the_session_in_teams_until_it_ends() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Connected);
    let start = world.now;
    world.acknowledges = false;
    while !world.writes.contains(&(Session, Action::Renew)) {
        world.line(LineState::Connected);
        world.pass(seconds(1), Some(CALL));
    }
    world.fact(Fact::TeamsRefused(Session, Action::Renew));
    assert_eq!(write_codes(&world, Session), ["session-in-force"]);
    let Some(SlotState::Written(held)) = world.engine.slot(ANNA, Session) else {
        panic!("not held");
    };
    assert!(
        held.expires_at <= start + seconds(302),
        "the first lifetime"
    );
    let left = held.expires_at.since(world.now) + seconds(1);
    world.pass(left, Some(CALL));
    world.fact(Fact::TeamsRefused(Session, Action::Set));
    assert_eq!(why(&world), [NotCounted::WriteRefused(Session)]);
}

#[test]
fn after_a_start_a_refused_write_is_tried_again() {
    let mut world = refusing(TelephonyAndPresence);
    world.choose("Do not disturb");
    world.fact(Fact::TeamsRefused(Preferred, Action::Set));
    let slots = [None, world.last_slot_record(Preferred)];
    let choice = world.engine.signals(ANNA).unwrap().choice.clone();
    let record = PersonRecord {
        slots,
        choice,
        ..PersonRecord::default()
    };
    let mut world = World::with_record(TelephonyAndPresence, record);
    assert_eq!(world.take_writes(), [(Preferred, Action::Set)]);
}

// In Do not disturb, and with a state that the person chose by hand in Teams, also Available.
#[test]
fn a_call_that_teams_hides_is_written_and_the_hiding_state_is_named() {
    for hides in [AVAILABLE, DND, ("Away", "Away"), ("Busy", "Busy")] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(2), Some(hides));
        world.line(LineState::Connected);
        assert_eq!(world.take_writes(), [(Session, Action::Set)]);
        world.pass(seconds(3), Some(hides));
        let reasons = world.reasons();
        let wrote = reasons.iter().find(|reason| reason.rule == Rule::OwnWrite);
        let state = TeamsState::new(hides.0, hides.1);
        assert_eq!(wrote.unwrap().detail, Some(ReasonDetail::HiddenBy(state)));
    }
}

#[test]
fn viewers_who_see_no_activity_get_no_reason_about_it() {
    for mode in [SyncMode::None, TelephonyOnly] {
        let mut world = World::new(mode);
        world.choose("Do not disturb");
        for level in Relationship::ALL {
            let published = world.reasons_for(level);
            let published = published
                .iter()
                .any(|reason| reason.rule == Rule::NotCounted);
            assert_eq!(published, level >= Relationship::Employee, "{level:?}");
        }
    }
    let mut world = World::new(SyncMode::None);
    world.profiles([super::personal("Gone", Status::Offline)]);
    world.choose("Gone");
    assert_eq!(world.reasons_for(Relationship::Employee), []);
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let mut codes: Vec<_> = NotCounted::ALL.iter().map(|why| why.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), NotCounted::ALL.len());
}

#[test]
fn a_missing_account_ends_the_signals_of_teams_and_no_others() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(2), Some(PRESENTING));
    world.line(LineState::Connected);
    assert_eq!(world.shown(), "DoNotDisturb, On the phone");
    world.pass(seconds(2), Some(PRESENTING));
    world.fact(Fact::TeamsAccountMissing {
        asked_at: world.now,
    });
    assert_eq!(world.shown(), "Busy, On the phone");
    let signals = world.engine.signals(ANNA).unwrap();
    assert_eq!(signals.teams_call, None);
    assert_eq!(signals.presenting_since, None);
    assert_eq!(signals.teams_do_not_disturb_since, None);
    assert_eq!(signals.teams_base, None);
    assert!(
        world.engine.slot(ANNA, Session).unwrap().is_written(),
        "ours"
    );
    world.take_writes();
    world.line(LineState::Idle);
    assert_eq!(world.take_writes(), [(Session, Action::Clear)]);
    // An overtaken answer does not bring the account back.
    let asked_at = world.now - seconds(5);
    let state = TeamsState::new(CALL.0, CALL.1);
    world.fact(Fact::TeamsObserved(crate::TeamsAnswer {
        state,
        asked_at,
        sequence: None,
        tenant_lag: None,
    }));
    assert_eq!(why(&world), [NotCounted::AccountMissing]);
    assert_eq!(world.shown(), "Available, Available");
    assert!(
        world.engine.signals(ANNA).unwrap().line(DESK, world.now) != crate::LineKnowledge::Unknown
    );
}

#[test]
fn news_that_an_account_is_missing_is_ignored_if_a_later_answer_has_it() {
    let mut world = World::new(TelephonyAndPresence);
    let asked_at = world.now;
    world.pass(seconds(2), Some(CALL));
    world.fact(Fact::TeamsAccountMissing { asked_at });
    assert_eq!(why(&world), []);
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
}

/// A refused clear leaves the write in force; the explanation names the refusal.
#[test]
fn a_refused_clear_is_named_until_it_is_taken() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.line(LineState::Connected);
    world.pass(seconds(5), Some(CALL));
    world.acknowledges = false;
    world.line(LineState::Idle);
    let published = |world: &World| {
        let own = |reason: &Reason| reason.rule == Rule::OwnWrite;
        let reason = world.reasons().into_iter().find(own).unwrap();
        (reason.kind.code(), reason.detail.map(|note| note.code()))
    };
    // A clear counts only when Microsoft confirms it.
    assert_eq!(published(&world), ("session-being-taken-back", None));
    world.fact(Fact::TeamsRefused(Session, Action::Clear));
    assert_eq!(
        published(&world),
        ("session-in-force", Some("clear-refused"))
    );
    world.pass(seconds(20), Some(CALL));
    assert_eq!(world.shown(), "Available, Available", "still ours");
    world.fact(Fact::TeamsAcknowledged(Session, Action::Clear));
    assert_eq!(published(&world), ("session-taken-back", None));
}
