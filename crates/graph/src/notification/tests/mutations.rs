//! Random and mutated bytes never panic, and never change which notifications are accepted.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| rich(&[item(1), item(2)], &["v2_valid"]));

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic_and_never_pass(body in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(receiver().receive(NOW, &body), ReceiveResult::Events(Vec::new()));
    }

    #[test]
    fn no_query_makes_the_handshake_fail(query in ".{0,80}") {
        prop_assert!(validation_answer(&query).is_none_or(|token| !token.is_empty()));
        let _ = validation_answer(&format!("validationToken={query}"));
    }

    #[test]
    fn mutations_never_panic_and_never_change_the_accepted_events(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut body = BODY.clone();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        if let ReceiveResult::Events(events) = receiver().receive(NOW, &body) {
            for event in events {
                if let Event::Notice(notice) = event
                    && notice.availability.is_some()
                {
                    prop_assert_eq!(notice.user, USER);
                    prop_assert_eq!(notice.availability.as_deref(), Some("Busy"));
                }
            }
        }
    }
}
