//! Calendars of real programs, one file per kind (tests/corpus/calendars), each with its expected occurrences and problems.
//!
//! The first lines of `NAME.expected.txt` may set the parameters: `charset: ISO-8859-1`, `zone: Europe/Berlin` (the
//! default), `window: 2026-03-01T00:00Z 2026-04-01T00:00Z` (default: the year 2026), `address: anna@example.com`. `#`
//! starts a comment. Then follows a line for each occurrence (start, end, free or busy, `day`, `private`, summary) and,
//! after `?`, for each problem.

use std::{fs, path::Path};

use calendar::{Occurrence, Options, Window};
use jiff::Timestamp;

use crate::window;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus/calendars");

/// Parameters of a file.
struct Reading {
    charset: Option<String>,
    zone: String,
    window: Window,
    addresses: Vec<String>,
}

fn reading(expected: &str) -> (Reading, Vec<String>) {
    let mut reading = Reading {
        charset: None,
        zone: "Europe/Berlin".to_owned(),
        window: window("2026-01-01T00:00Z", "2027-01-01T00:00Z"),
        addresses: Vec::new(),
    };
    let mut lines = Vec::new();
    for line in expected
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (key, value) = line.split_once(": ").unwrap_or_default();
        match key {
            "charset" => reading.charset = Some(value.to_owned()),
            "zone" => value.clone_into(&mut reading.zone),
            "address" => reading.addresses.push(value.to_owned()),
            "window" => {
                let (from, to) = value.split_once(' ').unwrap();
                reading.window = window(from, to);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    (reading, lines)
}

fn format_occurrence(occurrence: &Occurrence) -> String {
    let time = |at: i64| {
        Timestamp::from_millisecond(at)
            .unwrap()
            .strftime("%Y-%m-%dT%H:%MZ")
            .to_string()
    };
    let rest = crate::format_occurrence(occurrence);
    let rest = rest.splitn(3, ' ').nth(2).unwrap_or_default();
    format!("{} {} {rest}", time(occurrence.start), time(occurrence.end))
}

fn read(file: &Path, reading: &Reading) -> Vec<String> {
    let addresses: Vec<&str> = reading.addresses.iter().map(String::as_str).collect();
    let options = Options {
        window: reading.window,
        default_zone: &reading.zone,
        charset: reading.charset.as_deref(),
        addresses: &addresses,
    };
    let feed = match calendar::read(&fs::read(file).unwrap(), options) {
        Ok(feed) => feed,
        Err(error) => return vec![format!("! {error}")],
    };
    let mut lines: Vec<String> = feed.occurrences.iter().map(format_occurrence).collect();
    lines.extend(feed.problems.iter().map(|problem| format!("? {problem}")));
    lines
}

#[test]
fn recorded_calendars() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    let mut files: Vec<_> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "ics"))
    {
        seen += 1;
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let expected = file.with_extension("expected.txt");
        let Ok(expected) = fs::read_to_string(&expected) else {
            wrong.push(format!("{name} has no .expected.txt"));
            continue;
        };
        let (reading, expected) = reading(&expected);
        let lines = read(file, &reading);
        if lines != expected {
            wrong.push(format!(
                "{name}\nexpected {expected:#?}\nread     {lines:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(seen >= 40, "only {seen} calendars in {FOLDER}");
}
