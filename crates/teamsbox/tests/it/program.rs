//! The program: its output and exit codes.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::support::Tenant;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_teamsbox"));
    command
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn wrong_use_ends_with_two() {
    for arguments in [
        &["--ca-out", "ca.pem"][..],
        &["--knob", "flavour=sweet"],
        &["--knob", "webLag"],
        &["--listen", "nowhere"],
        &["--tenant", "contoso", "--listen", "127.0.0.1:0"],
        &["--users", "/nonexistent/people.csv"],
    ] {
        let output = timeout(PATIENCE, program().args(arguments).output())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[tokio::test]
async fn a_taken_address_ends_with_one_and_a_remedy() {
    let tenant = Tenant::start().await;
    let address = tenant.teamsbox.address().to_string();
    let output = timeout(PATIENCE, program().args(["--listen", &address]).output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains(&address) && text.contains("--listen"),
        "{text}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn it_prints_its_address_and_stops_on_request() {
    for signal in ["-TERM", "-INT"] {
        let mut child = program().args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let url = first.rsplit(' ').next().unwrap();
        let mut text = String::new();
        while !text.contains("People") {
            text.push_str(
                &timeout(PATIENCE, lines.next_line())
                    .await
                    .unwrap()
                    .unwrap()
                    .unwrap(),
            );
        }
        assert!(
            text.contains("22553876-f5ab-4529-bffb-cfe50aa89f87") && text.contains("Tenant"),
            "{text}"
        );
        let users: Vec<serde_json::Value> = reqwest::get(format!("{url}/box/v1/users"))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(users.len(), 6);
        let pid = child.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}
