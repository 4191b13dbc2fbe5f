//! Suspension of appointments by a choice (docs/presence-rules.md, "Choices suspend appointments").

use super::{AVAILABLE, CALL, DND, HOUR, PRESENTING, World, default_profiles, inactive, seconds};
use crate::{ReasonDetail, Rule, Status, SyncMode::TelephonyAndPresence};

const NOTE: &str = "Do not disturb is set in Teams; end it there";

#[test]
fn a_choice_suspends_every_appointment_that_is_current() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Do not disturb", HOUR);
    world.appointment(2, "Busy", HOUR);
    world.pass(seconds(5), None);
    world.choose("Absent");
    assert_eq!(world.profile(), "Absent (Absent)");
    let suspended = world
        .reasons()
        .into_iter()
        .filter(|reason| !reason.counted && reason.detail == Some(ReasonDetail::Suspended));
    assert_eq!(suspended.count(), 2, "and the explanation says so");
}

#[test]
fn a_choice_of_available_suspends_too() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", HOUR);
    world.choose("Available");
    assert_eq!(world.rule(), Rule::ManualAvailable);
}

#[test]
fn an_appointment_that_starts_after_the_choice_counts() {
    for (profile, rule) in [
        ("Busy", Rule::Appointment),
        ("Do not disturb", Rule::AppointmentDoNotDisturb),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.choose("Absent");
        world.pass(seconds(60), None);
        world.appointment(1, profile, seconds(60));
        assert_eq!(world.rule(), rule);
        world.pass(seconds(60), None);
        assert_eq!(world.rule(), Rule::ManualChoice, "and ends in the choice");
    }
}

#[test]
fn each_appointment_is_suspended_until_its_own_end() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", seconds(60));
    world.appointment(2, "Busy", HOUR);
    world.choose("Available");
    world.pass(seconds(61), None);
    let notes = world.notes();
    assert_eq!(notes.len(), 1, "only the second is left: {notes:?}");
    assert_eq!(world.rule(), Rule::ManualAvailable);
}

#[test]
fn back_to_automatic_ends_the_suspension() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", HOUR);
    world.choose("Available");
    world.back_to_automatic();
    assert_eq!(world.rule(), Rule::Appointment);
}

#[test]
fn a_second_choice_suspends_appointments_that_began_after_the_first() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Absent");
    world.pass(seconds(10), None);
    world.appointment(1, "Busy", HOUR);
    assert_eq!(world.rule(), Rule::Appointment);
    world.choose("Absent");
    assert_eq!(world.rule(), Rule::ManualChoice);
}

#[test]
fn available_chosen_during_a_teams_call_still_shows_busy_with_the_chosen_profile() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    world.choose("Available");
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    assert_eq!(&*world.presence().profile, "Available");
    assert!(world.presence().chosen);
    world.pass(seconds(5), Some(CALL));
    assert_eq!(&*world.presence().profile, "Available", "while it lasts");
}

#[test]
fn the_next_teams_call_counts_again() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(5), Some(CALL));
    world.choose("Absent");
    assert_eq!(world.rule(), Rule::ManualChoice);
    world.pass(seconds(5), Some(AVAILABLE));
    world.pass(seconds(5), Some(CALL));
    assert_eq!(world.rule(), Rule::TeamsCall);
}

#[test]
fn a_choice_does_not_suspend_do_not_disturb_in_teams_and_the_explanation_names_teams() {
    for state in [DND, PRESENTING] {
        for choice in ["Available", "Absent"] {
            let mut world = World::new(TelephonyAndPresence);
            world.pass(seconds(5), Some(state));
            assert_eq!(world.notes(), Vec::<String>::new());
            world.choose(choice);
            assert_eq!(world.rule(), Rule::TeamsDoNotDisturb, "{state:?} {choice}");
            assert!(world.notes().contains(&NOTE.into()), "{state:?} {choice}");
        }
    }
}

#[test]
fn a_choice_never_hides_any_activity() {
    for choice in ["Available", "Absent", "Be right back"] {
        let mut world = World::new(TelephonyAndPresence);
        world.meeting("Board", true, false);
        world.choose(choice);
        assert_eq!(world.shown(), "Busy, In a meeting");
        assert_eq!(&*world.presence().profile, choice);
    }
}

#[test]
fn a_choice_of_a_deleted_profile_is_not_in_force_and_the_explanation_names_the_cause() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", HOUR);
    world.profiles(default_profiles([crate::Profile::central(
        "Lunch",
        Status::Absent,
    )]));
    world.choose("Lunch");
    assert_eq!(world.rule(), Rule::ManualChoice);
    world.profiles(default_profiles([inactive("Lunch", Status::Absent)]));
    assert_eq!(world.rule(), Rule::Rest, "what it suspended stays so");
    let notes = world.notes();
    assert!(
        notes.iter().any(|note| note.contains("was deleted")),
        "{notes:?}"
    );
    world.profiles(default_profiles([crate::Profile::central(
        "Lunch",
        Status::Absent,
    )]));
    assert_eq!(
        world.rule(),
        Rule::ManualChoice,
        "it returns with its profile"
    );
}
