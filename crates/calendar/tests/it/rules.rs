//! Recurrence rules: the examples of RFC 5545 §3.8.5.3, and a comparison with another engine.

use calcard::{Entry, Parser, common::timezone::Tz};
use calendar::Window;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

use crate::{at, event_of, problem_texts};

/// Days (and times, if they differ) of a rule in New York from 1997-09-02 9:00 on.
fn days(start: &str, rule: &str, to: &str) -> Vec<String> {
    let text = event_of(&format!(
        "DTSTART;TZID=America/New_York:{start} | RRULE:{rule}"
    ));
    let feed = crate::read(
        text.as_bytes(),
        crate::window("1997-01-01T00:00Z", to),
        "UTC",
    )
    .unwrap();
    assert_eq!(problem_texts(&feed), Vec::<String>::new(), "{rule}");
    let zone = jiff::tz::TimeZoneDatabase::bundled()
        .get("America/New_York")
        .unwrap();
    let local = |at: i64| zone.to_datetime(jiff::Timestamp::from_millisecond(at).unwrap());
    feed.occurrences
        .iter()
        .map(|one| local(one.start).strftime("%y-%m-%d %H:%M").to_string())
        .collect()
}

/// Rule, end of the window, and its days at nine o'clock.
const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-12 97-09-22 97-10-02 97-10-12",
    ),
    (
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-04 97-09-09 97-09-11 97-09-16 97-09-18 97-09-23 97-09-25 97-09-30 97-10-02",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-04 97-09-16 97-09-18 97-09-30 97-10-02 97-10-14 97-10-16",
    ),
    (
        "FREQ=MONTHLY;COUNT=4;BYDAY=-2MO",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-22 97-10-20 97-11-17",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1998-01-01T00:00Z",
        "97-09-02 97-09-28 97-10-29 97-11-28 97-12-29",
    ),
    (
        "FREQ=MONTHLY;COUNT=7;BYMONTHDAY=1,-1",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-30 97-10-01 97-10-31 97-11-01 97-11-30 97-12-01",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-12-01T00:00Z",
        "97-09-02 97-09-09 97-09-16 97-09-23 97-09-30 97-11-04 97-11-11 97-11-18 97-11-25",
    ),
    (
        "FREQ=YEARLY;COUNT=4;BYMONTH=6,7",
        "2000-01-01T00:00Z",
        "97-09-02 98-06-02 98-07-02 99-06-02",
    ),
    (
        "FREQ=YEARLY;INTERVAL=3;COUNT=5;BYYEARDAY=1,100,200",
        "2010-01-01T00:00Z",
        "97-09-02 00-01-01 00-04-09 00-07-18 03-01-01",
    ),
    (
        "FREQ=YEARLY;BYDAY=20MO",
        "2000-01-01T00:00Z",
        "97-09-02 98-05-18 99-05-17",
    ),
    (
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "2000-01-01T00:00Z",
        "97-09-02 98-05-11 99-05-17",
    ),
    (
        "FREQ=YEARLY;BYWEEKNO=20",
        "2000-01-01T00:00Z",
        "97-09-02 98-05-12 99-05-18",
    ),
    (
        "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO",
        "2000-01-01T00:00Z",
        "97-09-02 97-12-22 98-12-28 99-12-27",
    ),
    (
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1999-01-01T00:00Z",
        "97-09-02 98-02-13 98-03-13 98-11-13",
    ),
    (
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "2006-01-01T00:00Z",
        "97-09-02 97-11-04 01-11-06 05-11-08",
    ),
    (
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-04 97-10-07",
    ),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1998-01-01T00:00Z",
        "97-09-02 97-09-29 97-10-30 97-11-27 97-12-30",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2000-01-01T00:00Z",
        "97-09-02 97-09-15 97-09-30 97-10-15 97-10-30",
    ),
    (
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "2005-01-01T00:00Z",
        "97-09-02 00-02-29 04-02-29",
    ),
];

#[test]
fn examples_of_the_rfc() {
    let at_nine =
        |days: &str| -> Vec<String> { days.split(' ').map(|day| format!("{day} 09:00")).collect() };
    for (rule, to, expected) in EXAMPLES {
        assert_eq!(
            days("19970902T090000", rule, to),
            at_nine(expected),
            "{rule}"
        );
    }
    assert_eq!(
        days(
            "19970902T090000",
            "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z",
            "2000-01-01T00:00Z"
        ),
        ["97-09-02 09:00", "97-09-02 12:00"]
    );
    assert_eq!(
        days(
            "19970902T090000",
            "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
            "2000-01-01T00:00Z"
        ),
        [
            "97-09-02 09:00",
            "97-09-02 10:30",
            "97-09-02 12:00",
            "97-09-02 13:30"
        ]
    );
    let every_20_minutes = days(
        "19970902T090000",
        "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40",
        "1997-09-05T00:00Z",
    );
    assert_eq!(every_20_minutes.len(), 18);
    assert_eq!(
        every_20_minutes,
        days(
            "19970902T090000",
            "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10",
            "1997-09-05T00:00Z"
        )
    );
    // A month without the 31st has no occurrence.
    assert_eq!(
        days(
            "19970831T090000",
            "FREQ=MONTHLY;COUNT=3",
            "2000-01-01T00:00Z"
        ),
        ["97-08-31 09:00", "97-10-31 09:00", "97-12-31 09:00"]
    );
}

