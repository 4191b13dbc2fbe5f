//! The corpus of tables: the expected result of each `KIND.csv` in `tests/corpus/spreadsheets` is in
//! `KIND.expected.json`; people who exist before are in `KIND.before.csv`.

use std::path::{Path, PathBuf};

use presence::Extension;
use serde_json::{Value, json};
use store::{
    AuditFilter, Column, ImportPerson, ImportSummary, PeopleTable, Progress, Store, read_people_csv,
};

use crate::{CHANGE, NOW, open};

fn folder() -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/corpus/spreadsheets"
    ))
    .to_owned()
}

/// The kinds of tables, each once.
fn kinds() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let kinds = names.filter_map(|name| Some(name.strip_suffix(".csv")?.to_owned()));
    let mut kinds: Vec<String> = kinds.filter(|kind| !kind.ends_with(".before")).collect();
    kinds.sort();
    kinds
}

fn file(kind: &str, rest: &str) -> Option<Vec<u8>> {
    std::fs::read(folder().join(format!("{kind}.{rest}"))).ok()
}

fn column(column: &Column) -> Value {
    json!([column.title, column.used_for.map(store::ColumnUse::title)])
}

fn person(person: &ImportPerson) -> Value {
    json!({
        "line": person.line,
        "name": person.name,
        "mail": person.mail,
        "UPN": person.user_principal_name,
        "objectId": person.teams_id,
        "location": person.location,
        "extensions": person.extensions.iter().map(|e| &**e).collect::<Vec<_>>(),
    })
}

fn outcome(summary: &ImportSummary) -> Value {
    let deeds = summary.differences.iter().map(|deed| {
        let what = if deed.difference.is_new() {
            "added"
        } else {
            "updated"
        };
        json!([deed.line, what, deed.difference.changes()])
    });
    let conflicts = summary.conflicts.iter();
    let conflicts = conflicts.map(|conflict| json!([conflict.line, conflict.problem]));
    json!({
        "deeds": deeds.collect::<Vec<_>>(),
        "unchanged": summary.unchanged,
        "conflicts": conflicts.collect::<Vec<_>>(),
    })
}

/// The result of importing a table, with the people who existed before.
async fn becomes(kind: &str) -> Value {
    let bytes = file(kind, "csv").unwrap();
    let table = match read_people_csv(&bytes, None) {
        Ok(table) => table,
        Err(problem) => return json!({"refused": problem.to_string()}),
    };
    let mut value = json!({
        "encoding": table.encoding,
        "separator": table.separator,
        "columns": table.columns.iter().map(column).collect::<Vec<_>>(),
    });
    if table.comments > 0 {
        value["comments"] = table.comments.into();
    }
    let Some(before) = file(kind, "before.csv") else {
        value["people"] = table.people.iter().map(person).collect();
        return value;
    };
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let before = read_people_csv(&before, None).unwrap();
    store.import(&before.people, &CHANGE).await.unwrap();
    value["import"] = imported(&store, &table).await;
    value
}

/// Imports a table twice and compares the result with a preview. The second import changes nothing.
async fn imported(store: &Store, table: &PeopleTable) -> Value {
    let people = &table.people;
    let before = store.people(NOW).await.unwrap();
    let progress = Progress::default();
    let rehearsed = store
        .preview_import(people, &CHANGE, &progress)
        .await
        .unwrap();
    assert_eq!(
        store.people(NOW).await.unwrap(),
        before,
        "a rehearsal changes nothing"
    );
    match store.import(people, &CHANGE).await {
        Ok(summary) => {
            assert_eq!(summary, rehearsed);
            let again = store.import(people, &CHANGE).await.unwrap();
            assert_eq!(
                (again.unchanged, again.added),
                (people.len(), 0),
                "{again:?}"
            );
        }
        Err(error) => {
            assert!(!rehearsed.conflicts.is_empty(), "{error}");
            assert_eq!(store.people(NOW).await.unwrap(), before, "all or none");
        }
    }
    outcome(&rehearsed)
}

