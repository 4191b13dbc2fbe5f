//! Properties of single events: times and zones, lengths, exceptions, availability, text.

use calendar::MAX_TEXT_CHARS;

use crate::{
    at, calendar_of, event_of, format_all, in_berlin, march, problem_texts, starts, window,
};

/// Checks lines of an event, separated by ` | `, against their occurrences in March 2026.
fn check_all(cases: &[(&str, &[&str])]) {
    for (lines, expected) in cases {
        let feed = in_berlin(&event_of(lines), march());
        assert_eq!(format_all(&feed), *expected, "{lines}");
        assert_eq!(problem_texts(&feed), Vec::<String>::new(), "{lines}");
    }
}

#[test]
fn times_are_read_in_all_forms() {
    check_all(&[
        (
            "DTSTART:20260310T090000Z | DTEND:20260310T100000Z",
            &["03-10T09:00 03-10T10:00 busy"],
        ),
        (
            "DTSTART:20260310T090000 | DTEND:20260310T100000",
            &["03-10T08:00 03-10T09:00 busy"],
        ),
        (
            "DTSTART;TZID=America/New_York:20260310T090000 | DURATION:PT1H",
            &["03-10T13:00 03-10T14:00 busy"],
        ),
        (
            "DTSTART;TZID=Tokyo Standard Time:20260310T090000 | DURATION:PT1H",
            &["03-10T00:00 03-10T01:00 busy"],
        ),
        (
            "DTSTART;TZID=\"Eastern Standard Time\":20260310T090000 | DURATION:PT1H",
            &["03-10T13:00 03-10T14:00 busy"],
        ),
        (
            "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/London:20260310T090000",
            &["03-10T09:00 03-10T09:00 busy"],
        ),
        (
            "DTSTART;VALUE=DATE:20260310",
            &["03-09T23:00 03-10T23:00 busy day"],
        ),
        (
            "DTSTART;VALUE=DATE:20260310 | DTEND;VALUE=DATE:20260310",
            &["03-09T23:00 03-10T23:00 busy day"],
        ),
        ("DTSTART:20260310", &["03-09T23:00 03-10T23:00 busy day"]),
        // The day of the clock change has 23 hours.
        (
            "DTSTART;VALUE=DATE:20260329",
            &["03-28T23:00 03-29T22:00 busy day"],
        ),
        (
            "DTSTART:20260328T120000 | DURATION:P1D",
            &["03-28T11:00 03-29T10:00 busy"],
        ),
        (
            "DTSTART:20260328T120000 | DURATION:PT24H",
            &["03-28T11:00 03-29T11:00 busy"],
        ),
        (
            "DTSTART:20260310T090000Z | DURATION:P1W",
            &["03-10T09:00 03-17T09:00 busy"],
        ),
        // 2:30 does not exist on that day: RFC 5545 applies the offset before the change.
        (
            "DTSTART:20260329T023000 | DURATION:PT30M",
            &["03-29T01:30 03-29T02:00 busy"],
        ),
        (
            "DTSTART:20260310T090000Z",
            &["03-10T09:00 03-10T09:00 busy"],
        ),
        (
            "DTSTART:20260310T000000 | DTEND:20260311T000000 | X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            &["03-09T23:00 03-10T23:00 busy day"],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260310T090000Z",
            &["03-10T09:00 03-10T09:00 busy"],
        ),
        (
            "dtstart;tzid=Europe/Berlin:20260310T090000 | summary:small letters",
            &["03-10T08:00 03-10T08:00 busy small letters"],
        ),
    ]);
}

#[test]
fn free_or_busy() {
    let start = "DTSTART:20260310T090000Z | DURATION:PT1H";
    for (lines, expected) in [
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "free"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "tentative"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY", "busy"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "oof"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "free"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF | TRANSP:TRANSPARENT", "oof"),
        (
            "X-MICROSOFT-CDO-BUSYSTATUS:NEW | TRANSP:TRANSPARENT",
            "free",
        ),
        ("TRANSP:TRANSPARENT", "free"),
        ("TRANSP:OPAQUE | STATUS:TENTATIVE", "tentative"),
        ("TRANSP:TRANSPARENT | STATUS:TENTATIVE", "free"),
        ("STATUS:CONFIRMED", "busy"),
        ("CLASS:PUBLIC", "busy"),
        ("CLASS:PRIVATE", "busy private"),
        ("CLASS:CONFIDENTIAL", "busy private"),
        ("CLASS:X-UNHEARD-OF", "busy private"),
    ] {
        let feed = in_berlin(&event_of(&format!("{start} | {lines}")), march());
        assert_eq!(
            format_all(&feed),
            [format!("03-10T09:00 03-10T10:00 {expected}")],
            "{lines}"
        );
    }
    let cancelled = in_berlin(&event_of(&format!("{start} | STATUS:CANCELLED")), march());
    assert_eq!(
        (cancelled.occurrences, cancelled.problems),
        (vec![], vec![])
    );
}