/// Formats `NAME=1,2,3`, or an empty text.
fn part(name: &'static str, values: Vec<String>, most: usize) -> impl Strategy<Value = String> {
    let most = most.min(values.len());
    prop_oneof![
        2 => Just(String::new()),
        1 => subsequence(values, 1..=most).prop_map(move |chosen| format!(";{name}={}", chosen.join(","))),
    ]
}

fn numbers(range: std::ops::RangeInclusive<i32>) -> Vec<String> {
    range
        .filter(|number| *number != 0)
        .map(|number| number.to_string())
        .collect()
}

fn rule() -> impl Strategy<Value = String> {
    let weekdays = || {
        ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
            .map(str::to_owned)
            .to_vec()
    };
    // Only numbered weekdays: with a mixture (`1MO,TU`) the other engine finds nothing.
    let numbered = ["1MO", "-1SU", "2TU", "-2FR", "5WE", "-4TH"]
        .map(str::to_owned)
        .to_vec();
    let base = |frequency: &'static str| {
        let interval = 1..4_u32;
        (interval, part("BYMONTH", numbers(1..=12), 3))
            .prop_map(move |(n, months)| format!("FREQ={frequency};INTERVAL={n}{months}"))
    };
    let times = || {
        (
            part("BYHOUR", numbers(1..=23), 2),
            part("BYMINUTE", numbers(1..=59), 2),
        )
            .prop_map(|(hours, minutes)| hours + &minutes)
    };
    let month_days = || part("BYMONTHDAY", numbers(-31..=31), 4);
    let positions = || part("BYSETPOS", numbers(-3..=3), 2);
    prop_oneof![
        (
            base("YEARLY"),
            month_days(),
            part("BYDAY", numbered.clone(), 3),
            times(),
            positions()
        )
            .prop_map(joined),
        (
            base("YEARLY"),
            part("BYYEARDAY", numbers(-366..=366), 5),
            part("BYDAY", weekdays(), 4),
            times(),
            positions()
        )
            .prop_map(joined),
        (
            base("MONTHLY"),
            month_days(),
            part("BYDAY", numbered, 3),
            times(),
            positions()
        )
            .prop_map(joined),
        (
            base("WEEKLY"),
            Just(String::new()),
            part("BYDAY", weekdays(), 4),
            times(),
            Just(String::new())
        )
            .prop_map(joined),
        (
            base("DAILY"),
            month_days(),
            part("BYDAY", weekdays(), 4),
            times(),
            Just(String::new())
        )
            .prop_map(joined),
        (
            base("HOURLY"),
            month_days(),
            part("BYDAY", weekdays(), 4),
            times(),
            Just(String::new())
        )
            .prop_map(joined),
    ]
}

fn joined((base, one, two, three, four): (String, String, String, String, String)) -> String {
    base + &one + &two + &three + &four
}

/// Times of a rule after the start by calcard's engine (that of `rrule` and python-dateutil).
fn by_calcard(text: &str, window: Window) -> Vec<i64> {
    let Entry::ICalendar(parsed) = Parser::new(text).entry() else {
        panic!("{text}")
    };
    let expanded = parsed.expand_dates(Tz::UTC, 100_000);
    assert!(expanded.errors.is_empty(), "{text}: {:?}", expanded.errors);
    let mut found: Vec<i64> = expanded
        .events
        .iter()
        .map(|event| event.start.timestamp() * 1000)
        .collect();
    found.retain(|start| *start >= window.from && *start < window.to);
    found.sort_unstable();
    found.dedup();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_same_as_another_engine(
        rule in rule(),
        start in (2022..2024_i32, 1..13_i32, 1..29_i32, select(vec!["000000", "093000", "235959"])),
        length in 10..600_i64,
    ) {
        let (year, month, day, time) = start;
        let start = format!("{year}{month:02}{day:02}T{time}");
        let from = at("2024-02-01T00:00Z");
        let window = Window { from, to: from + length * 86_400_000 };
        // The other engine can neither start late nor stop early.
        let text = event_of(&format!("DTSTART:{start}Z | RRULE:{rule};UNTIL=20260401T000000Z"));
        let feed = crate::read(text.as_bytes(), window, "UTC").unwrap();
        let expected = by_calcard(&text, window);
        // A case in which either engine reached its limit proves nothing.
        prop_assume!(expected.len() < 9_000);
        prop_assert_eq!(&problem_texts(&feed), &Vec::<String>::new());
        prop_assert_eq!(feed.occurrences.iter().map(|one| one.start).collect::<Vec<_>>(), expected, "{}", text);
    }
}
