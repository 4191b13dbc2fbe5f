//! Feeds as exported by users' calendars, and hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod corpus;
mod events;
mod exports;
mod faults;
mod hostile;
mod rules;

use calendar::{CalendarError, Feed, FreeBusy, Occurrence, Options, Window};
use jiff::Timestamp;

/// Milliseconds of a time such as `2026-03-01T00:00Z`.
fn at(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

fn window(from: &str, to: &str) -> Window {
    Window {
        from: at(from),
        to: at(to),
    }
}

/// March 2026 in Berlin, where the clocks go forward on the 29th.
fn march() -> Window {
    window("2026-02-28T23:00Z", "2026-03-31T22:00Z")
}

fn read(bytes: &[u8], window: Window, default_zone: &str) -> Result<Feed, CalendarError> {
    let options = Options {
        window,
        default_zone,
        charset: None,
        addresses: &[],
    };
    calendar::read(bytes, options)
}

fn in_berlin(text: &str, window: Window) -> Feed {
    read(text.as_bytes(), window, "Europe/Berlin").unwrap()
}

/// Texts of the problems.
fn problem_texts(feed: &Feed) -> Vec<String> {
    feed.problems.iter().map(ToString::to_string).collect()
}

/// A calendar with these events.
fn calendar_of(events: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Offhook//tests//EN\n{events}\nEND:VCALENDAR\n")
}

/// An event with these lines.
fn event_of(lines: &str) -> String {
    calendar_of(&format!(
        "BEGIN:VEVENT\nUID:one\n{}\nEND:VEVENT",
        lines.trim().replace(" | ", "\n")
    ))
}

/// Formats an occurrence: `03-02T08:00 03-02T08:30 Busy "Summary"`, with `day` and `private` where they apply.
fn format_occurrence(occurrence: &Occurrence) -> String {
    let time = |at: i64| {
        Timestamp::from_millisecond(at)
            .unwrap()
            .strftime("%m-%dT%H:%M")
            .to_string()
    };
    let free_busy = match occurrence.free_busy {
        FreeBusy::Free => "free",
        FreeBusy::Tentative => "tentative",
        FreeBusy::Busy => "busy",
        FreeBusy::OutOfOffice => "oof",
    };
    let day = if occurrence.all_day { " day" } else { "" };
    let private = if occurrence.private { " private" } else { "" };
    format!(
        "{} {} {free_busy}{day}{private} {}",
        time(occurrence.start),
        time(occurrence.end),
        occurrence.summary
    )
    .trim_end()
    .to_owned()
}

/// All occurrences, formatted.
fn format_all(feed: &Feed) -> Vec<String> {
    feed.occurrences.iter().map(format_occurrence).collect()
}

/// Starts of the occurrences, `03-02T08:00`.
fn starts(feed: &Feed) -> Vec<String> {
    format_all(feed)
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}
