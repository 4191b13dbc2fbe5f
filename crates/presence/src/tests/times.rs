//! Times.

use std::time::Duration;

use proptest::prelude::*;

use crate::Timestamp;

proptest! {
    #[test]
    fn times_keep_their_milliseconds_and_their_order(one: i64, other: i64) {
        let [first, second] = [one, other].map(Timestamp::from_milliseconds);
        prop_assert_eq!(first.milliseconds(), one.max(i64::MIN + 1));
        prop_assert_eq!(first.cmp(&second), one.max(i64::MIN + 1).cmp(&other.max(i64::MIN + 1)));
        let between = u64::try_from(i128::from(one) - i128::from(other)).unwrap_or(0);
        prop_assert!(first.since(second).as_millis().abs_diff(u128::from(between)) <= 1);
    }
}

#[test]
fn the_first_and_the_last_time_are_no_exceptions() {
    for milliseconds in [i64::MIN + 1, -1, 0, 1, i64::MAX] {
        let time = Timestamp::from_milliseconds(milliseconds);
        assert_eq!(time.milliseconds(), milliseconds);
    }
    let earliest = Timestamp::from_milliseconds(i64::MIN);
    assert_eq!(earliest, Timestamp::from_milliseconds(i64::MIN + 1));
    let last = Timestamp::from_milliseconds(i64::MAX);
    assert_eq!(last + Duration::MAX, last);
    assert_eq!(earliest - Duration::MAX, earliest);
    assert_eq!(
        format!(
            "{:?} {}",
            Timestamp::default(),
            last - last.since(Timestamp::default())
        ),
        "Timestamp(0) 0 ms"
    );
}

#[test]
fn an_optional_time_takes_no_more_than_a_time() {
    assert_eq!(size_of::<Option<Timestamp>>(), 8);
}
