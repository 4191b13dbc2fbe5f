//! Retention: the audit log, history, and deleted content.

use presence::PersonId;
use store::{AuditFilter, Change, Concern, Database, ORGANISATION, OrganisationId, Store};

use crate::{CHANGE, NOW, after, migration, open, path, person, with_people};

#[tokio::test]
async fn the_audit_log_tells_who_changed_what_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let change = Change {
        who: "anna",
        what: "page.update",
        target: "organisation/teams",
        before: Some("{}".into()),
        after: Some(r#"{"mode":"none"}"#.into()),
        ..CHANGE
    };
    store
        .set_settings(ORGANISATION, "teams", Some("{}"), &change)
        .await
        .unwrap();
    for second in 1..=5 {
        store
            .record_change(&Change {
                at: after(second),
                ..CHANGE
            })
            .await
            .unwrap();
    }
    let all = AuditFilter::default();
    let page = store.audit(None, 4, &all).await.unwrap();
    let rest = store.audit(Some(page[3].id), 4, &all).await.unwrap();
    assert_eq!((page.len(), rest.len()), (4, 2));
    assert_eq!((page[0].at, rest[0].at), (after(5), after(1)));
    let first = &rest[1];
    assert_eq!(
        (&*first.who, &*first.what, &*first.target),
        (change.who, change.what, change.target)
    );
    assert_eq!(
        (&first.before, &first.after),
        (&change.before, &change.after)
    );
    let found = async |filter| store.audit(None, 100, &filter).await.unwrap().len();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        found(AuditFilter {
            who: some("anna"),
            ..all.clone()
        })
        .await,
        1
    );
    assert_eq!(
        found(AuditFilter {
            what: some("page."),
            ..all.clone()
        })
        .await,
        1
    );
    assert_eq!(
        found(AuditFilter {
            what: some("%"),
            ..all.clone()
        })
        .await,
        0
    );
    assert_eq!(
        found(AuditFilter {
            target: some("thing"),
            ..all.clone()
        })
        .await,
        5
    );
    let span = AuditFilter {
        from: Some(after(1)),
        to: Some(after(3)),
        ..all.clone()
    };
    assert_eq!(found(span).await, 2);
    assert_eq!(store.forget_audit(after(4)).await.unwrap(), 4);
    assert_eq!(found(all).await, 2);
}

#[tokio::test]
async fn a_persons_own_change_is_recorded_without_content_and_forgotten_earlier() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for (second, concern) in [
        (1, Concern::Own),
        (1, Concern::Administration),
        (2, Concern::Own),
    ] {
        let change = Change {
            at: after(second),
            before: Some("\"was\"".into()),
            after: Some("\"is\"".into()),
            concern,
            ..CHANGE
        };
        store.record_change(&change).await.unwrap();
    }
    let recorded = async || {
        let rows = store
            .audit(None, 10, &AuditFilter::default())
            .await
            .unwrap();
        let rows = rows.into_iter();
        rows.map(|row| (row.concern, row.before.is_some(), row.after.is_some()))
            .collect::<Vec<_>>()
    };
    let (own, full) = (
        (Concern::Own, false, false),
        (Concern::Administration, true, true),
    );
    assert_eq!(recorded().await, [own, full, own]);
    assert_eq!(store.forget_own_changes(after(2)).await.unwrap(), 1);
    assert_eq!(recorded().await, [own, full]);
    assert_eq!(store.forget_own_changes(after(9)).await.unwrap(), 1);
    assert_eq!(recorded().await, [full]);
}

