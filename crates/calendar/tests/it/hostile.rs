//! Hostile feeds cannot exhaust time or memory, nor cause a panic.

use std::{fmt::Write as _, time::Duration};

use calendar::{
    CalendarError, Feed, MAX_FEED_BYTES, MAX_FEED_PARTS, MAX_OCCURRENCES, MAX_PROBLEMS, Window,
};
use proptest::prelude::*;

use crate::{calendar_of, event_of, in_berlin, march, problem_texts, starts, window};

/// Reads a feed and measures the processor time of this thread, unaffected by other processes.
fn timed(text: &str, window: Window) -> (Feed, Duration) {
    let spent = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
    };
    let before = spent();
    let feed = in_berlin(text, window);
    (feed, spent() - before)
}

const HOSTILE_RULES: [&str; 12] = [
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;COUNT=4000000000",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;INTERVAL=65535;BYSECOND=7;BYMINUTE=11;BYHOUR=13;BYYEARDAY=366",
    "FREQ=MINUTELY;BYSETPOS=2",
    "FREQ=HOURLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=DAILY;COUNT=4000000000;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYDAY=53MO;BYMONTH=1;COUNT=9",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;COUNT=100000;BYDAY=5MO;BYSETPOS=5",
    "FREQ=YEARLY;COUNT=2;BYSETPOS=-2147483648",
    "FREQ=WEEKLY;BYDAY=53MO,-53SU;COUNT=70000",
];

/// `BYHOUR=0,1,...`: every second of a day in three lists.
fn every_second() -> String {
    let list = |most: u32| {
        (0..most)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    format!(
        "BYHOUR={};BYMINUTE={};BYSECOND={}",
        list(24),
        list(60),
        list(60)
    )
}

#[test]
fn rules_without_end_end_quickly() {
    let every_second = every_second();
    let mut rules: Vec<String> = HOSTILE_RULES.map(str::to_owned).to_vec();
    for frequency in ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] {
        rules.push(format!(
            "FREQ={frequency};BYDAY=MO,TU,WE,TH,FR,SA,SU;{every_second}"
        ));
        rules.push(format!(
            "FREQ={frequency};BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=1000000;BYSETPOS=1,-1;{every_second}"
        ));
    }
    for rule in rules {
        for start in ["00010101T000000Z", "20260301T000000", "99991231T235959Z"] {
            let text = event_of(&format!("DTSTART:{start} | DURATION:PT1S | RRULE:{rule}"));
            let (feed, took) = timed(&text, march());
            assert!(feed.occurrences.len() <= MAX_OCCURRENCES, "{rule}");
            assert!(
                took < Duration::from_secs(3),
                "{rule} from {start} took {took:?}"
            );
        }
    }
}

#[test]
fn rules_beyond_the_budget_are_reported() {
    let text = event_of("DTSTART:00010101T000000Z | RRULE:FREQ=SECONDLY;COUNT=4000000000");
    let feed = in_berlin(&text, march());
    assert_eq!(
        problem_texts(&feed),
        [
            "event 1 (line 7): its RRULE takes too much computing time; only the occurrences found so far are shown: correct it in the \
          calendar and save it again"
        ]
    );
}

#[test]
fn many_hostile_rules_take_no_longer_than_a_few() {
    let mut events = String::new();
    for number in 0..20_000 {
        let rule = HOSTILE_RULES[number % HOSTILE_RULES.len()];
        writeln!(
            events,
            "BEGIN:VEVENT\nUID:{number}\nDTSTART:00010101T000000Z\nRRULE:{rule}\nEND:VEVENT"
        )
        .unwrap();
    }
    let (feed, took) = timed(&calendar_of(&events), march());
    assert!(took < Duration::from_secs(30), "took {took:?}");
    assert!(feed.problems.len() <= MAX_PROBLEMS + 5);
    assert!(
        problem_texts(&feed)
            .iter()
            .any(|problem| problem.contains("more problems of this kind")),
        "{:?}",
        feed.problems
    );
}

