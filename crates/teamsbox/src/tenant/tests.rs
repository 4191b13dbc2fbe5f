//! Properties of random histories of three people.

use proptest::prelude::*;

use super::*;
use crate::{
    aggregate::{Inputs, aggregate},
    calendar::CalendarKind,
    duration::{MINUTE, SECOND},
    user::CallKind,
    value::Shown,
};

const PEOPLE: usize = 3;
/// A time in 2026.
const START: Milliseconds = 1_780_000_000_000;

#[derive(Debug, Clone)]
enum Deed {
    Pass(Milliseconds),
    State {
        app: usize,
        pair: usize,
        lasts: Milliseconds,
    },
    Retract(usize),
    Prefer {
        pair: usize,
        lasts: Milliseconds,
    },
    Unprefer,
    SignIn(usize),
    SignOut {
        device: Option<usize>,
        at_once: bool,
    },
    Attend {
        device: usize,
        attention: usize,
    },
    Call {
        video: bool,
        with: Option<usize>,
    },
    EndCall,
    Share(Option<usize>),
    StopSharing,
    Plan {
        kind: usize,
        starts: Milliseconds,
        lasts: Milliseconds,
    },
}

fn deed() -> impl Strategy<Value = Deed> {
    let someone = || prop::option::of(0..PEOPLE);
    prop_oneof![
        4 => (0..20 * MINUTE).prop_map(Deed::Pass),
        2 => (0..2_usize, 0..5_usize, 5 * MINUTE..30 * MINUTE).prop_map(|(app, pair, lasts)| Deed::State { app, pair, lasts }),
        1 => (0..2_usize).prop_map(Deed::Retract),
        1 => (0..6_usize, 5 * MINUTE..60 * MINUTE).prop_map(|(pair, lasts)| Deed::Prefer { pair, lasts }),
        1 => Just(Deed::Unprefer),
        2 => (0..3_usize).prop_map(Deed::SignIn),
        1 => (prop::option::of(0..3_usize), any::<bool>()).prop_map(|(device, at_once)| Deed::SignOut { device, at_once }),
        1 => (0..3_usize, 0..3_usize).prop_map(|(device, attention)| Deed::Attend { device, attention }),
        2 => (any::<bool>(), someone()).prop_map(|(video, with)| Deed::Call { video, with }),
        1 => Just(Deed::EndCall),
        2 => someone().prop_map(Deed::Share),
        1 => Just(Deed::StopSharing),
        1 => (0..2_usize, 0..20 * MINUTE, MINUTE..30 * MINUTE).prop_map(|(kind, starts, lasts)| Deed::Plan { kind, starts, lasts }),
    ]
}

fn tenant() -> Tenant {
    let mut tenant = Tenant::new(Rules::default());
    for number in 0..PEOPLE {
        let guid = format!("00000000-0000-4000-8000-{number:012}")
            .parse()
            .unwrap();
        tenant
            .add(
                guid,
                "Somebody",
                &format!("{number}@contoso.example"),
                START,
            )
            .unwrap();
    }
    tenant
}

fn device(number: usize) -> Device {
    [Device::Desktop, Device::Web, Device::Mobile][number]
}