#[test]
fn series_and_their_exceptions() {
    let weekly = "DTSTART;TZID=Europe/Berlin:20260316T090000 | DURATION:PT1H | RRULE:FREQ=WEEKLY";
    for (lines, expected) in [
        ("", &["03-16T08:00", "03-23T08:00", "03-30T07:00"][..]),
        (
            " | EXDATE;TZID=Europe/Berlin:20260323T090000",
            &["03-16T08:00", "03-30T07:00"],
        ),
        (
            " | EXDATE:20260323T080000Z",
            &["03-16T08:00", "03-30T07:00"],
        ),
        (" | EXDATE;VALUE=DATE:20260323,20260330", &["03-16T08:00"]),
        (
            " | EXDATE:20260316T090000,20260323T090000",
            &["03-30T07:00"],
        ),
        (
            " | EXDATE:20260323T093000",
            &["03-16T08:00", "03-23T08:00", "03-30T07:00"],
        ),
        (";COUNT=2", &["03-16T08:00", "03-23T08:00"]),
        (";COUNT=2 | EXDATE:20260316T090000", &["03-23T08:00"]),
        (";UNTIL=20260323T080000Z", &["03-16T08:00", "03-23T08:00"]),
        (";UNTIL=20260323T075959Z", &["03-16T08:00"]),
        (";UNTIL=20260323", &["03-16T08:00", "03-23T08:00"]),
        (";UNTIL=20260323T090000", &["03-16T08:00", "03-23T08:00"]),
        // The start belongs to the series even if the rule does not contain it, and COUNT includes it.
        (";BYDAY=TU;COUNT=2", &["03-16T08:00", "03-17T08:00"]),
        (
            " | RDATE:20260318T070000Z",
            &["03-16T08:00", "03-18T07:00", "03-23T08:00", "03-30T07:00"],
        ),
        (
            " | RDATE;VALUE=PERIOD:20260318T070000Z/PT5M",
            &["03-16T08:00", "03-18T07:00", "03-23T08:00", "03-30T07:00"],
        ),
        (
            " | RDATE:20260323T080000Z",
            &["03-16T08:00", "03-23T08:00", "03-30T07:00"],
        ),
    ] {
        let feed = in_berlin(&event_of(&format!("{weekly}{lines}")), march());
        assert_eq!(starts(&feed), expected, "{lines}");
        assert_eq!(problem_texts(&feed), Vec::<String>::new(), "{lines}");
    }
    check_all(&[
        (
            "DTSTART;VALUE=DATE:20260327 | RRULE:FREQ=DAILY;UNTIL=20260330 | EXDATE;VALUE=DATE:20260328",
            &[
                "03-26T23:00 03-27T23:00 busy day",
                "03-28T23:00 03-29T22:00 busy day",
                "03-29T22:00 03-30T22:00 busy day",
            ],
        ),
        (
            "DTSTART;VALUE=DATE:20260302 | RRULE:FREQ=DAILY;COUNT=2 | EXDATE;TZID=Europe/Berlin:20260302T000000",
            &["03-02T23:00 03-03T23:00 busy day"],
        ),
        (
            "DTSTART:20260302T090000Z | DTEND:20260302T093000Z | RDATE;VALUE=PERIOD:20260303T090000Z/20260303T100000Z",
            &[
                "03-02T09:00 03-02T09:30 busy",
                "03-03T09:00 03-03T10:00 busy",
            ],
        ),
        // 2:30 does not exist on the 29th.
        (
            "DTSTART;TZID=Europe/Berlin:20260328T023000 | DURATION:PT30M | RRULE:FREQ=DAILY;COUNT=3",
            &[
                "03-28T01:30 03-28T02:00 busy",
                "03-29T01:30 03-29T02:00 busy",
                "03-30T00:30 03-30T01:00 busy",
            ],
        ),
    ]);
}

