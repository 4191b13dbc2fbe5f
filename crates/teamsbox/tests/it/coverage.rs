//! Every row of the reference that concerns the service has its test here.

use std::collections::BTreeSet;
use std::path::Path;

/// Rows that only a client of Graph can fulfil: parsing, deduplicating, validating, attributing.
const CLIENT_ROWS: [u32; 15] = [
    51, 72, 73, 76, 77, 78, 81, 82, 83, 84, 91, 103, 104, 105, 106,
];

/// The numbers after `row_` and after `_and_` in names of functions.
fn rows_in(text: &str) -> BTreeSet<u32> {
    let names = text.split("row_").skip(1);
    let numbers = names.flat_map(|name| {
        name.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .take(1)
    });
    let parts = numbers.flat_map(|name| {
        name.split('_')
            .filter(|part| part.len() == 3)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn read(folder: &Path, rows: &mut BTreeSet<u32>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, rows);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            rows.extend(rows_in(&std::fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn every_row_of_the_service_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut rows = BTreeSet::new();
    read(&root.join("src"), &mut rows);
    read(&root.join("tests"), &mut rows);
    let missing: Vec<_> = (1..=102)
        .filter(|row| !rows.contains(row) && !CLIENT_ROWS.contains(row))
        .collect();
    assert!(
        missing.is_empty(),
        "no test is named after these rows: {missing:?}"
    );
}
