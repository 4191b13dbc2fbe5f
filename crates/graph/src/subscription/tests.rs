//! The keeper against a simulated Graph with random failures, and its reactions to single events.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::{
    GraphError,
    notification::{Lifecycle, LifecycleKind},
};

const MINUTE: i64 = 60_000;
const URL: &str = "https://bridge.example/graph/notify";

fn certificate(id: &str) -> EncryptionCertificate {
    EncryptionCertificate {
        id: id.into(),
        certificate: Certificate::from_der(*b"certificate"),
    }
}

fn keeper(accounts: &[&str], people: usize) -> Keeper {
    let mut keeper = Keeper::new(KeeperSettings {
        notification_url: URL.into(),
        lifecycle_url: Some(URL.into()),
        certificate: certificate("cert-1"),
        client_state: SecretString::from("canary-state"),
    });
    keeper.set_accounts(accounts.iter().copied());
    let people: Vec<String> = (0..people).map(|number| format!("p{number}")).collect();
    keeper.set_people(people.iter().map(String::as_str));
    keeper
}

fn refused(status: u16) -> GraphError {
    GraphError::Refused {
        call: "test",
        status,
        message: "test".into(),
    }
}

fn service() -> GraphError {
    GraphError::Service {
        peer: crate::Peer::Graph,
        call: "test",
        status: 503,
        retry_after: Some(Duration::from_secs(7)),
    }
}

fn not_found() -> GraphError {
    GraphError::NotFound {
        call: "test",
        what: "test".into(),
    }
}

fn made(id: &str, expires: i64) -> SubscriptionAnswer {
    SubscriptionAnswer::Subscription(Subscription {
        id: id.into(),
        resource: "/communications/presences?$filter=id in ('p0')".into(),
        notification_url: URL.into(),
        expires: Some(expires),
    })
}

fn only(keeper: &mut Keeper, now: i64) -> Action {
    let mut actions = keeper.poll(now);
    assert_eq!(actions.len(), 1, "{actions:?}");
    actions.remove(0)
}

fn lifecycle(id: &str, kind: LifecycleKind) -> Lifecycle {
    Lifecycle {
        subscription: id.into(),
        kind,
        expires: None,
    }
}

#[test]
fn a_subscription_is_made_and_renewed_early() {
    let mut keeper = keeper(&["service"], 3);
    let Action::Create { subscription, .. } = only(&mut keeper, 0) else {
        panic!();
    };
    assert!(subscription.expires <= 60 * MINUTE);
    let body = subscription.body();
    assert_eq!(
        body["resource"],
        "/communications/presences?$filter=id in ('p0','p1','p2')"
    );
    assert_eq!(body["expirationDateTime"], "1970-01-01T00:59:00Z");
    assert_eq!(body["lifecycleNotificationUrl"], URL);
    assert!(keeper.poll(0).is_empty() && keeper.deadline().is_none());
    keeper.on_answer(1_000, "service", Ok(made("s1", 59 * MINUTE)));
    assert_eq!(keeper.subscriptions().collect::<Vec<_>>(), ["s1"]);
    let renew_at = keeper.deadline().unwrap();
    assert!((19 * MINUTE..=21 * MINUTE).contains(&renew_at));
    assert!(keeper.poll(renew_at - 1).is_empty());
    let Action::Renew {
        id,
        expires,
        certificate,
        ..
    } = only(&mut keeper, renew_at)
    else {
        panic!();
    };
    assert_eq!((id.as_str(), certificate), ("s1", None));
    assert_eq!(expires, renew_at + 59 * MINUTE);
    assert!(!format!("{keeper:?} {subscription:?}").contains("canary"));
}

#[test]
fn a_lost_subscription_is_created_again() {
    let mut keeper = keeper(&["service"], 1);
    only(&mut keeper, 0);
    keeper.on_answer(0, "service", Ok(made("s1", 59 * MINUTE)));
    let renew_at = keeper.deadline().unwrap();
    only(&mut keeper, renew_at);
    keeper.on_answer(renew_at, "service", Err(not_found()));
    let again = keeper.deadline().unwrap();
    assert!(matches!(only(&mut keeper, again), Action::Create { .. }));
    keeper.on_answer(again, "service", Ok(made("s2", again + 59 * MINUTE)));
    keeper.on_lifecycle(&lifecycle("s1", LifecycleKind::SubscriptionRemoved));
    assert_eq!(keeper.subscriptions().count(), 1);
    keeper.on_lifecycle(&lifecycle("s2", LifecycleKind::SubscriptionRemoved));
    assert!(matches!(only(&mut keeper, again), Action::Create { .. }));
}

