//! Overwritten pages of the database.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use sqlx::{Connection, Row, SqliteConnection};
use store::{Change, DamageCheck, Database, ScopeKind, StoreError};

use crate::{CHANGE, after, imported, path};

const PAGE: usize = 4096;
/// Larger than any database of the tests, in bytes.
const SIZE_MAX: u64 = 200 * 1024 * 1024;

/// The use of every page of the database, as `table or index: kind of page`.
async fn pages(database: &Path) -> BTreeMap<u64, String> {
    let mut connection = SqliteConnection::connect(database.to_str().unwrap())
        .await
        .unwrap();
    let rows = sqlx::query("SELECT pageno, name, pagetype FROM dbstat")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let pages = rows.iter().map(|row| {
        let (name, kind): (String, String) = (row.get(1), row.get(2));
        (
            row.get::<i64, _>(0).cast_unsigned(),
            format!("{name}: {kind}"),
        )
    });
    pages.collect()
}

/// All rows of all tables; `None` if they cannot be read.
async fn content(database: &Path) -> Option<Vec<String>> {
    let mut connection = SqliteConnection::connect(database.to_str().unwrap())
        .await
        .ok()?;
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .fetch_all(&mut connection)
        .await
        .ok()?;
    let mut content = Vec::new();
    for table in tables {
        let columns = format!(
            "SELECT group_concat('quote(' || quote(name) || ')', '||') FROM pragma_table_info('{}')",
            table.get::<String, _>(0)
        );
        let columns: String = sqlx::query(sqlx::AssertSqlSafe(columns))
            .fetch_one(&mut connection)
            .await
            .ok()?
            .get(0);
        let columns = columns.replace('\'', "\"");
        let rows = format!("SELECT {columns} FROM {}", table.get::<String, _>(0));
        for row in sqlx::query(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut connection)
            .await
            .ok()?
        {
            content.push(row.try_get(0).ok()?);
        }
    }
    Some(content)
}

/// A database with content in every kind of page.
async fn filled(folder: &tempfile::TempDir) {
    let store = crate::open(folder).await;
    let [anna, bert] = imported(&store, ["anna", "bert"]).await;
    for number in 0..300 {
        let name = format!("location {number}");
        let large = Change {
            after: Some(format!(
                "{{\"text\":\"{}\"}}",
                "text ".repeat(if number % 50 == 0 { 3_000 } else { 20 })
            )),
            ..CHANGE
        };
        store
            .add_scope(ScopeKind::Location, store::ORGANISATION, &name, &large)
            .await
            .unwrap();
        let rows = [anna, bert].map(|person| (person, after(number), "{\"status\":1}".repeat(20)));
        store.add_history(&rows).await.unwrap();
    }
    store.database().close().await;
}

/// A damaged database is found at the start and named.
#[tokio::test]
async fn an_overwritten_page_is_found_or_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder).await;
    let whole = fs::read(path(&folder)).unwrap();
    let before = content(&path(&folder)).await.unwrap();
    let pages = pages(&path(&folder)).await;
    let kinds: Vec<&String> = pages.values().collect();
    for kind in [
        "audit: internal",
        "audit: leaf",
        "audit: overflow",
        "history_at: leaf",
    ] {
        assert!(kinds.iter().any(|page| *page == kind), "{kind}: {kinds:?}");
    }
    let noise: Vec<u8> = (0_u64..)
        .map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .take(PAGE)
        .collect();
    let (mut found, mut harmless, mut missed) = (0, 0, Vec::new());
    for (number, what) in &pages {
        for (name, bytes) in [("zeros", &*vec![0; PAGE]), ("noise", &*noise)] {
            let damaged = tempfile::tempdir().unwrap();
            let file = path(&damaged);
            fs::write(&file, &whole).unwrap();
            let at = (number - 1) * PAGE as u64;
            OpenOptions::new()
                .write(true)
                .open(&file)
                .unwrap()
                .write_all_at(bytes, at)
                .unwrap();
            match Database::open_checked(&file, SIZE_MAX).await {
                Err(error @ StoreError::Damaged { .. }) => {
                    let text = error.to_string();
                    assert!(
                        text.contains(file.to_str().unwrap()) && text.contains("offhook restore"),
                        "{text}"
                    );
                    found += 1;
                }
                Err(error) => panic!("{name} in page {number} ({what}): {error}"),
                Ok((database, checked)) => {
                    assert_eq!(checked, DamageCheck::Passed);
                    database.close().await;
                    if content(&file).await.as_ref() == Some(&before) {
                        harmless += 1;
                    } else {
                        missed.push(format!("{name} in page {number} ({what})"));
                    }
                }
            }
        }
    }
    println!("{found} found, {harmless} harmless, missed: {missed:?}");
    // SQLite has no checksums: the content of overflow pages is not part of the checked structure.
    missed.retain(|missed| !missed.ends_with(": overflow)"));
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test]
async fn a_large_database_is_checked_after_the_start() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder).await;
    let pages = pages(&path(&folder)).await;
    let leaf = pages
        .iter()
        .find(|(_, what)| *what == "history_at: leaf")
        .unwrap()
        .0;
    OpenOptions::new()
        .write(true)
        .open(path(&folder))
        .unwrap()
        .write_all_at(&[0; PAGE], (leaf - 1) * PAGE as u64)
        .unwrap();
    let (database, checked) = Database::open_checked(&path(&folder), 100_000)
        .await
        .unwrap();
    assert_eq!(checked, DamageCheck::Postponed);
    let error = database.check().await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}
