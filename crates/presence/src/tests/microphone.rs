//! Microphone Sync: activity and visibility (docs/presence-rules.md, "Microphone Sync").

use super::{AVAILABLE, CLIENT, World, default_profiles, personal, seconds};
use crate::{
    ClientId, Fact, LineState,
    Relationship::{Employee, External, TeamColleague},
    Rule, Status,
    SyncMode::TelephonyAndPresence,
};

#[test]
fn a_program_at_the_microphone_makes_busy_and_shows_its_alias() {
    let mut world = World::new(TelephonyAndPresence);
    world.programs(&["Discord"]);
    assert_eq!(world.shown(), "Busy, Discord");
    let activity = world.presence().activity.as_ref().unwrap();
    assert_eq!(
        (activity.kind(), activity.via()),
        ("UsingApp", "microphone")
    );
    world.programs(&[]);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn it_is_never_pushed_on_to_teams() {
    let mut world = World::new(TelephonyAndPresence);
    world.programs(&["Zoom Meeting"]);
    world.pass(seconds(10), Some(AVAILABLE));
    world.programs(&[]);
    assert_eq!(world.take_writes(), []);
}

#[test]
fn of_several_programs_the_first_is_shown_and_all_are_explained() {
    let mut world = World::new(TelephonyAndPresence);
    let started = |ago| world.now - seconds(ago);
    let programs = vec![
        ("Slack".into(), started(10)),
        ("Zoom Meeting".into(), started(30)),
        ("Discord".into(), started(20)),
    ];
    let until = world.now + seconds(30);
    world.fact(Fact::Programs {
        client: CLIENT,
        programs,
        until,
    });
    assert_eq!(world.shown(), "Busy, Zoom Meeting");
    let explained: Vec<_> = world
        .reasons()
        .into_iter()
        .filter(|reason| reason.rule == Rule::Microphone)
        .map(|reason| (reason.kind.to_string(), reason.counted))
        .collect();
    let uses = |alias| format!("{alias} uses the microphone");
    assert_eq!(
        explained,
        [
            (uses("Zoom Meeting"), true),
            (uses("Discord"), false),
            (uses("Slack"), false)
        ]
    );
}

#[test]
fn programs_of_several_machines_are_kept_apart() {
    let mut world = World::new(TelephonyAndPresence);
    world.programs(&["Slack"]);
    world.pass(seconds(1), None);
    let programs = vec![("Discord".into(), world.now)];
    world.fact(Fact::Programs {
        client: ClientId::Page(99),
        programs,
        until: world.now + seconds(30),
    });
    assert_eq!(world.shown(), "Busy, Slack");
    world.programs(&[]);
    assert_eq!(world.shown(), "Busy, Discord");
}

#[test]
fn a_closed_connection_ends_it_at_once() {
    let mut world = World::new(TelephonyAndPresence);
    world.programs(&["Slack"]);
    world.fact(Fact::ClientEnded(CLIENT));
    assert_eq!(world.presence().activity, None);
}

#[test]
fn without_a_heartbeat_it_ends_after_thirty_seconds() {
    let mut world = World::new(TelephonyAndPresence);
    world.programs(&["Slack"]);
    world.pass(seconds(29), None);
    assert_eq!(world.shown(), "Busy, Slack");
    world.pass(seconds(1), None);
    assert_eq!(world.shown(), "Available, Available");
}

#[test]
fn below_team_colleague_the_whole_layer_is_hidden_busy_included() {
    for level in [External, Employee] {
        let mut world = World::new(TelephonyAndPresence);
        world.pass(seconds(10), None);
        let before = (world.view(level), world.reasons_for(level));
        world.programs(&["Slack"]);
        assert_eq!((world.view(level), world.reasons_for(level)), before);
        assert_eq!(world.view(level).status, Status::Available);
        assert_eq!(world.view(TeamColleague).status, Status::Busy);
        world.pass(seconds(10), None);
        world.programs(&[]);
        assert_eq!(
            (world.view(level), world.reasons_for(level)),
            before,
            "it leaves no trace at its end either: {level}"
        );
    }
}

#[test]
fn below_team_colleague_the_activity_beneath_is_shown() {
    let mut world = World::new(TelephonyAndPresence);
    world.line(LineState::Ringing);
    let before = world.view(Employee);
    world.programs(&["Slack"]);
    assert_eq!(world.view(Employee), before);
    assert_eq!(&*world.view(TeamColleague).text, "Slack");
}

#[test]
fn a_call_that_ends_while_a_program_goes_on_is_seen_by_all_viewers() {
    let mut world = World::new(TelephonyAndPresence);
    world.programs(&["Slack"]);
    world.line(LineState::Connected);
    world.pass(seconds(10), None);
    world.programs(&["Slack"]);
    world.line(LineState::Idle);
    assert_eq!(world.view(Employee).status, Status::Available);
    assert_eq!(world.view(Employee).since, Some(world.now));
    assert_eq!(&*world.view(TeamColleague).text, "Slack");
}

#[test]
fn an_offline_person_at_the_microphone_is_offline_below_team_colleague() {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles(default_profiles([personal("Gone", Status::Offline)]));
    world.choose("Gone");
    world.programs(&["Slack"]);
    assert_eq!(world.view(Employee), crate::View::offline());
    assert_eq!(world.reasons_for(Employee), []);
    assert_eq!(world.view(TeamColleague).status, Status::Busy);
}