#[test]
fn of_too_many_occurrences_the_first_are_kept() {
    // The later event comes first: the order in the file does not matter.
    let events = "BEGIN:VEVENT\nUID:late\nDTSTART:20260315T000000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n\
                  BEGIN:VEVENT\nUID:early\nDTSTART:20260301T000000Z\nRRULE:FREQ=MINUTELY;COUNT=6000\nEND:VEVENT";
    let feed = in_berlin(&calendar_of(events), march());
    assert_eq!(feed.occurrences.len(), MAX_OCCURRENCES);
    assert_eq!(
        feed.occurrences
            .iter()
            .filter(|one| one.uid == "early")
            .count(),
        6000
    );
    assert_eq!(starts(&feed)[0], "03-01T00:00");
    assert!(feed.occurrences.is_sorted_by_key(|one| one.start));
    assert!(
        problem_texts(&feed)
            .iter()
            .any(|problem| problem.contains("more than 10000 occurrences")),
        "{:?}",
        feed.problems
    );
}

#[test]
fn an_endless_rule_long_ago_costs_the_others_nothing() {
    let hostile = "BEGIN:VEVENT\nUID:h\nDTSTART:00010101T000000Z\nRRULE:FREQ=SECONDLY;COUNT=4000000000\nEND:VEVENT\n";
    let good = "BEGIN:VEVENT\nUID:g\nDTSTART:20200106T090000Z\nRRULE:FREQ=WEEKLY\nSUMMARY:good\nEND:VEVENT\n";
    let feed = in_berlin(&calendar_of(&format!("{hostile}{hostile}{good}")), march());
    assert_eq!(feed.occurrences.len(), 5);
    assert_eq!(feed.problems.len(), 2);
}

#[test]
fn feeds_beyond_the_limits_are_refused() {
    let read = |text: &[u8]| crate::read(text, march(), "Europe/Berlin").unwrap_err();
    assert_eq!(
        read(&vec![b'x'; MAX_FEED_BYTES + 1]),
        CalendarError::TooLarge {
            bytes: MAX_FEED_BYTES + 1
        }
    );
    for part in ["x\n", "x\r", "x,", ";"] {
        assert_eq!(
            read(format!("{}y", part.repeat(MAX_FEED_PARTS + 1)).as_bytes()),
            CalendarError::TooManyParts {
                parts: MAX_FEED_PARTS + 1
            }
        );
    }
}

#[test]
fn large_feeds_of_one_kind_are_read_in_bounded_time() {
    let fill = |head: &str, piece: &str, tail: &str| {
        let most = ((1 << 20) / piece.len()).min(MAX_FEED_PARTS / 2);
        format!(
            "BEGIN:VCALENDAR\n{head}{}{tail}\nEND:VCALENDAR",
            piece.repeat(most)
        )
    };
    for (head, piece, tail) in [
        ("", "BEGIN:VEVENT\n", ""),
        ("", "END:VEVENT\n", ""),
        ("", "BEGIN:VTIMEZONE\nTZID:x\n", ""),
        ("", "BEGIN:VEVENT\nUID:x\nEND:VEVENT\n", ""),
        (
            "BEGIN:VEVENT\nDTSTART:20260301T000000Z\nRDATE:",
            "20260301T000000Z,",
            "\nEND:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART:20260301T000000Z\nEXDATE:",
            ",",
            "\nEND:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART:20260301T000000Z\nRRULE:FREQ=DAILY;BYDAY=",
            "53MO,",
            "\nEND:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART:20260301T000000Z\nRRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1",
            ",2",
            "\nEND:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART:20260301T000000Z\n",
            "RRULE:FREQ=DAILY\n",
            "END:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART:20260301T000000Z\nSUMMARY:",
            "x\n ",
            "\nEND:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART;",
            "TZID=x;",
            ":20260301T000000Z\nEND:VEVENT",
        ),
        (
            "BEGIN:VEVENT\nDTSTART;TZID=\"",
            "x",
            "\":20260301T000000Z\nEND:VEVENT",
        ),
        (
            "",
            "BEGIN:VEVENT\nUID:x\nRECURRENCE-ID:20260301T000000Z\nEND:VEVENT\n",
            "",
        ),
    ] {
        let (_, took) = timed(&fill(head, piece, tail), march());
        assert!(
            took < Duration::from_secs(15),
            "{head:?} {piece:?} took {took:?}"
        );
    }
}