#[test]
fn a_subscription_without_lifetime_is_renewed_at_a_pace() {
    for expires in [i64::MIN, 0, 1, 2, i64::MAX] {
        let mut keeper = keeper(&["service"], 1);
        only(&mut keeper, 0);
        keeper.on_answer(0, "service", Ok(made("s1", expires)));
        assert!(keeper.deadline().unwrap() >= 10_000, "{expires}");
        assert!(keeper.deadline().unwrap() <= 20 * MINUTE, "{expires}");
    }
}

#[test]
fn row_89_reauthorization_is_answered_at_once() {
    let mut keeper = keeper(&["service"], 1);
    only(&mut keeper, 0);
    keeper.on_answer(0, "service", Ok(made("s1", 59 * MINUTE)));
    keeper.on_lifecycle(&lifecycle("s1", LifecycleKind::ReauthorizationRequired));
    let is_expected = |action: Action| matches!(action, Action::Reauthorize { account, id } if account == "service" && id == "s1");
    assert!(is_expected(only(&mut keeper, 1_000)));
    keeper.on_answer(1_000, "service", Err(service()));
    assert_eq!(keeper.deadline(), Some(8_000));
    assert!(is_expected(only(&mut keeper, 8_000)));
    keeper.on_answer(8_000, "service", Ok(SubscriptionAnswer::Empty));
    assert!(keeper.deadline().unwrap() > 10 * MINUTE);
    keeper.on_lifecycle(&lifecycle("s1", LifecycleKind::Missed));
    assert!(keeper.poll(9_000).is_empty());
}

#[test]
fn row_59_an_older_one_of_ours_is_deleted_and_another_programs_is_left_alone() {
    let mut keeper = keeper(&["service"], 1);
    only(&mut keeper, 0);
    keeper.on_answer(0, "service", Err(refused(409)));
    let at = keeper.deadline().unwrap();
    assert!(matches!(only(&mut keeper, at), Action::List { .. }));
    let found = |id: &str, resource: &str, url: &str| Subscription {
        id: id.into(),
        resource: resource.into(),
        notification_url: url.into(),
        expires: None,
    };
    let list = vec![
        found("mail", "/me/messages", URL),
        found("old", "communications/presences/1", URL),
    ];
    keeper.on_answer(at, "service", Ok(SubscriptionAnswer::List(list)));
    assert!(
        matches!(only(&mut keeper, at), Action::Delete { account, id } if account == "service" && id == "old")
    );
    keeper.on_answer(at, "service", Ok(SubscriptionAnswer::Empty));
    let at = keeper.deadline().unwrap();
    assert!(matches!(only(&mut keeper, at), Action::Create { .. }));

    keeper.on_answer(at, "service", Err(refused(409)));
    let at = keeper.deadline().unwrap();
    only(&mut keeper, at);
    let others = vec![found(
        "other",
        "/communications/presences/1",
        "https://other.example",
    )];
    keeper.on_answer(at, "service", Ok(SubscriptionAnswer::List(others)));
    let trouble = keeper.status().next().unwrap().trouble.unwrap();
    assert!(trouble.contains("https://other.example"), "{trouble}");
    assert_eq!(keeper.deadline(), Some(at + 5 * MINUTE));
}

#[test]
fn another_certificate_is_given_with_a_renewal() {
    let mut keeper = keeper(&["service"], 1);
    only(&mut keeper, 0);
    // The certificate changes while the creation is in flight.
    keeper.set_certificate(certificate("cert-2"));
    keeper.on_answer(0, "service", Ok(made("s1", 59 * MINUTE)));
    let Action::Renew {
        certificate,
        expires,
        ..
    } = only(&mut keeper, 1)
    else {
        panic!();
    };
    let body = renewal(expires, certificate.as_ref());
    assert_eq!(body["encryptionCertificateId"], "cert-2");
    keeper.on_answer(1, "service", Ok(made("s1", 59 * MINUTE)));
    assert!(keeper.deadline().unwrap() > 10 * MINUTE);
    assert_eq!(
        renewal(0, None),
        serde_json::json!({ "expirationDateTime": "1970-01-01T00:00:00Z" })
    );
}

