//! Rules of the source code that a reviewer would otherwise have to check.

mod english;
mod modules;
mod references;
mod structure;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use end_to_end::repository;

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

fn tracked_files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success());
    let names = String::from_utf8(output.stdout).unwrap();
    let files = names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| repository().join(name));
    files.filter(|path| path.is_file()).collect()
}

fn with_extension(extension: &str) -> Vec<(PathBuf, String)> {
    let files = tracked_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension));
    files
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_module_says_what_it_is_for_and_has_one_idea() {
    let mut problems = Vec::new();
    for (path, text) in with_extension("rs") {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            problems.push(format!(
                "{}: {lines} lines, at most {LINES_MAX}",
                path.display()
            ));
        }
        if !text.starts_with("//!") {
            problems.push(format!(
                "{}: the first comment must say what the module is for",
                path.display()
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_test_is_left_out() {
    let ignored = concat!("#[", "ignore");
    for (path, text) in with_extension("rs") {
        assert!(
            !text.contains(ignored),
            "{}: a test that does not run is no test",
            path.display()
        );
    }
}

#[test]
fn the_core_depends_on_nothing() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "presence",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(crates, BTreeSet::from(["presence"]));
}

#[test]
fn the_two_readings_of_graph_share_no_code() {
    for (reading, other) in [("graph", "teamsbox"), ("teamsbox", "graph")] {
        let manifest =
            fs::read_to_string(repository().join(format!("crates/{reading}/Cargo.toml"))).unwrap();
        let depends = manifest
            .lines()
            .any(|line| line.starts_with(&format!("{other}.")));
        assert!(!depends, "{reading} must not depend on {other}");
    }
}

/// Source files in the serving process that open files, with the reason why each is allowed. (The operating system
/// drops SQLite's locks when the process closes any other descriptor of the database.)
const OPENS_FILES: &[(&str, &str)] = &[
    (
        "offhook/src/backup.rs",
        "commands in a process of their own",
    ),
    (
        "offhook/src/demo.rs",
        "a temporary folder for the demo's database",
    ),
    (
        "offhook/src/doctor/installation.rs",
        "only asks for permissions",
    ),
    (
        "offhook/src/first_start.rs",
        "replaces the file with the link and the key",
    ),
    ("offhook/src/import.rs", "a command in a process of its own"),
    (
        "offhook/src/installation.rs",
        "creates the database's file only where there is none; the lock file; the key file",
    ),
    (
        "offhook/src/serve.rs",
        "holds the lock file that installation.rs has opened",
    ),
    (
        "api/src/backups.rs",
        "lists and removes backups, opens none",
    ),
    (
        "server/src/config.rs",
        "the configuration, not the database",
    ),
    (
        "runtime/src/config.rs",
        "files that the configuration names, none of the database's",
    ),
    (
        "gateway/src/external_fetch/folder.rs",
        "calendars below the configured folder, never the data folder",
    ),
    (
        "runtime/src/vault.rs",
        "the key file, checked by its caller",
    ),
    (
        "store/src/backup.rs",
        "backups, after a check that they are not the database; the database itself only while it is closed",
    ),
];

#[test]
fn no_file_of_the_database_is_opened_except_by_sqlite() {
    let serving = [
        "agent-protocol",
        "api",
        "calendar",
        "connections",
        "directory",
        "gateway",
        "graph",
        "i18n",
        "offhook",
        "phones",
        "presence",
        "runtime",
        "server",
        "sip",
        "store",
        "teams",
        "telephony",
        "web",
    ];
    let opening = [
        "std::fs",
        "tokio::fs",
        "fs::",
        "File::",
        "OpenOptions",
        "tempfile",
        "ServeDir",
        "ServeFile",
    ];
    let crates = repository().join("crates");
    let mut found = BTreeSet::new();
    for (path, text) in with_extension("rs") {
        let Ok(name) = path.strip_prefix(&crates) else {
            continue;
        };
        let name = name.to_str().unwrap();
        let is_serving = serving
            .iter()
            .any(|serving| name.starts_with(&format!("{serving}/src/")));
        // `is_database_file` itself opens nothing; test modules are not part of the program.
        let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
        if !is_serving || name == "store/src/files.rs" || is_test {
            continue;
        }
        let program = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        if opening.iter().any(|word| program.contains(word)) {
            found.insert(name.to_owned());
        }
    }
    let known: BTreeSet<String> = OPENS_FILES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(
        new.is_empty(),
        "{new:?}: the serving process must not open a file of the database except through SQLite, or another program \
         that opens the database deletes its log (crates/store/src/files.rs). Read and write through `Store`. If these \
         open other files, refuse the database's with `store::is_database_file` wherever a path comes from outside, \
         and name them in OPENS_FILES of tests/it/tidy.rs with what they open."
    );
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        gone.is_empty(),
        "{gone:?} open no files: remove them from OPENS_FILES of tests/it/tidy.rs"
    );
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    for (path, text) in with_extension("md") {
        let folder = path.parent().unwrap_or(Path::new("."));
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(
                folder.join(file).exists(),
                "{}: {link} does not exist",
                path.display()
            );
        }
    }
}

#[test]
fn pages_carry_no_script_or_style_of_their_own() {
    for (path, text) in with_extension("html") {
        for forbidden in ["<style", "style=", "onclick", "onload", "javascript:"] {
            assert!(
                !text.contains(forbidden),
                "{}: {forbidden} is refused by the content security policy",
                path.display()
            );
        }
        let inline = text
            .split("<script")
            .skip(1)
            .any(|script| !script.split('>').next().unwrap_or("").contains("src="));
        assert!(!inline, "{}: scripts come from files", path.display());
    }
}
