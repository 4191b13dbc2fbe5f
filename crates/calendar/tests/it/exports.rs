//! Whole feeds of Outlook, Google and Apple.

use crate::{format_all, in_berlin, march, problem_texts};

fn check(text: &str, expected: &[&str]) {
    let feed = in_berlin(text, march());
    assert_eq!(problem_texts(&feed), Vec::<String>::new());
    assert_eq!(format_all(&feed), expected);
}

#[test]
fn outlook() {
    check(
        include_str!("feeds/outlook.ics"),
        &[
            "03-02T08:00 03-02T08:30 busy Jour fixe, Team Süd",
            "03-09T08:00 03-09T08:30 busy Jour fixe, Team Süd",
            "03-10T14:00 03-10T15:00 free Call with Boston",
            "03-10T23:00 03-13T23:00 oof day private Urlaub",
            // The 16th is excluded, the 23rd moved to the 24th.
            "03-24T10:00 03-24T10:30 tentative Jour fixe (verschoben)",
            // Still 9:00 in Berlin after the clock change.
            "03-30T07:00 03-30T07:30 busy Jour fixe, Team Süd",
        ],
    );
}

#[test]
fn google() {
    check(
        include_str!("feeds/google.ics"),
        &[
            "03-02T13:00 03-02T14:00 busy Planning",
            "03-05T12:30 03-05T13:00 tentative A rather long subject that the exporter had to fold because it is longer than 75 octets",
            "03-05T13:00 03-05T14:00 busy Planning",
            "03-08T23:00 03-09T23:00 free day private Birthday",
            "03-16T13:00 03-16T14:00 busy Planning",
            "03-19T13:00 03-19T14:00 busy Planning",
        ],
    );
}

#[test]
fn apple() {
    check(
        include_str!("feeds/apple.ics"),
        &[
            "03-01T21:00 03-02T07:00 busy On call",
            "03-03T23:00 03-04T23:00 free day Name day",
            "03-06T08:00 03-06T09:00 busy Floating",
            "03-07T21:00 03-08T07:00 busy On call",
            // Ten hours of local time across the clock change.
            "03-28T21:00 03-29T07:00 busy On call",
        ],
    );
}

#[test]
fn line_ends_and_a_byte_order_mark_make_no_difference() {
    let outlook = include_str!("feeds/outlook.ics");
    let plain = outlook.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    assert_ne!(outlook, plain);
    assert_eq!(in_berlin(outlook, march()), in_berlin(&plain, march()));
}
