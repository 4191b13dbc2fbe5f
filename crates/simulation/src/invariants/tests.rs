//! The invariants find broken presences.

use std::sync::Arc;

use presence::{
    Activity, Choice, ClientId, Engine, Fact, Input, LineChange, LineId, LineState,
    MicrophoneLayer, PersonId, PersonPolicy, PersonRecord, Presence, Reason, Status, SyncMode,
    Timestamp, Timing,
};

use super::{counted, leases, visible};

const ANNA: PersonId = PersonId(1);
const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// Anna: Busy by her own choice, a program at the microphone.
fn anna() -> Engine {
    let mut engine = Engine::new(Timing::default());
    let record = PersonRecord {
        lines: vec![LineId::Watched(11)],
        choice: Some(Choice {
            profile: "Busy".into(),
            since: NOW,
            until: None,
        }),
        ..PersonRecord::default()
    };
    let policy = PersonPolicy::with_mode(SyncMode::None);
    engine.handle(
        NOW,
        Input::AddPerson(ANNA, Box::new(record), Arc::new(policy)),
    );
    let until = NOW + std::time::Duration::from_secs(60);
    let programs = Fact::Programs {
        client: ClientId::Page(1),
        programs: vec![("mic-Zoom".into(), NOW)],
        until,
    };
    engine.handle(NOW, Input::Person(ANNA, programs));
    engine
}

fn explained(engine: &Engine, microphone: MicrophoneLayer) -> (Presence, Vec<Reason>) {
    engine.explain(ANNA, microphone, NOW).unwrap()
}

#[test]
fn a_sound_presence_passes() {
    let engine = anna();
    let (presence, reasons) = explained(&engine, MicrophoneLayer::Included);
    let (without, quiet_reasons) = explained(&engine, MicrophoneLayer::Hidden);
    assert_eq!(counted(&presence, &reasons, NOW), Ok(()));
    assert_eq!(
        visible(&presence, &reasons, &without, &quiet_reasons),
        Ok(())
    );
    assert_eq!(leases(engine.signals(ANNA).unwrap(), &engine, NOW), Ok(()));
}

#[test]
fn a_presence_without_reason_is_noticed() {
    let (presence, mut reasons) = explained(&anna(), MicrophoneLayer::Included);
    reasons.retain(|reason| !reason.counted);
    assert!(counted(&presence, &reasons, NOW).is_err());
    let (presence, mut reasons) = explained(&anna(), MicrophoneLayer::Included);
    for reason in &mut reasons {
        reason.lease_end = Some(NOW);
    }
    assert!(counted(&presence, &reasons, NOW).is_err());
    let (presence, reasons) = explained(&anna(), MicrophoneLayer::Included);
    for broken in [
        Presence {
            status: Status::Available,
            ..presence.clone()
        },
        Presence {
            activity: Some(Activity::OnThePhone),
            ..presence.clone()
        },
        Presence {
            chosen: false,
            ..presence
        },
    ] {
        assert!(counted(&broken, &reasons, NOW).is_err(), "{broken:?}");
    }
}

#[test]
fn a_microphone_that_is_not_hidden_is_noticed() {
    let engine = anna();
    let (presence, reasons) = explained(&engine, MicrophoneLayer::Included);
    let (without, quiet_reasons) = explained(&engine, MicrophoneLayer::Hidden);
    let leaking = Presence {
        without_microphone: None,
        ..presence.clone()
    };
    assert!(visible(&leaking, &reasons, &without, &quiet_reasons).is_err());
    // The table hides reasons that were requested with the microphone.
    assert_eq!(visible(&presence, &reasons, &without, &reasons), Ok(()));
}

#[test]
fn a_signal_beyond_its_lease_is_noticed() {
    let mut engine = anna();
    let until = NOW + std::time::Duration::from_secs(60);
    let line = Fact::Line(
        LineId::Watched(11),
        LineChange::State {
            state: LineState::Connected,
            party: None,
            lease: until.since(NOW),
        },
    );
    engine.handle(NOW, Input::Person(ANNA, line));
    let signals = engine.signals(ANNA).unwrap();
    assert_eq!(leases(signals, &engine, NOW), Ok(()));
    assert!(leases(signals, &engine, until).is_err());
}