#[tokio::test]
async fn every_table_of_the_corpus_becomes_what_is_expected() {
    let mut wrong = Vec::new();
    for kind in kinds() {
        let becomes = becomes(&kind).await;
        let expected = file(&kind, "expected.json");
        let expected = expected.map(|text| serde_json::from_slice::<Value>(&text).unwrap());
        if expected.as_ref() != Some(&becomes) {
            wrong.push(format!("{kind}:\n{becomes:#}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// A table of the existing people changes none of them, also as Excel saves it.
#[tokio::test]
async fn people_written_as_a_table_come_back_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let people = [
        (
            "Jürgen \"Jo\" Müller; Köln",
            "j@contoso.example",
            "+4930123",
        ),
        ("Anna, Becker", "a@contoso.example", "007"),
        ("Łukasz Ωmega", "l@contoso.example", "*12#"),
    ];
    let people = people.map(|(name, mail, extension)| ImportPerson {
        name: name.into(),
        mail: mail.into(),
        extensions: vec![Extension::stored(extension)],
        ..ImportPerson::default()
    });
    store.import(&people, &CHANGE).await.unwrap();
    for separator in [b',', b';', b'\t', b'|'] {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer
            .write_record(["name", "mail", "UPN", "extension"])
            .unwrap();
        for person in &people {
            // With values protected from being read as formulas.
            let extension = person.extensions[0].replace("+49", "'+49");
            writer
                .write_record([&*person.name, &person.mail, "", &extension])
                .unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let utf_16: Vec<u8> = format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [
            text.clone().into_bytes(),
            format!("\u{feff}{text}").into_bytes(),
            utf_16,
        ] {
            let table = read_people_csv(&bytes, None).unwrap();
            let summary = store.import(&table.people, &CHANGE).await.unwrap();
            assert_eq!((summary.unchanged, summary.added), (3, 0), "{summary:?}");
        }
    }
}

// A declared charset is used if it cannot be detected, and ignored if it contradicts the bytes.
#[test]
fn the_charset_of_the_sender_counts_where_nothing_is_detected() {
    let name = |bytes: &[u8], charset| {
        read_people_csv(bytes, Some(charset)).map(|table| table.people[0].name.clone())
    };
    let czech = b"name,mail,UPN,extension\nDvo\xf8\xe1k,d@contoso.example,,1\n";
    assert_eq!(name(czech, "windows-1250").unwrap(), "Dvořák");
    assert!(read_people_csv(czech, None).is_err());
    assert!(name(czech, "utf-8").is_err());
    let german = "name,mail,UPN,extension\nJürgen,j@contoso.example,,1\n";
    for charset in ["utf-8", "iso-8859-1", "utf-16", "nonsense"] {
        assert_eq!(
            name(german.as_bytes(), charset).unwrap(),
            "Jürgen",
            "{charset}"
        );
    }
}

// An import without changes adds no row to the audit log and increases no revision.
#[tokio::test]
async fn a_table_of_unchanged_people_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let table = "name,mail,UPN,extension,objectId,location\n\
        Anna,a@contoso.example,anna@contoso.example,1001,8f2c7e11-0000-4abc-9def-000000000001,Berlin\n\
        Bert,b@contoso.example,,1002,,\n";
    let table = read_people_csv(table.as_bytes(), None).unwrap();
    store.import(&table.people, &CHANGE).await.unwrap();
    // The account is in another tenant than the location.
    let anna = store.people(NOW).await.unwrap()[0].id;
    let account = table.people[0].teams_id.as_deref().unwrap();
    store
        .link_teams(anna, &account.into(), &"fabrikam".into())
        .await
        .unwrap();
    let people = store.people(NOW).await.unwrap();
    let all = AuditFilter::default();
    let audit = store.audit(None, 100, &all).await.unwrap();
    let changes = store.people_changed_since(0, NOW).await.unwrap();

    let summary = store.import(&table.people, &CHANGE).await.unwrap();

    assert_eq!((summary.unchanged, summary.added), (2, 0), "{summary:?}");
    assert_eq!(store.people(NOW).await.unwrap(), people);
    assert_eq!(store.audit(None, 100, &all).await.unwrap(), audit);
    let after = store.people_changed_since(changes.revision, NOW).await;
    assert!(after.unwrap().people.is_empty());
}
