//! Teams' state as the base of a person without a client (docs/presence-rules.md, "Base from Teams").

use super::{AVAILABLE, CALL, DND, PRESENTING, World, default_profiles, personal, seconds};
use crate::{
    ClientState, Forwarding, LineState, Profile, Rule, Status,
    SyncMode::{self, TelephonyAndPresence, TelephonyOnly},
};

/// Anna has had no client for longer than the grace period.
fn without_client(mode: SyncMode) -> World {
    let mut world = World::new(mode);
    world.no_client_for(seconds(60));
    world
}

#[test]
fn each_state_of_teams_gives_its_base() {
    for (availability, activity, profile) in [
        ("Available", "Available", "Available (Available)"),
        ("AvailableIdle", "Inactive", "Available (Available)"),
        ("Available", "OutOfOffice", "Available (Available)"),
        ("Busy", "Busy", "Busy (Busy)"),
        ("BusyIdle", "Inactive", "Busy (Busy)"),
        ("Busy", "InAMeeting", "Busy (Busy)"),
        ("BeRightBack", "BeRightBack", "Be right back (BeRightBack)"),
        ("Away", "Away", "Absent (Absent)"),
        ("Offline", "Offline", "Absent (Absent)"),
        ("Offline", "OffWork", "Absent (Absent)"),
    ] {
        let mut world = without_client(TelephonyAndPresence);
        world.teams(availability, activity);
        assert_eq!(world.profile(), profile, "{availability}/{activity}");
        assert_eq!(world.rule(), Rule::TeamsBase, "{availability}/{activity}");
        assert_eq!(world.take_writes(), [], "never written back");
    }
}

#[test]
fn with_a_client_nothing_but_calls_and_do_not_disturb_crosses() {
    for state in ["Busy", "BeRightBack", "Away", "Offline"] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(120), Some((state, state)));
        assert_eq!(world.rule(), Rule::Rest, "{state}");
        assert_eq!(world.profile(), "Available (Available)", "{state}");
    }
}

#[test]
fn the_base_appears_only_after_the_grace_period_and_ends_with_the_next_client() {
    let mut world = World::new(TelephonyAndPresence);
    world.teams("Busy", "Busy");
    world.no_client_for(seconds(59));
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), Some(("Busy", "Busy")));
    assert_eq!(world.rule(), Rule::TeamsBase);
    world.client(ClientState::Unknown);
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn without_the_trigger_for_a_missing_client_there_is_no_base() {
    let mut world = World::new(TelephonyAndPresence);
    world.policy(|policy| policy.automatic.client_end = None);
    world.no_client_for(seconds(3_600));
    world.teams("Busy", "Busy");
    assert_eq!(world.rule(), Rule::Rest);
    assert_eq!(world.profile(), "Available (Available)");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn an_unknown_state_leaves_the_base_as_it_was() {
    let mut world = without_client(TelephonyAndPresence);
    world.teams("Busy", "Busy");
    for state in ["PresenceUnknown", "Nonsense"] {
        world.teams(state, state);
        assert_eq!(world.profile(), "Busy (Busy)", "{state}");
    }
}

#[test]
fn without_an_answer_of_teams_the_person_is_absent() {
    let mut world = without_client(TelephonyAndPresence);
    assert_eq!(world.rule(), Rule::NoClient);
    world.teams("Available", "Available");
    assert_eq!(world.rule(), Rule::TeamsBase);
    world.pass(seconds(361), None);
    assert_eq!(world.rule(), Rule::NoClient, "Teams is silent for too long");
}

#[test]
fn the_mode_telephony_only_takes_no_base() {
    for mode in [TelephonyOnly, SyncMode::None] {
        let mut world = without_client(mode);
        world.teams("Available", "Available");
        assert_eq!(world.profile(), "Absent (Absent)", "{mode:?}");
        assert_eq!(world.rule(), Rule::NoClient, "{mode:?}");
    }
}

#[test]
fn the_setting_switches_the_base_off() {
    let mut world = without_client(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.policy(|policy| policy.base_from_teams = false);
    assert_eq!(world.rule(), Rule::NoClient);
    assert_eq!(world.profile(), "Absent (Absent)");
}

#[test]
fn the_echo_of_our_session_is_no_base() {
    let mut world = without_client(TelephonyAndPresence);
    world.teams("Away", "Away");
    world.line(LineState::Connected);
    for state in [CALL, ("Busy", "Busy"), AVAILABLE] {
        world.pass(seconds(5), Some(state));
        assert_eq!(&*world.presence().profile, "Absent", "masked: {state:?}");
    }
    world.line(LineState::Idle);
    world.pass(seconds(9), Some(CALL));
    assert_eq!(world.profile(), "Absent (Absent)", "still an echo");
    world.pass(seconds(90), Some(("Busy", "Busy")));
    assert_eq!(world.profile(), "Busy (Busy)", "what remains is Teams' own");
}

#[test]
fn a_state_masked_by_our_do_not_disturb_is_no_base() {
    let mut world = without_client(TelephonyAndPresence);
    world.teams("Away", "Away");
    world.choose("Do not disturb");
    world.pass(seconds(30), Some(DND));
    world.back_to_automatic();
    assert_eq!(world.profile(), "Absent (Absent)");
}

#[test]
fn calls_and_do_not_disturb_keep_their_own_rules_and_leave_the_base() {
    let mut world = without_client(TelephonyAndPresence);
    world.teams("BeRightBack", "BeRightBack");
    world.teams(CALL.0, CALL.1);
    assert_eq!(world.rule(), Rule::TeamsCall);
    world.teams(DND.0, DND.1);
    assert_eq!(world.rule(), Rule::TeamsDoNotDisturb);
    world.teams(PRESENTING.0, PRESENTING.1);
    assert_eq!(world.shown(), "DoNotDisturb, Presenting");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn the_rules_before_seven_go_before_the_base() {
    let mut world = without_client(TelephonyAndPresence);
    world.teams("Available", "Available");
    world.choose("Absent");
    assert_eq!(world.rule(), Rule::ManualChoice);
    world.pass(seconds(1), None);
    world.appointment(1, "Busy", seconds(600));
    assert_eq!(world.rule(), Rule::Appointment);
}

#[test]
fn an_own_available_profile_keeps_its_forwarding_where_teams_shows_available() {
    let mut world = without_client(TelephonyAndPresence);
    let forwarding = Forwarding::All(crate::Target::Voicemail);
    world.profiles(default_profiles([Profile {
        forwarding: forwarding.clone(),
        ..personal("At home", Status::Available)
    }]));
    world.choose("At home");
    assert_eq!(world.rule(), Rule::NoClient);
    world.teams("Available", "Available");
    assert_eq!(world.rule(), Rule::ManualAvailable);
    assert_eq!(&*world.presence().profile, "At home");
    assert_eq!(world.presence().forwarding, forwarding);
    world.teams("Busy", "Busy");
    assert_eq!(world.rule(), Rule::TeamsBase, "rule 7 goes before rule 8");
    assert_eq!(world.presence().forwarding, Forwarding::Off);
}
