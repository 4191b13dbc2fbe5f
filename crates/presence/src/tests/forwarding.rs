//! Call forwarding: the profile in force decides, and no trace of it stays (docs/presence-rules.md, "Call
//! forwarding").

use super::{CALL, HOUR, World, default_profiles, personal, seconds};
use crate::{
    Forwarding, LineState, PersonId, Profile, Status, SyncMode::TelephonyAndPresence, Target,
    forwarding_loop,
};

/// Call forwarding of the profile in force.
fn in_force(world: &World) -> Forwarding {
    let profile = world.policy.profiles.named(&world.presence().profile);
    profile.map_or(Forwarding::Off, |profile| profile.forwarding.clone())
}

fn to(name: &str, status: Status, forwarding: Forwarding) -> Profile {
    Profile {
        forwarding,
        ..personal(name, status)
    }
}

#[test]
fn the_profile_in_force_decides_and_the_next_one_withdraws_it() {
    let voicemail = Forwarding::All(Target::Voicemail);
    let refuse = Forwarding::DoNotDisturb;
    let mut world = World::new(TelephonyAndPresence);
    world.profiles(default_profiles([
        to("Away", Status::Absent, voicemail.clone()),
        to("Quiet", Status::Busy, refuse.clone()),
    ]));
    assert_eq!(in_force(&world), Forwarding::Off);
    world.choose("Away");
    assert_eq!(in_force(&world), voicemail);
    world.pass(seconds(1), None);
    world.appointment(1, "Quiet", seconds(60));
    assert_eq!(in_force(&world), refuse);
    world.pass(seconds(60), None);
    assert_eq!(in_force(&world), voicemail);
    world.back_to_automatic();
    assert_eq!(in_force(&world), Forwarding::Off);
}

#[test]
fn an_activity_never_changes_the_forwarding() {
    let forwarding = Forwarding::InternalOnly(Target::parse("30").unwrap());
    let mut world = World::new(TelephonyAndPresence);
    world.profiles(default_profiles([to(
        "Reachable",
        Status::Available,
        forwarding.clone(),
    )]));
    world.teams(CALL.0, CALL.1);
    world.choose("Reachable");
    world.line(LineState::Connected);
    world.meeting("Board", true, false);
    world.programs(&["Zoom Meeting"]);
    assert_eq!(in_force(&world), forwarding);
}

#[test]
fn a_change_of_the_profile_in_force_counts_at_once() {
    let mut world = World::new(TelephonyAndPresence);
    let one = Forwarding::ExternalOnly(Target::parse("1").unwrap());
    let two = Forwarding::All(Target::parse("sip:two@example.org").unwrap());
    world.profiles([to("Away", Status::Absent, one.clone())]);
    world.appointment(1, "Away", HOUR);
    assert_eq!(in_force(&world), one);
    world.profiles([to("Away", Status::Absent, two.clone())]);
    assert_eq!(in_force(&world), two);
}

#[test]
fn a_loop_of_two_is_refused_and_named() {
    let [a, b] = [1, 2].map(PersonId);
    let next = |person| (person == b).then_some(a);
    assert_eq!(forwarding_loop(a, b, next), Some(vec![a, b, a]));
    assert_eq!(forwarding_loop(a, a, |_| None), Some(vec![a, a]));
    assert_eq!(forwarding_loop(a, b, |_| None), None);
}
