//! Visibility: every relationship against every row of docs/presence-rules.md, "What a viewer may see".

use super::{CALL, DESK, HOUR, START, World, appointment, default_profiles, personal, seconds};
use crate::{
    Activity, Appointment, Choice, Confidence, Fact, LineChange, LineState, Permission, ReasonKind,
    Relationship::{self, Blocked, Employee, External, TeamColleague, Unknown},
    Rule, Status,
    SyncMode::TelephonyAndPresence,
    View,
};

/// Columns of a row that may, from the left: Blocked, Unknown, External, Employee, TeamColleague, Assistant,
/// AssistantPlus.
type Row = [bool; 7];

/// Sets up the signals of a row.
type Happen<'a> = &'a dyn Fn(&mut World);

const ALL: Row = [false, false, true, true, true, true, true];
const FROM_EMPLOYEE: Row = [false, false, false, true, true, true, true];
const FROM_COLLEAGUE: Row = [false, false, false, false, true, true, true];
const FROM_ASSISTANT: Row = [false, false, false, false, false, true, true];
const ONLY_PLUS: Row = [false, false, false, false, false, false, true];

fn check(row: Row, what: &str, sees: impl Fn(Relationship) -> bool) {
    for (level, expected) in Relationship::ALL.into_iter().zip(row) {
        assert_eq!(sees(level), expected, "{what} as {level}");
    }
}

fn world() -> World {
    let mut world = World::new(TelephonyAndPresence);
    world.profiles(default_profiles([
        personal("Lunch", Status::Absent),
        personal("Gone", Status::Offline),
    ]));
    world.pass(seconds(10), None);
    world
}

fn with_appointment(private: bool) -> World {
    let mut world = world();
    world.fact(Fact::Appointment(Appointment {
        private,
        ..appointment(1, "Busy", START, HOUR)
    }));
    world
}

#[test]
fn the_status() {
    let mut world = world();
    world.choose("Lunch");
    check(ALL, "status", |level| {
        world.view(level).status == Status::Absent
    });
    world.line(LineState::Connected);
    check(ALL, "a call's Busy", |level| {
        world.view(level).status == Status::Busy
    });
}

#[test]
fn the_name_of_a_chosen_profile() {
    for choice in ["Lunch", "Do not disturb", "Available", "Busy"] {
        let mut world = world();
        world.choose(choice);
        check(ALL, choice, |level| {
            world.view(level).profile.as_deref() == Some(choice)
        });
        check(ALL, "its reason", |level| {
            let reasons = world.reasons_for(level);
            reasons
                .iter()
                .any(|reason| reason.kind == ReasonKind::ChosenProfile(choice.into()))
        });
    }
}

#[test]
fn the_name_of_any_other_profile() {
    let set_up: [(&str, Happen); 6] = [
        ("rule 2", &|world| {
            world.appointment(1, "Do not disturb", HOUR)
        }),
        ("rule 3", &|world| {
            world.teams("DoNotDisturb", "DoNotDisturb")
        }),
        ("rule 4", &|world| world.teams(CALL.0, CALL.1)),
        ("rule 5", &|world| world.appointment(1, "Busy", HOUR)),
        ("rule 7", &|world| world.client(crate::ClientState::Locked)),
        ("rule 8", &|_| ()),
    ];
    for (rule, set) in set_up {
        let mut world = world();
        set(&mut world);
        check(FROM_EMPLOYEE, rule, |level| {
            world.view(level).profile.is_some()
        });
    }
}

#[test]
fn a_choice_that_is_overruled_is_hidden_from_externals_by_name_and_by_reason() {
    let mut world = world();
    world.choose("Lunch");
    world.pass(seconds(1), Some(CALL));
    check(FROM_EMPLOYEE, "profile", |level| {
        world.view(level).profile.is_some()
    });
    check(FROM_EMPLOYEE, "reason of the choice", |level| {
        let reasons = world.reasons_for(level);
        reasons
            .iter()
            .any(|reason| reason.kind.to_string().contains("Lunch"))
    });
    assert_eq!(&*world.view(External).text, "Busy");
    assert_eq!(world.reasons_for(External), []);
}

#[test]
fn every_activity_but_the_microphones() {
    let activities: [(Happen, Rule); 5] = [
        (&|world| world.line(LineState::Connected), Rule::PbxCall),
        (&|world| world.line(LineState::Ringing), Rule::Ringing),
        (&|world| world.meeting("Board", true, false), Rule::Meeting),
        (
            &|world| world.teams(CALL.0, CALL.1),
            Rule::TeamsCallActivity,
        ),
        (
            &|world| world.teams("DoNotDisturb", "Presenting"),
            Rule::Presenting,
        ),
    ];
    for (start, rule) in activities {
        let mut world = world();
        world.choose("Available");
        start(&mut world);
        let expected = world.presence().activity.clone();
        check(FROM_EMPLOYEE, rule.name(), |level| {
            world.view(level).activity == expected
        });
        check(FROM_EMPLOYEE, rule.name(), |level| {
            let reasons = world.reasons_for(level);
            reasons.iter().any(|reason| reason.rule == rule)
        });
        let label = expected.as_ref().map(Activity::label).unwrap_or_default();
        // Also for Presenting, which an external viewer sees as the words of the status.
        check(FROM_EMPLOYEE, label, |level| {
            &*world.view(level).text == label
        });
    }
}