#[test]
fn people_are_changed_by_a_new_subscription_and_not_for_each_of_them() {
    let mut keeper = keeper(&["a", "b"], 700);
    assert_eq!((keeper.poll(0).len(), keeper.unserved()), (2, 0));
    keeper.on_answer(0, "a", Ok(made("s1", 59 * MINUTE)));
    keeper.on_answer(0, "b", Ok(made("s2", 59 * MINUTE)));
    let people: Vec<String> = (0..1_400).map(|number| format!("p{number}")).collect();
    keeper.set_people(people.iter().map(String::as_str));
    assert_eq!(keeper.unserved(), 100);
    assert!(keeper.poll(MINUTE - 1).is_empty());
    // The first account was full before, and keeps its people.
    let Action::Delete { account, id } = only(&mut keeper, MINUTE) else {
        panic!();
    };
    assert_eq!((account.as_str(), id.as_str()), ("b", "s2"));
    keeper.on_answer(MINUTE, "b", Ok(SubscriptionAnswer::Empty));
    assert!(matches!(only(&mut keeper, MINUTE), Action::Create { .. }));
    keeper.on_answer(MINUTE, "b", Ok(made("s3", 60 * MINUTE)));
    // The subscription of a removed account is deleted.
    keeper.set_accounts(["a"]);
    let deleted = only(&mut keeper, MINUTE);
    assert_eq!(deleted.account(), "b");
    keeper.on_answer(MINUTE, "b", Ok(SubscriptionAnswer::Empty));
    keeper.poll(MINUTE);
    assert_eq!(keeper.status().count(), 1);
}

#[test]
fn a_request_that_needs_an_administrator_is_retried_slowly() {
    let mut keeper = keeper(&["service"], 1);
    only(&mut keeper, 0);
    let forbidden = GraphError::Forbidden {
        call: "create subscription",
        message: "no".into(),
        permission: "delegated permission Presence.Read.All",
    };
    keeper.on_answer(0, "service", Err(forbidden));
    assert_eq!(keeper.deadline(), Some(5 * MINUTE));
    let status = keeper.status().next().unwrap();
    assert!(status.trouble.unwrap().contains("Presence.Read.All"));
}

/// Simulation of Graph's subscriptions.
#[derive(Default)]
struct FakeGraph {
    live: BTreeMap<String, (String, Vec<String>, i64)>,
    count: usize,
}

