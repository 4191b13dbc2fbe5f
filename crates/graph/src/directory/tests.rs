//! Pages of the directory, with malformed elements.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Delta, PAGES_MAX, Page, PageTrail, Update, UserChange, UserUpdate};
use crate::corpus_tests;

/// Users after a round that starts with one user with all members.
fn outcome(body: &[u8]) -> Value {
    let rounds: Vec<Value> = serde_json::from_slice(body).unwrap();
    let mut users: BTreeMap<String, UserUpdate> = BTreeMap::new();
    let mut skipped = Vec::new();
    let mut end = Vec::new();
    for page in rounds {
        let delta = match Page::read(page.to_string().as_bytes()) {
            Ok(page) => page.delta(),
            Err(_) => Err("unreadable"),
        };
        let (changes, odd) = match delta {
            Ok(Delta::Page {
                changes, skipped, ..
            }) => {
                end.push("page");
                (changes, skipped)
            }
            Ok(Delta::End {
                changes, skipped, ..
            }) => {
                end.push("end");
                (changes, skipped)
            }
            Ok(Delta::Resync) => unreachable!("a page is no refusal"),
            Err(cause) => {
                end.push(cause);
                continue;
            }
        };
        skipped.extend(odd.into_iter().map(|odd| odd.label()));
        for change in changes {
            match change {
                UserChange::Present(update) => {
                    users.entry(update.id.clone()).or_default().merge(update)
                }
                UserChange::Removed { id, .. } => {
                    users.remove(&id);
                }
            }
        }
    }
    let users = users.into_iter().map(|(id, user)| {
        let text = |text: &Update<String>| text.value().cloned().unwrap_or_else(|| "-".into());
        let line = [
            text(&user.display_name),
            text(&user.user_principal_name),
            text(&user.mail),
            user.business_phones
                .value()
                .map_or_else(String::new, |numbers| numbers.join("+")),
            text(&user.mobile_phone),
            format!("enabled: {:?}", user.account_enabled.value()),
            format!("guest: {}", user.is_guest()),
        ];
        (id, line.join(" | "))
    });
    json!({
        "users": users.collect::<BTreeMap<_, _>>(),
        "skipped": skipped,
        "pages": end,
    })
}

/// A member that a page leaves out keeps its value. Each file of the folder has the pages of one or several rounds.
#[test]
fn d3_a_page_changes_only_the_members_that_it_contains() {
    corpus_tests::walk("graph-directory", outcome);
}

#[test]
fn a_list_without_delta_is_read_alike() {
    let page = json!({ "value": [
        { "id": "a", "userPrincipalName": "a@x", "mail": null, "displayName": "A",
          "businessPhones": ["+49 30 1"], "mobilePhone": null, "accountEnabled": false, "new": 1 },
        { "id": "b", "businessPhones": null },
        { "displayName": "nobody" },
        null,
    ], "@odata.nextLink": "https://g/next" });
    let page = Page::read(page.to_string().as_bytes()).unwrap().users();
    assert_eq!((page.users.len(), page.skipped.len()), (2, 2));
    assert_eq!(page.next.as_deref(), Some("https://g/next"));
    assert_eq!(
        page.users[0].business_phones,
        Update::Set(vec!["+49 30 1".into()])
    );
    assert_eq!(page.users[0].account_enabled, Update::Set(false));
    assert_eq!(page.users[0].mail, Update::Clear);
    let only_an_id = UserUpdate {
        id: "b".into(),
        business_phones: Update::Clear,
        ..UserUpdate::default()
    };
    assert_eq!(page.users[1], only_an_id);
}

#[test]
fn row_102_removed_people_are_distinguished_from_changed_ones() {
    let page = json!({ "value": [
        { "id": "a", "@removed": { "reason": "changed" } },
        { "id": "b", "@removed": { "reason": "deleted" } },
        { "id": "c", "mail": "c@x" },
        { "@removed": {} },
    ], "@odata.deltaLink": "https://g/delta" });
    let delta = Page::read(page.to_string().as_bytes()).unwrap().delta();
    let Ok(Delta::End { changes, link, .. }) = delta else {
        panic!("{delta:?}");
    };
    let removed = |id: &str, forever| UserChange::Removed {
        id: id.into(),
        forever,
    };
    assert_eq!(link, "https://g/delta");
    assert_eq!(changes[..2], [removed("a", false), removed("b", true)]);
    assert!(matches!(&changes[2], UserChange::Present(user) if user.id == "c"));
}

#[test]
fn a_list_without_an_end_is_not_read_forever() {
    let mut trail = PageTrail::default();
    trail.follow("users delta", "https://g/1").unwrap();
    trail.follow("users delta", "https://g/2").unwrap();
    let error = trail.follow("users delta", "https://g/1").unwrap_err();
    assert!(error.to_string().contains("read before"), "{error}");
    let mut trail = PageTrail::default();
    let mut follow = |page: usize| trail.follow("users delta", &format!("https://g/{page}"));
    for page in 1..PAGES_MAX {
        follow(page).unwrap();
    }
    assert!(follow(PAGES_MAX).is_err());
}
