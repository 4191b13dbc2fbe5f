//! What comments and documents refer to exists in the repository.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use end_to_end::repository;
use regex::Regex;

use super::{tracked_files, with_extension};

/// Rust files and documents with their text.
fn texts() -> Vec<(std::path::PathBuf, String)> {
    let changelog = |path: &Path| path.ends_with("CHANGELOG.md");
    let texts = ["rs", "md"].into_iter().flat_map(with_extension);
    texts.filter(|(path, _)| !changelog(path)).collect()
}

/// The headings of a document.
fn headings(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| line.trim_start_matches('#').trim().to_owned())
        .collect()
}

/// The end of a line of a comment and the beginning of the next.
static WRAP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\n\s*//[/!]?[ \t]*").unwrap());

/// Comments are wrapped, so a reference may begin in one line and end in the next.
fn unwrapped(text: &str) -> String {
    WRAP.replace_all(text, " ").into_owned()
}

#[test]
fn headings_that_are_cited_exist() {
    let cited = Regex::new(r#"\b((?:docs/[\w./-]+|[A-Z]+)\.md), "([^"]+)""#).unwrap();
    let mut problems = Vec::new();
    for (path, text) in texts() {
        for found in cited.captures_iter(&unwrapped(&text)) {
            if !headings(&repository().join(&found[1])).contains(&found[2]) {
                problems.push(format!("{}: {}", path.display(), &found[0]));
            }
        }
    }
    assert!(
        problems.is_empty(),
        "no such heading:\n{}",
        problems.join("\n")
    );
}

#[test]
fn files_that_are_named_exist() {
    let files: Vec<String> = tracked_files()
        .into_iter()
        .map(|path| {
            path.strip_prefix(repository())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    // A path with a folder; names of single files are often those of a user's machine.
    let named =
        Regex::new(r"(?:^|[\s(`])((?:[a-z][\w-]*/)+[\w-]+\.(?:rs|md|ftl|html|css|js|toml|sql))\b")
            .unwrap();
    let mut problems = Vec::new();
    for (path, text) in texts() {
        let is_comment = |line: &&str| {
            path.extension().is_some_and(|kind| kind == "md") || line.trim_start().starts_with("//")
        };
        for line in text.lines().filter(is_comment) {
            for found in named.captures_iter(line) {
                let name = &found[1];
                let beside = path.parent().unwrap().join(name).exists();
                let known = files
                    .iter()
                    .any(|file| file == name || file.ends_with(&format!("/{name}")));
                if !beside && !known {
                    problems.push(format!("{}: {name}", path.display()));
                }
            }
        }
    }
    assert!(
        problems.is_empty(),
        "no such file:\n{}",
        problems.join("\n")
    );
}

#[test]
fn no_document_is_cited_that_readers_do_not_have() {
    let missing = Regex::new(concat!(
        r"(?i)\bdomain(?:\.md)?,? (?:section )?\d",
        r"|\bdomain\.md\b|\bdomain, section|\bdesign/\w|\bstructure\.md\b|\benglish\.md\b|\bsection \d+(?:\.\d+)? of the design"
    ))
    .unwrap();
    let label = Regex::new(r"^\s*//.*\b[DPS]\d{1,2}(?:[:,.)]|$)").unwrap();
    let mut problems = Vec::new();
    for (path, text) in texts() {
        if path.ends_with("tests/it/tidy/references.rs") {
            continue;
        }
        for (line, number) in text.lines().zip(1..) {
            // A row of a list that readers do not have.
            let is_rust = path.extension().is_some_and(|kind| kind == "rs");
            let label = label.find(line).filter(|_| is_rust);
            if let Some(found) = missing.find(line).or(label) {
                problems.push(format!("{}:{number}: {}", path.display(), found.as_str()));
            }
        }
    }
    assert!(
        problems.is_empty(),
        "cite docs/presence-rules.md, an RFC or a public page:\n{}",
        problems.join("\n")
    );
}
