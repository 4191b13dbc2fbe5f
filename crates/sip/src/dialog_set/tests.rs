//! Sequences of documents, with the remaining dialogs.

use proptest::prelude::*;

use super::*;
use crate::dialog_info::tests::any_document;

mod ends;

fn document(
    version: u64,
    completeness: Completeness,
    dialogs: &[(&str, DialogState)],
) -> DialogInfo {
    let dialogs = dialogs
        .iter()
        .map(|(id, state)| Dialog::new(*id, *state))
        .collect();
    DialogInfo {
        entity: "sip:a@b".into(),
        version: Some(version),
        completeness,
        dialogs,
        ..DialogInfo::default()
    }
}

const NOW: Duration = Duration::from_secs(1);

use Completeness::{Full, Partial};
use DialogState::{Confirmed, Early, Proceeding, Terminated, Trying};

#[test]
fn versions_decide_whether_a_document_counts() {
    let mut set = DialogSet::new();
    assert_eq!(
        set.fold(NOW, document(5, Partial, &[("a", Early)])),
        Fold::Gap
    );
    assert_eq!(
        set.fold(NOW, document(5, Full, &[("a", Early), ("b", Trying)])),
        Fold::Applied
    );
    assert_eq!(set.fold(NOW, document(5, Partial, &[])), Fold::Gap);
    assert_eq!(set.fold(NOW, document(4, Partial, &[])), Fold::Gap);
    assert_eq!(
        set.fold(NOW, document(6, Partial, &[("a", Confirmed)])),
        Fold::Applied
    );
    assert_eq!(
        set.fold(NOW, document(8, Partial, &[("a", Terminated)])),
        Fold::Gap
    );
    assert_eq!(set.dialogs().len(), 2);
    assert_eq!(
        set.fold(NOW, document(7, Partial, &[("a", Terminated)])),
        Fold::Applied
    );
    assert_eq!(
        set.dialogs(),
        &document(0, Full, &[("b", Trying)]).dialogs[..]
    );
    assert_eq!(set.fold(NOW, document(20, Full, &[])), Fold::Applied);
    assert!(set.dialogs().is_empty());
    // A3: numbering begins again.
    assert_eq!(
        set.fold(NOW, document(0, Full, &[("a", Confirmed)])),
        Fold::Applied
    );
    assert_eq!(set.dialogs().len(), 1);
    assert_eq!(set.fold(NOW, document(0, Full, &[])), Fold::Applied);
    assert!(set.dialogs().is_empty());
    set.restart();
    assert_eq!(
        set.fold(NOW, document(0, Full, &[("c", Early)])),
        Fold::Applied
    );
}

// A16
#[test]
fn without_a_full_document_the_set_begins_with_a_partial_one() {
    let mut set = DialogSet::new();
    set.fold(NOW, document(3, Full, &[("old", Confirmed)]));
    set.begin_without_full();
    assert_eq!(set.dialogs().len(), 1, "there is one already");
    set.restart();
    let gap = set.fold(NOW, document(0, Partial, &[("a", Early)]));
    assert_eq!((gap, set.lacks_full()), (Fold::Gap, false));
    set.begin_without_full();
    assert!(set.lacks_full() && set.dialogs().is_empty());
    for (state, live) in [(Early, 1), (Confirmed, 1), (Terminated, 0)] {
        let told = set.fold(NOW, document(0, Partial, &[("a", state)]));
        assert_eq!((told, set.dialogs().len()), (Fold::Applied, live));
    }
    set.fold(NOW, document(0, Full, &[]));
    assert!(!set.lacks_full());
}

#[test]
fn the_same_dialog_twice_counts_once_and_two_unknown_ones_both() {
    let mut set = DialogSet::new();
    set.fold(NOW, document(1, Full, &[("a", Terminated), ("a", Trying)]));
    assert_eq!(set.dialogs().len(), 1);
    let mut same = document(2, Full, &[("a", Terminated), ("a", Trying)]);
    same.dialogs
        .iter_mut()
        .for_each(|d| d.call_id = Some("c".into()));
    set.fold(NOW, same.clone());
    assert!(set.dialogs().is_empty());
    same.version = Some(3);
    same.dialogs[1].call_id = Some("other".into());
    set.fold(NOW, same);
    assert_eq!(set.dialogs().len(), 1);
}

