//! The clock: modes, steps, and followers.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use teamsbox::{ClockMode, Config, StartError, Teamsbox};

use crate::support::{ANNA, Tenant, X, config, session};

#[tokio::test]
async fn manual_time_moves_by_request_only() {
    let tenant = Tenant::start().await;
    let before = tenant.teamsbox.clock().now_milliseconds();
    let answer = tenant
        .ok(Method::POST, "clock", Some(json!({ "advance": "PT12H" })))
        .await;
    assert_eq!(answer["mode"], "manual");
    assert_eq!(
        tenant.teamsbox.clock().now_milliseconds() - before,
        12 * 3_600_000
    );
    assert_eq!(tenant.ok(Method::GET, "clock", None).await, answer);
}

#[tokio::test]
async fn real_time_cannot_be_moved_and_never_jumps_back() {
    let tenant = Tenant::start_with(Config {
        clock: ClockMode::Real,
        ..config()
    })
    .await;
    let (status, problem) = tenant
        .control(Method::POST, "clock", Some(json!({ "advance": "PT1S" })))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::CONFLICT, &"advance".into())
    );
    tenant
        .ok(
            Method::POST,
            "clock",
            Some(json!({ "mode": "manual", "advance": "P1D" })),
        )
        .await;
    let moved = tenant.teamsbox.clock().now_milliseconds();
    tenant
        .ok(Method::POST, "clock", Some(json!({ "mode": "real" })))
        .await;
    assert!(tenant.teamsbox.clock().now_milliseconds() >= moved);
    for body in [
        json!({}),
        json!({ "advance": "12h" }),
        json!({ "advance": "-PT1S" }),
        json!({ "advance": "P367D" }),
    ] {
        let (status, _) = tenant.control(Method::POST, "clock", Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_follower_sees_every_step_and_is_waited_for() {
    let tenant = Tenant::start().await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, "Busy/InACall", None))
        .await;
    let clock = tenant.teamsbox.clock().clone();
    let start = clock.now_milliseconds();
    let mut follower = clock.follow();
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(step) = follower.next().await {
            let offset = step.now_milliseconds - start;
            seen.push(offset);
            step.done();
            if offset == 310_000 {
                break;
            }
        }
        seen
    });
    tenant
        .ok(Method::POST, "clock", Some(json!({ "advance": "PT5M10S" })))
        .await;
    let seen = seen.await.unwrap();
    let expected: Vec<i64> = (1..=15)
        .map(|step| step * 20_000)
        .chain([310_000])
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
    // The follower is gone; time goes on without it.
    clock.advance(Duration::from_secs(60)).await;
    assert_eq!(clock.now_milliseconds() - start, 370_000);
}

#[tokio::test]
async fn changes_by_time_carry_their_own_moment() {
    let tenant = Tenant::start().await;
    let start = tenant.teamsbox.clock().now_milliseconds();
    tenant
        .presence(
            X,
            ANNA,
            "setPresence",
            session(X, "Available/Available", Some("PT30M")),
        )
        .await;
    tenant.advance_minutes(600.0).await;
    let journal = tenant.journal().await;
    let changes: Vec<_> = journal
        .iter()
        .filter(|entry| entry["kind"] == "change")
        .map(|entry| {
            let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
            (
                (at.as_millisecond() - start) / 60_000,
                entry["detail"]["to"]["availability"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            (0, "Available"),
            (5, "AvailableIdle"),
            (10, "Away"),
            (30, "Offline")
        ]
    );
}

#[tokio::test]
async fn real_time_takes_effect_by_itself() {
    let tenant = Tenant::start_with(Config {
        clock: ClockMode::Real,
        ..config()
    })
    .await;
    let manual = json!({ "availability": "Busy", "expirationDuration": "PT0.05S" });
    tenant
        .ok(Method::POST, &format!("users/{ANNA}/clients"), None)
        .await;
    let mut feed = tenant
        .http
        .get(format!("{}/box/v1/events", tenant.url))
        .send()
        .await
        .unwrap();
    let mut text = String::new();
    let mut asked = false;
    // No request reads presence here: only the event stream reports the expiry of the choice.
    while text.matches("\"availability\":\"Available\"").count() < 1 {
        let chunk = tokio::time::timeout(Duration::from_secs(20), feed.chunk())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        if !asked && text.contains("event: hello") {
            asked = true;
            tenant
                .ok(
                    Method::PUT,
                    &format!("users/{ANNA}/manual"),
                    Some(manual.clone()),
                )
                .await;
        }
    }
    assert!(text.contains("\"availability\":\"Busy\""), "{text}");
    tenant.teamsbox.stop().await;
    while let Ok(Some(_)) = feed.chunk().await {}
}

#[tokio::test]
async fn a_taken_address_is_named_with_a_remedy() {
    let tenant = Tenant::start().await;
    let listen = tenant.teamsbox.address();
    let error = Teamsbox::start(Config {
        listen,
        ..Config::default()
    })
    .await
    .err()
    .unwrap();
    assert!(matches!(error, StartError::Listen { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&listen.to_string()) && text.contains("--listen"),
        "{text}"
    );
    tenant.teamsbox.stop().await;
    Teamsbox::start(Config {
        listen,
        ..Config::default()
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn dropping_it_stops_it() {
    let tenant = Tenant::start().await;
    let address = tenant.teamsbox.address();
    let mut follower = tenant.teamsbox.clock().follow();
    drop(tenant);
    let listen = async {
        while Teamsbox::start(Config {
            listen: address,
            ..Config::default()
        })
        .await
        .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listen)
        .await
        .unwrap();
    let end = tokio::time::timeout(Duration::from_secs(20), follower.next())
        .await
        .unwrap();
    assert!(end.is_none(), "nobody holds the clock any more");
}
