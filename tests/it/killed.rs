//! Acknowledged changes outlive a kill -9 while other programs use the database: 10,000 changes in several rounds.
//!
//! `OFFHOOK_DURABILITY_CHANGES` sets another number, without a time limit.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use end_to_end::{Installation, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{process::Command, task::JoinHandle, time::Instant};

use crate::durability::open_from_outside;

/// Number of changes in all rounds.
const CHANGES: usize = 10_000;
/// Time limit for the changes.
const BUDGET: Duration = Duration::from_secs(60);
/// Number of kills.
const ROUNDS: usize = 6;
/// Number of concurrent workers; each changes a person, a location and appointments of its own.
const WORKERS: usize = 12;
/// Largest number of appointments of a person; the worker deletes any beyond it.
const APPOINTMENTS_MAX: usize = 15;

/// The last known value of a field.
#[derive(Clone, Debug, Default)]
struct LastValue {
    acknowledged: Option<Value>,
    /// Sent, but not answered before the kill: it may have been applied.
    unanswered: Option<Value>,
}

impl LastValue {
    fn check(&self, what: &str, found: &Value) {
        let is_known = [&self.acknowledged, &self.unanswered].contains(&&Some(found.clone()));
        assert!(
            is_known || self.acknowledged.is_none(),
            "{what}: {found} instead of {self:?}"
        );
    }
}

/// Values that one worker expects after the kill.
#[derive(Clone, Debug, Default)]
struct Expected {
    person: String,
    scope: String,
    name: LastValue,
    profile: LastValue,
    history: LastValue,
    appointments: BTreeSet<String>,
    /// Deletions that were sent, but not answered.
    perhaps_deleted: BTreeSet<String>,
    changes: usize,
}

/// Makes changes one after another until the server is gone.
async fn work(
    server: Arc<Server>,
    mut expected: Expected,
    acknowledged: Arc<AtomicUsize>,
) -> Expected {
    loop {
        expected.changes += 1;
        let number = expected.changes;
        let person = format!("/api/v1/people/{}", expected.person);
        let (method, path, body) = match number % 4 {
            0 => (
                Method::PATCH,
                person,
                json!({"name": format!("worker {} {number}", expected.person)}),
            ),
            1 => {
                let profiles = [
                    "Busy",
                    "Do not disturb",
                    "Absent",
                    "Be right back",
                    "Available",
                ];
                (
                    Method::PUT,
                    format!("{person}/profile"),
                    json!({"profile": profiles[number / 4 % 5]}),
                )
            }
            2 => {
                let path = format!("/api/v1/scopes/{}/settings/presence", expected.scope);
                (
                    Method::PUT,
                    path,
                    json!({"history": (number / 4).is_multiple_of(2)}),
                )
            }
            _ if expected.appointments.len() < APPOINTMENTS_MAX => {
                let day = 1 + number % 28;
                let body = json!({
                    "start": format!("2031-01-{day:02}T10:00:00Z"), "end": format!("2031-01-{day:02}T11:00:00Z"),
                    "text": format!("appointment {number}"), "profile": "Busy",
                });
                (Method::POST, format!("{person}/appointments"), body)
            }
            _ => {
                let id = expected.appointments.pop_first().unwrap();
                expected.perhaps_deleted.insert(id.clone());
                (
                    Method::DELETE,
                    format!("{person}/appointments/{id}"),
                    Value::Null,
                )
            }
        };
        let value = match number % 4 {
            0 => Some((&mut expected.name, body["name"].clone())),
            1 => Some((&mut expected.profile, body["profile"].clone())),
            2 => Some((&mut expected.history, body["history"].clone())),
            _ => None,
        };
        let value = value.map(|(last, value)| {
            last.unanswered = Some(value);
            last
        });
        let sent = (!body.is_null()).then_some(&body);
        let Ok((status, answer)) = server.attempt(method.clone(), &path, sent).await else {
            return expected;
        };
        assert!(
            status.is_success(),
            "{method} {path} {body}: {status} {answer}"
        );
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if let Some(last) = value {
            last.acknowledged = last.unanswered.take();
        } else if method == Method::POST {
            let made: Value = serde_json::from_str(&answer).unwrap();
            expected
                .appointments
                .insert(made["id"].as_str().unwrap().to_owned());
        } else {
            expected.perhaps_deleted.clear();
        }
    }
}

/// SplitMix64, for the order of actions.
struct Order(u64);