#[test]
fn the_program_at_the_microphone() {
    let mut world = world();
    world.programs(&["Slack"]);
    check(FROM_COLLEAGUE, "program", |level| {
        world.view(level).activity == Some(Activity::UsingApp("Slack".into()))
    });
    check(FROM_COLLEAGUE, "text", |level| {
        &*world.view(level).text == "Slack"
    });
    check(FROM_COLLEAGUE, "its Busy", |level| {
        world.view(level).status == Status::Busy
    });
    check(FROM_COLLEAGUE, "its reason", |level| {
        let reasons = world.reasons_for(level);
        reasons.iter().any(|reason| {
            reason.rule == Rule::Microphone || reason.kind.to_string().contains("Slack")
        })
    });
}

#[test]
fn the_text_of_an_appointment() {
    let world = with_appointment(false);
    check(FROM_COLLEAGUE, "text", |level| {
        &*world.view(level).text == "Review"
    });
    check(FROM_COLLEAGUE, "reason", |level| {
        let reasons = world.reasons_for(level);
        reasons.iter().any(|reason| {
            reason
                .appointment
                .as_ref()
                .is_some_and(|about| &*about.text == "Review")
        })
    });
}

#[test]
fn an_employee_sees_of_an_appointment_only_that_the_person_is_busy() {
    for private in [false, true] {
        let world = with_appointment(private);
        let view = world.view(Employee);
        assert_eq!((view.status, &*view.text), (Status::Busy, "Busy"));
        let reasons = world.reasons_for(Employee);
        assert_eq!(reasons[0].rule, Rule::Appointment);
        assert_eq!(reasons[0].appointment, None);
    }
}

#[test]
fn the_text_of_a_private_appointment() {
    let world = with_appointment(true);
    check(FROM_ASSISTANT, "text", |level| {
        &*world.view(level).text == "Review"
    });
    check(FROM_ASSISTANT, "reason", |level| {
        format!("{:?}", world.reasons_for(level)).contains("Review")
    });
    assert_eq!(&*world.view(TeamColleague).text, "Private");
    let about = world.reasons_for(TeamColleague)[0]
        .appointment
        .clone()
        .unwrap();
    assert_eq!(&*about.text, "Private");
}

#[test]
fn the_number_of_the_other_party_is_shown_to_assistants_only() {
    let mut world = world();
    world.fact(Fact::Line(
        DESK,
        LineChange::State {
            state: LineState::Connected,
            party: Some("Bert (1002)".into()),
            lease: HOUR,
        },
    ));
    check(FROM_ASSISTANT, "party", |level| {
        let reasons = world.reasons_for(level);
        reasons.iter().any(|reason| reason.party.is_some())
    });
    check(FROM_EMPLOYEE, "call", |level| {
        let reasons = world.reasons_for(level);
        reasons
            .iter()
            .any(|reason| reason.kind == ReasonKind::InACall)
    });
}

#[test]
fn the_number_of_the_other_party_picking_up_and_changing() {
    for (permission, row) in [
        (Permission::SeeStatus, ALL),
        (Permission::SeeChosenProfile, ALL),
        (Permission::SeeProfile, FROM_EMPLOYEE),
        (Permission::SeeActivity, FROM_EMPLOYEE),
        (Permission::SeeAppointment, FROM_EMPLOYEE),
        (Permission::SeeMicrophone, FROM_COLLEAGUE),
        (Permission::SeeAppointmentText, FROM_COLLEAGUE),
        (Permission::SeePrivateText, FROM_ASSISTANT),
        (Permission::SeeOtherParty, FROM_ASSISTANT),
        (Permission::PickUp, FROM_COLLEAGUE),
        (Permission::ChangeProfile, FROM_ASSISTANT),
        (Permission::ChangeForwarding, ONLY_PLUS),
        (Permission::ChangeAppointments, ONLY_PLUS),
    ] {
        check(row, "permission", |level| level.may(permission));
    }
}

/// All signals at once.
fn eventful() -> World {
    let mut world = with_appointment(true);
    world.line(LineState::Connected);
    world.meeting("Board", true, true);
    world.teams("DoNotDisturb", "Presenting");
    world.programs(&["Slack"]);
    world
}

#[test]
fn a_blocked_or_unknown_viewer_sees_a_real_offline() {
    let mut gone = world();
    gone.choose("Gone");
    let real = gone.view(TeamColleague);
    assert_eq!(real, View::offline());
    assert_eq!(real.since, None, "no times");
    assert_eq!(real.confidence, Confidence::Certain);
    assert_eq!(gone.reasons_for(TeamColleague), [], "no reasons");
    for level in [Blocked, Unknown] {
        for world in [&gone, &world(), &eventful()] {
            assert_eq!(world.view(level), real, "{level}");
            assert_eq!(world.reasons_for(level), [], "{level}");
        }
    }
}