/// Returns true if a file of the database contains a text.
fn holds(folder: &tempfile::TempDir, text: &str) -> bool {
    ["", "-wal"].iter().any(|end| {
        let mut file = path(folder).into_os_string();
        file.push(end);
        let content = std::fs::read(file).unwrap_or_default();
        content
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[tokio::test]
async fn what_earlier_versions_recorded_of_people_is_gone_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    migration::of_version(&folder, 5).await;
    let data = "
        INSERT INTO audit (at, who, what, target, before, after) VALUES
            (1, 'anna', 'appointment.add', '7', NULL, '{\"text\":\"confidential\",\"private\":true}'),
            (2, 'anna', 'profile.choose', '7', '{\"profile\":\"confidential\"}', NULL),
            (3, 'anna', 'relationship.set', '7/8', '\"confidential\"', '\"Blocked\"'),
            (4, 'ada', 'scope.add', 'Berlin', NULL, '{\"name\":\"Berlin\"}'),
            (5, 'anna', 'settings.set_own', '7/calendar', NULL, '{\"feed\":\"confidential\"}'),
            (6, 'anna', 'appointment.delete', '7', '{\"text\":\"confidential\"}', NULL);
        -- Forgotten by the earlier version: still in a free page.
        DELETE FROM audit WHERE id = 6;";
    migration::run(&folder, &[data]).await;
    assert!(holds(&folder, "confidential"));
    let (database, _) = Database::open_checked(&path(&folder), u64::MAX)
        .await
        .unwrap();
    let store = database.organisation(OrganisationId::FIRST);
    // The database is still open: the log is emptied at once, not only when it is closed.
    assert!(!holds(&folder, "confidential"));
    let rows = store
        .audit(None, 10, &AuditFilter::default())
        .await
        .unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (&*row.target, row.concern, row.after.is_some()))
        .collect();
    let own = Concern::Own;
    assert_eq!(
        rows,
        [
            ("7", own, false),
            ("Berlin", Concern::Administration, true),
            ("7", own, false),
            ("7", own, false),
            ("7", own, false),
        ]
    );
    store.record_change(&CHANGE).await.unwrap();
    rewriting_is_refused(&folder).await;
    // Deleted content is overwritten from now on.
    deleted_content_is_overwritten(&folder, store).await;
}

async fn rewriting_is_refused(folder: &tempfile::TempDir) {
    let refused = migration::try_run(folder, "UPDATE audit SET who = 'ada'").await;
    assert!(refused.unwrap_err().to_string().contains("append only"));
}

async fn deleted_content_is_overwritten(folder: &tempfile::TempDir, store: Store) {
    let change = Change {
        after: Some("\"passing\"".into()),
        ..CHANGE
    };
    store.record_change(&change).await.unwrap();
    assert!(holds(folder, "passing"));
    store.forget_audit(after(1)).await.unwrap();
    store.database().close().await;
    assert!(!holds(folder, "passing"));
}

#[tokio::test]
async fn history_is_kept_in_order_and_dropped_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [anna, bert]) = with_people(&folder, ["anna", "bert"]).await;
    let entry =
        |person, second, text: &str| (person, after(second), format!(r#"{{"status":"{text}"}}"#));
    let entries = [
        entry(anna, 2, "Busy"),
        entry(anna, 1, "Absent"),
        entry(PersonId(99), 1, "Busy"),
        entry(bert, 1, "Busy"),
        entry(anna, 2, "Available"),
    ];
    store.add_history(&entries).await.unwrap();
    store.add_history(&[]).await.unwrap();
    let of_anna = store.history(anna, NOW).await.unwrap();
    let expected = [
        (after(1), entries[1].2.clone()),
        (after(2), entries[4].2.clone()),
    ];
    assert_eq!(of_anna, expected);
    assert_eq!(store.history(anna, after(2)).await.unwrap(), expected[1..]);
    assert_eq!(store.forget_history(after(2)).await.unwrap(), 2);
    assert_eq!(store.history(anna, NOW).await.unwrap(), expected[1..]);
    assert_eq!(store.history(bert, NOW).await.unwrap(), []);
}

#[tokio::test]
async fn what_an_import_changes_is_noted_for_each_person_and_what_it_leaves_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let imported = async |people: &[store::ImportPerson]| {
        store.import(people, &CHANGE).await.unwrap();
        let rows = store.audit(None, 100, &AuditFilter::default()).await;
        let rows = rows.unwrap().into_iter();
        let of_people = rows.filter(|row| row.what.starts_with("person."));
        of_people
            .map(|row| (row.what, row.target, row.before, row.after))
            .collect::<Vec<_>>()
    };
    let both = [person("anna", &["11"]), person("bert", &[])];
    let first = imported(&both).await;
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(
        first
            .iter()
            .all(|row| row.0 == "person.add" && row.2.is_none())
    );
    assert_eq!(imported(&both).await, first, "nothing has changed");
    let rows = imported(&[person("anna", &["12"])]).await;
    assert_eq!(rows.len(), 3);
    let (what, target, before, after) = &rows[0];
    assert_eq!((&**what, target), ("person.change", &first[1].1));
    assert!(
        before.as_ref().unwrap().contains("\"lines\":[\"11\"]"),
        "{before:?}"
    );
    assert!(
        after.as_ref().unwrap().contains("\"lines\":[\"12\"]"),
        "{after:?}"
    );
}

// Existing calendars keep UTC; a new database uses the organisation's time zone.
#[tokio::test]
async fn calendars_of_earlier_versions_keep_their_time_zone() {
    let pages = async |data: &'static str| {
        let folder = tempfile::tempdir().unwrap();
        migration::of_version(&folder, 11).await;
        migration::run(&folder, &[data]).await;
        let (database, _) = Database::open_checked(&path(&folder), u64::MAX)
            .await
            .unwrap();
        let store = database.organisation(OrganisationId::FIRST);
        let pages = store.all_settings().await.unwrap();
        let calendars = pages.into_iter().filter(|(_, page, _)| page == "calendar");
        calendars
            .map(|(scope, _, value)| (scope, value))
            .collect::<Vec<_>>()
    };
    let of = |scope: &str, value: &str| (store::ScopeId::from(scope), value.to_owned());
    assert_eq!(pages("SELECT 1").await, []);
    let person =
        "INSERT INTO people (id, name, mail, user_principal_name) VALUES (7, 'Anna', '', '');";
    assert_eq!(
        pages(person).await,
        [of("organisation", "{\"time_zone\":\"UTC\"}")]
    );
    assert_eq!(
        pages(
            "INSERT INTO people (id, name, mail, user_principal_name) VALUES (7, 'Anna', '', '');
             INSERT INTO pages VALUES ('organisation', 'calendar', '{\"texts\":false}');"
        )
        .await,
        [of(
            "organisation",
            "{\"texts\":false,\"time_zone\":\"UTC\"}"
        )]
    );
    assert_eq!(
        pages("INSERT INTO pages VALUES ('organisation', 'calendar', '{\"time_zone\":\"Europe/Berlin\"}');").await,
        [of("organisation", "{\"time_zone\":\"Europe/Berlin\"}")]
    );
}
