//! Refusals while many lines are active: the number of failed logins, and the effect on accepted lines.

use super::*;

/// 300 known lines, and a password that is wrong from now on.
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

// A20: a PBX ends all subscriptions when it stops, and has another password after its return.
#[test]
fn subscriptions_that_end_together_make_a_few_failed_logins() {
    for state in ["terminated;reason=deactivated", "active;expires=0"] {
        let mut world = changed_password();
        for end in world.notify_all(state) {
            world.post(false, end);
        }
        world.notifier.restart();
        world.run_until(SECOND * 155);
        // Five lines try, each with its old nonce and with a new one.
        let failed = world.notifier.failed_logins;
        assert!((4..=10).contains(&failed), "{failed}");
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

// A20: an administrator demands a refresh.
#[test]
fn an_order_to_refresh_makes_a_few_failed_logins() {
    let mut world = changed_password();
    let outputs = world.lines.refresh_all(world.now, 1);
    world.apply(outputs);
    world.run_until(SECOND * 155);
    let failed = world.notifier.failed_logins;
    assert!((4..=10).contains(&failed), "{failed}");
}

// A2: some lines are refused while all are active.
#[test]
fn lines_that_come_to_be_refused_leave_the_others_alone() {
    let three = ["1000", "1001", "1002"];
    for (count, expires) in [(6, 120), (6, 600), (20, 60), (20, 120), (4, 600)] {
        let mut world = World::new(count, Notifier::new(expires));
        world.start();
        world.run_until(SECOND * 100);
        world.notifier.refused = three.to_vec();
        world.run_until(SECOND * 7200);
        let served = |(line, _): &(&Arc<str>, &Duration)| !three.contains(&&***line);
        let gap = world.gaps.iter().filter(served).map(|(_, gap)| *gap).max();
        assert!(gap <= Some(SECOND), "{count} {expires} {gap:?}");
        assert_eq!(world.lines.active(), count - 3, "{count} {expires}");
        assert!(
            world.account_troubles.is_empty(),
            "{count} {expires} {:?}",
            world.account_troubles
        );
    }
}

// A2: half of the lines were never accepted.
#[test]
fn many_refused_lines_are_not_the_account() {
    let half: Vec<&str> = "1000 1001 1002 1003 1004 1005 1006 1007 1008 1009"
        .split(' ')
        .collect();
    for expires in [600, 30] {
        let mut notifier = Notifier::new(expires);
        notifier.refused.clone_from(&half);
        let mut world = World::new(20, notifier);
        world.start();
        world.run_until(SECOND * 120);
        world.account_troubles.clear();
        world.run_until(SECOND * 3600);
        assert_eq!(world.lines.active(), 10);
        let gap = world.gaps.values().max();
        assert!(gap <= Some(&SECOND), "{expires} {gap:?}");
        assert_eq!(world.account_troubles, BTreeSet::new());
    }
}

// A20: a line waiting for its turn is not known for longer than its lease.
#[test]
fn a_lease_lapses_while_its_line_waits() {
    let mut world = World::new(6, Notifier::new(120));
    world.start();
    world.run_until(SECOND * 100);
    world.notifier.right_password = false;
    for second in 101..400 {
        world.run_until(SECOND * second);
        let known = |line: &Arc<str>| !world.stale_since.contains_key(line);
        let lapsed = world.leases.iter();
        let lapsed = lapsed.filter(|(line, until)| **until < world.now && known(line));
        assert_eq!(lapsed.count(), 0, "at {second} s");
    }
    assert_eq!((world.lines.active(), world.stale_since.len()), (0, 6));
}