#[test]
fn an_ended_dialog_does_not_come_back() {
    let call = |version, id: &str, state| {
        let mut document = document(version, Full, &[(id, state)]);
        document.dialogs[0].call_id = Some("c".into());
        document
    };
    let mut set = DialogSet::new();
    set.fold(NOW, call(1, "a", Terminated));
    set.fold(NOW, call(2, "a", Trying));
    assert!(set.dialogs().is_empty());
    set.fold(NOW, call(3, "b", Trying));
    assert_eq!(set.dialogs().len(), 1);
    // An id alone may be used again, as by Asterisk with every call.
    set.fold(NOW, document(4, Full, &[("x", Terminated)]));
    set.fold(NOW, document(5, Full, &[("x", Early)]));
    assert_eq!(set.dialogs().len(), 1);
    for n in 0..100 {
        set.fold(NOW, call(10 + n, &n.to_string(), Terminated));
    }
    assert_eq!(set.ended.len(), ENDED_MAX);
    // A dialog in every document is not forgotten, even after many others end.
    for n in 0..100u64 {
        let mut both = call(200 + n, "orphan", if n == 0 { Terminated } else { Trying });
        both.dialogs
            .extend(call(0, &format!("other{n}"), Terminated).dialogs);
        set.fold(NOW, both);
        assert!(set.dialogs().is_empty(), "{n}");
    }
}

#[test]
fn a_call_that_rings_too_long_ends() {
    let mut set = DialogSet::new();
    let ringing = |version| document(version, Full, &[("a", Trying), ("b", Confirmed)]);
    set.fold(NOW, ringing(1));
    assert_eq!(set.next_expiry(), Some(NOW + UNANSWERED_MAX));
    assert!(!set.expire(NOW + UNANSWERED_MAX - Duration::from_millis(1)));
    assert!(set.expire(NOW + UNANSWERED_MAX));
    assert_eq!((set.dialogs().len(), set.next_expiry()), (1, None));
    // A dialog in another document keeps its age; after its end it may ring again.
    set.fold(NOW + UNANSWERED_MAX * 2, ringing(2));
    assert_eq!(set.dialogs().len(), 1);
    set.fold(NOW + UNANSWERED_MAX * 2, document(3, Full, &[]));
    set.fold(NOW + UNANSWERED_MAX * 2, ringing(4));
    assert_eq!(set.dialogs().len(), 2);
}

#[test]
fn the_number_of_dialogs_is_bounded() {
    let mut set = DialogSet::new();
    set.fold(NOW, document(0, Full, &[]));
    for version in 1..=(DIALOGS_MAX as u64 + 10) {
        set.fold(
            NOW,
            document(version, Partial, &[(&version.to_string(), Early)]),
        );
    }
    assert_eq!(set.dialogs().len(), DIALOGS_MAX);
}

proptest! {
    /// After any sequence, a full document with a higher version makes the set equal to it.
    #[test]
    fn a_newer_full_document_decides_alone(before in proptest::collection::vec(any_document(), 0..10), mut last in any_document()) {
        let mut set = DialogSet::new();
        for document in before {
            set.fold(NOW, document);
            prop_assert!(set.dialogs().iter().all(|d| d.state != Terminated));
        }
        last.completeness = Full;
        last.version = Some(1000);
        // New calls; ended ones do not come back.
        last.dialogs.iter_mut().for_each(|d| {
                d.call_id = d.call_id.take().map(|c| format!("later {c}"));
                d.id = format!("later {}", d.id);
            });
        let mut alone = DialogSet::new();
        alone.fold(NOW, last.clone());
        prop_assert_eq!(set.fold(NOW, last), Fold::Applied);
        prop_assert_eq!(set.dialogs(), alone.dialogs());
    }
}

/// One entry of a document: id, Call-ID, remote tag (each may be empty), state.
fn entry((id, call_id, tag, state): (&str, &str, &str, DialogState)) -> Dialog {
    let told = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Dialog {
        call_id: told(call_id),
        remote_tag: told(tag),
        ..Dialog::new(id, state)
    }
}

type Entry<'a> = (&'a str, &'a str, &'a str, DialogState);

fn with_rendering(state: DialogState, rendering: bool) -> Dialog {
    let mut dialog = Dialog::new("a", state);
    dialog.local = Some(Participant {
        rendering: Some(rendering),
        ..Participant::default()
    });
    dialog
}

fn of(version: u64, completeness: Completeness, dialogs: Vec<Dialog>) -> DialogInfo {
    DialogInfo {
        version: Some(version),
        completeness,
        dialogs,
        ..DialogInfo::default()
    }
}

