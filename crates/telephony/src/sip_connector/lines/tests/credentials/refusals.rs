//! Refusals while many lines stand: how many failed logins they make, and what the accepted lines notice of them.

use super::*;

/// 300 lines that are known, and a password that is wrong from now on.
fn changed_password() -> World {
    let mut notifier = Notifier::new(600);
    notifier.nonce_ttl = SECOND * 3600;
    let mut world = World::new(300, notifier);
    world.start();
    world.run_until(SECOND * 95);
    assert_eq!(world.lines.active(), 300);
    world.notifier.right_password = false;
    world
}

// A20: a PBX ends all subscriptions when it is stopped, and has another password when it is there again.
#[test]
fn subscriptions_that_end_together_make_a_few_failed_logins() {
    for state in ["terminated;reason=deactivated", "active;expires=0"] {
        let mut world = changed_password();
        for end in world.notify_all(state) {
            world.post(false, end);
        }
        world.notifier.restart();
        world.run_until(SECOND * 155);
        // Four lines try, each with its old nonce and with a new one.
        let failed = world.notifier.failed_logins;
        assert!((4..=8).contains(&failed), "{failed}");
        assert!(world.lines.account_trouble().is_some());
        world.notifier.right_password = true;
        world.run_until(SECOND * 400);
        assert_eq!(world.lines.active(), 300);
    }
}

// A20
#[test]
fn subscriptions_that_end_together_begin_again_at_once() {
    let mut world = changed_password();
    world.notifier.right_password = true;
    let ends = world.notify_all("terminated;reason=deactivated");
    world.notifier.dialogs.clear();
    for end in ends {
        world.post(false, end);
    }
    world.run_until(SECOND * 97);
    assert_eq!(world.lines.active(), 300);
    assert!(world.longest_stale <= SECOND, "{:?}", world.longest_stale);
}

// A20: an administrator orders a refresh.
#[test]
fn an_order_to_refresh_makes_a_few_failed_logins() {
    let mut world = changed_password();
    let outputs = world.lines.refresh_all(world.now, 1);
    world.take(outputs);
    world.run_until(SECOND * 155);
    let failed = world.notifier.failed_logins;
    assert!((4..=8).contains(&failed), "{failed}");
}
