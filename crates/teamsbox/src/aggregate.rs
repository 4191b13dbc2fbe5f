//! Aggregation: the visible pair of availability and activity from a person's sessions, preferred slot and calendar.

use crate::{
    calendar::Calendar,
    duration::Milliseconds,
    preferred::Preferred,
    rules::Rules,
    session::Session,
    value::{Activity, Availability, Shown},
};

/// Inputs of the aggregation.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) sessions: &'a [Session],
    pub(crate) preferred: Option<&'a Preferred>,
    pub(crate) calendar: &'a Calendar,
}

/// The visible state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aggregate {
    pub(crate) shown: Shown,
    pub(crate) out_of_office: bool,
}

/// The visible state: the preferred pair if a session is alive, else the pair of the session with the highest rank, or
/// `Offline` without a session. The calendar counts as a session that loses every tie.
pub(crate) fn aggregate(inputs: &Inputs<'_>, now: Milliseconds, rules: &Rules) -> Aggregate {
    let idle = rules.idle_spelling;
    let of_calendar = inputs.calendar.shown(now);
    let live = inputs.sessions.iter().filter(|session| !session.ended(now));
    let strongest = live
        .map(|session| (session.shown(now, idle), session))
        .max_by_key(|(shown, session)| {
            let (at, order) = (
                session.changed_at,
                i64::try_from(session.order).unwrap_or(i64::MAX),
            );
            let newest = if rules.earliest_wins {
                (-at, -order)
            } else {
                (at, order)
            };
            (rank(shown.availability), newest)
        });
    let calendar_counts = strongest.is_some() || rules.calendar_alone;
    let of_sessions = strongest.map(|(shown, session)| {
        let echo = rules.echo_busy && session.device().is_none() && shown == Shown::IN_A_CALL;
        if echo {
            Shown::new(Availability::Busy, Activity::Busy)
        } else {
            shown
        }
    });
    let of_calendar = of_calendar.filter(|_| calendar_counts);
    let contest = match (of_sessions, of_calendar) {
        (Some(session), Some(calendar)) => {
            let beaten = rank(session.availability) < rank(calendar.availability);
            Some(if beaten { calendar } else { session })
        }
        (session, calendar) => session.or(calendar),
    };
    let chosen = inputs.preferred.filter(|preferred| !preferred.ended(now));
    let mut shown = match (contest, chosen) {
        (None, _) => Shown::OFFLINE,
        (Some(_), Some(preferred)) => preferred.shown,
        (Some(shown), None) => shown,
    };
    let out_of_office = calendar_counts && inputs.calendar.out_of_office(now).is_some();
    if out_of_office && shown.availability == Availability::Available {
        shown.activity = Activity::OutOfOffice;
    }
    Aggregate {
        shown,
        out_of_office,
    }
}

/// Rank of an availability: DoNotDisturb over Busy over Available (with its idle stage) over Away.
fn rank(availability: Availability) -> u8 {
    match availability {
        Availability::DoNotDisturb => 4,
        Availability::Busy => 3,
        Availability::Available | Availability::AvailableIdle => 2,
        Availability::Away | Availability::BeRightBack => 1,
        Availability::Offline | Availability::PresenceUnknown => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        duration::{HOUR, MINUTE},
        session::Statement,
        value::IdleSpelling,
    };

    const IDLE: IdleSpelling = IdleSpelling::AvailableIdleInactive;

    fn shown(sessions: &[Session], preferred: Option<&Preferred>, now: Milliseconds) -> Shown {
        let inputs = Inputs {
            sessions,
            preferred,
            calendar: &Calendar::default(),
        };
        aggregate(&inputs, now, &Rules::default()).shown
    }

    fn sessions(described: &[(usize, i64, i64)]) -> Vec<Session> {
        described
            .iter()
            .enumerate()
            .map(|(order, (pair, at, lasts))| {
                let statement = Statement {
                    shown: Shown::SESSION_PAIRS[*pair],
                    ends: at + lasts,
                };
                Session::app(&format!("app-{order}"), statement, *at, order as u64)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn nothing_beats_the_aggregate(
            described in prop::collection::vec((0_usize..5, 0_i64..HOUR, 5 * MINUTE..4 * HOUR), 0..6),
            now in HOUR..6 * HOUR,
        ) {
            let sessions = sessions(&described);
            let seen = shown(&sessions, None, now);
            let live: Vec<_> = sessions.iter().filter(|session| !session.ended(now)).collect();
            prop_assert_eq!(seen == Shown::OFFLINE, live.is_empty());
            for session in live {
                let own = session.shown(now, IDLE);
                prop_assert!(rank(own.availability) <= rank(seen.availability));
            }
        }

        #[test]
        fn the_order_of_sessions_does_not_matter(
            described in prop::collection::vec((0_usize..5, 0_i64..HOUR, 5 * MINUTE..4 * HOUR), 0..6),
            now in HOUR..6 * HOUR,
        ) {
            let mut sessions = sessions(&described);
            let forward = shown(&sessions, None, now);
            sessions.reverse();
            prop_assert_eq!(forward, shown(&sessions, None, now));
        }

        #[test]
        fn a_preferred_pair_wins_exactly_while_a_session_lives(
            described in prop::collection::vec((0_usize..5, 0_i64..HOUR, 5 * MINUTE..4 * HOUR), 0..4),
            pair in 0_usize..6,
            now in HOUR..6 * HOUR,
        ) {
            let sessions = sessions(&described);
            let preferred = Preferred { shown: Shown::PREFERRED_PAIRS[pair], ends: 5 * HOUR };
            let alone = shown(&sessions, None, now);
            let expected = if alone == Shown::OFFLINE || now >= 5 * HOUR { alone } else { preferred.shown };
            prop_assert_eq!(shown(&sessions, Some(&preferred), now), expected);
        }
    }

    #[test]
    fn among_equals_the_latest_change_wins() {
        let mut two = sessions(&[(1, 0, HOUR), (2, 0, HOUR)]);
        assert_eq!(shown(&two, None, 1), Shown::SESSION_PAIRS[2]);
        two[0].changed_at = 1;
        assert_eq!(shown(&two, None, 1), Shown::IN_A_CALL);
    }
}
