//! The activity axis: order, labels and effect on the status (docs/presence-rules.md, "Which activity is shown").

use super::{ANNA, CALL, DESK, LONG, PRESENTING, World, reported, seconds};
use crate::{
    Activity, Fact, LineId, LineState, PersonRecord, ReasonKind, Rule, Status,
    SyncMode::{TelephonyAndPresence, TelephonyOnly},
};

/// In the order of the rules: kind, system, label.
const ORDER: [(&str, &str, &str); 6] = [
    ("OnThePhone", "pbx", "On the phone"),
    ("InMeeting", "meeting", "In a meeting"),
    ("Presenting", "teams", "Presenting"),
    ("OnThePhone", "teams", "On the phone (MS Teams)"),
    ("UsingApp", "microphone", "Zoom Meeting"),
    ("Ringing", "pbx", "Ringing"),
];

const OTHER_LINE: LineId = LineId::Watched(12);

fn start(world: &mut World, place: usize) {
    match place {
        0 => world.line(LineState::Connected),
        1 => world.meeting("Board", true, true),
        2 => world.teams(PRESENTING.0, PRESENTING.1),
        3 => world.teams(CALL.0, CALL.1),
        4 => world.programs(&["Zoom Meeting"]),
        _ => world.fact(Fact::Line(
            OTHER_LINE,
            reported(LineState::Ringing, seconds(600)),
        )),
    }
}

/// A world with a second line, for ringing during a call.
fn world() -> World {
    let mut world = World::new(TelephonyAndPresence);
    world.fact(Fact::Lines(vec![DESK, OTHER_LINE]));
    world.fact(Fact::Line(OTHER_LINE, reported(LineState::Idle, LONG)));
    world
}

fn shown(world: &World) -> (&str, &str, &str) {
    let activity = world.presence().activity.as_ref().unwrap();
    (activity.kind(), activity.via(), activity.label())
}

#[test]
fn each_activity_alone_is_shown_with_its_label() {
    for (place, expected) in ORDER.into_iter().enumerate() {
        let mut world = world();
        start(&mut world, place);
        assert_eq!(shown(&world), expected);
        assert_eq!(world.presence().text(), expected.2);
    }
}

#[test]
fn each_activity_precedes_every_later_one_also_if_it_began_later() {
    for (first, expected) in ORDER.into_iter().enumerate() {
        for second in first + 1..ORDER.len() {
            // Presenting and a Teams call are one state of Teams: both cannot be present.
            let one_state = (first, second) == (2, 3);
            for (one, two) in [(first, second), (second, first)] {
                if one_state && two == 3 {
                    continue;
                }
                let mut world = world();
                start(&mut world, one);
                // The Teams call must be known before our own session hides it.
                if one != 0 && one != 1 || two != 3 {
                    start(&mut world, two);
                }
                assert_eq!(shown(&world), expected, "{one} then {two}");
            }
        }
    }
}

#[test]
fn every_activity_but_ringing_raises_the_status_to_busy() {
    for (place, (kind, ..)) in ORDER.into_iter().enumerate() {
        for profile in ["Available", "Absent", "Be right back"] {
            let mut world = world();
            world.choose(profile);
            let before = world.presence().status;
            start(&mut world, place);
            let expected = match kind {
                "Ringing" => before,
                "Presenting" => Status::DoNotDisturb,
                _ => Status::Busy,
            };
            assert_eq!(world.presence().status, expected, "{kind} in {profile}");
        }
    }
}

#[test]
fn do_not_disturb_always_wins_and_keeps_the_activity() {
    for (place, expected) in ORDER.into_iter().enumerate() {
        let mut world = world();
        world.choose("Do not disturb");
        start(&mut world, place);
        assert_eq!(world.presence().status, Status::DoNotDisturb);
        assert_eq!(shown(&world), expected);
    }
}

#[test]
fn an_offline_profile_is_raised_too() {
    let mut world = world();
    world.profiles([super::personal("Gone", Status::Offline)]);
    world.choose("Gone");
    assert_eq!(world.presence().status, Status::Offline);
    start(&mut world, 0);
    assert_eq!(world.shown(), "Busy, On the phone");
}

#[test]
fn no_activity_touches_the_profile() {
    for place in [0, 1, 4, 5] {
        let mut world = world();
        world.choose("Absent");
        start(&mut world, place);
        assert_eq!(&*world.presence().profile, "Absent");
        assert!(world.presence().chosen);
    }
}

#[test]
fn presenting_is_a_call_in_the_mode_telephony_only() {
    let mut world = World::new(TelephonyOnly);
    world.teams(PRESENTING.0, PRESENTING.1);
    assert_eq!(
        world.presence().activity,
        Some(Activity::OnThePhoneTeams),
        "activity"
    );
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    assert_ne!(world.rule(), Rule::TeamsDoNotDisturb);
}

#[test]
fn a_call_on_any_of_several_lines_is_a_call_and_all_are_explained() {
    let record = PersonRecord::default();
    let mut world = World::with_record(TelephonyAndPresence, record);
    world.fact(Fact::TeamsLinked);
    world.fact(Fact::Lines(vec![DESK, OTHER_LINE]));
    world.line(LineState::Connected);
    world.fact(Fact::Line(
        OTHER_LINE,
        reported(LineState::Held, seconds(600)),
    ));
    let calls: Vec<_> = world
        .reasons()
        .into_iter()
        .filter(|reason| reason.rule == Rule::PbxCall)
        .map(|reason| (reason.kind, reason.counted))
        .collect();
    let expected = [(ReasonKind::InACall, true), (ReasonKind::CallOnHold, false)];
    assert_eq!(calls, expected);
    world.line(LineState::Idle);
    assert_eq!(world.shown(), "Busy, On the phone", "the other one goes on");
    assert_eq!(world.engine.signals(ANNA).unwrap().lines.len(), 2);
}

#[test]
fn a_second_call_that_rings_during_a_call_is_explained_and_not_shown() {
    let mut world = world();
    start(&mut world, 0);
    start(&mut world, 5);
    assert_eq!(world.shown(), "Busy, On the phone");
    let ringing = world
        .reasons()
        .into_iter()
        .find(|reason| reason.rule == Rule::Ringing);
    assert!(!ringing.unwrap().counted);
}
