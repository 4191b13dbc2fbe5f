//! One row of the history for one visible state.

use std::sync::Arc;

use super::{AVAILABLE, CALL, World, seconds};
use crate::{
    Activity, AppointmentText, Confidence, Forwarding, LineState, Presence, Relationship, Status,
    SyncMode::TelephonyAndPresence, Timestamp, view,
};

fn presence() -> Presence {
    let mut world = World::new(TelephonyAndPresence);
    world.teams(CALL.0, CALL.1);
    world.presence().clone()
}

#[test]
fn confidence_times_and_forwarding_make_no_other_state() {
    let one = presence();
    for confidence in Confidence::ALL {
        let other = Presence {
            confidence,
            since: Timestamp::from_milliseconds(7),
            profile_since: Timestamp::from_milliseconds(8),
            forwarding: Forwarding::DoNotDisturb,
            ..one.clone()
        };
        assert!(one.looks_like(&other) && other.looks_like(&one));
        for level in Relationship::ALL {
            assert!(view(&one, level).looks_like(&view(&other, level)));
        }
    }
}

#[test]
fn every_change_that_some_viewer_sees_makes_another_state() {
    let one = presence();
    let about = |text: &str, private| AppointmentText {
        text: text.into(),
        private,
    };
    let others = [
        Presence {
            status: Status::Absent,
            ..one.clone()
        },
        Presence {
            activity: None,
            ..one.clone()
        },
        Presence {
            activity: Some(Activity::OnThePhone),
            ..one.clone()
        },
        Presence {
            profile: "Lunch".into(),
            ..one.clone()
        },
        Presence {
            appointment: Some(about("Review", false)),
            ..one.clone()
        },
        Presence {
            appointment: Some(about("Review", true)),
            ..one.clone()
        },
        // Only viewers who may see the microphone see a difference here.
        Presence {
            without_microphone: Some(Arc::new(one.clone())),
            ..one.clone()
        },
    ];
    for (index, other) in others.iter().enumerate() {
        assert!(!one.looks_like(other), "{other:?}");
        for another in &others[index + 1..] {
            assert!(!other.looks_like(another), "{other:?} {another:?}");
        }
    }
}

#[test]
fn a_phone_call_is_one_state_from_beginning_to_end_of_its_mask() {
    let mut world = World::new(TelephonyAndPresence);
    world.pass(seconds(2), Some(AVAILABLE));
    world.line(LineState::Connected);
    let began = world.presence().clone();
    let mut confidences = vec![began.confidence];
    for _ in 0..120 {
        world.pass(seconds(1), None);
        assert!(world.presence().looks_like(&began));
        confidences.push(world.presence().confidence);
    }
    confidences.dedup();
    assert!(confidences.len() > 1, "{confidences:?}");
}
