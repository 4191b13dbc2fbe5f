//! Order, replacement and backoff of the queue of writes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{FinishResult, Outcome, PushResult, WriteQueue};
use crate::{
    Operation::{self, ClearDoNotDisturb, ClearSession, RenewSession, SetDoNotDisturb, SetSession},
    Slot,
};

fn user(name: &str) -> Arc<str> {
    name.into()
}

#[test]
fn the_latest_write_replaces_the_waiting_one() {
    let mut queue = WriteQueue::default();
    let anna = user("anna");
    queue.push(0, &anna, SetSession, 1);
    queue.push(0, &anna, ClearSession, 2);
    let write = queue.pop(0).unwrap();
    assert_eq!((write.operation, write.tag), (ClearSession, 2));
    assert!(queue.pop(0).is_none());
    queue.finish(0, &anna, Outcome::Done);
    assert!(queue.is_empty());
}

#[test]
fn call_ends_go_before_starts_before_do_not_disturb_before_renewals() {
    let mut queue = WriteQueue::default();
    for (name, operation) in [
        ("a", RenewSession),
        ("b", SetDoNotDisturb),
        ("c", SetSession),
        ("d", ClearSession),
    ] {
        queue.push(0, &user(name), operation, ());
    }
    let order: Vec<Operation> = std::iter::from_fn(|| queue.pop(0))
        .map(|write| write.operation)
        .collect();
    assert_eq!(
        order,
        [ClearSession, SetSession, SetDoNotDisturb, RenewSession]
    );
}

#[test]
fn one_request_per_person_is_on_the_wire() {
    let mut queue = WriteQueue::default();
    let anna = user("anna");
    queue.push(0, &anna, SetSession, 1);
    queue.push(0, &anna, SetDoNotDisturb, 2);
    assert_eq!(queue.pop(0).unwrap().tag, 1);
    queue.push(0, &anna, ClearSession, 3);
    assert!(queue.pop(0).is_none());
    queue.finish(0, &anna, Outcome::Done);
    assert_eq!(queue.pop(0).unwrap().tag, 3);
    queue.finish(0, &anna, Outcome::Done);
    assert_eq!(queue.pop(0).unwrap().tag, 2);
}

#[test]
fn a_failed_write_waits_and_a_newer_one_overtakes_it() {
    let mut queue = WriteQueue::default();
    let anna = user("anna");
    queue.push(0, &anna, SetSession, 1);
    queue.pop(0).unwrap();
    queue.finish(0, &anna, Outcome::Retry(Some(Duration::from_secs(10))));
    assert!(queue.pop(9_999).is_none());
    assert_eq!(queue.next_wake(), Some(10_000));
    assert_eq!(queue.pop(10_000).unwrap().tag, 1);
    queue.push(10_000, &anna, ClearSession, 2);
    queue.finish(10_000, &anna, Outcome::Retry(None));
    assert_eq!(
        queue.pop(60_000).unwrap().tag,
        2,
        "the newer one, and only it"
    );
    queue.finish(60_000, &anna, Outcome::Done);
    assert!(queue.is_empty());
}

#[test]
fn the_end_of_an_outage_is_detected_within_two_seconds_and_wakes_all_writes() {
    let mut queue = WriteQueue::default();
    let people: Vec<_> = (0..50).map(|number| user(&number.to_string())).collect();
    let mut now = 0;
    for person in &people {
        queue.push(now, person, SetSession, ());
    }
    // An outage of ten minutes: all writes rest longer and longer, but one is tried every two seconds.
    let mut tries = 0;
    let mut last = 0;
    while now < 600_000 {
        now = queue.next_wake().unwrap_or(now).max(now + 1);
        while let Some(write) = queue.pop(now) {
            tries += 1;
            assert!(now - last <= 2_001, "nobody was tried from {last} to {now}");
            last = now;
            queue.finish(now, &write.user, Outcome::Retry(None));
        }
    }
    assert!(tries < 50 * 20 + 300 * 2, "{tries} tries");
    // The outage is over: the next try succeeds, and then all writes go at once.
    now = queue.next_wake().unwrap();
    assert!(now <= 602_001);
    let first = queue.pop(now).unwrap();
    queue.finish(now, &first.user, Outcome::Done);
    let rest = std::iter::from_fn(|| queue.pop(now)).count();
    assert_eq!(rest, 49);
}

