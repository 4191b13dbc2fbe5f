//! New trace ids.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroU64,
};

use presence::TraceId;

/// Makes a random trace id. Costs no system call: the standard library seeds the keys of its hash function once for each thread
/// and changes them with each use.
pub fn new_trace_id() -> TraceId {
    let random = RandomState::new().hash_one(());
    TraceId::new(NonZeroU64::new(random).unwrap_or(NonZeroU64::MIN))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::new_trace_id;

    #[test]
    fn ids_differ() {
        let ids: HashSet<_> = (0..10_000).map(|_| new_trace_id()).collect();
        assert_eq!(ids.len(), 10_000);
        let halves: HashSet<_> = ids.iter().map(|id| (id.bits() >> 64) as u64).collect();
        assert_eq!(halves.len(), 10_000);
    }
}
