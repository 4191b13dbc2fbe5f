//! Automatic activation: clients that start, end, are locked or not used (docs/presence-rules.md, "Automatic
//! activation").

use super::{ANNA, CLIENT, LONG, START, World, default_profiles, inactive, personal, seconds};
use crate::{
    ClientId, ClientState, Fact, PersonRecord, Rule, Status,
    SyncMode::{self, TelephonyAndPresence},
};

const SECOND_CLIENT: ClientId = ClientId::Page(22);

fn second_client(world: &mut World, state: ClientState) {
    world.fact(Fact::Client {
        client: SECOND_CLIENT,
        state,
        since: world.now,
        until: world.now + LONG,
    });
}

#[test]
fn a_locked_screen_shows_be_right_back_at_once_and_until_it_is_unlocked() {
    let mut world = World::new(SyncMode::None);
    world.client(ClientState::Locked);
    assert_eq!(world.rule(), Rule::Locked);
    assert_eq!(world.profile(), "Be right back (BeRightBack)");
    assert_eq!(world.presence().since, world.now);
    world.client(ClientState::Active);
    assert_eq!(world.profile(), "Available (Available)");
}

#[test]
fn inactivity_shows_be_right_back_after_ten_minutes() {
    let mut world = World::new(SyncMode::None);
    world.client(ClientState::Inactive);
    world.pass(seconds(599), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::Inactive);
    assert_eq!(world.profile(), "Be right back (BeRightBack)");
    world.client(ClientState::Active);
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn the_delay_of_inactivity_is_a_setting_and_counts_from_the_last_touch() {
    let mut world = World::new(SyncMode::None);
    world.policy(|policy| policy.automatic.inactivity_after = seconds(120));
    let (client, state, until) = (CLIENT, ClientState::Inactive, world.now + LONG);
    let since = world.now - seconds(100);
    world.fact(Fact::Client {
        client,
        state,
        since,
        until,
    });
    world.pass(seconds(19), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::Inactive);
}

#[test]
fn repeated_heartbeats_without_use_do_not_restart_the_delay() {
    let mut world = World::new(SyncMode::None);
    for _ in 0..60 {
        world.client(ClientState::Inactive);
        world.pass(seconds(10), None);
    }
    assert_eq!(world.rule(), Rule::Inactive);
}

#[test]
fn without_a_client_a_person_is_absent_after_the_grace_period() {
    let mut world = World::new(SyncMode::None);
    world.no_client_for(seconds(59));
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::NoClient);
    assert_eq!(world.profile(), "Absent (Absent)");
    world.client(ClientState::Unknown);
    assert_eq!(world.rule(), Rule::Rest, "back at once");
}

#[test]
fn the_grace_period_is_a_setting() {
    let mut world = World::new(SyncMode::None);
    world.policy(|policy| policy.automatic.client_end_after = seconds(0));
    world.no_client_for(seconds(0));
    assert_eq!(world.profile(), "Absent (Absent)");
}

#[test]
fn the_grace_period_counts_from_the_last_client() {
    let mut world = World::new(SyncMode::None);
    second_client(&mut world, ClientState::Unknown);
    world.no_client_for(seconds(600));
    assert_eq!(world.rule(), Rule::Rest, "another one runs");
    world.fact(Fact::ClientEnded(SECOND_CLIENT));
    world.pass(seconds(59), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::NoClient);
}

#[test]
fn after_a_restart_clients_have_five_seconds_to_return() {
    let mut world = World::with_record(SyncMode::None, PersonRecord::default());
    world.input(crate::Input::AddPerson(
        ANNA,
        Box::default(),
        std::sync::Arc::new(world.policy.clone()),
    ));
    assert_eq!(world.rule(), Rule::Rest, "not absent at once");
    world.pass(seconds(4), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::NoClient);
    assert_eq!(world.now, START + seconds(5));
}

#[test]
fn a_client_that_returns_after_a_restart_is_no_change() {
    let mut world = World::with_record(SyncMode::None, PersonRecord::default());
    let before = world.presence().clone();
    world.pass(seconds(60), None);
    assert_eq!(world.presence(), &before);
}

#[test]
fn a_person_who_uses_one_machine_is_not_away_because_another_is_locked_or_unused() {
    for away in [ClientState::Locked, ClientState::Inactive] {
        let mut world = World::new(SyncMode::None);
        second_client(&mut world, away);
        world.client(ClientState::Active);
        world.pass(seconds(1200), None);
        assert_eq!(world.rule(), Rule::Rest, "{away:?}");
        world.client(away);
        world.pass(seconds(1200), None);
        assert_ne!(world.rule(), Rule::Rest, "{away:?}");
    }
}

