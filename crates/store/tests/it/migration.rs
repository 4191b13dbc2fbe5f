//! Migration of a database of the first version without loss of data.

use presence::{MyProfiles, Origin};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use store::{Audience, ORGANISATION, OrganisationId, Session, Store};

use crate::{CHANGE, NOW, after, open, path, people};

/// Runs SQL on the file itself, as the version that wrote it would have.
pub(crate) async fn run(folder: &tempfile::TempDir, statements: &[&'static str]) {
    let mut connection = raw(folder).await;
    for statement in statements {
        sqlx::raw_sql(*statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

/// Runs a statement on the file itself; returns its error.
pub(crate) async fn try_run(
    folder: &tempfile::TempDir,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    let mut connection = raw(folder).await;
    let done = sqlx::query(statement).execute(&mut connection).await;
    connection.close().await?;
    done.map(|_| ())
}

async fn raw(folder: &tempfile::TempDir) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path(folder))
        .create_if_missing(true)
        .connect()
        .await
        .unwrap()
}

/// The schema's history up to the eleventh version.
const SCHEMAS: [(i64, &str); 9] = [
    (
        1,
        include_str!("../../migrations/sqlite/0001_people_and_writes.sql"),
    ),
    (
        2,
        include_str!("../../migrations/sqlite/0002_presence_model.sql"),
    ),
    (
        3,
        include_str!("../../migrations/sqlite/0003_directory_and_secrets.sql"),
    ),
    (4, include_str!("../../migrations/sqlite/0004_tenants.sql")),
    (5, include_str!("../../migrations/sqlite/0005_devices.sql")),
    (6, include_str!("../../migrations/sqlite/0006_upkeep.sql")),
    (
        7,
        include_str!("../../migrations/sqlite/0007_requests_once.sql"),
    ),
    (
        8,
        include_str!("../../migrations/sqlite/0008_audit_of_own_changes.sql"),
    ),
    (
        11,
        include_str!("../../migrations/sqlite/0011_people_changes.sql"),
    ),
];

/// An empty database of an earlier version: its schema, and the record of its migrations.
pub(crate) async fn of_version(folder: &tempfile::TempDir, last: i64) {
    use sqlx::{
        SqlSafeStr,
        migrate::{Migration, MigrationType, Migrator},
    };
    let migrations = SCHEMAS.iter().filter(|(version, _)| *version <= last);
    let migrations = migrations.map(|(version, schema)| {
        let schema = schema.into_sql_str();
        Migration::new(*version, "".into(), MigrationType::Simple, schema, false)
    });
    let mut connection = raw(folder).await;
    Migrator::with_migrations(migrations.collect())
        .run(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Data of the first version, with rows in every table.
async fn first_version(folder: &tempfile::TempDir) {
    of_version(folder, 1).await;
    let data = "
        INSERT INTO people (id, name, mail, user_principal_name, teams_id)
        VALUES (7, 'Anna', 'anna@contoso.example', 'anna@contoso.example', 'aaaa');
        INSERT INTO lines (id, person, extension) VALUES (3, 7, '1001');
        INSERT INTO choices (person, profile, since) VALUES (7, 'Busy', 1);
        INSERT INTO teams_calls (person, since, confirmed_at) VALUES (7, 1, 2);
        INSERT INTO teams_writes (person, slot, written_at, expires_at, acknowledged)
        VALUES (7, 'session', 1, 2, 1);
        INSERT INTO settings (scope, name, value)
        VALUES ('organisation', 'teams.mode', 'telephony_only'), ('organisation', 'people.revision', '4');
        INSERT INTO api_keys (hash, created_at) VALUES (zeroblob(32), 5), (x'11', 6);
        INSERT INTO sessions (hash, expires_at) VALUES (zeroblob(32), 1800000060000);
        INSERT INTO sign_in_links (hash, expires_at) VALUES (zeroblob(32), 1800000060000);";
    run(folder, &[data]).await;
}

#[tokio::test]
async fn a_database_of_the_first_version_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    first_version(&folder).await;
    let store = open(&folder).await;
    let anna = people(&store).await.remove(0);
    assert_eq!((anna.id.0, &*anna.name), (7, "Anna"));
    assert_eq!(&*anna.lines[0].1, "1001");
    assert_eq!(anna.teams_id, Some("aaaa".into()));
    assert_eq!((anna.location, anna.group), (None, None));
    assert_eq!(&*anna.record.choice.unwrap().profile, "Busy");
    assert!(anna.record.teams_call.is_some() && anna.record.slots[0].is_some());
    assert_eq!(store.people_revision().await.unwrap(), 0);
    let page = store.settings(ORGANISATION, "teams").await.unwrap();
    assert_eq!(page.as_deref(), Some(r#"{"mode":"telephony_only"}"#));
    let key = store.api_key(&[0; 32]).await.unwrap().unwrap();
    assert_eq!(key.scopes, ["read", "write", "admin"]);
    let keys = store.api_keys().await.unwrap();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0].id, keys[1].id);
    let administrator = Some(Session { account: None });
    assert_eq!(store.session(&[0; 32], NOW).await.unwrap(), administrator);
    let exchanged = store.exchange_link(&[0; 32], &[1; 32], after(60), NOW);
    assert!(exchanged.await.unwrap());
    assert_eq!(store.session(&[1; 32], NOW).await.unwrap(), administrator);
}

#[tokio::test]
async fn a_fresh_database_offers_what_the_product_offers() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let templates = store.templates().await.unwrap();
    let profiles = templates.iter().map(|template| &template.profile);
    assert!(profiles.eq(MyProfiles::default().iter()));
    for template in &templates {
        assert_eq!(template.scope, *ORGANISATION);
        assert_eq!(template.audience, Audience::Everyone);
        assert_eq!(template.profile.origin, Origin::Central);
    }
    assert_eq!(store.settings(ORGANISATION, "teams").await.unwrap(), None);
    assert_eq!(store.scopes().await.unwrap(), []);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.database().close().await;
    run(
        &folder,
        &["UPDATE _sqlx_migrations SET version = 99 WHERE version = 2"],
    )
    .await;
    let error = Store::open(&path(&folder), OrganisationId::FIRST)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("99"), "{error}");
}

#[tokio::test]
async fn the_audit_log_cannot_be_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.record_change(&CHANGE).await.unwrap();
    let mut connection = raw(&folder).await;
    let error = sqlx::query("UPDATE audit SET who = 'somebody else'")
        .execute(&mut connection)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("append only"), "{error}");
}
