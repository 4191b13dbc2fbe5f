//! Faults of the disk: full, and with space again.

use std::{fs, path::Path, time::Duration};

use end_to_end::{Installation, Server, SmallDisk, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// Changes must work again this soon after there is space.
const RECOVERY_MAX: Duration = Duration::from_secs(1);

/// A change of each kind; `number` makes them different. Each with its status.
async fn changes(server: &Server, anna: &str, number: usize) -> Vec<(String, StatusCode)> {
    let text = "x".repeat(900);
    let hour = number % 24;
    let changes = [
        (
            Method::POST,
            "/api/v1/scopes".to_owned(),
            json!({"kind": "location", "name": format!("location {number}")}),
        ),
        (
            Method::PUT,
            format!("/api/v1/people/{anna}/profile"),
            json!({"profile": if number.is_multiple_of(2) { "Busy" } else { "Absent" }}),
        ),
        (
            Method::PATCH,
            format!("/api/v1/people/{anna}"),
            json!({"name": format!("anna {number}")}),
        ),
        (
            Method::POST,
            format!("/api/v1/people/{anna}/appointments"),
            json!({"start": format!("2031-01-01T{hour:02}:00:00Z"), "end": format!("2031-01-01T{hour:02}:30:00Z"), "text": text, "profile": "Busy"}),
        ),
        (
            Method::PUT,
            "/api/v1/scopes/organisation/settings/presence".to_owned(),
            json!({"history": number.is_multiple_of(2)}),
        ),
        (
            Method::POST,
            "/api/v1/people/import".to_owned(),
            json!({"csv": format!("name,mail,UPN,extension\np{number},p{number}@b.example,p{number}@b.example,{}\n", 2_000 + number)}),
        ),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in changes {
        let (status, answer) = server.api(method.clone(), &path, Some(body)).await;
        answers.push((format!("{method} {path}: {answer}"), status));
    }
    answers
}

async fn store_trouble(server: &Server) -> Option<String> {
    let troubles = server.troubles().await;
    troubles
        .into_iter()
        .find(|trouble| trouble.starts_with("\"store\": "))
}

/// S2
#[tokio::test]
async fn changes_work_within_a_second_when_a_full_disk_has_space_again() {
    let installation = Installation::new("");
    let test = "disk::changes_work_within_a_second_when_a_full_disk_has_space_again";
    let Some(disk) = SmallDisk::mount(&installation.file("data"), test) else {
        return;
    };
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let anna = server.person("anna").await;
    let filler = installation.data("filler");
    let mut number = 0;
    for space in ["the file that filled it is gone", "it is larger"] {
        // Fails with what is left of the disk in the file.
        let _ = fs::write(&filler, vec![1; 60 << 20]);
        let mut refused = 0;
        while refused < 60 {
            number += 1;
            assert!(number < 2_000, "the disk does not become full");
            for (what, status) in changes(&server, &anna, number).await {
                let is_refused = status == StatusCode::SERVICE_UNAVAILABLE;
                assert!(is_refused || status.is_success(), "{what}: {status}");
                refused += usize::from(is_refused);
            }
        }
        let named = async || {
            store_trouble(&server)
                .await
                .is_some_and(|trouble| trouble.contains("full"))
        };
        eventually("readiness names the full disk", RECOVERY_MAX, true, named).await;
        assert!(!server.is_ready().await);
        if disk_has_file(&filler) && space.contains("gone") {
            fs::remove_file(&filler).unwrap();
        } else {
            disk.enlarge();
        }
        let mut works = false;
        let recovered = tokio::time::timeout(RECOVERY_MAX, async {
            while !works {
                number += 1;
                let done = changes(&server, &anna, number).await;
                works = done.iter().all(|(_, status)| status.is_success());
            }
        });
        assert!(
            recovered.await.is_ok(),
            "{space}: changes are refused still"
        );
        for _ in 0..10 {
            number += 1;
            for (what, status) in changes(&server, &anna, number).await {
                assert!(status.is_success(), "{space}: {what}: {status}");
            }
        }
        eventually("ready again", RECOVERY_MAX * 2, Vec::new(), || {
            server.troubles()
        })
        .await;
    }
    server.kill().await;
    let server = installation.serve().await;
    let scopes = server
        .ok(Method::GET, "/api/v1/scopes?limit=1000", None)
        .await;
    assert!(
        scopes.to_string().contains(&format!("location {number}")),
        "{scopes}"
    );
    assert_eq!(server.terminate().await, 0);
}

fn disk_has_file(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok()
}
