//! Ends of dialogs that a notifier reports badly, or not at all.

use super::*;

/// A26, F4: FreeSWITCH, which puts only the last change into full documents.
#[test]
fn the_last_change_alone_ends_nothing_but_by_terminated() {
    let steps: [(&str, DialogState, usize); 7] = [
        ("a", Early, 1),
        ("a", Confirmed, 1),
        ("b", Early, 2),
        ("b", Confirmed, 2),
        ("a", Early, 2),
        ("c", Early, 3),
        ("d", Early, 3),
    ];
    let mut set = DialogSet::new();
    for (version, (id, state, live)) in (0..).zip(steps) {
        let document = document(version, Full, &[(id, state)]);
        let fold = set.fold_from(NOW, document, FullDocuments::LastChange, Vanished::Doubtful);
        assert_eq!(
            (fold, set.dialogs().len()),
            (Fold::Applied, live),
            "{version}"
        );
    }
    let mut fold = |version, dialogs: &[_]| {
        let document = document(version, Full, dialogs);
        set.fold_from(NOW, document, FullDocuments::LastChange, Vanished::Doubtful)
    };
    // No call is left, unless the other one is on another profile or node.
    assert_eq!(fold(9, &[("b", Terminated)]), Fold::Doubted);
    assert_eq!(fold(10, &[("a", Terminated)]), Fold::Applied);
    fold(11, &[("a", Confirmed)]);
    assert_eq!(fold(12, &[]), Fold::Doubted, "F5");
}

/// A4: a notifier that has missed the end of a call and only ever reports ringing.
#[test]
fn an_answered_call_that_rings_for_ever_is_over() {
    let mut set = DialogSet::new();
    set.fold(NOW, document(1, Full, &[("a", Confirmed)]));
    let second_call = NOW + Duration::from_secs(60);
    set.fold(second_call, document(2, Full, &[("a", Early)]));
    assert_eq!(set.next_expiry(), Some(second_call + RINGS_AGAIN_MAX));
    // Answered again in time: a second call.
    set.fold(second_call, document(3, Full, &[("a", Confirmed)]));
    assert_eq!(set.next_expiry(), None);
    set.fold(second_call, document(4, Full, &[("a", Trying)]));
    let later = second_call + Duration::from_secs(200);
    set.fold(later, document(5, Full, &[("a", Trying)]));
    assert!(!set.expire(later) && set.dialogs().len() == 1);
    assert!(set.expire(second_call + UNANSWERED_MAX));
    assert!(set.dialogs().is_empty());
    // A held dialog is not such a call.
    let mut held = document(6, Full, &[("b", Early)]);
    held.dialogs[0].local = Some(Participant {
        rendering: Some(false),
        ..Participant::default()
    });
    set.fold(later, document(6, Full, &[("b", Confirmed)]));
    set.fold(later, held);
    assert_eq!(set.next_expiry(), None);
}