#[test]
fn a_blocked_viewer_notices_nothing() {
    let mut world = world();
    for level in [Blocked, Unknown] {
        let before = world.view(level);
        world.line(LineState::Connected);
        world.fact(Fact::Line(DESK, LineChange::Stale));
        world.programs(&["Slack"]);
        world.choose("Do not disturb");
        assert_eq!(world.view(level), before);
    }
}

#[test]
fn a_real_offline_is_the_same_for_all_viewers_who_may_not_act_for_the_person() {
    let mut world = world();
    world.choose("Gone");
    world.line(LineState::Ringing);
    for level in Relationship::ALL {
        let acts = level.may(Permission::ChangeProfile);
        assert_eq!(world.view(level) == View::offline(), !acts, "{level}");
        assert_eq!(world.reasons_for(level).is_empty(), !acts, "{level}");
    }
}

#[test]
fn a_refused_reason_is_absent() {
    let world = eventful();
    for level in Relationship::ALL {
        for reason in world.reasons_for(level) {
            assert!(level.may(reason.rule.permission()), "{level}: {reason:?}");
            assert!(!reason.kind.to_string().is_empty());
        }
    }
    assert_eq!(world.reasons_for(External), []);
}

#[test]
fn each_level_sees_at_least_the_reasons_of_the_one_below() {
    let world = eventful();
    let counts = Relationship::ALL.map(|level| world.reasons_for(level).len());
    assert!(counts.is_sorted(), "{counts:?}");
}

#[test]
fn hidden_ringing_does_not_show_in_the_time() {
    for profile in ["Available", "Lunch", "Do not disturb"] {
        let mut world = world();
        world.choose(profile);
        world.pass(seconds(10), None);
        let before = world.view(External);
        world.line(LineState::Ringing);
        assert_eq!(world.view(External), before, "{profile}");
    }
}

#[test]
fn a_call_of_a_busy_person_and_a_second_call_do_not_show_in_the_time() {
    let mut world = world();
    world.choose("Busy");
    world.pass(seconds(10), None);
    let before = world.view(External);
    world.line(LineState::Connected);
    assert_eq!(world.view(External), before, "busy anyway");
    world.line(LineState::Idle);
    world.choose("Available");
    world.line(LineState::Connected);
    let during = world.view(External);
    assert_eq!((during.status, during.since), (Status::Busy, None));
    world.pass(seconds(10), None);
    world.meeting("Board", true, true);
    world.line(LineState::Idle);
    assert_eq!(world.view(External), during, "from a call into a meeting");
}

#[test]
fn a_call_hidden_behind_do_not_disturb_does_not_show_in_the_time() {
    let mut world = world();
    world.choose("Do not disturb");
    world.pass(seconds(10), None);
    let before = world.view(External);
    world.line(LineState::Connected);
    assert_eq!(world.view(External), before);
    world.line(LineState::Idle);
    assert_eq!(world.view(External), before);
}

#[test]
fn the_confidence_is_shown_only_to_viewers_who_may_see_activities() {
    let mut world = world();
    world.line(LineState::Connected);
    world.fact(Fact::Line(DESK, LineChange::Stale));
    check(FROM_EMPLOYEE, "stale", |level| {
        world.view(level).confidence == Confidence::Stale
    });
}

/// The end of a profile, by relationship.
#[test]
fn the_end_of_an_own_choice_is_seen_from_external_and_that_of_an_appointment_from_employee() {
    use Relationship::AssistantPlus;
    let mut world = World::new(crate::SyncMode::None);
    let ends = world.now + seconds(600);
    let seen = |world: &World, level| world.view(level).until;
    world.appointment(1, "Busy", seconds(600));
    for (level, until) in [
        (Blocked, None),
        (Unknown, None),
        (External, None),
        (Employee, Some(ends)),
        (TeamColleague, Some(ends)),
        (AssistantPlus, Some(ends)),
    ] {
        assert_eq!(seen(&world, level), until, "appointment, {level:?}");
    }
    let ends = world.now + seconds(300);
    world.fact(Fact::Choice(Some(Choice {
        profile: "Do not disturb".into(),
        since: world.now,
        until: Some(ends),
    })));
    for (level, until) in [
        (Unknown, None),
        (External, Some(ends)),
        (Employee, Some(ends)),
    ] {
        assert_eq!(seen(&world, level), until, "choice, {level:?}");
    }
}

/// A call has no known end: the end of the profile is not that of the status.
#[test]
fn a_status_that_an_activity_makes_has_no_known_end() {
    let mut world = World::new(crate::SyncMode::None);
    world.fact(Fact::Choice(Some(Choice {
        profile: "Available".into(),
        since: world.now,
        until: Some(world.now + seconds(300)),
    })));
    assert!(world.view(External).until.is_some());
    world.line(LineState::Connected);
    for level in [External, Relationship::AssistantPlus] {
        assert_eq!(world.view(level).until, None, "{level:?}");
    }
}
