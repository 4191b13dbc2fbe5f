//! What is kept of the past: the audit log, history.

use presence::PersonId;
use store::{AuditFilter, Change, ORGANISATION};

use crate::{CHANGE, NOW, after, open, person, with_people};

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
        .set_page(ORGANISATION, "teams", Some("{}"), &change)
        .await
        .unwrap();
    for second in 1..=5 {
        store
            .note(&Change {
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
