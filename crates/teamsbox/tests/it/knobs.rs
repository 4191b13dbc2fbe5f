//! Knobs: the effect of further values, for knobs that no row or rule changes.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teamsbox::{Config, Knobs};

use crate::{
    delivery::{SECOND, journal_of},
    entra_support::{refused, token},
    hook::{Handshake, Hook},
    subscriptions::{subscribed, wanted},
    support::{ANNA, BEN, Tenant, X, Y, config, json_of, refusal, session},
};

/// The status of setting a preferred presence with an explicit duration.
async fn prefers(tenant: &Tenant, duration: &str) -> u16 {
    let mut body = session(X, "Away/Away", Some(duration));
    body.as_object_mut().unwrap().remove("sessionId");
    let response = tenant
        .presence(X, ANNA, "setUserPreferredPresence", body)
        .await;
    if response.status() == StatusCode::OK {
        return 200;
    }
    let (status, code, message) = refusal(response).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "InvalidArgument",
            "The provided [ExpirationDuration] is out of range."
        ),
        "{duration}"
    );
    status
}

#[tokio::test]
async fn knobs_untouched_preferred_lasts_five_minutes_to_seven_days() {
    let tenant = Tenant::start().await;
    for (duration, status) in [
        ("PT4M59S", 400),
        ("PT0S", 400),
        ("PT5M", 200),
        ("P7D", 200),
        ("P7DT1S", 400),
    ] {
        assert_eq!(prefers(&tenant, duration).await, status, "{duration}");
    }
}

#[tokio::test]
async fn knob_preferred_shortest_moves_the_lower_bound() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "preferredShortest": "PT1M" })).await;
    assert_eq!(prefers(&tenant, "PT59S").await, 400);
    assert_eq!(prefers(&tenant, "PT1M").await, 200);
    tenant
        .ok(Method::POST, &format!("users/{ANNA}/clients"), None)
        .await;
    assert_eq!(tenant.reads(ANNA).await, "Away/Away");
    tenant.advance_minutes(1.0).await;
    assert_eq!(tenant.reads(ANNA).await, "Available/Available");
    tenant.knobs(json!({ "preferredShortest": "PT1H" })).await;
    assert_eq!(prefers(&tenant, "PT59M").await, 400);
}

#[tokio::test]
async fn knob_preferred_longest_moves_the_upper_bound() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "preferredLongest": "P30D" })).await;
    assert_eq!(prefers(&tenant, "P30D").await, 200);
    assert_eq!(prefers(&tenant, "P30DT1S").await, 400);
    tenant.knobs(json!({ "preferredLongest": "PT8H" })).await;
    assert_eq!(prefers(&tenant, "PT8H1S").await, 400);
}

#[tokio::test]
async fn knob_bulk_sequence_number_adds_the_stamp() {
    let tenant = Tenant::start().await;
    let item = async || {
        let body = json!({ "ids": [ANNA] });
        let path = "communications/getPresencesByUserId";
        json_of(tenant.graph(X, Method::POST, path, Some(body)).await).await["value"][0].clone()
    };
    assert!(item().await.get("sequenceNumber").is_none());
    tenant.knobs(json!({ "bulkSequenceNumber": true })).await;
    let path = format!("users/{ANNA}/presence");
    let single = json_of(tenant.graph(X, Method::GET, &path, None).await).await;
    assert!(single["sequenceNumber"].is_string());
    assert_eq!(item().await["sequenceNumber"], single["sequenceNumber"]);
}

/// One unknown or malformed id makes the whole call fail.
#[tokio::test]
async fn knob_bulk_unknown_id_refuses_the_whole_call() {
    let tenant = Tenant::start().await;
    let bulk = async |id: &str| {
        let (path, body) = (
            "communications/getPresencesByUserId",
            json!({ "ids": [ANNA, id] }),
        );
        tenant.graph(X, Method::POST, path, Some(body)).await
    };
    for (value, status) in [("omit", 200), ("notFound", 404), ("badRequest", 400)] {
        tenant.knobs(json!({ "bulkUnknownId": value })).await;
        for id in [X, "anna@contoso.example", ""] {
            assert_eq!(bulk(id).await.status(), status, "{value} {id:?}");
        }
        assert_eq!(bulk(BEN).await.status(), 200, "{value}");
    }
}

#[tokio::test]
async fn knob_focusing_is_how_focus_time_is_read() {
    let tenant = Tenant::start().await;
    let (clients, calendar) = (
        format!("users/{ANNA}/clients"),
        format!("users/{ANNA}/calendar"),
    );
    tenant.ok(Method::POST, &clients, None).await;
    let focus = json!({ "kind": "focus", "lasts": "PT1H" });
    tenant.ok(Method::POST, &calendar, Some(focus)).await;
    assert_eq!(tenant.reads(ANNA).await, "DoNotDisturb/Focusing");
    tenant.knobs(json!({ "focusing": "doNotDisturb" })).await;
    assert_eq!(tenant.reads(ANNA).await, "DoNotDisturb/DoNotDisturb");
    tenant.advance_minutes(60.0).await;
    assert_eq!(tenant.reads(ANNA).await, "Available/Available");
}

