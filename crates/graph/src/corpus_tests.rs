//! Runs the inputs in a folder of tests/corpus, each with its expected result in a second file.

use std::{fs, path::Path};

use serde_json::Value;

/// Compares the outcome of each `NAME.json` of a folder with `NAME.expected.json`. Fails if one of the two is missing.
pub(crate) fn walk(folder: &str, outcome: impl Fn(&[u8]) -> Value) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
    let mut names: Vec<String> = fs::read_dir(corpus.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expectation = |name: &str| name.replace(".json", ".expected.json");
    let (expected, inputs): (Vec<String>, Vec<String>) = names
        .into_iter()
        .partition(|name| name.ends_with(".expected.json"));
    let wanted: Vec<String> = inputs.iter().map(|name| expectation(name)).collect();
    for name in &expected {
        assert!(wanted.contains(name), "{name} has no input");
    }
    assert!(!inputs.is_empty(), "{folder} is empty");
    for name in &inputs {
        let read = |name: &str| fs::read(corpus.join(folder).join(name));
        let expected = read(&expectation(name)).unwrap_or_else(|_| panic!("{name} has no result"));
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let outcome = outcome(&read(name).unwrap());
        assert_eq!(outcome, expected, "{name}: {outcome:#}");
    }
}
