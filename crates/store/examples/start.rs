//! Measures the time that a start takes to read a million people:
//! `cargo run --release -p store --example start [PEOPLE]`.
#![allow(
    clippy::unwrap_used,
    reason = "a measurement ends where something fails"
)]

use presence::Timestamp;
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use store::{Database, OrganisationId, Store};
use tokio::time::Instant;

#[tokio::main]
async fn main() {
    let people: i64 = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("load.db");
    Database::open(&path).await.unwrap().close().await;
    let mut connection = SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await
        .unwrap();
    let everybody = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)";
    for statement in [
        "INSERT INTO people (id, name, mail, user_principal_name, teams_id, location, configuration_group) SELECT i, 'Person ' || i, 'person' || i || '@contoso.example',
             'person' || i || '@contoso.example', printf('%08d-0000-0000-0000-000000000000', i), NULL, NULL FROM n",
        "INSERT INTO lines SELECT i, i, '+4930' || i FROM n",
        "INSERT INTO choices SELECT i, 'Busy', 1, NULL FROM n WHERE i % 10 = 0",
        "INSERT INTO teams_writes SELECT i, 'session', 1, 2, 1, NULL, NULL FROM n WHERE i % 10 = 0",
        "INSERT INTO teams_calls SELECT i, 1, 2 FROM n WHERE i % 20 = 0",
        "INSERT INTO personal_profiles SELECT i, 'mine', 'Mine', 'Busy', 'all', '1', NULL, 0 FROM n WHERE i % 5 = 0",
        "INSERT INTO profile_orders SELECT i, '[\"Mine\"]' FROM n WHERE i % 5 = 0",
        "INSERT INTO appointments SELECT i, i, 1, 1000, 'Talk', '#3f51b5', 'Busy', 'Busy', 0, 'calendar'
         FROM n WHERE i % 2 = 0",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("{everybody} {statement}")))
        .bind(people)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    let store = Store::open(&path, OrganisationId::FIRST).await.unwrap();
    for _ in 0..3 {
        let begun = Instant::now();
        let read = store.people(Timestamp::from_milliseconds(2)).await.unwrap();
        println!(
            "{} people in {:.2} s",
            read.len(),
            begun.elapsed().as_secs_f64()
        );
    }
}
