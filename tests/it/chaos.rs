//! Every fault that the tenant in a box has, one after the other, while people call and meet: no call in Teams is ever
//! invented, and in the end everything is right again and nothing of ours is left behind.

use std::collections::BTreeSet;

use end_to_end::{Demo, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::HEALS;

/// People of the demo by the part of their address before the `@`, and by name. The last three are never in a Teams call.
const PEOPLE: [(&str, &str); 6] = [
    ("anna", "Anna Becker"),
    ("bert", "Bert Lindqvist"),
    ("carla", "Carla Moreno"),
    ("david", "David Okafor"),
    ("elif", "Elif Yılmaz"),
    ("farid", "Farid Haddad"),
];
const CALLERS: usize = 3;

fn faults() -> Vec<Value> {
    vec![
        json!({"graph": {"status": 503}}),
        json!({"graph": {"status": 500, "percent": 50}}),
        json!({"graph": {"status": 429, "retryAfter": "1"}}),
        json!({"graph": {"status": 429, "percent": 30}}),
        json!({"graph": {"status": 429, "retryAfter": "0.7", "remaining": 5}}),
        json!({"graph": {"status": 503, "operations": ["setPresence"]}}),
        json!({"graph": {"status": 503, "operations": ["clearPresence"], "remaining": 4}}),
        json!({"graph": {"status": 401, "remaining": 3}}),
        json!({"graph": {"status": 404, "operations": ["clearPresence"]}}),
        json!({"token": {"status": 503, "remaining": 2}}),
        json!({"delayMilliseconds": 300}),
        json!({"readLag": "PT5S"}),
        json!({"readLag": "PT45S"}),
    ]
}

#[tokio::test]
async fn every_fault_one_after_the_other_ends_with_everything_right() {
    let demo = Demo::start(&["--still", "--clock", "manual"]).await;
    let (server, teamsbox) = (&demo.server, &demo.teamsbox);
    let mut in_teams: BTreeSet<usize> = BTreeSet::new();
    let mut meeting: BTreeSet<usize> = BTreeSet::new();
    let mut ids = Vec::new();
    for (_, name) in PEOPLE {
        ids.push(server.person(name).await);
    }
    let daily = |person: usize| format!("/api/v1/people/{}/meetings/daily", ids[person]);
    for (turn, fault) in faults().into_iter().enumerate() {
        teamsbox.faults(fault.clone()).await;
        // Everybody does something different in each turn; which follows from the turn alone.
        let caller = turn % CALLERS;
        if in_teams.remove(&caller) {
            teamsbox.end_call(PEOPLE[caller].0).await;
        } else {
            in_teams.insert(caller);
            let call = json!({"kind": "audio"});
            let path = format!("/users/{}@contoso.example/call", PEOPLE[caller].0);
            teamsbox.control(Method::PUT, &path, Some(call)).await;
        }
        for person in [turn % PEOPLE.len(), (turn * 5 + 3) % PEOPLE.len()] {
            if meeting.remove(&person) {
                server.ok(Method::DELETE, &daily(person), None).await;
            } else {
                meeting.insert(person);
            }
        }
        // As a meeting server does, well within the lease of a minute.
        for _ in 0..2 {
            for person in &meeting {
                let audio = Some(json!({"audio": true}));
                server.ok(Method::PUT, &daily(*person), audio).await;
            }
            teamsbox.advance("PT20S").await;
        }
        for (person, (_, name)) in PEOPLE.iter().enumerate() {
            let shown = server.shown(name).await;
            let met = shown == "Busy InMeeting meeting";
            assert_eq!(
                met,
                meeting.contains(&person),
                "{name} is {shown} during {fault}"
            );
            let invented = person >= CALLERS && shown.contains("teams");
            assert!(!invented, "{name} is {shown} during {fault}");
        }
    }
    teamsbox.faults(json!({})).await;
    for person in meeting {
        server.ok(Method::DELETE, &daily(person), None).await;
    }
    for person in in_teams {
        teamsbox.end_call(PEOPLE[person].0).await;
    }
    // What is waited for is the network's time; the tenant's passes by hand.
    for (user, name) in PEOPLE {
        let at_rest = async || {
            teamsbox.advance("PT5S").await;
            let sessions = teamsbox.app_sessions(user).await;
            (
                server.shown(name).await,
                teamsbox.shown(user).await,
                sessions,
            )
        };
        let expected = ("Available".to_owned(), "Available/Available".to_owned(), 0);
        eventually(name, HEALS, expected, at_rest).await;
    }
    assert!(server.is_ready().await, "{:?}", server.troubles().await);
}
