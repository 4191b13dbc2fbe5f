//! Dependencies point down: between crates, and between the top-level modules of each crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use end_to_end::repository;
use serde_json::Value;

use super::modules::Crate;

/// The crates, from the bottom up: a crate depends on crates of lower rows only, never on one of its own row.
///
/// Development dependencies (tests and examples) do not count: `graph` is tested against `teamsbox`'s own reading of Graph,
/// for example.
const ROWS: [&[&str]; 9] = [
    // Pure types and protocols, and programs that stand alone.
    &[
        "presence",
        "calendar",
        "sip",
        "graph",
        "i18n",
        "agent-protocol",
        "agent-windows",
        "agent-macos",
        "teamsbox",
    ],
    // Bodies of the API, connectors, the database, the simulation of the core, the desktop agent.
    &["api-types", "telephony", "store", "simulation", "agent"],
    // The running state.
    &["runtime"],
    // Sources and sinks.
    &["teams", "phones", "gateway", "directory", "connections"],
    &["api"],
    &["web"],
    &["server"],
    // Programs.
    &["offhook", "bench"],
    &["end-to-end"],
];

#[derive(Debug)]
struct Package {
    name: String,
    folder: PathBuf,
    dependencies: BTreeSet<String>,
}

/// The workspace's packages with their dependencies on each other.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success());
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let of_workspace = |dependency: &Value| {
        let name = dependency["name"].as_str()?;
        (dependency["kind"] != "dev" && names.contains(name)).then(|| name.to_owned())
    };
    packages
        .iter()
        .map(|package| Package {
            name: package["name"].as_str().unwrap().to_owned(),
            folder: Path::new(package["manifest_path"].as_str().unwrap())
                .parent()
                .unwrap()
                .to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(of_workspace)
                .collect(),
        })
        .collect()
}

#[test]
fn crates_depend_on_lower_rows_only() {
    let rows: BTreeMap<&str, usize> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(row, crates)| crates.iter().map(move |name| (*name, row)))
        .collect();
    let mut problems = Vec::new();
    for package in packages() {
        let Some(row) = rows.get(&*package.name) else {
            problems.push(format!("{}: name it in ROWS", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            if rows.get(&**dependency).is_none_or(|below| below >= row) {
                problems.push(format!(
                    "{} depends on {dependency}, which is not in a lower row",
                    package.name
                ));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn modules_of_a_crate_have_no_cycle() {
    let mut problems = Vec::new();
    for package in packages() {
        for root in ["lib.rs", "main.rs"] {
            let root = package.folder.join("src").join(root);
            if !root.is_file() {
                continue;
            }
            let program = Crate::read(&root);
            for cycle in program.cycles() {
                problems.push(format!(
                    "{}: {}\n{}",
                    package.name,
                    cycle.join(", "),
                    program.edges_within(&cycle)
                ));
            }
        }
    }
    assert!(
        problems.is_empty(),
        "top-level modules that use each other in a circle:\n{}",
        problems.join("\n")
    );
}

/// Every crate takes the workspace's lints or has its own (those with system calls), of which `missing_docs` is one (`clippy -D warnings` makes it an error).
#[test]
fn public_items_are_documented() {
    let workspace = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("missing_docs = \"warn\""));
    for package in packages() {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true")
                || manifest.contains("missing_docs = \"warn\""),
            "{} neither takes the workspace's lints nor asks for documentation itself",
            package.name
        );
    }
}