impl Order {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Runs other uses of the database, in random order, until aborted.
async fn disturb(server: Arc<Server>, installation: Arc<Installation>, seed: u64) {
    let mut order = Order(seed);
    let database = installation.data("offhook.db");
    for number in 0_u64.. {
        // The server may be killed during an action, so errors are ignored; only lost changes matter.
        let csv = format!(
            "name,mail,UPN,extension\nzoe,zoe{seed}@b.example,zoe{seed}@b.example,{}\n",
            5_000 + number % 100
        );
        match order.below(8) {
            0 => drop(server.attempt(Method::POST, "/api/v1/doctor", None).await),
            1 => {
                let made = server.attempt(Method::POST, "/api/v1/backups", None).await;
                let made = made
                    .ok()
                    .and_then(|(_, made)| serde_json::from_str::<Value>(&made).ok());
                if let Some(name) = made.as_ref().and_then(|made| made["name"].as_str()) {
                    drop(
                        server
                            .attempt(Method::DELETE, &format!("/api/v1/backups/{name}"), None)
                            .await,
                    );
                }
            }
            2 => {
                let file = installation.file(&format!("backup-{seed}-{number}"));
                installation.run("backup", &[file.to_str().unwrap()]).await;
                let _ = std::fs::remove_file(file);
            }
            3 => drop(
                server
                    .attempt(
                        Method::POST,
                        "/api/v1/people/import",
                        Some(&json!({"csv": csv})),
                    )
                    .await,
            ),
            4 => {
                let file = installation.file("more.csv");
                std::fs::write(&file, csv).unwrap();
                installation.run("import", &[file.to_str().unwrap()]).await;
            }
            5 => drop(server.attempt(Method::GET, "/admin/audit.csv", None).await),
            6 => {
                // A changed address makes the server read the calendar at once.
                let name = FEEDS[usize::from(number.is_multiple_of(2))];
                let feed = json!({"feed": format!("file:{name}")});
                let path = format!("/api/v1/people/{}/settings/calendar", 1 + number % 4);
                drop(server.attempt(Method::PUT, &path, Some(&feed)).await);
            }
            _ => open_from_outside(&database).await,
        }
    }
}

/// Checks that all acknowledged changes are present.
async fn check(server: &Server, expected: &[Expected]) {
    for one in expected {
        let person = format!("/api/v1/people/{}", one.person);
        let read = async |path: String| server.ok(Method::GET, &path, None).await;
        one.name.check("name", &read(person.clone()).await["name"]);
        one.profile.check(
            "profile",
            &read(format!("{person}/presence")).await["profile"],
        );
        let settings = read(format!("/api/v1/scopes/{}/settings/presence", one.scope))
            .await
            .to_string();
        let history = [true, false].map(|history| json!(history));
        let found = history
            .iter()
            .find(|history| settings.contains(&format!("\"history\":{history}")));
        one.history.check("setting", found.unwrap_or(&Value::Null));
        let appointments = read(format!("{person}/appointments?limit=1000")).await;
        let ids = appointments["items"].as_array().unwrap().iter();
        let ids: BTreeSet<String> = ids
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        let lost: Vec<_> = one.appointments.difference(&ids).collect();
        assert!(
            lost.is_empty(),
            "appointments {lost:?} of {} are lost",
            one.person
        );
    }
}

async fn prepared(server: &Server) -> Vec<Expected> {
    let mut expected = Vec::new();
    for worker in 0..WORKERS {
        let body = json!({"kind": "location", "name": format!("location {worker}")});
        let scope = server.ok(Method::POST, "/api/v1/scopes", Some(body)).await;
        expected.push(Expected {
            person: server.person(&format!("person{worker}")).await,
            scope: scope["id"].as_str().unwrap().to_owned(),
            ..Expected::default()
        });
    }
    expected
}

/// Calendars in the configured folder.
const FEEDS: [&str; 2] = ["one.ics", "other.ics"];
const FEED: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nEND:VCALENDAR\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_change_is_lost_when_the_server_is_killed() {
    let wished = std::env::var("OFFHOOK_DURABILITY_CHANGES").ok();
    let target = wished
        .as_ref()
        .map_or(CHANGES, |wished| wished.parse().unwrap());
    let begun = Instant::now();
    let over = || wished.is_none() && begun.elapsed() > BUDGET;

    let feeds = tempfile::tempdir().unwrap();
    let folder = format!("[calendar]\nfolder = \"{}\"\n", feeds.path().display());
    for name in FEEDS {
        std::fs::write(feeds.path().join(name), FEED).unwrap();
    }
    let installation = Arc::new(Installation::new(&folder));
    let names: Vec<String> = (0..WORKERS)
        .map(|worker| format!("person{worker}"))
        .collect();
    let people: Vec<_> = names.iter().map(|name| (&**name, "")).collect();
    installation.import(&people).await;
    let mut server = Arc::new(installation.serve().await);
    let feed = json!({"feed": format!("file:{}", FEEDS[0])});
    let path = "/api/v1/people/1/settings/calendar";
    server.ok(Method::PUT, path, Some(feed)).await;
    let mut expected = prepared(&server).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut seed = 20;
    for round in 1..=ROUNDS {
        let workers: Vec<JoinHandle<Expected>> = expected
            .drain(..)
            .map(|expected| tokio::spawn(work(server.clone(), expected, acknowledged.clone())))
            .collect();
        seed += 1;
        let disturbed = tokio::spawn(disturb(server.clone(), installation.clone(), seed));
        let slice = BUDGET / u32::try_from(ROUNDS).unwrap();
        let slice_end = Instant::now() + slice;
        while acknowledged.load(Ordering::Relaxed) < target * round / ROUNDS
            && (wished.is_some() || Instant::now() < slice_end)
        {
            assert!(
                !disturbed.is_finished(),
                "what works with the database has failed"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let killed = Command::new("kill")
            .args(["-9", &server.pid().to_string()])
            .status();
        assert!(killed.await.unwrap().success());
        for worker in workers {
            expected.push(worker.await.unwrap());
        }
        disturbed.abort();
        let _ = disturbed.await;
        // Another program opens the database first after the kill.
        if seed.is_multiple_of(2) {
            open_from_outside(&installation.data("offhook.db")).await;
        }
        server = Arc::new(installation.serve().await);
        check(&server, &expected).await;
        if over() {
            break;
        }
    }
    let (status, doctor) = server.api(Method::POST, "/api/v1/doctor", None).await;
    assert!(
        status == StatusCode::OK && !doctor.to_string().contains("database.damaged"),
        "{doctor}"
    );
    let count = acknowledged.load(Ordering::Relaxed);
    println!(
        "{count} acknowledged changes, none lost, in {:.0?}",
        begun.elapsed()
    );
    // A busy machine makes fewer changes; far fewer would prove nothing.
    assert!(count >= CHANGES / 10, "{count}");
}
