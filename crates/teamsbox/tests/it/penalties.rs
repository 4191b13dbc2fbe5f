//! Penalties of slow endpoints: rows 87 and 88 of the conformance vectors, which are rule 53.

use serde_json::json;
use teamsbox::{CallKind, Device, NewUser};

use crate::{
    delivery::{SECOND, journal_of},
    hook::{Answer, Handshake, Hook},
    subscriptions::{start, subscribed, wanted},
    support::Tenant,
};

/// A tenant with subscriptions to a hundred people.
async fn crowd() -> (Tenant, Hook, Vec<String>) {
    let tenant = start().await;
    let hook = Hook::start(Handshake::Right).await;
    let ids: Vec<_> = (0..100)
        .map(|number| format!("00000000-0000-4000-8000-{number:012}"))
        .collect();
    for (number, id) in ids.iter().enumerate() {
        let new = NewUser {
            id: Some(id.clone()),
            display_name: format!("Person {number}"),
            user_principal_name: format!("person{number}@contoso.example"),
            clients: Vec::new(),
        };
        tenant.teamsbox.create_user(&new).unwrap();
    }
    let quoted: Vec<_> = ids.iter().map(|id| format!("'{id}'")).collect();
    let mut body = wanted(&tenant, &hook);
    body["resource"] = json!(format!(
        "communications/presences?$filter=id in ({})",
        quoted.join(",")
    ));
    subscribed(&tenant, &body).await;
    (tenant, hook, ids)
}

#[tokio::test]
async fn row_087_a_slow_address_gets_everything_late() {
    let (tenant, hook, ids) = crowd().await;
    hook.answers((0..100).map(|number| {
        if number % 8 == 7 {
            Answer::Never
        } else {
            Answer::Status(202)
        }
    }));
    for id in &ids {
        tenant.teamsbox.sign_in(id, Device::Desktop).unwrap();
    }
    // The twelve notifications without an answer are sent again ten seconds after their timeout.
    tenant.advance_minutes(1.0).await;
    assert_eq!(hook.items().len(), 112);
    tenant
        .teamsbox
        .start_call(&ids[0], CallKind::Audio, None)
        .unwrap();
    tenant.advance_minutes(10.0).await;
    assert_eq!(hook.items().len(), 112, "ten minutes late");
    tenant.advance_minutes(4.0 * SECOND).await;
    assert_eq!(hook.items().len(), 113);
}

#[tokio::test]
async fn row_088_a_very_slow_address_loses_notifications() {
    let (tenant, hook, ids) = crowd().await;
    // A fifth gets no answer, not even the second time: 20 of 120 took ten seconds.
    hook.answers((0..100).map(|number| {
        if number % 5 == 4 {
            Answer::Never
        } else {
            Answer::Status(202)
        }
    }));
    hook.answers((0..20).map(|_| Answer::Never));
    for id in &ids {
        tenant.teamsbox.sign_in(id, Device::Desktop).unwrap();
    }
    tenant.advance_minutes(26.0 * SECOND).await;
    tenant
        .teamsbox
        .start_call(&ids[0], CallKind::Audio, None)
        .unwrap();
    tenant.advance_minutes(5.0).await;
    let lost: Vec<_> = journal_of(&tenant, "delivery")
        .await
        .into_iter()
        .filter(|one| one["user"] == ids[0] && one["detail"].get("reason").is_some())
        .collect();
    assert_eq!(lost.len(), 1, "dropped for ten minutes");
    let before = hook.items().len();
    tenant.advance_minutes(25.0).await;
    tenant.teamsbox.end_call(&ids[0]).unwrap();
    tenant.advance_minutes(1.0).await;
    assert_eq!(hook.items().len(), before + 1, "a sample is tried again");
}