#[test]
fn a_machine_untouched_for_less_than_the_delay_still_counts_as_in_use() {
    let mut world = World::new(SyncMode::None);
    second_client(&mut world, ClientState::Locked);
    world.client(ClientState::Inactive);
    world.pass(seconds(599), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::Locked);
    assert_eq!(
        world.presence().since,
        world.now,
        "since the last went away"
    );
}

#[test]
fn a_web_page_cannot_detect_use_and_does_not_hide_a_locked_screen() {
    let mut world = World::new(SyncMode::None);
    second_client(&mut world, ClientState::Locked);
    assert_eq!(world.rule(), Rule::Locked);
}

#[test]
fn each_trigger_has_the_profile_of_its_setting() {
    let mut world = World::new(SyncMode::None);
    world.profiles(default_profiles([
        personal("Locked away", Status::Absent),
        personal("Idle", Status::Busy),
        personal("Gone", Status::Offline),
        personal("Desk", Status::Busy),
    ]));
    world.policy(|policy| {
        policy.automatic.locked = Some("locked away".into());
        policy.automatic.inactivity = Some(" Idle".into());
        policy.automatic.client_end = Some("Gone".into());
        policy.automatic.client_start = Some("Desk".into());
    });
    assert_eq!(world.profile(), "Desk (Busy)", "a client runs");
    assert_eq!(world.rule(), Rule::Rest);
    world.client(ClientState::Locked);
    assert_eq!(world.profile(), "Locked away (Absent)");
    world.client(ClientState::Inactive);
    world.pass(seconds(600), None);
    assert_eq!(world.profile(), "Idle (Busy)");
    world.no_client_for(seconds(60));
    assert_eq!(world.profile(), "Gone (Offline)");
}

#[test]
fn a_trigger_whose_profile_is_missing_has_its_built_in_status() {
    let mut world = World::new(SyncMode::None);
    world.profiles([inactive("Be right back", Status::Busy)]);
    world.client(ClientState::Locked);
    assert_eq!(world.profile(), "Be right back (BeRightBack)");
    world.no_client_for(seconds(60));
    assert_eq!(world.profile(), "Absent (Absent)");
}

#[test]
fn a_trigger_that_is_off_does_nothing() {
    let mut world = World::new(SyncMode::None);
    world.policy(|policy| {
        policy.automatic.locked = None;
        policy.automatic.inactivity = None;
        policy.automatic.client_end = None;
    });
    for state in [ClientState::Locked, ClientState::Inactive] {
        world.client(state);
        world.pass(seconds(3600), None);
        assert_eq!(world.rule(), Rule::Rest, "{state:?}");
    }
    world.no_client_for(seconds(3600));
    assert_eq!(world.rule(), Rule::Rest);
}

#[test]
fn without_a_profile_for_locking_a_locked_screen_counts_as_unused() {
    let mut world = World::new(SyncMode::None);
    world.policy(|policy| policy.automatic.locked = None);
    world.client(ClientState::Locked);
    world.pass(seconds(599), None);
    assert_eq!(world.rule(), Rule::Rest);
    world.pass(seconds(1), None);
    assert_eq!(world.rule(), Rule::Inactive);
}

#[test]
fn no_trigger_is_carried_to_teams_even_with_a_do_not_disturb_profile() {
    let mut world = World::new(TelephonyAndPresence);
    world.policy(|policy| {
        policy.automatic.locked = Some("Do not disturb".into());
        policy.automatic.client_start = Some("Do not disturb".into());
    });
    assert_eq!(world.profile(), "Do not disturb (DoNotDisturb)");
    world.client(ClientState::Locked);
    assert_eq!(world.rule(), Rule::Locked);
    assert_eq!(world.profile(), "Do not disturb (DoNotDisturb)");
    assert_eq!(world.take_writes(), []);
}

#[test]
fn so_many_clients_that_a_source_must_have_gone_wild_are_not_kept() {
    let mut world = World::new(SyncMode::None);
    for client in 0..1000 {
        world.fact(Fact::Client {
            client: ClientId::Page(client),
            state: ClientState::Active,
            since: world.now,
            until: world.now + seconds(60),
        });
    }
    assert!(world.engine.signals(ANNA).unwrap().clients.len() <= 64);
}