/// Applies an action of a person; time passes in steps of at most `stride`.
fn apply(
    tenant: &mut Tenant,
    now: &mut Milliseconds,
    index: usize,
    deed: &Deed,
    stride: Milliseconds,
) {
    let cause = Cause::Teams("test");
    match *deed {
        Deed::Pass(by) => {
            let target = *now + by;
            while *now < target {
                *now = (*now + stride).min(target);
                tenant.settle(*now);
            }
        }
        Deed::State { app, pair, lasts } => {
            let statement = Statement {
                shown: Shown::SESSION_PAIRS[pair],
                ends: *now + lasts,
            };
            assert!(tenant.state(index, ["x", "y"][app], statement, *now, cause));
        }
        Deed::Retract(app) => {
            tenant.retract(index, ["x", "y"][app], *now, cause);
        }
        Deed::Prefer { pair, lasts } => {
            let preferred = Preferred {
                shown: Shown::PREFERRED_PAIRS[pair],
                ends: *now + lasts,
            };
            tenant.choose(index, Some(preferred), *now);
        }
        Deed::Unprefer => tenant.choose(index, None, *now),
        Deed::SignIn(number) => tenant.sign_in(index, device(number), *now),
        Deed::SignOut {
            device: number,
            at_once,
        } => tenant.sign_out(index, number.map(device), at_once, *now),
        Deed::Attend {
            device: number,
            attention,
        } => {
            let attention =
                [Attention::Active, Attention::Idle(*now), Attention::Locked][attention];
            tenant.attend(index, device(number), attention, *now);
        }
        Deed::Call { video, with } => {
            let kind = if video {
                CallKind::Video
            } else {
                CallKind::Audio
            };
            assert_eq!(
                tenant.start_call(index, kind, with, *now).is_err(),
                with == Some(index)
            );
        }
        Deed::EndCall => tenant.end_call(index, *now),
        Deed::Share(with) => {
            assert_eq!(
                tenant.start_sharing(index, with, *now).is_err(),
                with == Some(index)
            );
        }
        Deed::StopSharing => tenant.stop_sharing(index, *now),
        Deed::Plan {
            kind,
            starts,
            lasts,
        } => {
            let kinds = [CalendarKind::Busy, CalendarKind::Meeting];
            let starts = *now + starts;
            tenant.users[index]
                .calendar
                .add(kinds[kind], starts, starts + lasts, "", *now);
            tenant.refresh(index, *now, Cause::Teams("calendar"));
        }
    }
}

fn hold(tenant: &Tenant, now: Milliseconds) {
    for (index, user) in tenant.users.iter().enumerate() {
        let inputs = Inputs {
            sessions: &user.sessions,
            preferred: user.preferred.as_ref(),
            calendar: &user.calendar,
        };
        let computed = aggregate(&inputs, now, &tenant.rules);
        assert_eq!(
            (user.current().shown, user.current().out_of_office),
            (computed.shown, computed.out_of_office),
            "what is kept is what would be computed"
        );
        assert_eq!(
            tenant
                .deadlines
                .iter()
                .filter(|(_, one)| *one == index)
                .count(),
            usize::from(user.deadline.is_some())
        );
        assert!(
            user.deadline.is_none_or(|deadline| deadline > now),
            "what is due is settled"
        );
        let Some(call) = user.call else { continue };
        let client = user
            .sessions
            .iter()
            .find(|session| session.device() == Some(call.device));
        assert!(
            client.is_some_and(|client| client.ends.is_none()),
            "a call needs a client that stays"
        );
        let Some(other) = call.with else { continue };
        let other = tenant.users[other]
            .call
            .expect("both sides are in the call");
        assert_eq!((other.with, other.kind), (Some(index), call.kind));
        assert!(
            !(call.sharing && other.sharing),
            "one side shares at a time"
        );
    }
}

/// The visible changes in a comparable form.
fn visible(changes: &[Change]) -> Vec<(Milliseconds, usize, Shown, Shown, u64)> {
    let visible = changes.iter().filter_map(|change| {
        let visible = change.visible?;
        Some((
            change.at,
            change.user,
            visible.from,
            visible.to,
            visible.sequence,
        ))
    });
    visible.collect()
}

proptest! {
    #[test]
    fn every_history_is_consistent(deeds in prop::collection::vec((0..PEOPLE, deed()), 0..60)) {
        let (mut jumping, mut walking) = (tenant(), tenant());
        let (mut now, mut also_now) = (START, START);
        for (index, deed) in &deeds {
            apply(&mut jumping, &mut now, *index, deed, Milliseconds::MAX / 4);
            apply(&mut walking, &mut also_now, *index, deed, 7 * SECOND);
            hold(&jumping, now);
        }
        let changes = visible(&jumping.take_changes());
        prop_assert_eq!(&changes, &visible(&walking.take_changes()), "the size of steps does not matter");
        for person in 0..PEOPLE {
            let own: Vec<_> = changes.iter().filter(|change| change.1 == person).collect();
            for pair in own.windows(2) {
                prop_assert!(pair[0].0 <= pair[1].0 && pair[0].4 < pair[1].4, "time and stamps grow");
                prop_assert_eq!(pair[0].3, pair[1].2, "each change starts where the last one ended");
            }
            prop_assert!(own.iter().all(|change| change.2 != change.3));
        }
    }
}
