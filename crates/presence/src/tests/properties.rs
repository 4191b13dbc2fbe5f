//! Properties that hold for every history.

use proptest::prelude::*;

use super::{ANNA, DESK, World, appointment, default_profiles, inactive, personal, seconds};
use crate::{
    Action, Appointment, AppointmentId, AppointmentOrigin, ClientId, ClientState, Fact, Input,
    LineChange, LineState, MyProfiles, PersonPolicy, Relationship, Slot, SlotState, Status,
    SyncMode, TeamsState, Timestamp,
};

#[derive(Clone, Debug)]
enum Step {
    Line(LineState),
    LineLost,
    Teams(&'static str, &'static str, u64),
    Choose(&'static str),
    Automatic,
    Mode(SyncMode),
    Pass(u64),
    Acknowledge(bool),
    Client(u64, ClientState, u64),
    ClientEnded(u64),
    Meeting(&'static str, bool, bool),
    MeetingEnded(&'static str),
    Programs(u64, usize),
    Appointment(u64, &'static str, u64, u64),
    AppointmentDeleted(u64),
    Calendar(Option<&'static str>),
    Policy(usize),
    Linked(bool),
    Missing(u64),
    LoginEnded,
    Refused(Slot, Action),
}

const PROGRAMS: [&str; 3] = ["Slack", "Discord", "Zoom Meeting"];

fn profile_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("Available"),
        Just("Busy"),
        Just("Absent"),
        Just("Do not disturb"),
        Just("Gone"),
        Just("Nothing of the kind"),
    ]
}

/// Clients, meetings, programs, appointments, settings.
fn further_step() -> impl Strategy<Value = Step> {
    let client_state = prop::sample::select(ClientState::ALL.to_vec());
    let meeting = prop_oneof![Just("One"), Just("Two")];
    prop_oneof![
        3 => (20u64..23, client_state, 0u64..700)
            .prop_map(|(client, state, ago)| Step::Client(client, state, ago)),
        2 => (20u64..23).prop_map(Step::ClientEnded),
        2 => (meeting.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(meeting, audio, screen)| Step::Meeting(meeting, audio, screen)),
        1 => meeting.prop_map(Step::MeetingEnded),
        3 => (20u64..23, 0..=PROGRAMS.len())
            .prop_map(|(client, count)| Step::Programs(client, count)),
        3 => (1u64..4, profile_name(), 0u64..700, 1u64..3000)
            .prop_map(|(id, profile, after, lasts)| Step::Appointment(id, profile, after, lasts)),
        1 => (1u64..4).prop_map(Step::AppointmentDeleted),
        1 => prop::option::of(profile_name()).prop_map(Step::Calendar),
        2 => (0usize..7).prop_map(Step::Policy),
        1 => prop::bool::weighted(0.7).prop_map(Step::Linked),
        1 => (0u64..3).prop_map(Step::Missing),
        1 => Just(Step::LoginEnded),
        1 => prop::sample::select(Slot::ALL.to_vec())
            .prop_map(|slot| Step::Refused(slot, Action::Set)),
    ]
}

fn change_policy(policy: &mut PersonPolicy, which: usize) {
    match which {
        0 => policy.base_from_teams ^= true,
        1 => policy.renew_do_not_disturb ^= true,
        2 => policy.automatic.client_start = Some("Busy".into()),
        3 => policy.automatic.locked = None,
        4 => policy.automatic.client_end_after = seconds(0),
        5 => {
            policy.profiles = MyProfiles::new([
                inactive("Busy", Status::Busy),
                personal("do not disturb", Status::DoNotDisturb),
                personal("MS Teams", Status::Absent),
            ]);
        }
        _ => {
            let gone = personal("Gone", Status::Offline);
            policy.profiles = MyProfiles::new(default_profiles([gone]));
        }
    }
}

fn apply_further(world: &mut World, step: &Step) {
    let now = world.now;
    match step {
        Step::Client(client, state, ago) => world.fact(Fact::Client {
            client: ClientId::Page(*client),
            state: *state,
            since: now - seconds(*ago),
            until: now + seconds(60),
        }),
        Step::ClientEnded(client) => world.fact(Fact::ClientEnded(ClientId::Page(*client))),
        Step::Meeting(meeting, audio, screen) => world.meeting(meeting, *audio, *screen),
        Step::MeetingEnded(meeting) => world.fact(Fact::MeetingEnded((*meeting).into())),
        Step::Programs(client, count) => world.fact(Fact::Programs {
            client: ClientId::Page(*client),
            programs: PROGRAMS[..*count]
                .iter()
                .map(|alias| ((*alias).into(), now))
                .collect(),
            until: now + seconds(30),
        }),
        Step::Appointment(id, profile, after, lasts) => {
            let start = now + seconds(*after);
            world.fact(Fact::Appointment(appointment(
                *id,
                profile,
                start,
                seconds(*lasts),
            )));
        }
        Step::AppointmentDeleted(id) => world.fact(Fact::AppointmentDeleted(AppointmentId(*id))),
        Step::Calendar(profile) => {
            let appointments = profile.iter().map(|profile| Appointment {
                origin: AppointmentOrigin::Calendar,
                private: true,
                ..appointment(9, profile, now, seconds(900))
            });
            world.fact(Fact::Calendar(appointments.collect()));
        }
        Step::Policy(which) => world.policy(|policy| change_policy(policy, *which)),
        Step::Linked(true) => world.fact(Fact::TeamsLinked),
        Step::Linked(false) => world.fact(Fact::TeamsUnlinked),
        Step::Missing(ago) => world.fact(Fact::TeamsAccountMissing {
            asked_at: now - seconds(*ago),
        }),
        Step::LoginEnded => world.fact(Fact::TeamsLoginEnded),
        Step::Refused(slot, action) => world.fact(Fact::TeamsRefused(*slot, *action)),
        _ => {}
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![
            Just(LineState::Idle),
            Just(LineState::Ringing),
            Just(LineState::Held),
            Just(LineState::Connected)
        ].prop_map(Step::Line),
        1 => Just(Step::LineLost),
        6 => (prop_oneof![
            Just(("Available", "Available")),
            Just(("Busy", "InACall")),
            Just(("DoNotDisturb", "Presenting")),
            Just(("DoNotDisturb", "DoNotDisturb")),
            Just(("Busy", "Busy")),
            Just(("Offline", "Offline")),
            Just(("PresenceUnknown", "PresenceUnknown")),
        ], 0u64..5).prop_map(|((availability, activity), age)| Step::Teams(availability, activity, age)),
        2 => profile_name().prop_map(Step::Choose),
        1 => Just(Step::Automatic),
        1 => prop_oneof![
            Just(SyncMode::None),
            Just(SyncMode::TelephonyAndPresence),
            Just(SyncMode::TelephonyOnly)
        ].prop_map(Step::Mode),
        6 => prop_oneof![0u64..4_000, 10_000u64..400_000, Just(90_000_000u64)].prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Acknowledge),
        12 => further_step(),
    ]
}

fn apply(world: &mut World, step: &Step) {
    match step {
        Step::Line(state) => world.line(*state),
        Step::LineLost => world.fact(Fact::Line(DESK, LineChange::Stale)),
        Step::Teams(availability, activity, age) => {
            let state = TeamsState::new(availability, activity);
            let asked_at = world.now - seconds(*age);
            world.fact(Fact::TeamsObserved(crate::TeamsAnswer {
                state,
                asked_at,
                sequence: None,
                tenant_lag: None,
            }));
        }
        Step::Choose(name) => world.choose(name),
        Step::Automatic => world.back_to_automatic(),
        Step::Mode(mode) => world.set_mode(*mode),
        Step::Pass(milliseconds) => {
            let end = world.now + std::time::Duration::from_millis(*milliseconds);
            run_until(world, end);
        }
        Step::Acknowledge(yes) => world.acknowledges = *yes,
        further => apply_further(world, further),
    }
}

/// Follows the engine's deadlines, as its caller must.
fn run_until(world: &mut World, end: Timestamp) {
    let mut turns = 0;
    while let Some(deadline) = world.engine.next_deadline().filter(|at| *at <= end) {
        world.now = world.now.max(deadline);
        world.input(Input::Tick);
        turns += 1;
        assert!(turns < 10_000, "the engine never comes to rest");
    }
    world.now = end;
    world.input(Input::Tick);
}

fn check(world: &World) {
    let now = world.now;
    let (presence, reasons) = world
        .engine
        .explain(ANNA, crate::MicrophoneLayer::Included, now)
        .unwrap();
    assert_eq!(
        &presence,
        world.presence(),
        "what was published is what follows from the signals"
    );
    assert!(
        reasons.iter().any(|reason| reason.counted),
        "every presence has a reason"
    );
    for reason in reasons.iter().filter(|reason| reason.counted) {
        assert!(
            reason.lease_end.is_none_or(|end| end > now),
            "outlived its lease: {reason:?}"
        );
        assert!(reason.since <= now, "begins in the future: {reason:?}");
    }
    if let Some(activity) = presence.activity.filter(|activity| activity.makes_busy()) {
        let busy = matches!(presence.status, Status::Busy | Status::DoNotDisturb);
        assert!(busy, "{activity:?} without busy");
    }
    if let Some(deadline) = world.engine.next_deadline() {
        assert!(deadline > now, "a deadline in the past");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_presence_has_live_reasons(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        for step in &steps {
            apply(&mut world, step);
            check(&world);
        }
    }

    #[test]
    fn the_same_history_gives_the_same_effects(steps in prop::collection::vec(step(), 1..40)) {
        let run = || {
            let mut world = World::new(SyncMode::TelephonyAndPresence);
            steps.iter().for_each(|step| apply(&mut world, step));
            (world.writes, world.records)
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn silence_leads_to_rest_on_both_sides(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        for step in &steps {
            apply(&mut world, step);
        }
        world.acknowledges = true;
        world.back_to_automatic();
        world.policy(|policy| {
            let mode = policy.mode;
            *policy = PersonPolicy::with_mode(mode);
        });
        world.client(ClientState::Active);
        // A clear that Teams never acknowledged ends when Microsoft drops the Do not disturb.
        let end = world.now + seconds(26 * 3600);
        run_until(&mut world, end);
        check(&world);
        prop_assert_eq!(world.presence().status, Status::Available);
        prop_assert_eq!(&world.presence().activity, &None);
        for slot in Slot::ALL {
            prop_assert_eq!(world.engine.slot(ANNA, slot), Some(&SlotState::Empty));
            let last = world.writes.iter().rev().find(|(written, _)| *written == slot);
            prop_assert!(last.is_none_or(|(_, action)| matches!(action, Action::Clear | Action::Abandon))
                || slot == Slot::Preferred, "left {:?} in Teams", slot);
        }
    }

    /// Viewers who may not see programs at the microphone notice none: not by the status, a time or a reason,
    /// nor by a write to Teams or a record.
    #[test]
    fn the_microphone_leaves_no_trace_for_others(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        let mut deaf = World::new(SyncMode::TelephonyAndPresence);
        for step in &steps {
            apply(&mut world, step);
            // Time passes for both engines; only the programs are left out.
            apply(&mut deaf, if matches!(step, Step::Programs(..)) { &Step::Pass(0) } else { step });
            for level in Relationship::ALL {
                if level < Relationship::TeamColleague {
                    prop_assert_eq!(world.view(level), deaf.view(level), "{}", level);
                    prop_assert_eq!(world.reasons_for(level), deaf.reasons_for(level), "{}", level);
                }
            }
        }
        prop_assert_eq!(world.writes, deaf.writes);
        prop_assert_eq!(world.records, deaf.records);
    }

    /// Teams shows only our own writes, each up to a minute late: no Teams call and no Do not disturb of
    /// Teams' own may be seen.
    #[test]
    fn the_echo_of_our_own_write_is_never_news(
        steps in prop::collection::vec((step(), 1u64..40), 1..60),
        lag in prop_oneof![0u64..3, 0u64..58],
    ) {
        let mut world = World::new(SyncMode::TelephonyAndPresence);
        // State of our writes in Teams, with its start: (session set, Do not disturb set).
        let mut truth = vec![(world.now, false, false)];
        for (step, pause) in &steps {
            if matches!(step, Step::Teams(..) | Step::Acknowledge(_) | Step::Pass(_) | Step::LineLost | Step::Linked(_)) {
                continue;
            }
            apply(&mut world, step);
            for _ in 0..*pause {
                record_writes(&mut world, &mut truth);
                world.now = world.now + seconds(1);
                let seen_at = world.now - seconds(lag);
                let (_, session, preferred) =
                    *truth.iter().rev().find(|(at, ..)| *at <= seen_at).unwrap_or(&truth[0]);
                match (preferred, session) {
                    (true, _) => world.teams("DoNotDisturb", "DoNotDisturb"),
                    (false, true) => world.teams("Busy", "InACall"),
                    (false, false) => world.teams("Available", "Available"),
                }
                let signals = world.engine.signals(ANNA).unwrap();
                prop_assert_eq!(signals.teams_call, None);
                prop_assert_eq!(signals.teams_do_not_disturb_since, None);
            }
        }
    }
}

fn record_writes(world: &mut World, truth: &mut Vec<(Timestamp, bool, bool)>) {
    for (slot, action) in world.take_writes() {
        let (_, mut session, mut preferred) = *truth.last().unwrap();
        let set = action != Action::Clear;
        match slot {
            Slot::Session => session = set,
            Slot::Preferred => preferred = set,
        }
        truth.push((world.now, session, preferred));
    }
}
