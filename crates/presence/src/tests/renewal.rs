//! The setting `renew_dnd`: our Do not disturb is written again at the end of Microsoft's day, and at no other
//! time (docs/presence-rules.md, "What Offhook writes to Teams").

use super::{AVAILABLE, DND, HOUR, START, World, seconds};
use crate::{
    Action::{Clear, Set},
    Choice, PersonRecord,
    Slot::Preferred,
    SlotRecord,
    SyncMode::TelephonyAndPresence,
};

const DAY: u64 = 24 * 3600;

fn in_do_not_disturb(renew: bool) -> World {
    let mut world = World::new(TelephonyAndPresence);
    world.policy(|policy| policy.renew_do_not_disturb = renew);
    world.teams("Available", "Available");
    world.choose("Do not disturb");
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    world
}

fn is_ours(world: &World) -> bool {
    world
        .engine
        .slot(super::ANNA, Preferred)
        .unwrap()
        .is_written()
}

#[test]
fn at_the_end_of_the_day_it_is_written_again_and_stays_ours() {
    let mut world = in_do_not_disturb(true);
    world.pass(seconds(DAY - 1), Some(DND));
    assert_eq!(world.take_writes(), [], "not before");
    world.pass(seconds(2), Some(AVAILABLE));
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    assert!(is_ours(&world));
    let record = world.last_slot_record(Preferred).unwrap();
    assert!(record.expires_at >= START + seconds(2 * DAY));
    world.pass(seconds(DAY - 60), Some(DND));
    assert_eq!(world.take_writes(), []);
    world.pass(seconds(120), Some(DND));
    assert_eq!(world.take_writes(), [(Preferred, Set)], "day by day");
    world.back_to_automatic();
    assert_eq!(world.take_writes(), [(Preferred, Clear)]);
}

#[test]
fn without_the_setting_it_is_not_renewed_and_the_explanation_names_the_end() {
    let mut world = in_do_not_disturb(false);
    world.pass(seconds(DAY + 60), Some(DND));
    assert_eq!(world.take_writes(), []);
    assert!(!is_ours(&world));
    let notes = world.notes();
    assert!(
        notes.iter().any(|note| note.contains("not renewed")),
        "{notes:?}"
    );
}

#[test]
fn it_is_renewed_also_if_microsofts_day_ends_a_little_before_ours() {
    let mut world = in_do_not_disturb(true);
    world.pass(seconds(DAY - 20), Some(DND));
    world.teams(AVAILABLE.0, AVAILABLE.1);
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    assert!(is_ours(&world));
    world.pass(seconds(30), Some(AVAILABLE));
    assert!(is_ours(&world), "the gap before it lands is no override");
    world.pass(seconds(60), Some(DND));
    assert_eq!(world.take_writes(), []);
}

#[test]
fn after_an_override_it_is_never_renewed() {
    let mut world = in_do_not_disturb(true);
    world.pass(seconds(60), Some(DND));
    world.pass(seconds(60), Some(AVAILABLE));
    assert!(!is_ours(&world));
    world.pass(seconds(2 * DAY), Some(AVAILABLE));
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
}

#[test]
fn an_override_after_a_renewal_is_noticed() {
    let mut world = in_do_not_disturb(true);
    world.pass(seconds(DAY + 120), Some(DND));
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    world.pass(seconds(5), Some(AVAILABLE));
    assert!(!is_ours(&world));
    world.pass(seconds(2 * DAY), Some(AVAILABLE));
    assert_eq!(world.take_writes(), []);
}

#[test]
fn an_appointment_that_ends_with_the_day_is_not_renewed() {
    let mut world = World::new(TelephonyAndPresence);
    world.policy(|policy| policy.renew_do_not_disturb = true);
    world.appointment(1, "Do not disturb", 24 * HOUR);
    world.pass(seconds(DAY + 60), Some(DND));
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    assert_eq!(world.last_slot_record(Preferred), None);
}

fn restarted_after_the_day(renew: bool) -> World {
    let mut world = World::new(TelephonyAndPresence);
    world.policy(|policy| policy.renew_do_not_disturb = renew);
    let record = PersonRecord {
        linked: true,
        choice: Some(Choice {
            profile: "Do not disturb".into(),
            since: START - seconds(DAY + 600),
            until: None,
        }),
        slots: [
            None,
            Some(SlotRecord {
                written_at: START - seconds(DAY + 600),
                expires_at: START - seconds(600),
                acknowledged: true,
                cleared_at: None,
                released: None,
            }),
        ],
        ..PersonRecord::default()
    };
    let policy = std::sync::Arc::new(world.policy.clone());
    world.input(crate::Input::AddPerson(
        super::ANNA,
        Box::new(record),
        policy,
    ));
    world.pass(seconds(5), Some(AVAILABLE));
    world
}

#[test]
fn a_day_that_ended_while_we_were_down_is_renewed_only_with_the_setting() {
    let mut world = restarted_after_the_day(false);
    assert_eq!(world.take_writes(), [], "not silently");
    assert_eq!(world.shown(), "DoNotDisturb, Do not disturb");
    let mut world = restarted_after_the_day(true);
    assert_eq!(world.take_writes(), [(Preferred, Set)]);
    assert!(is_ours(&world));
}
