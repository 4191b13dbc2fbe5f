//! Faults of exporters: zones of their own, unreadable events, files that are not feeds.

use calendar::CalendarError;

use crate::{calendar_of, event_of, in_berlin, march, problem_texts, starts};

#[test]
fn zones_that_only_the_feed_defines() {
    let zone = |standard: &str, daylight: &str| {
        let part = |kind: &str, lines: &str| match lines {
            "" => String::new(),
            lines => format!("BEGIN:{kind}\n{}\nEND:{kind}\n", lines.replace(" | ", "\n")),
        };
        calendar_of(&format!(
            "BEGIN:VTIMEZONE\nTZID:Ours\n{}{}END:VTIMEZONE\nBEGIN:VEVENT\nUID:one\nDTSTART;TZID=Ours:20260301T090000\n\
             RRULE:FREQ=DAILY;INTERVAL=30\nEND:VEVENT",
            part("STANDARD", standard),
            part("DAYLIGHT", daylight)
        ))
    };
    let autumn = "DTSTART:16011028T030000 | RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10 | TZOFFSETFROM:+0200 | TZOFFSETTO:+0100";
    let spring = "DTSTART:16010325T020000 | RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3 | TZOFFSETFROM:+0100 | TZOFFSETTO:+0200";
    for (standard, daylight, expected) in [
        (autumn, spring, ["03-01T08:00", "03-31T07:00"]),
        (autumn, "", ["03-01T08:00", "03-31T08:00"]),
        (
            "DTSTART:16010101T000000 | TZOFFSETFROM:+0530 | TZOFFSETTO:+0530",
            "",
            ["03-01T03:30", "03-31T03:30"],
        ),
        (
            "DTSTART:16010101T000000 | TZOFFSETFROM:-0330 | TZOFFSETTO:-0330",
            "",
            ["03-01T12:30", "03-31T12:30"],
        ),
        // Summer time was abolished: its rule has ended.
        (
            autumn,
            &spring.replace("BYMONTH=3", "BYMONTH=3;UNTIL=20100328T010000Z"),
            ["03-01T08:00", "03-31T08:00"],
        ),
        // The second Sunday of March, as a range of days.
        (
            autumn,
            &spring.replace(
                "BYDAY=-1SU;BYMONTH=3",
                "BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU",
            ),
            ["03-01T08:00", "03-31T07:00"],
        ),
        // In the southern hemisphere the year starts in summer time.
        (
            &autumn.replace("BYMONTH=10", "BYMONTH=3"),
            &spring.replace("BYMONTH=3", "BYMONTH=10"),
            ["03-01T07:00", "03-31T08:00"],
        ),
    ] {
        let feed = in_berlin(&zone(standard, daylight), march());
        assert_eq!(starts(&feed), expected, "{standard} {daylight}");
    }
    // Clocks that change on one of two weekdays: unrealistic, but readable.
    let both = in_berlin(&zone(autumn, &spring.replace("-1SU", "MO,TU")), march());
    assert_eq!(starts(&both), ["03-01T08:00", "03-31T07:00"]);
    let unreadable = in_berlin(&zone(autumn, &spring.replace("-1SU", "XX")), march());
    assert_eq!(
        problem_texts(&unreadable),
        [
            "event 1 (line 21): its time zone has a definition that cannot be read; the calendar's own zone is used: \
          correct it in the calendar and save it again"
        ]
    );
    assert_eq!(starts(&unreadable), ["03-01T08:00", "03-31T07:00"]);
}

/// Lines of an event, the expected problem, and the number of occurrences shown.
const FAULTS: &[(&str, &str, usize)] = &[
    ("SUMMARY:nothing", "it has no DTSTART; it is not shown", 0),
    (
        "DTSTART:tomorrow",
        "its DTSTART is not a date or time; it is not shown",
        0,
    ),
    (
        "DTSTART:20260230T090000Z",
        "its DTSTART has a date or time that does not exist",
        0,
    ),
    (
        "DTSTART;TZID=Mars/Olympus:20260310T090000",
        "its time zone is neither known nor defined in the feed; the calendar's own zone is used",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | DTEND:20260310T080000Z",
        "its DTEND is before its DTSTART",
        0,
    ),
    (
        "DTSTART:20260310T090000Z | DURATION:-PT1H",
        "its DURATION is negative",
        0,
    ),
    (
        "DTSTART:20260310T090000Z | DURATION:long",
        "its DURATION cannot be read",
        0,
    ),
    (
        "DTSTART:20260310T090000Z | RRULE:FREQ=SOMETIMES",
        "its RRULE's FREQ cannot be read; the property is ignored",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | RRULE:FREQ=DAILY;BYHOUR=25",
        "its RRULE's BYHOUR has a number that is not within 0 to 23",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | RRULE:FREQ=MONTHLY;BYMONTHDAY=0",
        "its RRULE's BYMONTHDAY has a number that is not within",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | RRULE:RSCALE=CHINESE;FREQ=YEARLY",
        "RSCALE names a calendar other",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | RDATE:whenever",
        "its RDATE is not a date or time",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | EXDATE:whenever",
        "its EXDATE is not a date or time",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | EXRULE:FREQ=DAILY",
        "its EXRULE (withdrawn",
        1,
    ),
    (
        "DTSTART:20260310T090000Z | RECURRENCE-ID;RANGE=THISANDFUTURE:20260310T080000Z",
        "is shown for one occurrence only",
        1,
    ),
];

