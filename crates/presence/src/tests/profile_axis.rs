//! The profile axis: every rule alone, every rule against every later one, and the examples
//! (docs/presence-rules.md, "Which profile is in force").

use super::{
    AVAILABLE, CALL, DND, HOUR, PRESENTING, World, default_profiles, inactive, personal, seconds,
};
use crate::{
    ClientState, Forwarding, Profile, Rule, Status,
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
    Target,
};

/// A world with the signals of all these rules at once. The choice comes first, so that it suspends no
/// appointment.
fn world_with(rules: &[u8]) -> World {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles(default_profiles([Profile::central(
        "MS Teams",
        Status::Busy,
    )]));
    let has = |rule| rules.contains(&rule);
    for (rule, name) in [(1, "Do not disturb"), (6, "Absent"), (8, "Available")] {
        if has(rule) {
            world.choose(name);
        }
    }
    world.pass(seconds(1), None);
    if has(2) {
        world.appointment(2, "Do not disturb", HOUR);
    }
    if has(5) {
        world.appointment(5, "Appointment", HOUR);
    }
    match (has(3), has(4)) {
        // Under our own Do not disturb only Presenting is certainly Teams' own.
        (true, true) => world.teams(PRESENTING.0, PRESENTING.1),
        (true, false) if has(1) || has(2) => world.teams(PRESENTING.0, PRESENTING.1),
        (true, false) => world.teams(DND.0, DND.1),
        (false, true) => world.teams(CALL.0, CALL.1),
        (false, false) => {}
    }
    if has(7) {
        world.client(ClientState::Locked);
    }
    world
}

/// Number, rule, profile with status.
const RULES: [(u8, Rule, &str); 8] = [
    (1, Rule::ManualDoNotDisturb, "Do not disturb (DoNotDisturb)"),
    (
        2,
        Rule::AppointmentDoNotDisturb,
        "Do not disturb (DoNotDisturb)",
    ),
    (3, Rule::TeamsDoNotDisturb, "Do not disturb (DoNotDisturb)"),
    (4, Rule::TeamsCall, "MS Teams (Busy)"),
    (5, Rule::Appointment, "Appointment (Busy)"),
    (6, Rule::ManualChoice, "Absent (Absent)"),
    (7, Rule::Locked, "Be right back (BeRightBack)"),
    (8, Rule::ManualAvailable, "Available (Available)"),
];

#[test]
fn each_rule_alone_puts_its_profile_in_force() {
    for (number, rule, profile) in RULES {
        let world = world_with(&[number]);
        assert_eq!(world.rule(), rule, "rule {number}");
        assert_eq!(world.profile(), profile, "rule {number}");
    }
}

#[test]
fn each_rule_goes_before_every_later_one() {
    for (number, rule, profile) in RULES {
        for (later, ..) in &RULES[usize::from(number)..] {
            let own = [1, 6, 8];
            if own.contains(&number) && own.contains(later) {
                continue;
            }
            let world = world_with(&[number, *later]);
            assert_eq!(world.rule(), rule, "rule {number} before {later}");
            let name = profile.split(" (").next().unwrap();
            assert_eq!(
                &*world.presence().profile,
                name,
                "rule {number} before {later}"
            );
        }
    }
}

#[test]
fn with_all_signals_at_once_the_rules_go_one_after_the_other() {
    let all: Vec<u8> = (2..=8).filter(|rule| ![6, 8].contains(rule)).collect();
    for own in [6, 8] {
        let mut rules = all.clone();
        rules.push(own);
        rules.sort_unstable();
        while let Some(first) = rules.first() {
            let world = world_with(&rules);
            assert_eq!(
                world.rule(),
                RULES[usize::from(*first) - 1].1,
                "with {rules:?}"
            );
            rules.remove(0);
        }
    }
}

#[test]
fn without_any_signal_a_person_is_available() {
    let world = World::new(TelephonyAndPresence);
    assert_eq!(world.rule(), Rule::Rest);
    assert_eq!(world.profile(), "Available (Available)");
    assert!(!world.presence().chosen);
}

#[test]
fn a_person_without_profiles_is_available() {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles([]);
    assert_eq!(world.profile(), "Available (Available)");
}

#[test]
fn a_calendar_appointment_that_ends_during_a_teams_call_changes_nothing() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", seconds(60));
    world.pass(seconds(10), Some(CALL));
    let before = world.presence().clone();
    assert_eq!(world.rule(), Rule::TeamsCall);
    world.pass(seconds(120), Some(CALL));
    assert_eq!(world.presence(), &before);
}

#[test]
fn a_do_not_disturb_appointment_stays_do_not_disturb_during_a_teams_call() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Do not disturb", HOUR);
    world.pass(seconds(30), Some(DND));
    world.pass(seconds(30), Some(CALL));
    assert_eq!(world.rule(), Rule::AppointmentDoNotDisturb);
    assert_eq!(world.shown(), "DoNotDisturb, On the phone (MS Teams)");
}