/// A11: other tags mean another dialog, in one document and over several.
#[test]
fn the_branches_of_a_forked_call_are_dialogs_of_their_own() {
    let cases: [(&[&[Entry<'_>]], &[DialogState]); 9] = [
        (
            &[&[("a", "c", "1", Confirmed), ("a", "c", "2", Terminated)]],
            &[Confirmed],
        ),
        (
            &[&[("a", "c", "2", Terminated), ("a", "c", "1", Confirmed)]],
            &[Confirmed],
        ),
        (
            &[&[("a", "c", "1", Terminated)], &[("a", "c", "2", Early)]],
            &[Early],
        ),
        (
            &[&[("a", "c", "1", Terminated)], &[("a", "c", "1", Trying)]],
            &[],
        ),
        // A queue calls the same phone again with the earlier Call-ID.
        (
            &[&[("a", "c", "1", Terminated)], &[("a", "c", "1", Early)]],
            &[Early],
        ),
        (
            &[
                &[("a", "c", "1", Terminated)],
                &[("a", "c", "1", Confirmed)],
            ],
            &[Confirmed],
        ),
        // A missing tag matches any: the overtaken publications of Kamailio.
        (
            &[&[("a", "c", "1", Terminated), ("a", "c", "", Trying)]],
            &[],
        ),
        (
            &[&[("a", "c", "1", Terminated)], &[("a", "c", "", Trying)]],
            &[],
        ),
        (
            &[&[
                ("a", "c", "", Trying),
                ("a", "c", "2", Confirmed),
                ("a", "c", "1", Terminated),
            ]],
            &[Confirmed],
        ),
    ];
    for (documents, expected) in cases {
        let mut set = DialogSet::new();
        for (version, entries) in (0..).zip(documents) {
            let dialogs = entries.iter().copied().map(entry).collect();
            set.fold(NOW, of(version, Full, dialogs));
        }
        let states: Vec<_> = set.dialogs().iter().map(|d| d.state).collect();
        assert_eq!(states, expected, "{documents:?}");
    }
    // Also in partial documents; an answered branch ends the ringing of the others.
    let mut set = DialogSet::new();
    let ringing = vec![entry(("a", "c", "1", Early)), entry(("a", "c", "2", Early))];
    set.fold(NOW, of(0, Full, ringing));
    set.fold(NOW, of(1, Partial, vec![entry(("a", "c", "2", Confirmed))]));
    assert_eq!(set.dialogs(), [entry(("a", "c", "2", Confirmed))]);
    set.fold(
        NOW,
        of(2, Partial, vec![entry(("a", "c", "1", Terminated))]),
    );
    assert_eq!(set.dialogs(), [entry(("a", "c", "2", Confirmed))]);
    set.fold(
        NOW,
        of(3, Partial, vec![entry(("a", "c", "2", Terminated))]),
    );
    assert!(set.dialogs().is_empty());
}

/// A4: an answered call does not go back to ringing within a subscription.
#[test]
fn a_confirmed_dialog_stays_confirmed_until_it_is_over() {
    for completeness in [Full, Partial] {
        for back in [Trying, Proceeding, Early] {
            let mut set = DialogSet::new();
            set.fold(NOW, of(0, Full, vec![with_rendering(Confirmed, true)]));
            set.fold(NOW, of(1, completeness, vec![with_rendering(back, false)]));
            assert_eq!(
                set.dialogs(),
                [with_rendering(Confirmed, false)],
                "{back:?}"
            );
            set.fold(
                NOW,
                of(2, completeness, vec![with_rendering(Confirmed, true)]),
            );
            assert_eq!(set.dialogs(), [with_rendering(Confirmed, true)]);
            // Asterisk with notify_early_inuse_ringing: the id is the extension for every caller.
            set.fold(NOW, of(3, completeness, vec![Dialog::new("a", back)]));
            assert_eq!(set.dialogs(), [with_rendering(Confirmed, true)]);
            let longest = match back {
                Early => RINGS_AGAIN_MAX,
                _ => UNANSWERED_MAX,
            };
            assert_eq!(set.next_expiry(), Some(NOW + longest));
            set.fold(NOW, of(4, completeness, vec![Dialog::new("a", Terminated)]));
            set.fold(NOW, of(5, completeness, vec![Dialog::new("a", back)]));
            assert_eq!(set.dialogs(), [Dialog::new("a", back)], "the next call");
        }
    }
    // The end and the next call in one document.
    let mut set = DialogSet::new();
    set.fold(NOW, document(0, Full, &[("a", Confirmed)]));
    set.fold(NOW, document(1, Full, &[("a", Terminated), ("a", Early)]));
    assert_eq!(set.dialogs(), [Dialog::new("a", Early)]);
    // Absent from a full document, then present: a new call. A new subscription knows nothing of the old one.
    set.fold(NOW, document(2, Full, &[("a", Confirmed)]));
    set.fold(NOW, document(3, Full, &[]));
    set.fold(NOW, document(4, Full, &[("a", Early)]));
    assert_eq!(set.dialogs(), [Dialog::new("a", Early)]);
    set.fold(NOW, document(5, Full, &[("a", Confirmed)]));
    set.restart();
    set.fold(NOW, document(0, Full, &[("a", Early)]));
    assert_eq!(set.dialogs(), [Dialog::new("a", Early)]);
    // Another Call-ID is another call, even with the same id.
    let mut set = DialogSet::new();
    set.fold(NOW, of(0, Full, vec![entry(("a", "c", "", Confirmed))]));
    set.fold(NOW, of(1, Full, vec![entry(("a", "d", "", Early))]));
    assert_eq!(set.dialogs(), [entry(("a", "d", "", Early))]);
}

/// A6: documents without a comparable version count in the order of arrival.
#[test]
fn documents_without_a_version_are_applied() {
    let unnumbered = |completeness, state| DialogInfo {
        version: None,
        ..document(0, completeness, &[("a", state)])
    };
    let mut set = DialogSet::new();
    assert_eq!(set.fold(NOW, unnumbered(Partial, Early)), Fold::Gap);
    assert_eq!(set.fold(NOW, unnumbered(Full, Early)), Fold::Applied);
    assert_eq!(set.fold(NOW, unnumbered(Partial, Confirmed)), Fold::Applied);
    assert_eq!(
        set.fold(NOW, document(7, Full, &[("a", Confirmed)])),
        Fold::Applied
    );
    assert_eq!(set.fold(NOW, unnumbered(Full, Terminated)), Fold::Applied);
    assert!(set.dialogs().is_empty());
    // The greatest version: no higher one can follow.
    assert_eq!(set.fold(NOW, document(u64::MAX, Full, &[])), Fold::Applied);
    assert_eq!(set.fold(NOW, document(u64::MAX, Partial, &[])), Fold::Gap);
}

/// A6: an unreadable part neither ends a known dialog nor counts as its absence.
#[test]
fn unread_dialogs_keep_known_dialogs_and_leave_the_rest_open() {
    let unread = |version, completeness, dialogs: &[(&str, DialogState)], ids: &[&str], more| {
        let mut read = document(version, completeness, dialogs);
        read.unread.dialogs = ids.iter().map(|id| (*id).to_owned()).collect();
        read.unread.more = more;
        read
    };
    let mut set = DialogSet::new();
    set.fold(NOW, unread(0, Full, &[], &["a"], false));
    assert!(set.dialogs().is_empty() && !set.is_whole());
    set.fold(NOW, document(1, Full, &[("a", Confirmed)]));
    assert!(set.is_whole());
    for (version, completeness) in [(2, Full), (3, Partial)] {
        // A known dialog with a meaningless new state stays unchanged.
        set.fold(NOW, unread(version, completeness, &[], &["a"], false));
        assert_eq!((set.dialogs().len(), set.is_whole()), (1, true));
    }
    set.fold(NOW, unread(4, Partial, &[], &["b"], false));
    assert!(!set.is_whole());
    set.fold(NOW, document(5, Partial, &[("b", Terminated)]));
    assert!(set.is_whole());
    // A document that is cut off ends no other dialog.
    set.fold(NOW, unread(6, Full, &[("b", Early)], &[], true));
    assert_eq!((set.dialogs().len(), set.is_whole()), (2, false));
    set.fold(NOW, document(7, Full, &[]));
    assert_eq!((set.dialogs().len(), set.is_whole()), (0, true));
}

/// A26: confirmed dialogs that vanish without having been terminated.
#[test]
fn vanished_dialogs_are_kept_until_it_is_settled() {
    let doubt = |set: &mut DialogSet, document| {
        set.fold_from(NOW, document, FullDocuments::AllDialogs, Vanished::Doubtful)
    };
    let mut set = DialogSet::new();
    assert_eq!(
        doubt(
            &mut set,
            document(0, Full, &[("a", Confirmed), ("b", Early)])
        ),
        Fold::Applied
    );
    assert_eq!(doubt(&mut set, document(1, Full, &[])), Fold::Doubted);
    assert_eq!(
        set.dialogs(),
        [Dialog::new("a", Confirmed)],
        "what only rang is over"
    );
    assert_eq!(
        doubt(&mut set, document(2, Full, &[("c", Early)])),
        Fold::Doubted
    );
    assert_eq!(
        doubt(&mut set, document(3, Partial, &[("c", Terminated)])),
        Fold::Doubted
    );
    // The dialog is present or over: the doubt ends.
    assert_eq!(
        doubt(&mut set, document(4, Full, &[("a", Confirmed)])),
        Fold::Applied
    );
    assert_eq!(doubt(&mut set, document(5, Full, &[])), Fold::Doubted);
    assert_eq!(
        doubt(&mut set, document(6, Partial, &[("a", Terminated)])),
        Fold::Applied
    );
    assert!(set.dialogs().is_empty());
    doubt(
        &mut set,
        document(7, Full, &[("a", Confirmed), ("b", Confirmed)]),
    );
    doubt(&mut set, document(8, Full, &[("b", Confirmed)]));
    set.settle();
    assert_eq!(set.dialogs(), [Dialog::new("b", Confirmed)]);
    // A dialog of an earlier subscription is not doubted.
    set.restart();
    assert_eq!(doubt(&mut set, document(0, Full, &[])), Fold::Applied);
}