impl FakeGraph {
    fn answer(&mut self, now: i64, action: &Action) -> Result<SubscriptionAnswer, GraphError> {
        self.live.retain(|_, (_, _, expires)| *expires > now);
        let mine = self.live.get_mut(action.account());
        match action {
            Action::Create { subscription, .. } => {
                assert!(subscription.people.len() <= SUBSCRIPTION_MAX);
                assert!(subscription.expires <= now + 60 * MINUTE);
                if mine.is_some() {
                    return Err(refused(409));
                }
                self.count += 1;
                let id = format!("s{}", self.count);
                let people = subscription.people.clone();
                let entry = (id.clone(), people, subscription.expires);
                self.live.insert(action.account().into(), entry);
                Ok(made(&id, subscription.expires))
            }
            Action::Renew { id, expires, .. } => match mine.filter(|mine| mine.0 == *id) {
                Some(mine) => {
                    mine.2 = *expires;
                    Ok(made(id, *expires))
                }
                None => Err(not_found()),
            },
            Action::Reauthorize { id, .. } => mine
                .filter(|mine| mine.0 == *id)
                .map(|_| SubscriptionAnswer::Empty)
                .ok_or_else(not_found),
            Action::Delete { id, .. } => {
                self.live.retain(|_, mine| mine.0 != *id);
                Ok(SubscriptionAnswer::Empty)
            }
            Action::List { .. } => {
                let list = mine
                    .into_iter()
                    .filter_map(|mine| match made(&mine.0, mine.2) {
                        SubscriptionAnswer::Subscription(subscription) => Some(subscription),
                        _ => None,
                    });
                Ok(SubscriptionAnswer::List(list.collect()))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Fail,
    LoseAnswer,
    LoseSubscriptions,
    Lifecycle(LifecycleKind),
    Distrust,
    People(usize),
    Accounts(usize),
    Certificate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0i64..30 * MINUTE).prop_map(Step::Pass),
        2 => Just(Step::Fail),
        1 => Just(Step::LoseAnswer),
        1 => Just(Step::LoseSubscriptions),
        1 => Just(Step::Lifecycle(LifecycleKind::ReauthorizationRequired)),
        1 => Just(Step::Lifecycle(LifecycleKind::SubscriptionRemoved)),
        1 => Just(Step::Distrust),
        1 => (0usize..1_500).prop_map(Step::People),
        1 => (0usize..4).prop_map(Step::Accounts),
        1 => Just(Step::Certificate),
    ]
}

/// Advances the time to `until`, with a limit on requests against endless loops.
fn drive(keeper: &mut Keeper, graph: &mut FakeGraph, now: &mut i64, until: i64) {
    let mut requests = 0;
    loop {
        for action in keeper.poll(*now) {
            requests += 1;
            let answer = graph.answer(*now, &action);
            keeper.on_answer(*now, action.account(), answer);
        }
        let next = keeper.deadline().unwrap_or(until).max(*now);
        if next >= until {
            break;
        }
        assert!(requests < 1_000, "the keeper hammers: {keeper:?}");
        *now = next;
    }
    *now = until;
}

#[test]
fn a_subscription_that_is_silent_about_three_people_is_created_again() {
    let mut keeper = keeper(&["a"], 10);
    let (mut graph, mut now) = (FakeGraph::default(), 0);
    drive(&mut keeper, &mut graph, &mut now, MINUTE);
    let first: Vec<String> = keeper.subscriptions().map(str::to_owned).collect();
    // A late notification, then a lost one, then silence.
    keeper.on_presence_change(now, "p0");
    keeper.on_presence_change(now, "p1");
    drive(&mut keeper, &mut graph, &mut now, 2 * MINUTE);
    keeper.on_notification(now, "p0");
    drive(&mut keeper, &mut graph, &mut now, 5 * MINUTE);
    assert_eq!(keeper.silent_recreations(), 0);
    for user in ["p2", "p3", "p4", "stranger"] {
        keeper.on_presence_change(now, user);
    }
    for minute in [7, 8] {
        drive(&mut keeper, &mut graph, &mut now, minute * MINUTE);
    }
    assert_eq!(keeper.silent_recreations(), 1);
    let second: Vec<String> = keeper.subscriptions().map(str::to_owned).collect();
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
}

proptest! {
    #[test]
    fn whatever_happens_all_is_well_two_hours_later(steps in prop::collection::vec(step(), 0..40)) {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let mut keeper = keeper(&NAMES[..1], 10);
        let (mut graph, mut now, mut accounts) = (FakeGraph::default(), 0, 1);
        for step in steps {
            match step {
                Step::Pass(time) => {
                    let until = now + time;
                    drive(&mut keeper, &mut graph, &mut now, until);
                }
                Step::Fail => for action in keeper.poll(now) {
                    keeper.on_answer(now, action.account(), Err(service()));
                },
                Step::LoseAnswer => for action in keeper.poll(now) {
                    let _ = graph.answer(now, &action);
                    keeper.on_answer(now, action.account(), Err(service()));
                },
                Step::LoseSubscriptions => graph.live.clear(),
                Step::Lifecycle(kind) => {
                    let ids: Vec<String> = keeper.subscriptions().map(str::to_owned).collect();
                    for id in ids {
                        keeper.on_lifecycle(&lifecycle(&id, kind.clone()));
                    }
                }
                Step::Distrust => {
                    for user in ["p0", "p1", "p2"] {
                        keeper.on_presence_change(now, user);
                    }
                    let until = now + 2 * MINUTE;
                    drive(&mut keeper, &mut graph, &mut now, until);
                }
                Step::People(count) => {
                    let people: Vec<String> = (0..count).map(|number| format!("p{number}")).collect();
                    keeper.set_people(people.iter().map(String::as_str));
                }
                Step::Accounts(count) => {
                    accounts = count.min(3);
                    keeper.set_accounts(NAMES[..accounts].iter().copied());
                }
                Step::Certificate => keeper.set_certificate(certificate(&now.to_string())),
            }
        }
        let until = now + 120 * MINUTE;
        drive(&mut keeper, &mut graph, &mut now, until);
        graph.live.retain(|_, (_, _, expires)| *expires > now);
        let mut known: Vec<&str> = keeper.subscriptions().collect();
        let mut there: Vec<&str> = graph.live.values().map(|live| live.0.as_str()).collect();
        known.sort_unstable();
        there.sort_unstable();
        prop_assert_eq!(known, there);
        let watched: usize = graph.live.values().map(|live| live.1.len()).sum();
        let wanted: usize = keeper.status().map(|status| status.people).sum();
        prop_assert_eq!(watched, wanted);
        prop_assert_eq!(keeper.status().count(), accounts);
        prop_assert!(keeper.status().all(|status| status.trouble.is_none()));
    }
}
