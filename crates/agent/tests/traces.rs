//! Every trace of every system leads to the expected reports.

use std::{fs, path::Path};

use agent::{
    agent::Agent,
    trace::{Line, What},
};

/// Replays a trace. Returns the number of checked reports, or the first difference.
fn replay(text: &str) -> Result<usize, String> {
    let (mut agent, mut checked) = (Agent::default(), 0);
    let mut last = 0;
    for (number, text) in text.lines().enumerate() {
        let line: Line =
            serde_json::from_str(text).map_err(|error| format!("line {}: {error}", number + 1))?;
        let now = line.at;
        if now < last {
            return Err(format!("line {}: {now} comes after {last}", number + 1));
        }
        last = now;
        match line.what {
            What::Captures(captures) => agent.set_captures(captures, now),
            What::Lost(_) => agent.set_captures(Vec::new(), now),
            What::Table(table) => agent.set_table(table, now),
            What::Pause(lasting) => agent.pause(lasting, now),
            What::Reported(expected) => {
                checked += 1;
                let programs = agent.report(now).programs.into_iter();
                let reported: Vec<String> = programs.map(|used| used.process).collect();
                if reported != expected {
                    let number = number + 1;
                    return Err(format!("line {number}: {reported:?}, not {expected:?}"));
                }
            }
        }
    }
    Ok(checked)
}

#[test]
fn every_trace_leads_to_its_reports() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let mut replayed = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "jsonl") {
            continue;
        }
        let checked = replay(&fs::read_to_string(&path).unwrap());
        let checked = checked.unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        assert!(checked > 0, "{} expects nothing", path.display());
        replayed += 1;
    }
    assert!(replayed >= 6, "only {replayed}");
}

#[test]
fn a_trace_that_is_wrong_is_found() {
    let wrong = r#"{"at":5,"reported":["Zoom"]}"#;
    assert!(replay(wrong).unwrap_err().starts_with("line 1: []"));
    let backwards = "{\"at\":5,\"captures\":[]}\n{\"at\":4,\"captures\":[]}";
    assert!(replay(backwards).unwrap_err().contains("comes after"));
    assert!(replay("{}").unwrap_err().contains("line 1"));
}