#[test]
fn a_write_that_fails_while_others_succeed_waits_alone() {
    let mut queue = WriteQueue::default();
    let (anna, ben) = (user("anna"), user("ben"));
    let mut tries = 0;
    for now in 0..600_000 {
        if now % 100 == 0 {
            queue.push(now, &ben, SetSession, ());
        }
        if now == 0 {
            queue.push(now, &anna, SetSession, ());
        }
        while let Some(write) = queue.pop(now) {
            let outcome = if write.user == anna {
                tries += 1;
                Outcome::Retry(None)
            } else {
                Outcome::Done
            };
            queue.finish(now, &write.user, outcome);
        }
    }
    assert!(tries < 25, "{tries} tries in ten minutes");
}

#[test]
fn a_wait_that_the_service_named_is_kept_whatever_others_do() {
    let mut queue = WriteQueue::default();
    let (anna, ben) = (user("anna"), user("ben"));
    queue.push(0, &anna, SetSession, 1);
    queue.pop(0).unwrap();
    queue.finish(0, &anna, Outcome::Retry(Some(Duration::from_secs(30))));
    queue.push(1, &ben, SetSession, 2);
    queue.pop(1).unwrap();
    queue.finish(1, &ben, Outcome::Done);
    assert_eq!(queue.next_wake(), Some(30_000));
    assert!(queue.pop(29_999).is_none());
}

proptest! {
    /// In any sequence of events, the last write pushed for a slot is the last one acknowledged, and the queue empties.
    #[test]
    fn the_last_write_wins(
        steps in prop::collection::vec((0u8..4, 0usize..3, 0usize..5), 1..200),
    ) {
        let operations =
            [SetSession, ClearSession, SetDoNotDisturb, ClearDoNotDisturb, RenewSession];
        let users = [user("a"), user("b"), user("c")];
        let (mut queue, mut wished, mut done) = (WriteQueue::default(), HashMap::new(), HashMap::new());
        let (mut now, mut flying) = (0, Vec::new());
        for (tag, (step, who, what)) in steps.into_iter().enumerate() {
            now += 500;
            match step {
                0 | 1 => {
                    let operation = operations[what];
                    if queue.push(now, &users[who], operation, tag) == PushResult::Cancelled {
                        done.insert((who, operation.slot()), tag);
                    }
                    wished.insert((who, operation.slot()), tag);
                }
                2 => flying.extend(queue.pop(now)),
                _ => if !flying.is_empty() {
                    let write = flying.swap_remove(what % flying.len());
                    let outcome = if who == 0 { Outcome::Retry(None) } else { Outcome::Done };
                    if outcome == Outcome::Done {
                        let who = users.iter().position(|user| *user == write.user).unwrap();
                        done.insert((who, write.operation.slot()), write.tag);
                    }
                    queue.finish(now, &write.user, outcome);
                }
            }
            let mut people: Vec<_> = flying.iter().map(|write| write.user.clone()).collect();
            people.sort();
            people.dedup();
            prop_assert_eq!(people.len(), flying.len(), "two requests of one person on the wire");
        }
        while !queue.is_empty() {
            now += 100_000;
            flying.extend(queue.pop(now));
            if let Some(write) = flying.pop() {
                let who = users.iter().position(|user| *user == write.user).unwrap();
                done.insert((who, write.operation.slot()), write.tag);
                queue.finish(now, &write.user, Outcome::Done);
            }
        }
        prop_assert_eq!(wished, done);
    }
}

