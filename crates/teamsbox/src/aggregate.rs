//! How several sessions and the preferred slot become the one pair that everybody reads.

use crate::duration::Milliseconds;
use crate::preferred::Preferred;
use crate::session::Session;
use crate::value::{Availability, IdleSpelling, Shown};

/// The visible pair: the preferred one if any session lives, else the session of the highest rank, the latest changed
/// among equals; `Offline` without a session.
pub(crate) fn aggregate(
    sessions: &[Session],
    preferred: Option<&Preferred>,
    now: Milliseconds,
    idle: IdleSpelling,
) -> Shown {
    let strongest = sessions
        .iter()
        .filter(|session| !session.ended(now))
        .map(|session| (session.shown(now, idle), session))
        .max_by_key(|(shown, session)| {
            (rank(shown.availability), session.changed_at, session.order)
        });
    match (strongest, preferred) {
        (None, _) => Shown::OFFLINE,
        (Some(_), Some(preferred)) if !preferred.ended(now) => preferred.shown,
        (Some((shown, _)), _) => shown,
    }
}

/// DoNotDisturb over Busy over Available (with its idle stage) over Away.
fn rank(availability: Availability) -> u8 {
    match availability {
        Availability::DoNotDisturb => 4,
        Availability::Busy => 3,
        Availability::Available | Availability::AvailableIdle => 2,
        Availability::Away | Availability::BeRightBack => 1,
        Availability::Offline => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::duration::{HOUR, MINUTE};
    use crate::session::Statement;

    const IDLE: IdleSpelling = IdleSpelling::AvailableIdleInactive;

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
            let shown = aggregate(&sessions, None, now, IDLE);
            let live: Vec<_> = sessions.iter().filter(|session| !session.ended(now)).collect();
            prop_assert_eq!(shown == Shown::OFFLINE, live.is_empty());
            for session in live {
                let own = session.shown(now, IDLE);
                prop_assert!(rank(own.availability) <= rank(shown.availability));
            }
        }

        #[test]
        fn the_order_of_sessions_does_not_matter(
            described in prop::collection::vec((0_usize..5, 0_i64..HOUR, 5 * MINUTE..4 * HOUR), 0..6),
            now in HOUR..6 * HOUR,
        ) {
            let mut sessions = sessions(&described);
            let forward = aggregate(&sessions, None, now, IDLE);
            sessions.reverse();
            prop_assert_eq!(forward, aggregate(&sessions, None, now, IDLE));
        }

        #[test]
        fn a_preferred_pair_wins_exactly_while_a_session_lives(
            described in prop::collection::vec((0_usize..5, 0_i64..HOUR, 5 * MINUTE..4 * HOUR), 0..4),
            pair in 0_usize..6,
            now in HOUR..6 * HOUR,
        ) {
            let sessions = sessions(&described);
            let preferred = Preferred { shown: Shown::PREFERRED_PAIRS[pair], ends: 5 * HOUR };
            let alone = aggregate(&sessions, None, now, IDLE);
            let expected = if alone == Shown::OFFLINE || now >= 5 * HOUR { alone } else { preferred.shown };
            prop_assert_eq!(aggregate(&sessions, Some(&preferred), now, IDLE), expected);
        }
    }

    #[test]
    fn among_equals_the_latest_change_wins() {
        let mut two = sessions(&[(1, 0, HOUR), (2, 0, HOUR)]);
        assert_eq!(aggregate(&two, None, 1, IDLE), Shown::SESSION_PAIRS[2]);
        two[0].changed_at = 1;
        assert_eq!(aggregate(&two, None, 1, IDLE), Shown::IN_A_CALL);
    }
}