const EXPORTS: [&str; 3] = [
    include_str!("feeds/outlook.ics"),
    include_str!("feeds/google.ics"),
    include_str!("feeds/apple.ics"),
];

/// Fragments that break parsers, mixed with valid ones.
const PIECES: [&str; 26] = [
    "BEGIN:VEVENT\n",
    "END:VEVENT\n",
    "BEGIN:VCALENDAR\n",
    "END:VCALENDAR\n",
    "RRULE:FREQ=SECONDLY\n",
    "\n ",
    "\r\n",
    "DTSTART:00010101T000000Z\n",
    "DTSTART:99991231T235959\n",
    "DTEND;VALUE=DATE:99991231\n",
    ";TZID=",
    "Europe/Berlin",
    "DURATION:P4294967295W\n",
    "RRULE:FREQ=YEARLY;BYWEEKNO=-53,53;BYDAY=MO\n",
    "EXDATE:",
    "RDATE;VALUE=PERIOD:",
    "0",
    "99999999",
    "-",
    ":",
    ";",
    ",",
    "\"",
    "T",
    "TZOFFSETTO:-9999\n",
    "\u{fffd}\u{0}",
];

fn sound(feed: &Feed, window: Window) {
    assert!(feed.occurrences.len() <= MAX_OCCURRENCES && feed.problems.len() <= MAX_PROBLEMS + 5);
    assert!(feed.occurrences.is_sorted_by_key(|one| one.start));
    for one in &feed.occurrences {
        assert!(
            one.start <= one.end && one.start < window.to && one.end >= window.from,
            "{one:?}"
        );
    }
}

/// Windows of all sizes, also with the end before the start.
fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![
        4 => Just(march()),
        1 => Just(window("0001-01-01T00:00Z", "0001-02-01T00:00Z")),
        1 => Just(window("9999-12-01T00:00Z", "9999-12-30T22:00Z")),
        1 => Just(Window { from: i64::MIN, to: i64::MAX }),
        1 => any::<(i64, i64)>().prop_map(|(from, to)| Window { from, to }),
    ]
}

proptest! {
    // Hostile text takes longest: each case may use up the whole budget of a feed.
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000), window in windows()) {
        if let Ok(feed) = crate::read(&bytes, window, "Europe/Berlin") {
            sound(&feed, window);
        }
        let mut framed = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260301T000000Z\r\n".to_vec();
        framed.extend(&bytes);
        sound(&crate::read(&framed, window, "Europe/Berlin").unwrap(), window);
    }

    #[test]
    fn any_pieces(chosen in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..200), window in windows()) {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}", chosen.concat());
        sound(&in_berlin(&text, window), window);
    }

    #[test]
    fn exports_with_changes(
        which in 0..EXPORTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, prop::sample::select(PIECES.to_vec())), 1..12),
        window in windows(),
    ) {
        let mut bytes = EXPORTS[which].as_bytes().to_vec();
        for (place, cut, put) in changes {
            let from = place.index(bytes.len());
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, put.bytes());
        }
        if let Ok(feed) = crate::read(&bytes, window, "America/New_York") {
            sound(&feed, window);
        }
    }
}

// Runs of line ends and of slashes cost no more than other bytes.
#[test]
fn long_runs_of_one_byte_are_read_in_time() {
    let event = event_of("DTSTART:20260310T090000Z\nSUMMARY:x");
    for (what, text) in [
        ("returns", format!("{}{}", "\r".repeat(4_000_000), event)),
        (
            "slashes",
            event.replacen(
                "BEGIN:VEVENT",
                &format!("X-WR-TIMEZONE:{}\nBEGIN:VEVENT", "/".repeat(2_000_000)),
                1,
            ),
        ),
    ] {
        let (_, took) = timed(&text, march());
        assert!(took < Duration::from_secs(10), "{what}: {took:?}");
    }
}