#[test]
fn faults_are_reported_and_the_rest_is_kept() {
    for (lines, expected, kept) in FAULTS {
        let good = "BEGIN:VEVENT\nUID:good\nDTSTART:20260305T090000Z\nEND:VEVENT\n";
        let text = event_of(lines).replace("BEGIN:VEVENT", &format!("{good}BEGIN:VEVENT"));
        let feed = in_berlin(&text, march());
        assert_eq!(feed.problems.len(), 1, "{lines}: {:?}", feed.problems);
        let problem = &problem_texts(&feed)[0];
        assert!(
            problem.starts_with("event 2 (line ") && problem.contains(expected),
            "{problem}"
        );
        assert!(
            problem.ends_with(": correct it in the calendar and save it again"),
            "{problem}"
        );
        assert_eq!(feed.occurrences.len(), kept + 1, "{lines}");
    }
    let nameless = in_berlin(&event_of("SUMMARY:x").replace("UID:one\n", ""), march());
    assert!(
        problem_texts(&nameless)[0].starts_with("event 1 (line 4): "),
        "{:?}",
        nameless.problems
    );
}

// No value of a feed is repeated, except names defined by RFC 5545.
#[test]
fn problems_repeat_nothing_of_the_feed() {
    let secret = "s3cr3t4711";
    for lines in [
        "SUMMARY:s3cr3t4711",
        "DTSTART:s3cr3t4711",
        "DTSTART;TZID=s3cr3t4711:20260310T090000",
        "DTSTART;s3cr3t4711=1:47114711T471147Z",
        "DTSTART:20260310T090000Z | DURATION:s3cr3t4711",
        "DTSTART:20260310T090000Z | DTEND:s3cr3t4711",
        "DTSTART:20260310T090000Z | RRULE:s3cr3t4711",
        "DTSTART:20260310T090000Z | RRULE:FREQ=DAILY;BYHOUR=4711",
        "DTSTART:20260310T090000Z | RDATE;VALUE=s3cr3t4711:s3cr3t4711",
        "DTSTART:20260310T090000Z | EXDATE:s3cr3t4711",
        "DTSTART:20260310T090000Z | RECURRENCE-ID:s3cr3t4711",
    ] {
        let text = event_of(lines).replace("UID:one", "UID:s3cr3t4711");
        let said = problem_texts(&in_berlin(&text, march())).join(" ");
        assert!(!said.is_empty(), "{lines}");
        assert!(!said.contains(secret) && !said.contains("4711"), "{said}");
    }
    let refused = crate::read(secret.as_bytes(), march(), "Europe/Berlin").unwrap_err();
    assert!(!refused.to_string().contains(secret), "{refused}");
}

#[test]
fn a_truncated_feed_is_reported() {
    let text = event_of("DTSTART:20260310T090000Z").replace("END:VCALENDAR", "");
    let feed = in_berlin(&text, march());
    assert_eq!(feed.occurrences.len(), 1);
    assert!(
        problem_texts(&feed)[0].contains("does not end with END:VCALENDAR"),
        "{:?}",
        feed.problems
    );
}

#[test]
fn other_files_are_refused() {
    let page = "<!DOCTYPE html>\n<html><body>Sign in</body></html>";
    for text in ["", page, "BEGIN:VCARD\nFN:Anna\nEND:VCARD\n"] {
        let refused = crate::read(text.as_bytes(), march(), "Europe/Berlin").unwrap_err();
        assert_eq!(refused, CalendarError::NotACalendar);
    }
    let refused = crate::read(calendar_of("").as_bytes(), march(), "Berlin").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the time zone \"Berlin\" is not known: give an IANA name such as Europe/Berlin"
    );
    assert_eq!(
        in_berlin(&calendar_of(""), march()),
        calendar::Feed::default()
    );
}
