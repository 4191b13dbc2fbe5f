//! Corpus of answers: `tests/corpus/sign-in-answers/NAME.http`, each with its expected reading.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{Blame, parse_retry_after};

/// 2026-11-30T12:00:00Z.
const NOW: i64 = 1_796_040_000_000;

/// Parses a file: status, header fields, empty line, body.
fn parse(file: &[u8]) -> (u16, Option<Duration>, &[u8]) {
    let end = file.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let head = std::str::from_utf8(&file[..end]).unwrap();
    let (status, fields) = head.split_once('\n').unwrap_or((head, ""));
    let retry_after = fields.lines().find_map(|field| {
        let (name, value) = field.split_once(": ")?;
        (name == "Retry-After").then(|| parse_retry_after(value, NOW))?
    });
    (status.parse().unwrap(), retry_after, &file[end + 2..])
}

fn reading(file: &[u8]) -> Value {
    let (status, retry_after, body) = parse(file);
    match read(status, retry_after, body, NOW) {
        Answer::Token(token) => json!({
            "token": {
                "lifetime": token.lifetime.as_secs(),
                "refresh_token": token.refresh_token.is_some(),
            },
        }),
        Answer::Refused(refusal) => {
            let application = refusal.clone().of_application("app");
            let person = refusal.of_person();
            assert_eq!(application.blame(), person.blame());
            let (GraphError::SignIn { fault, .. }, Some(remedy)) =
                (&application, application.sign_in_remedy())
            else {
                panic!("{application}");
            };
            json!({
                "refused": {
                    "fault": format!("{fault:?}"),
                    "passes": application.blame() == Blame::Service,
                    "ends_login": person.needs_person(),
                    "wait": application.retry_after().map(|wait| wait.as_secs()),
                    "application": remedy,
                    "person": person.sign_in_remedy(),
                },
            })
        }
        Answer::Failed => json!({"failed": status}),
        Answer::Intercepted(interference) => json!({"intercepted": format!("{interference:?}")}),
        Answer::Unconfirmed(kind) => json!({"unconfirmed": kind}),
    }
}

#[test]
fn the_corpus_is_read_as_expected() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/corpus/sign-in-answers"
    );
    let mut read = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "http") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let expected = path.with_extension("expected.json");
            let expected = fs::read_to_string(&expected)
                .unwrap_or_else(|_| panic!("{name} has no expectation: {}", reading_of(&path)));
            let expected: Value = serde_json::from_str(&expected).unwrap();
            read.insert(name, (reading_of(&path), expected));
        }
    }
    assert!(read.len() >= 30, "{}", read.len());
    for (name, (reading, expected)) in read {
        assert_eq!(reading, expected, "{name}");
    }
}

fn reading_of(path: &Path) -> Value {
    reading(&fs::read(path).unwrap())
}

#[test]
fn words_from_outside_are_bounded_and_have_no_control_characters() {
    let long = format!("AADSTS700016: {}\u{1b}[31m", "x".repeat(5_000));
    let error = Refusal::new(&"w".repeat(500), &long, 0..1_000, None).of_application("app");
    let text = error.to_string();
    assert!(text.len() < 800 && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn numbers_are_found_in_the_words_alone() {
    let codes = |text: &str| codes_in(text).collect::<Vec<_>>();
    assert_eq!(
        codes("AADSTS70002: Error. AADSTS50012: No."),
        [70_002, 50_012]
    );
    assert_eq!(codes("AADSTS: AADSTSx AADSTS99999999999999 AADSTS7"), [7]);
    assert_eq!(codes(""), [0_u32; 0]);
}
