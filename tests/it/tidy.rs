//! The house rules that a reader would otherwise have to check.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use end_to_end::repository;

/// A longer file has more than one idea.
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
