//! Appointments in profile rules 2 and 5, and the texts of a presence (docs/presence-rules.md, "Appointments",
//! "Shown status and text").

use super::{HOUR, START, World, appointment, default_profiles, personal, seconds};
use crate::{
    Appointment, AppointmentId, AppointmentOrigin, Fact, Input, Rule, Source, Status,
    SyncMode::TelephonyAndPresence,
};

#[test]
fn an_appointment_is_current_from_its_start_until_just_before_its_end() {
    let mut world = World::new(TelephonyAndPresence);
    let start = world.now + seconds(10);
    world.fact(Fact::Appointment(appointment(
        1,
        "Busy",
        start,
        seconds(20),
    )));
    assert_eq!(world.rule(), Rule::Rest);
    assert!(world.engine.next_deadline().is_some_and(|at| at <= start));
    world.now = start;
    world.input(Input::Tick);
    assert_eq!(world.rule(), Rule::Appointment);
    assert_eq!(world.presence().profile_since, start);
    world.now = start + seconds(19);
    world.input(Input::Tick);
    assert_eq!(world.rule(), Rule::Appointment);
    world.now = start + seconds(20);
    world.input(Input::Tick);
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn of_several_appointments_the_highest_status_counts() {
    let order = ["Busy", "Absent", "Be right back", "Available"];
    for (place, first) in order.iter().enumerate() {
        for second in &order[place + 1..] {
            for swapped in [false, true] {
                let mut world = World::new(TelephonyAndPresence);
                // The later start must not make up for the lower status.
                let (one, two) = if swapped {
                    (second, first)
                } else {
                    (first, second)
                };
                world.appointment(1, one, HOUR);
                world.pass(seconds(1), None);
                world.appointment(2, two, HOUR);
                assert_eq!(
                    &&*world.presence().profile,
                    first,
                    "{first} before {second}"
                );
            }
        }
    }
}

#[test]
fn of_two_with_the_same_status_the_latest_start_counts() {
    for (early, late) in [(1, 2), (2, 1)] {
        let mut world = World::new(TelephonyAndPresence);
        world.profiles(default_profiles([personal("Workshop", Status::Busy)]));
        world.appointment(early, "Busy", HOUR);
        world.pass(seconds(1), None);
        world.appointment(late, "Workshop", seconds(60));
        assert_eq!(&*world.presence().profile, "Workshop");
        world.pass(seconds(60), None);
        assert_eq!(&*world.presence().profile, "Busy", "the earlier one lasts");
    }
}

#[test]
fn a_changed_appointment_replaces_itself_and_a_deleted_one_is_gone() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", HOUR);
    world.appointment(1, "Absent", HOUR);
    assert_eq!(world.profile(), "Absent (Absent)");
    world.fact(Fact::AppointmentDeleted(AppointmentId(1)));
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn a_calendar_replaces_its_own_appointments_and_no_others() {
    let mut world = World::new(TelephonyAndPresence);
    let of_calendar = |id, profile| Appointment {
        origin: AppointmentOrigin::Calendar,
        ..appointment(id, profile, START, HOUR)
    };
    world.fact(Fact::Calendar(vec![of_calendar(1, "Busy")]));
    world.appointment(2, "Be right back", HOUR);
    assert_eq!(&*world.presence().profile, "Busy");
    assert_eq!(world.reasons()[0].source, Source::Calendar);
    world.fact(Fact::Calendar(vec![of_calendar(3, "Available")]));
    assert_eq!(&*world.presence().profile, "Be right back");
    assert_eq!(world.reasons()[0].source, Source::Person);
    world.fact(Fact::Calendar(vec![]));
    assert_eq!(&*world.presence().profile, "Be right back");
}

#[test]
fn the_profile_of_an_appointment_is_found_trimmed_and_without_case() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, " ABSENT ", HOUR);
    assert_eq!(world.profile(), "Absent (Absent)");
}

#[test]
fn busy_time_whose_profile_is_missing_takes_the_profile_appointment() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Gone", HOUR);
    assert_eq!(world.profile(), "Appointment (Busy)");
    world.profiles([]);
    assert_eq!(world.profile(), "Busy (Busy)", "and without it the status");
}

#[test]
fn other_time_whose_profile_is_missing_keeps_its_status() {
    let mut world = World::new(TelephonyAndPresence);
    world.fact(Fact::Appointment(Appointment {
        fallback: Status::Absent,
        ..appointment(1, "Gone", START, HOUR)
    }));
    assert_eq!(world.profile(), "Absent (Absent)");
    assert_eq!(world.rule(), Rule::Appointment);
}

#[test]
fn the_text_is_the_activity_then_the_appointment_then_the_profile() {
    let mut world = World::new(TelephonyAndPresence);
    assert_eq!(world.presence().text(), "Available");
    world.appointment(1, "Busy", HOUR);
    assert_eq!(world.presence().text(), "Review");
    world.meeting("Board", true, false);
    assert_eq!(world.presence().text(), "In a meeting");
}

#[test]
fn an_appointment_without_text_shows_its_profile() {
    let mut world = World::new(TelephonyAndPresence);
    world.fact(Fact::Appointment(Appointment {
        text: "".into(),
        ..appointment(1, "Busy", START, HOUR)
    }));
    assert_eq!(world.presence().text(), "Busy");
}

#[test]
fn an_overruled_appointment_gives_no_text() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", HOUR);
    world.choose("Absent");
    assert_eq!(world.shown(), "Absent, Absent");
}
