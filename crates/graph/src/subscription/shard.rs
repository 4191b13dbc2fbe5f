//! Distributes people over service accounts, 650 each, so that a change of one person affects one account only.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::SUBSCRIPTION_MAX;

/// People by account, and the number of people without an account. People keep their account if they can.
pub(super) fn spread(
    old: &BTreeMap<String, BTreeSet<Arc<str>>>,
    people: &BTreeSet<Arc<str>>,
) -> (BTreeMap<String, BTreeSet<Arc<str>>>, usize) {
    let mut shares: BTreeMap<String, BTreeSet<Arc<str>>> = old
        .iter()
        .map(|(account, share)| (account.clone(), share & people))
        .collect();
    let placed: BTreeSet<Arc<str>> = shares.values().flatten().cloned().collect();
    let mut waiting = people.difference(&placed);
    for share in shares.values_mut() {
        let room = SUBSCRIPTION_MAX.saturating_sub(share.len());
        share.extend(waiting.by_ref().take(room).cloned());
    }
    (shares, waiting.count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn people(ids: impl IntoIterator<Item = u32>) -> BTreeSet<Arc<str>> {
        ids.into_iter().map(|id| id.to_string().into()).collect()
    }

    proptest! {
        #[test]
        fn each_person_has_one_account_and_keeps_it(
            accounts in 0usize..4,
            first in prop::collection::btree_set(0u32..3_000, 0..2_000),
            second in prop::collection::btree_set(0u32..3_000, 0..2_000),
        ) {
            let empty: BTreeMap<_, _> =
                (0..accounts).map(|number| (number.to_string(), BTreeSet::new())).collect();
            let (shares, _) = spread(&empty, &people(first));
            let wanted = people(second);
            let (next, unserved) = spread(&shares, &wanted);
            let placed: Vec<_> = next.values().flatten().cloned().collect();
            prop_assert!(next.values().all(|share| share.len() <= SUBSCRIPTION_MAX));
            prop_assert_eq!(placed.len() + unserved, wanted.len());
            prop_assert_eq!(placed.len(), wanted.len().min(accounts * SUBSCRIPTION_MAX));
            let distinct: BTreeSet<_> = placed.into_iter().collect();
            prop_assert!(distinct.is_subset(&wanted));
            prop_assert_eq!(distinct.len() + unserved, wanted.len());
            for (account, share) in &shares {
                prop_assert!((share & &wanted).is_subset(&next[account]));
            }
        }
    }
}