#[test]
fn occurrences_that_were_changed() {
    let event = |lines: &str| {
        format!(
            "BEGIN:VEVENT\nUID:series\n{}\nEND:VEVENT\n",
            lines.replace(" | ", "\n")
        )
    };
    let series = event(
        "DTSTART;TZID=Europe/Berlin:20260316T090000 | DURATION:PT1H | RRULE:FREQ=WEEKLY | SUMMARY:s",
    );
    let unchanged = [
        "03-16T08:00 03-16T09:00 busy s",
        "03-30T07:00 03-30T08:00 busy s",
    ];
    for (changes, changed) in [
        (
            vec!["RECURRENCE-ID;TZID=Europe/Berlin:20260323T090000 | STATUS:CANCELLED"],
            None,
        ),
        (
            vec!["RECURRENCE-ID:20260323T080000Z | DTSTART:20260324T100000Z | SUMMARY:moved"],
            Some("03-24T10:00 03-24T10:00 busy moved"),
        ),
        (
            vec!["RECURRENCE-ID;VALUE=DATE:20260323 | DTSTART:20260324T100000Z"],
            Some("03-24T10:00 03-24T10:00 busy"),
        ),
        // The latest of two versions applies, in any order.
        (
            vec![
                "RECURRENCE-ID:20260323T080000Z | DTSTART:20260325T100000Z | SEQUENCE:3",
                "RECURRENCE-ID:20260323T080000Z | DTSTART:20260324T100000Z | SEQUENCE:2",
            ],
            Some("03-25T10:00 03-25T10:00 busy"),
        ),
        // Moved out of the window.
        (
            vec!["RECURRENCE-ID:20260323T080000Z | DTSTART:20260524T100000Z"],
            None,
        ),
        // Without a start of its own the occurrence stays at its original time.
        (
            vec!["RECURRENCE-ID:20260323T080000Z | SUMMARY:kept"],
            Some("03-23T08:00 03-23T08:00 busy kept"),
        ),
    ] {
        let changes: String = changes.iter().map(|lines| event(lines)).collect();
        let mut expected: Vec<&str> = unchanged.to_vec();
        expected.splice(1..1, changed);
        for text in [format!("{series}{changes}"), format!("{changes}{series}")] {
            let feed = in_berlin(&calendar_of(&text), march());
            assert_eq!(format_all(&feed), expected, "{text}");
            assert_eq!(problem_texts(&feed), Vec::<String>::new(), "{text}");
        }
    }
    // An exception of another series has no effect.
    let other = event("RECURRENCE-ID:20260323T080000Z | STATUS:CANCELLED")
        .replace("UID:series", "UID:other");
    assert_eq!(
        in_berlin(&calendar_of(&(series + &other)), march())
            .occurrences
            .len(),
        3
    );
}

#[test]
fn text_is_unescaped_unfolded_and_bounded() {
    let long = "x".repeat(5000);
    for (summary, expected) in [
        ("a\\, b\\; c\\\\d\\ne", "a, b; c\\d\ne"),
        ("fol\r\n ded", "folded"),
        ("fol\n\tded", "folded"),
        ("a: b; c, d", "a: b; c, d"),
        (&long, &long[..MAX_TEXT_CHARS]),
    ] {
        let feed = in_berlin(
            &event_of(&format!("DTSTART:20260310T090000Z | SUMMARY:{summary}")),
            march(),
        );
        assert_eq!(feed.occurrences[0].summary, expected);
    }
    let latin1 =
        event_of("DTSTART:20260310T090000Z | SUMMARY:M?ller").replace("M?ller", "M\u{1}ller");
    let latin1: Vec<u8> = latin1
        .bytes()
        .map(|byte| if byte == 1 { 0xfc } else { byte })
        .collect();
    let feed = crate::read(&latin1, march(), "Europe/Berlin").unwrap();
    assert_eq!(feed.occurrences[0].summary, "Müller");
}

#[test]
fn occurrences_that_overlap_the_window_are_returned() {
    let hour = event_of("DTSTART:20260310T090000Z | DURATION:PT1H");
    let point = event_of("DTSTART:20260310T090000Z");
    for (from, to, of_hour, of_point) in [
        ("2026-03-10T08:00Z", "2026-03-10T09:00Z", 0, 0),
        ("2026-03-10T08:00Z", "2026-03-10T09:01Z", 1, 1),
        ("2026-03-10T09:00Z", "2026-03-10T09:01Z", 1, 1),
        ("2026-03-10T09:30Z", "2026-03-10T09:31Z", 1, 0),
        ("2026-03-10T10:00Z", "2026-03-10T11:00Z", 0, 0),
        ("2026-03-11T00:00Z", "2026-03-01T00:00Z", 0, 0),
    ] {
        let window = window(from, to);
        assert_eq!(
            in_berlin(&hour, window).occurrences.len(),
            of_hour,
            "{from}"
        );
        assert_eq!(
            in_berlin(&point, window).occurrences.len(),
            of_point,
            "{from}"
        );
    }
    // A long event that started before the window, and a series with long occurrences.
    let long = event_of("DTSTART:20260201T090000Z | DURATION:P20D | RRULE:FREQ=MONTHLY");
    assert_eq!(
        starts(&in_berlin(
            &long,
            window("2026-03-15T00:00Z", "2026-03-15T00:01Z")
        )),
        ["03-01T09:00"]
    );
    assert_eq!(
        in_berlin(&hour, window("2026-03-10T09:00Z", "2026-03-10T09:01Z")).occurrences[0].end,
        at("2026-03-10T10:00Z")
    );
}