/// Teams is known to hold no write of ours: a write that is cleared before it was sent causes no request.
#[test]
fn a_write_that_was_never_sent_is_not_cleared() {
    let mut queue = WriteQueue::default();
    let anna = user("anna");
    for operation in [SetSession, ClearSession] {
        assert_eq!(queue.push(0, &anna, operation, ()), PushResult::Queued);
        queue.pop(0).unwrap();
        queue.finish(0, &anna, Outcome::Done);
    }
    for _ in 0..2 {
        assert_eq!(queue.push(1, &anna, SetSession, ()), PushResult::Queued);
        assert_eq!(
            queue.push(2, &anna, ClearSession, ()),
            PushResult::Cancelled
        );
        assert!(queue.is_empty() && queue.pop(2).is_none());
    }
    // A clear alone is sent: the engine has a reason for it.
    assert_eq!(queue.push(3, &anna, ClearSession, ()), PushResult::Queued);
    assert_eq!(queue.pop(3).unwrap().operation, ClearSession);
}

#[test]
fn a_write_that_teams_may_hold_is_cleared() {
    // At the start; after a write; after a write without an answer; after an answer that may be wrong.
    let histories: [&[(Operation, Outcome)]; 4] = [
        &[],
        &[(SetSession, Outcome::Done)],
        &[
            (ClearSession, Outcome::Done),
            (SetSession, Outcome::Retry(None)),
        ],
        &[(ClearSession, Outcome::NothingToClear)],
    ];
    for history in histories {
        let mut queue = WriteQueue::default();
        let anna = user("anna");
        for (operation, outcome) in history {
            queue.push(0, &anna, *operation, ());
            queue.pop(0).unwrap();
            queue.finish(0, &anna, *outcome);
        }
        queue.push(1, &anna, SetSession, ());
        assert_eq!(queue.push(2, &anna, ClearSession, ()), PushResult::Queued);
        let write = queue.pop(60_000).unwrap();
        assert_eq!(write.operation, ClearSession, "{history:?}");
        assert!(queue.pop(60_000).is_none(), "the other was overtaken");
    }
}

#[test]
fn a_renewal_gives_way_to_a_bounded_number_of_starts_of_calls() {
    let mut queue = WriteQueue::default();
    queue.push(0, &user("renewed"), RenewSession, usize::MAX);
    let mut before = 0;
    for number in 0..2_000 {
        queue.push(0, &user(&format!("begins-{number}")), SetSession, number);
        let write = queue.pop(0).unwrap();
        queue.finish(0, &write.user, Outcome::Done);
        if write.tag == usize::MAX {
            break;
        }
        before += 1;
    }
    assert!((1_500..=1_601).contains(&before), "{before} before it");
}

/// A start of a call that an outage holds up for more than four minutes is renewed before it is sent.
#[test]
fn a_renewal_of_a_session_that_was_never_set_is_as_urgent_as_its_start() {
    let retry = Outcome::Retry(Some(Duration::from_secs(10)));
    let (anna, ben) = (user("anna"), user("ben"));
    // Renewed while the start waits, and while its request is in flight.
    for renewed_at in [5_000, 0] {
        let mut queue = WriteQueue::default();
        queue.push(0, &anna, SetSession, 1);
        queue.pop(0).unwrap();
        if renewed_at == 0 {
            queue.push(0, &anna, RenewSession, 2);
        }
        queue.finish(0, &anna, retry);
        if renewed_at > 0 {
            queue.push(renewed_at, &anna, RenewSession, 2);
            queue.push(renewed_at, &anna, RenewSession, 2);
        }
        queue.pop(10_000).unwrap();
        queue.finish(10_000, &anna, retry);
        queue.push(20_000, &ben, RenewSession, 3);
        let write = queue.pop(20_000).unwrap();
        assert_eq!((write.operation, write.tag), (SetSession, 2));
        queue.finish(20_000, &anna, Outcome::Done);
        // A later renewal has its own priority.
        queue.push(20_000, &anna, RenewSession, 4);
        queue.pop(20_000).unwrap();
        assert_eq!(queue.pop(20_000).unwrap().operation, RenewSession);
    }
}

