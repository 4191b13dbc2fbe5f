//! The trace of a fact: on its effects, and on the reasons that it caused.

use std::num::NonZeroU64;

use super::{ANNA, DESK, LONG, World, appointment, seconds};
use crate::{
    Action, Choice, Effect, Fact, Input, LineChange, LineState, MicrophoneLayer, Rule, Slot,
    SyncMode, TraceId,
};

fn trace(number: u64) -> TraceId {
    let number = NonZeroU64::MIN.saturating_add(number);
    TraceId::new(number)
}

fn line(world: &mut World, state: LineState, number: u64) -> Vec<Effect> {
    let change = LineChange::State {
        state,
        party: None,
        lease: LONG,
    };
    let fact = Fact::Line(DESK, change);
    let input = Input::Person(ANNA, fact);
    world
        .engine
        .handle_traced(world.now, input, Some(trace(number)))
}

fn call_trace(world: &World) -> Option<TraceId> {
    let microphone = MicrophoneLayer::Included;
    let (_, reasons) = world.engine.explain(ANNA, microphone, world.now).unwrap();
    let call = |reason: &&crate::Reason| reason.rule == Rule::PbxCall;
    reasons.iter().find(call).and_then(|reason| reason.trace)
}

type TracedWrite = (Slot, Action, Option<TraceId>);

/// Traces of the presence changes and of the writes among these effects.
fn traces(effects: &[Effect]) -> (Vec<Option<TraceId>>, Vec<TracedWrite>) {
    let (mut changes, mut writes) = (Vec::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::Changed { trace, .. } => changes.push(*trace),
            Effect::Write(write) => writes.push((write.slot, write.action, write.trace)),
            _ => {}
        }
    }
    (changes, writes)
}

#[test]
fn the_effects_of_a_call_have_the_trace_of_its_report() {
    let mut world = World::new(SyncMode::TelephonyAndPresence);
    let effects = line(&mut world, LineState::Connected, 1);
    let set = (Slot::Session, Action::Set, Some(trace(1)));
    assert_eq!(traces(&effects), (vec![Some(trace(1))], vec![set]));
    assert_eq!(call_trace(&world), Some(trace(1)));

    let effects = line(&mut world, LineState::Connected, 2);
    assert_eq!(traces(&effects), (vec![], vec![]));
    assert_eq!(call_trace(&world), Some(trace(1)), "only the lease is new");

    line(&mut world, LineState::Held, 3);
    assert_eq!(call_trace(&world), Some(trace(3)));

    let effects = line(&mut world, LineState::Idle, 4);
    let clear = (Slot::Session, Action::Clear, Some(trace(4)));
    assert_eq!(traces(&effects), (vec![Some(trace(4))], vec![clear]));
}

#[test]
fn the_end_of_a_lease_has_no_trace() {
    let mut world = World::new(SyncMode::TelephonyAndPresence);
    line(&mut world, LineState::Connected, 1);
    world.now = world.now + LONG;
    let (changes, writes) = traces(&world.engine.handle(world.now, Input::Tick));
    assert_eq!(changes, [None]);
    assert!(writes.contains(&(Slot::Session, Action::Clear, None)));
}

#[test]
fn a_delayed_write_has_the_trace_of_its_call() {
    let mut world = World::new(SyncMode::TelephonyAndPresence);
    for number in 1..8 {
        line(&mut world, LineState::Connected, number);
        line(&mut world, LineState::Idle, 100 + number);
    }
    let (_, writes) = traces(&line(&mut world, LineState::Connected, 9));
    assert!(
        writes.is_empty(),
        "a write so soon after a clear is delayed"
    );
    let set = loop {
        world.now = world.engine.next_deadline().unwrap();
        let (_, writes) = traces(&world.engine.handle(world.now, Input::Tick));
        if let Some(set) = writes
            .into_iter()
            .find(|(slot, action, _)| (*slot, *action) == (Slot::Session, Action::Set))
        {
            break set;
        }
    };
    assert_eq!(set.2, Some(trace(9)));
}

#[test]
fn a_do_not_disturb_of_an_appointment_has_no_trace_of_a_choice() {
    let mut world = World::new(SyncMode::TelephonyAndPresence);
    let traced = |world: &mut World, fact, number| {
        let input = Input::Person(ANNA, fact);
        let effects = world
            .engine
            .handle_traced(world.now, input, Some(trace(number)));
        traces(&effects).1
    };
    let choice = |world: &World, profile: &str| {
        Fact::Choice(Some(Choice {
            profile: profile.into(),
            since: world.now,
            until: None,
        }))
    };
    let available = choice(&world, "Available");
    traced(&mut world, available, 1);
    let later = appointment(1, "Do not disturb", world.now + seconds(60), LONG);
    assert_eq!(traced(&mut world, Fact::Appointment(later), 2), []);
    world.now = world.now + seconds(60);
    let (_, writes) = traces(&world.engine.handle(world.now, Input::Tick));
    assert_eq!(writes, [(Slot::Preferred, Action::Set, None)]);

    // A chosen Do not disturb is written with the trace of its choice.
    let mut world = World::new(SyncMode::TelephonyAndPresence);
    let do_not_disturb = choice(&world, "Do not disturb");
    let set = (Slot::Preferred, Action::Set, Some(trace(3)));
    assert_eq!(traced(&mut world, do_not_disturb, 3), [set]);
}

#[test]
fn an_id_is_written_as_32_digits_and_takes_8_bytes() {
    assert_eq!(trace(0x1e).to_string(), "000000000000001f000000000000001f");
    assert_eq!(size_of::<Option<TraceId>>(), 8);
}
