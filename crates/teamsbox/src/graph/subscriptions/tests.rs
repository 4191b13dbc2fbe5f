//! Times, lifetimes, and a tenant at the limit of its subscriptions.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
};

use proptest::prelude::*;

use super::*;
use crate::{
    config::{ClockMode, Config, NewTenant},
    graph::Identity,
    keys::Keys,
    permissions::Claims,
    tenants::Tenants,
};

#[test]
fn row_069_and_070_moments_are_read_with_and_without_offset() {
    let expected = moment("2022-02-07T07:37:09.2420488Z").unwrap();
    assert_eq!(moment("2022-02-06T23:37:09.2420488-08:00"), Some(expected));
    assert_eq!(moment("2022-02-07T07:37:09.2420488"), Some(expected));
    assert_eq!(moment("tomorrow"), None);
}

#[test]
fn rule_39_lifetimes_are_raised_and_limited() {
    let knobs = Knobs::default();
    let text = |minutes: i64| timestamp(minutes * MINUTE).to_string();
    let expiry = |minutes| {
        expiry_of(&text(minutes), 0, &knobs)
            .ok()
            .map(|at| at / MINUTE)
    };
    assert_eq!(
        [expiry(10), expiry(45), expiry(60), expiry(61), expiry(0)],
        [Some(45), Some(45), Some(60), None, None]
    );
    let lenient = Knobs {
        long_expiry: LongExpiry::Clamp,
        ..Knobs::default()
    };
    assert_eq!(expiry_of(&text(120), 0, &lenient).ok(), Some(LONGEST));
}

/// A subscription of another application, to fill the tenant.
fn another(number: usize, now: Milliseconds) -> Subscription {
    Subscription {
        id: format!("00000000-0000-4000-8000-{number:012}")
            .parse()
            .unwrap(),
        app: "another".into(),
        creator: crate::DEFAULT_TENANT_ID.parse().unwrap(),
        resource: String::new(),
        users: BTreeSet::new(),
        notification_url: String::new(),
        lifecycle_url: None,
        client_state: None,
        rich: None,
        latest_tls: None,
        expires: now + LONGEST,
        token_expires: now + LONGEST,
        asked: None,
        paused: false,
        last_due: 0,
    }
}

#[tokio::test]
async fn at_the_limit_of_the_tenant_subscriptions_are_refused_with_403() {
    let config = Config {
        clock: ClockMode::Manual,
        ..Config::default()
    };
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let tenant = NewTenant {
        tenant_id: config.tenant_id.clone(),
        ..NewTenant::default()
    };
    let keys = Keys::generate().unwrap();
    let tenants = Tenants::start(&config, &tenant, keys, nowhere).unwrap();
    let shell = Arc::clone(tenants.first());
    let claims = Claims {
        oid: crate::DEFAULT_CLIENT_ID.to_owned(),
        tid: crate::DEFAULT_TENANT_ID.to_owned(),
        appid: "own".to_owned(),
        scp: Some("Presence.Read.All".to_owned()),
        ..Claims::default()
    };
    let caller = Caller::of(claims).unwrap();
    let now = shell.clock().now_milliseconds();
    // Nothing listens at the URL: a request that reaches the handshake gets its failure.
    let body = json!({
        "changeType": "updated",
        "notificationUrl": "https://127.0.0.1:1/",
        "resource": format!("/communications/presences/{}", crate::DEFAULT_CLIENT_ID),
        "expirationDateTime": timestamp(now + LONGEST).to_string(),
    });
    let body = Bytes::from(body.to_string());
    let refusal = async || {
        let error = create(&shell, &caller, &body).await.err().unwrap();
        let identity = Identity::of(&axum::http::HeaderMap::new());
        let reply = error.into_reply(&identity, now);
        let envelope: Value = serde_json::from_slice(&reply.body).unwrap();
        let error = &envelope["error"];
        (
            reply.status.as_u16(),
            error["code"].as_str().unwrap().to_owned(),
            error["message"].as_str().unwrap().to_owned(),
        )
    };
    shell.with(|world, now| {
        for number in 1..SUBSCRIPTIONS_MAX {
            world.subscriptions.add(another(number, now));
        }
    });
    let (status, code, _) = refusal().await;
    assert_eq!(
        (status, code.as_str()),
        (400, "ValidationError"),
        "the last place is free: the handshake was tried"
    );
    shell.with(|world, now| world.subscriptions.add(another(SUBSCRIPTIONS_MAX, now)));
    let (status, code, message) = refusal().await;
    assert_eq!((status, code.as_str()), (403, "Forbidden"));
    assert!(
        message.contains("limit of 10000 Teams subscriptions"),
        "{message}"
    );
    // A removed subscription makes room.
    shell.with(|world, _| world.subscriptions.remove(another(1, now).id));
    assert_eq!(refusal().await.0, 400);
    tenants.stop();
}

proptest! {
    #[test]
    fn nonsense_never_panics(text in ".{0,60}") {
        let _ = moment(&text);
        let _ = check_url("notificationUrl", &text, &Knobs::default());
    }
}