#[test]
fn a_rest_after_a_failure_is_no_wait_for_the_budget() {
    let mut queue = WriteQueue::default();
    let (anna, ben) = (user("anna"), user("ben"));
    let oldest = |queue: &mut WriteQueue<_>, now| queue.backlog(now).oldest;
    for person in [&anna, &ben] {
        queue.push(0, person, SetSession, ());
        queue.pop(0).unwrap();
        queue.finish(0, person, Outcome::Retry(None));
    }
    // An outage of ten minutes with many retries.
    let mut now = 0;
    while now < 600_000 {
        now = queue.next_wake().unwrap().max(now);
        while let Some(write) = queue.pop(now) {
            queue.finish(now, &write.user, Outcome::Retry(None));
        }
    }
    // The first success ends the outage for both: the other write waits for the budget from then on.
    now = queue.next_wake().unwrap();
    let first = queue.pop(now).unwrap();
    queue.finish(now, &first.user, Outcome::Done);
    assert_eq!(queue.backlog(now).writes, 1);
    assert_eq!(oldest(&mut queue, now), Duration::ZERO);
    assert_eq!(oldest(&mut queue, now + 12_000), Duration::from_secs(12));
}

/// The wait for the budget continues while the person's other write is sent.
#[test]
fn a_write_has_waited_since_it_was_added_whatever_else_is_sent() {
    let mut queue = WriteQueue::default();
    let anna = user("anna");
    queue.push(0, &anna, SetDoNotDisturb, ());
    queue.push(9_000, &anna, SetSession, ());
    queue.pop(9_000).unwrap();
    queue.finish(9_000, &anna, Outcome::Done);
    assert_eq!(queue.backlog(12_000).oldest, Duration::from_secs(12));
}

#[test]
fn state_of_removed_people_is_forgotten() {
    let mut queue = WriteQueue::default();
    let (anna, ben) = (user("anna"), user("ben"));
    for person in [&anna, &ben] {
        queue.push(0, person, ClearSession, ());
        queue.pop(0).unwrap();
        queue.finish(0, person, Outcome::Done);
    }
    queue.retain_known(|user| user == "ben");
    for (person, pushed) in [(&anna, PushResult::Queued), (&ben, PushResult::Cancelled)] {
        queue.push(1, person, SetSession, ());
        assert_eq!(queue.push(1, person, ClearSession, ()), pushed);
    }
}

// After Graph refused a batch as a whole, writes are sent one by one for a while.
#[test]
fn a_refused_batch_is_followed_by_single_writes() {
    let mut queue = WriteQueue::default();
    for number in 0..45 {
        queue.push(0, &user(&number.to_string()), SetSession, ());
    }
    assert!(queue.may_batch(0));
    let batch: Vec<_> = (0..20).filter_map(|_| queue.pop(0)).collect();
    queue.batch_failed(0);
    for write in &batch {
        queue.finish(0, &write.user, Outcome::Retry(None));
        let rests_until = queue.retry_at(&write.user, Slot::Session).unwrap();
        assert!((1_000..=1_250).contains(&rests_until), "{rests_until}");
    }
    assert!(!queue.may_batch(0) && !queue.may_batch(299_999));
    let mut written = std::collections::BTreeSet::new();
    let mut now = 0;
    while !queue.is_empty() && now < 10_000 {
        assert!(!queue.may_batch(now));
        while let Some(write) = queue.pop(now) {
            assert!(written.insert(write.user.to_string()), "written twice");
            queue.finish(now, &write.user, Outcome::Done);
        }
        now += 10;
    }
    assert_eq!(written.len(), 45, "nobody is left out");
    for number in 0..45 {
        queue.push(now, &user(&number.to_string()), SetDoNotDisturb, ());
    }
    assert!(queue.may_batch(300_000), "and batches again later");
}

#[test]
fn a_slot_has_a_write_until_it_is_confirmed_and_is_cleared_until_the_next() {
    let anna = user("anna");
    let mut queue = WriteQueue::default();
    let state = |queue: &WriteQueue<()>| {
        let slot = Slot::Preferred;
        (queue.has_write(&anna, slot), queue.is_cleared(&anna, slot))
    };
    assert_eq!(state(&queue), (false, false));
    queue.push(0, &anna, ClearSession, ());
    assert_eq!(state(&queue), (false, false), "the other slot");
    queue.pop(0).unwrap();
    queue.finish(0, &anna, Outcome::Done);
    queue.push(0, &anna, ClearDoNotDisturb, ());
    assert_eq!(state(&queue), (true, false), "waits");
    queue.pop(0).unwrap();
    assert_eq!(state(&queue), (true, false), "on the wire");
    queue.finish(0, &anna, Outcome::Done);
    assert_eq!(state(&queue), (false, true));
    queue.push(0, &anna, SetDoNotDisturb, ());
    queue.pop(0).unwrap();
    assert_eq!(state(&queue), (true, false));
}