/// Scope 3: guests, and people without a licence.
#[tokio::test]
async fn knobs_guests_and_unlicensed_refuse_people_without_teams() {
    let tenant = Tenant::start().await;
    let cleo = json!({
        "displayName": "Cleo", "userPrincipalName": "cleo_fabrikam.example#EXT#@contoso.example",
        "clients": ["desktop"],
    });
    let cleo = tenant.ok(Method::POST, "users", Some(cleo)).await;
    let cleo = cleo["id"].as_str().unwrap();
    let bare = json!({ "profile": { "assignedPlans": [] } });
    tenant
        .ok(Method::PATCH, &format!("users/{BEN}"), Some(bare))
        .await;
    let path = format!("users/{cleo}?$select=mail,userType");
    let listed = json_of(tenant.graph(Y, Method::GET, &path, None).await).await;
    assert_eq!(
        (&listed["mail"], &listed["userType"]),
        (&json!("cleo@fabrikam.example"), &json!("Guest"))
    );
    let named = "users/cleo_fabrikam.example%23EXT%23@contoso.example";
    assert_eq!(
        json_of(tenant.graph(Y, Method::GET, named, None).await).await["id"],
        cleo
    );
    let statuses = async |user: &str| {
        let path = format!("users/{user}/presence");
        let read = tenant.graph(X, Method::GET, &path, None).await;
        let set = tenant.presence(X, user, "setPresence", session(X, "Away/Away", None));
        [read.status().as_u16(), set.await.status().as_u16()]
    };
    for (knob, user, other) in [("guests", cleo, BEN), ("unlicensed", BEN, cleo)] {
        for (value, status) in [("forbidden", 403), ("notFound", 404), ("accept", 200)] {
            tenant.knobs(json!({ knob: value })).await;
            assert_eq!(statuses(user).await, [status; 2], "{knob} {value}");
            assert_eq!(statuses(other).await, [200; 2], "{knob} {value}");
            let (path, ids) = (
                "communications/getPresencesByUserId",
                json!({ "ids": [user] }),
            );
            let bulk = json_of(tenant.graph(X, Method::POST, path, Some(ids)).await).await;
            let unknown = bulk["value"][0]["availability"] == "PresenceUnknown";
            assert_eq!(unknown, value != "accept", "{knob} {value}");
        }
    }
}

#[tokio::test]
async fn knob_sign_out_grace_is_how_long_a_client_stays() {
    let tenant = Tenant::start().await;
    let client = format!("users/{ANNA}/clients/desktop");
    tenant.knobs(json!({ "signOutGrace": "PT10M" })).await;
    tenant.ok(Method::POST, &client, None).await;
    tenant.ok(Method::DELETE, &client, None).await;
    tenant.advance_minutes(9.9).await;
    assert_eq!(tenant.reads(ANNA).await, "Available/Available");
    tenant.advance_minutes(0.1).await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
    tenant.knobs(json!({ "signOutGrace": "PT0S" })).await;
    tenant.ok(Method::POST, &client, None).await;
    tenant.ok(Method::DELETE, &client, None).await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline", "at once");
}

#[tokio::test]
async fn knob_refresh_token_lifetime_ends_refresh_tokens() {
    let tenant = Tenant::start().await;
    tenant
        .knobs(json!({ "refreshTokenLifetime": "PT1H" }))
        .await;
    let password = [
        ("grant_type", "password"),
        ("client_id", X),
        ("username", "anna@contoso.example"),
        ("password", teamsbox::DEFAULT_PASSWORD),
        ("scope", "Presence.Read offline_access"),
    ];
    let (_, first) = token(&tenant, &password).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", X),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ];
    tenant.advance_minutes(59.9).await;
    assert_eq!(token(&tenant, &form).await.0, 200);
    tenant.advance_minutes(0.1).await;
    assert_eq!(
        refused(&token(&tenant, &form).await),
        (400, "invalid_grant", 700_082)
    );
}

#[tokio::test]
async fn knob_delta_lifetime_ends_delta_links() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "deltaLifetime": "PT1H" })).await;
    let path = "users/delta?$deltatoken=latest";
    let page = json_of(tenant.graph(Y, Method::GET, path, None).await).await;
    let link = page["@odata.deltaLink"].as_str().unwrap();
    let follow = async || tenant.graph(Y, Method::GET, link, None).await.status();
    tenant.advance_minutes(60.0).await;
    assert_eq!(follow().await, StatusCode::OK);
    tenant.advance_minutes(0.1).await;
    assert_eq!(follow().await, StatusCode::GONE);
    for (how, status, code) in [
        ("gone", 410, "syncStateNotFound"),
        ("badRequest", 400, "Directory_ExpiredPageToken"),
        ("notFound", 404, "syncStateNotFound"),
    ] {
        tenant.knobs(json!({ "expiredDelta": how })).await;
        let refused = refusal(tenant.graph(Y, Method::GET, link, None).await).await;
        assert_eq!((refused.0, refused.1.as_str()), (status, code));
    }
    tenant.knobs(json!({ "deltaLifetime": "P30D" })).await;
    assert_eq!(follow().await, StatusCode::OK, "it counts when asked");
}

