//! My Profiles: order, names, inactive templates; and the list of statuses (docs/presence-rules.md, "Profiles",
//! "Statuses").

use super::{World, inactive, personal};
use crate::{Activity, MyProfiles, Profile, Status, SyncMode::TelephonyAndPresence, same_name};

fn names(profiles: &MyProfiles) -> Vec<&str> {
    profiles.iter().map(|profile| &*profile.name).collect()
}

fn template(name: &str) -> Profile {
    Profile::central(name, Status::Busy)
}

fn own(name: &str) -> Profile {
    personal(name, Status::Absent)
}

#[test]
fn there_are_six_states_and_no_others() {
    let names = Status::ALL.map(Status::name);
    assert_eq!(
        names,
        [
            "Available",
            "BeRightBack",
            "Busy",
            "DoNotDisturb",
            "Absent",
            "Offline"
        ]
    );
    for status in Status::ALL {
        assert_eq!(Status::from_name(status.name()), Some(status));
    }
    assert_eq!(Status::from_name("Away"), None);
}

#[test]
fn activities_have_their_documented_labels() {
    for (activity, kind, label) in [
        (Activity::Ringing, "Ringing", "Ringing"),
        (Activity::OnThePhone, "OnThePhone", "On the phone"),
        (
            Activity::OnThePhoneTeams,
            "OnThePhone",
            "On the phone (MS Teams)",
        ),
        (Activity::InMeeting, "InMeeting", "In a meeting"),
        (Activity::Presenting, "Presenting", "Presenting"),
        (Activity::UsingApp("Zoom".into()), "UsingApp", "Zoom"),
    ] {
        assert_eq!((activity.kind(), activity.label()), (kind, label));
    }
}

#[test]
fn central_templates_come_first_then_personal_ones() {
    let list = MyProfiles::arrange(
        [template("B"), template("A")],
        [own("D"), own("C")],
        &[""; 0],
    );
    assert_eq!(names(&list), ["B", "A", "D", "C"]);
}

#[test]
fn the_person_may_reorder_them() {
    let order = ["c", " B ", "gone"];
    let list = MyProfiles::arrange([template("A"), template("B")], [own("C")], &order);
    assert_eq!(names(&list), ["C", "B", "A"]);
}

#[test]
fn names_are_compared_without_case_and_surrounding_blanks() {
    assert!(same_name(" MS Teams", "ms teams "));
    assert!(same_name("ÜBUNG", "übung"));
    assert!(!same_name("MS Teams", "MSTeams"));
}

#[test]
fn a_personal_profile_goes_before_a_central_one_of_the_same_name() {
    let list = MyProfiles::new([template("Lunch"), own("lunch")]);
    assert_eq!(
        list.named("LUNCH").map(|found| found.status),
        Some(Status::Absent)
    );
}

#[test]
fn an_inactive_template_counts_as_missing_and_stays_in_the_list() {
    let list = MyProfiles::new([inactive("Lunch", Status::Busy)]);
    assert_eq!(list.named("Lunch"), None);
    assert_eq!(names(&list), ["Lunch"]);
    let mut world = World::new(TelephonyAndPresence);
    world.profiles([inactive("Lunch", Status::Busy)]);
    world.choose("Lunch");
    assert_eq!(world.profile(), "Available (Available)");
}

#[test]
fn an_own_profile_called_available_decides_at_rest() {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles([template("x"), personal("available", Status::Available)]);
    assert_eq!(world.profile(), "available (Available)");
}