#[test]
fn do_not_disturb_in_teams_takes_the_first_usable_profile_of_that_status() {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles([
        inactive("Asleep", Status::DoNotDisturb),
        Profile::central("Busy", Status::Busy),
        personal("Concentrating", Status::DoNotDisturb),
        Profile::central("Do not disturb", Status::DoNotDisturb),
    ]);
    for state in [DND, PRESENTING] {
        world.teams(state.0, state.1);
        assert_eq!(world.profile(), "Concentrating (DoNotDisturb)", "{state:?}");
    }
}

#[test]
fn do_not_disturb_in_teams_without_such_a_profile_is_built_in() {
    for profiles in [
        vec![],
        vec![inactive("Do not disturb", Status::DoNotDisturb)],
        vec![Profile::central("Busy", Status::Busy)],
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.profiles(profiles);
        world.teams(DND.0, DND.1);
        assert_eq!(world.profile(), "Do not disturb (DoNotDisturb)");
        let forwarding = world.policy.profiles.named(&world.presence().profile);
        assert_eq!(forwarding, None, "no forwarding");
    }
}

#[test]
fn built_in_states_let_calls_ring_also_if_a_profile_has_their_name() {
    let away = |status| Profile {
        forwarding: Forwarding::All(Target::Voicemail),
        ..personal("Do not disturb", status)
    };
    for (status, forwarding) in [
        (Status::Busy, Forwarding::Off),
        (Status::DoNotDisturb, Forwarding::All(Target::Voicemail)),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.profiles(vec![away(status)]);
        world.teams(DND.0, DND.1);
        assert_eq!(world.profile(), "Do not disturb (DoNotDisturb)");
        assert_eq!(world.presence().forwarding, forwarding);
    }
}

#[test]
fn rule_three_needs_the_mode_with_presence() {
    for mode in [TelephonyOnly, SyncMode::None] {
        for state in [DND, PRESENTING] {
            let mut world = World::new(mode);
            world.teams(state.0, state.1);
            assert_ne!(world.rule(), Rule::TeamsDoNotDisturb, "{mode:?} {state:?}");
        }
    }
}

#[test]
fn a_teams_call_takes_the_profile_ms_teams_before_appointment() {
    let appointment = || Profile::central("Appointment", Status::Busy);
    let teams = |name: &str| Profile::central(name, Status::Absent);
    for (profiles, expected) in [
        (vec![appointment(), teams("MS Teams")], "MS Teams"),
        (vec![appointment(), teams("  ms teams ")], "  ms teams "),
        (vec![teams("MS TEAMS"), appointment()], "MS TEAMS"),
        (
            vec![appointment(), inactive("MS Teams", Status::Busy)],
            "Appointment",
        ),
        (
            vec![
                teams("MS Teams"),
                appointment(),
                personal("ms teams", Status::Busy),
            ],
            "ms teams",
        ),
        (
            vec![personal(" APPOINTMENT", Status::Busy), appointment()],
            " APPOINTMENT",
        ),
        (
            vec![personal("Appointment", Status::Busy), teams("MS Teams")],
            "MS Teams",
        ),
        (
            vec![
                inactive("MS Teams", Status::Busy),
                inactive("Appointment", Status::Busy),
            ],
            "Available",
        ),
        (vec![], "Available"),
    ] {
        let mut world = World::new(TelephonyAndPresence);
        world.profiles(profiles);
        world.teams(CALL.0, CALL.1);
        assert_eq!(&*world.presence().profile, expected);
    }
}

#[test]
fn a_teams_call_shows_without_any_profile_or_template_of_its_name() {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles([]);
    world.teams(CALL.0, CALL.1);
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn a_profile_that_is_created_during_a_teams_call_counts_at_once() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(CALL.0, CALL.1);
    assert_eq!(&*world.presence().profile, "Appointment");
    world.profiles(default_profiles([Profile::central(
        "MS Teams",
        Status::Busy,
    )]));
    assert_eq!(&*world.presence().profile, "MS Teams");
}

#[test]
fn only_an_own_choice_counts_as_chosen() {
    for (number, ..) in RULES {
        let world = world_with(&[number]);
        assert_eq!(
            world.presence().chosen,
            [1, 6, 8].contains(&number),
            "rule {number}"
        );
    }
}

#[test]
fn a_locked_screen_goes_before_an_own_available_and_after_it_comes_back() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Available");
    world.client(ClientState::Locked);
    assert_eq!(world.profile(), "Be right back (BeRightBack)");
    world.client(ClientState::Active);
    assert_eq!(world.rule(), Rule::ManualAvailable);
}

#[test]
fn ending_something_means_removing_its_signal() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Absent");
    world.pass(seconds(1), None);
    world.appointment(5, "Appointment", seconds(30));
    world.teams(PRESENTING.0, PRESENTING.1);
    assert_eq!(world.rule(), Rule::TeamsDoNotDisturb);
    world.teams(CALL.0, CALL.1);
    assert_eq!(world.rule(), Rule::TeamsCall);
    world.teams(AVAILABLE.0, AVAILABLE.1);
    assert_eq!(world.rule(), Rule::Appointment);
    world.pass(seconds(30), Some(AVAILABLE));
    assert_eq!(world.rule(), Rule::ManualChoice);
    world.back_to_automatic();
    assert_eq!(world.rule(), Rule::Rest);
}