/// Pages leave out unchanged fields, and `null` clears a field.
#[tokio::test]
async fn knob_delta_items_leaves_out_what_has_not_changed() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "deltaItems": "changed" })).await;
    let page = async |path: &str| json_of(tenant.graph(Y, Method::GET, path, None).await).await;
    let first = page("users/delta").await;
    assert_eq!(first["value"][0]["displayName"], "Anna", "at first all");
    let link = first["@odata.deltaLink"].as_str().unwrap();
    let path = format!("users/{ANNA}");
    for mail in [json!("a@b.example"), Value::Null] {
        let change = json!({ "profile": { "mail": mail } });
        tenant.ok(Method::PATCH, &path, Some(change)).await;
        assert_eq!(
            page(link).await["value"],
            json!([{ "id": ANNA, "mail": mail }])
        );
    }
}

#[tokio::test]
async fn knob_subscription_list_limit_is_how_many_lists_there_are() {
    let tenant = Tenant::start().await;
    let token = tenant.user_token(X, ANNA, "Presence.Read.All").await;
    let list = async || {
        let path = "subscriptions";
        let response = tenant.with_token(&token, Method::GET, path, None).await;
        response.status().as_u16()
    };
    tenant.knobs(json!({ "subscriptionListLimit": 2 })).await;
    assert_eq!([list().await, list().await, list().await], [200, 200, 429]);
    tenant.knobs(json!({ "subscriptionListLimit": 0 })).await;
    for _ in 0..26 {
        assert_eq!(list().await, 200, "0 is no limit");
    }
}

/// The whole minutes after which one kind of client shows a new call; `None` if it does not within ten.
async fn minutes_until_shown(tenant: &Tenant, client: &str) -> Option<usize> {
    let call = Some(json!({ "kind": "audio" }));
    tenant
        .ok(Method::PUT, &format!("users/{ANNA}/call"), call)
        .await;
    for minute in 0..=10 {
        let state = tenant.ok(Method::GET, &format!("users/{ANNA}"), None).await;
        if state["views"][client]["activity"] == "InACall" {
            return Some(minute);
        }
        tenant.advance_minutes(1.0).await;
    }
    None
}

#[tokio::test]
async fn knob_desktop_lag_delays_teams_on_desktops() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "desktopLag": "PT7M" })).await;
    assert_eq!(minutes_until_shown(&tenant, "desktop").await, Some(7));
}

#[tokio::test]
async fn knob_web_lag_delays_teams_in_browsers() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "webLag": "PT3M" })).await;
    assert_eq!(minutes_until_shown(&tenant, "web").await, Some(3));
}

#[tokio::test]
async fn knob_phone_lag_delays_teams_on_phones() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "phoneLag": "PT0S" })).await;
    assert_eq!(minutes_until_shown(&tenant, "phone").await, Some(0));
}

/// The latencies of ten notifications of a new subscription, in milliseconds.
async fn latencies(tenant: &Tenant) -> Vec<i64> {
    let hook = Hook::start(Handshake::Right).await;
    let made = subscribed(tenant, &wanted(tenant, &hook)).await;
    let before = journal_of(tenant, "delivery").await.len();
    for pair in ["Busy/InACall", "Away/Away"].iter().cycle().take(10) {
        let body = session(X, pair, Some("PT4H"));
        tenant.presence(X, ANNA, "setPresence", body).await;
        // Long enough for no notification to wait for an earlier one.
        tenant.advance_minutes(61.0 * SECOND).await;
    }
    let path = format!("subscriptions/{}", made["id"].as_str().unwrap());
    let caller = (X, ANNA, "Presence.Read.All");
    tenant.as_user(caller, Method::DELETE, &path, None).await;
    let moment = |text: &Value| {
        let text = text.as_str().unwrap();
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    };
    let delivered = journal_of(tenant, "delivery").await.split_off(before);
    assert_eq!(delivered.len(), 10);
    delivered
        .iter()
        .map(|one| moment(&one["at"]) - moment(&one["detail"]["posted"]))
        .collect()
}

/// A tenant with a seed of its random numbers.
async fn seeded(seed: u64) -> Tenant {
    let knobs = Knobs {
        seed,
        http_webhooks: true,
        notification_mean: Duration::from_secs(20),
        ..Knobs::default()
    };
    Tenant::start_with(Config { knobs, ..config() }).await
}

#[tokio::test]
async fn knob_seed_repeats_a_run() {
    let seven = seeded(7).await;
    let first = latencies(&seven).await;
    assert_eq!(latencies(&seeded(7).await).await, first);
    let other = latencies(&seeded(8).await).await;
    assert_ne!(other, first);
    // Also at run time: a new seed restarts the numbers, and any other knob does not.
    seven.knobs(json!({ "seed": 8 })).await;
    assert_eq!(latencies(&seven).await, other);
    seven.knobs(json!({ "webLag": "PT1M" })).await;
    assert_ne!(latencies(&seven).await, other);
}
