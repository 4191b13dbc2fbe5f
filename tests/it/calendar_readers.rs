//! Random calendars, read by Offhook and by two independent readers (`icalendar`, `recurring-ical-events`).
//!
//! The seed is fixed; `OFFHOOK_CALENDARS=SEED:COUNT cargo nextest run -p end-to-end calendar_readers` sets another.
//! `tests/lab/calendars/random_calendars.py` lists the omitted features with their reasons.

use std::collections::BTreeMap;

use calendar::{Options, Window};
use end_to_end::{python_packages, repository};
use serde_json::Value;
use tokio::process::Command;

const SEED: &str = "20261129:100";

/// Ends of events by their start; the key's flag marks all-day events.
type Found = BTreeMap<(i64, bool), Vec<Option<i64>>>;

fn by_offhook(text: &str, window: Window) -> Found {
    let options = Options {
        window,
        default_zone: "Europe/Berlin",
        charset: None,
        addresses: &[],
    };
    let feed = calendar::read(text.as_bytes(), options).unwrap();
    assert_eq!(feed.problems, [], "{text}");
    let mut found = Found::new();
    // An event that began before the window overlaps the window, too.
    for one in feed
        .occurrences
        .iter()
        .filter(|one| one.start >= window.from)
    {
        let ends = found.entry((one.start, one.all_day)).or_default();
        ends.push(Some(one.end));
    }
    found
}

fn by_others(occurrences: &Value) -> Found {
    let mut found = Found::new();
    for one in occurrences.as_array().unwrap() {
        let key = (one[0].as_i64().unwrap(), one[2].as_bool().unwrap());
        found.entry(key).or_default().push(one[1].as_i64());
    }
    found
}

/// True if both readers found the same events; an end that the other reader does not report is not compared.
fn agree(ours: &Found, theirs: &Found) -> bool {
    let ends = |ours: &[Option<i64>], theirs: &[Option<i64>]| {
        ours.len() == theirs.len() && theirs.iter().all(|end| end.is_none() || ours.contains(end))
    };
    ours.len() == theirs.len()
        && ours
            .iter()
            .all(|(key, found)| theirs.get(key).is_some_and(|other| ends(found, other)))
}

#[tokio::test]
async fn random_calendars_have_the_occurrences_that_independent_readers_find() {
    let wanted = std::env::var("OFFHOOK_CALENDARS").unwrap_or_else(|_| SEED.to_owned());
    let (seed, count) = wanted
        .split_once(':')
        .expect("OFFHOOK_CALENDARS=SEED:COUNT");
    let lab = repository().join("tests/lab/calendars");
    let packages = python_packages("calendars-python", &lab.join("requirements.txt")).await;
    let output = Command::new(packages.join("bin/python"))
        .arg(lab.join("random_calendars.py"))
        .args([seed, count])
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut occurrences = 0;
    for line in text.lines() {
        let read: Value = serde_json::from_str(line).unwrap();
        let window = Window {
            from: read["from"].as_i64().unwrap(),
            to: read["to"].as_i64().unwrap(),
        };
        let calendar = read["calendar"].as_str().unwrap();
        let (ours, theirs) = (
            by_offhook(calendar, window),
            by_others(&read["occurrences"]),
        );
        occurrences += theirs.values().map(Vec::len).sum::<usize>();
        let only = |one: &Found, other: &Found| -> Vec<(i64, bool)> {
            let rest = one.keys().filter(|key| !other.contains_key(key));
            rest.take(5).copied().collect()
        };
        assert!(
            agree(&ours, &theirs),
            "calendar {}: only Offhook finds {:?}, only the others {:?}\n{calendar}",
            read["name"],
            only(&ours, &theirs),
            only(&theirs, &ours)
        );
    }
    assert_eq!(text.lines().count().to_string(), count);
    assert!(occurrences > 0);
}