// A released clear would remove a value that is no longer Offhook's.
#[test]
fn a_clear_that_is_left_is_sent_no_more() {
    let anna = user("anna");
    let mut queue = WriteQueue::default();
    queue.push(0, &anna, ClearDoNotDisturb, ());
    queue.release(&anna, Slot::Session);
    assert!(!queue.is_empty());
    queue.release(&anna, Slot::Preferred);
    assert!(queue.is_empty() && queue.pop(0).is_none());
    // A clear in flight.
    queue.push(0, &anna, ClearDoNotDisturb, ());
    queue.pop(0).unwrap();
    queue.release(&anna, Slot::Preferred);
    let finished = queue.finish(0, &anna, Outcome::Retry(None));
    assert_eq!(finished, FinishResult::Released);
    assert!(queue.is_empty());
    // A newer set stays.
    queue.push(0, &anna, ClearDoNotDisturb, ());
    queue.pop(0).unwrap();
    queue.push(0, &anna, SetDoNotDisturb, ());
    queue.release(&anna, Slot::Preferred);
    queue.finish(0, &anna, Outcome::Retry(None));
    assert_eq!(queue.pop(10_000).unwrap().operation, SetDoNotDisturb);
    queue.finish(10_000, &anna, Outcome::Retry(None));
    assert!(!queue.is_empty(), "and is tried again");
}

// A Do not disturb that Graph keeps refusing does not delay the person's calls.
#[test]
fn a_slot_that_rests_does_not_delay_the_other() {
    let anna = user("anna");
    let mut queue = WriteQueue::default();
    queue.push(0, &anna, ClearDoNotDisturb, 1);
    assert_eq!(queue.pop(0).unwrap().tag, 1);
    queue.push(0, &anna, SetSession, 2);
    assert!(queue.pop(0).is_none(), "one on the wire");
    let refused = Outcome::Retry(Some(Duration::from_secs(60)));
    assert_eq!(queue.finish(0, &anna, refused), FinishResult::Queued);
    assert_eq!(queue.pop(0).unwrap().tag, 2);
    assert_eq!(queue.finish(0, &anna, Outcome::Done), FinishResult::Over);
    queue.push(500, &anna, ClearSession, 3);
    assert_eq!(queue.pop(500).unwrap().tag, 3);
    queue.finish(500, &anna, Outcome::Done);
    assert!(queue.pop(59_999).is_none());
    assert_eq!(queue.retry_at(&anna, Slot::Preferred), Some(60_000));
    assert_eq!(queue.next_wake(), Some(60_000));
    // A rest that ends while the other slot's write is in flight is not forgotten.
    queue.push(59_999, &anna, SetSession, 4);
    assert_eq!(queue.pop(59_999).unwrap().tag, 4);
    assert!(queue.pop(60_000).is_none(), "one on the wire");
    queue.finish(60_001, &anna, Outcome::Retry(None));
    assert_eq!(queue.pop(60_001).unwrap().tag, 1);
}

#[test]
fn a_write_after_one_that_was_left_does_not_rest() {
    let anna = user("anna");
    let mut queue = WriteQueue::default();
    queue.push(0, &anna, SetSession, ());
    queue.pop(0).unwrap();
    queue.push(0, &anna, ClearDoNotDisturb, ());
    queue.finish(0, &anna, Outcome::Retry(Some(Duration::from_secs(90))));
    queue.pop(0).unwrap();
    queue.finish(0, &anna, Outcome::Retry(Some(Duration::from_secs(60))));
    queue.release(&anna, Slot::Preferred);
    assert_eq!(queue.next_wake(), Some(90_000));
    queue.push(1, &anna, SetDoNotDisturb, ());
    assert_eq!(queue.pop(1).unwrap().operation, SetDoNotDisturb);
}
