//! The explanation: every signal that counted or was overruled, with source, start, end of lease and rule
//! (docs/presence-rules.md, "Explanation").

use super::{CALL, HOUR, World, seconds};
use crate::{ClientState, LineState, Rule, Source, SyncMode::TelephonyAndPresence};

#[test]
fn every_signal_is_there_in_the_order_of_the_rules() {
    let mut world = World::new(TelephonyAndPresence);
    world.choose("Absent");
    world.pass(seconds(1), Some(CALL));
    world.appointment(1, "Do not disturb", HOUR);
    world.appointment(2, "Busy", HOUR);
    world.client(ClientState::Locked);
    world.meeting("Board", true, false);
    world.programs(&["Slack"]);
    world.line(LineState::Ringing);
    let rules: Vec<_> = world.reasons().iter().map(|reason| reason.rule).collect();
    assert_eq!(
        rules,
        [
            Rule::AppointmentDoNotDisturb,
            Rule::TeamsCall,
            Rule::Appointment,
            Rule::ManualChoice,
            Rule::Locked,
            Rule::Meeting,
            Rule::TeamsCallActivity,
            Rule::Microphone,
            Rule::Ringing,
            Rule::TeamsDetail,
            Rule::OwnWrite,
            Rule::OwnWrite,
        ]
    );
    let counted: Vec<_> = world
        .reasons()
        .into_iter()
        .filter(|reason| reason.counted)
        .map(|reason| reason.rule)
        .collect();
    assert_eq!(counted, [Rule::AppointmentDoNotDisturb, Rule::Meeting]);
}

#[test]
fn each_reason_has_its_source_its_start_and_the_end_of_its_lease() {
    let mut world = World::new(TelephonyAndPresence);
    world.appointment(1, "Busy", HOUR);
    world.meeting("Board", true, false);
    world.programs(&["Slack"]);
    for (rule, source, lease) in [
        (Rule::Appointment, Source::Person, HOUR),
        (Rule::Meeting, Source::Meeting, seconds(60)),
        (Rule::Microphone, Source::Agent, seconds(30)),
    ] {
        let reasons = world.reasons();
        let reason = reasons.iter().find(|reason| reason.rule == rule).unwrap();
        assert_eq!(reason.source, source);
        assert_eq!(reason.since, world.now);
        assert_eq!(reason.lease_end, Some(world.now + lease));
    }
}

#[test]
fn a_state_of_teams_without_a_call_is_detail() {
    for state in ["Busy", "Away", "BeRightBack", "Offline"] {
        let mut world = World::new(TelephonyAndPresence);
        world.teams(state, state);
        let reasons = world.reasons();
        let detail = reasons
            .iter()
            .find(|reason| reason.rule == Rule::TeamsDetail)
            .unwrap();
        assert_eq!(detail.kind.to_string(), format!("shows {state}/{state}"));
        assert!(!detail.counted);
    }
}

#[test]
fn a_choice_until_a_time_has_its_end() {
    let mut world = World::new(TelephonyAndPresence);
    let until = Some(world.now + HOUR);
    world.fact(crate::Fact::Choice(Some(crate::Choice {
        profile: "Absent".into(),
        since: world.now,
        until,
    })));
    assert_eq!(world.reasons()[0].lease_end, until);
    world.choose("Absent");
    assert_eq!(
        world.reasons()[0].lease_end,
        None,
        "without one: by itself never"
    );
}
