//! Memory of recent notifications, which detects repeated ones.

use std::collections::{HashSet, VecDeque};

/// Maximum number of remembered signatures. Graph repeats notifications for up to four hours (Graph, "Receive change
/// notifications through webhooks"); a forgotten repetition does no lasting harm, because later notifications of the person
/// correct it.
const REMEMBERED_MAX: usize = 8_192;

/// Signatures of accepted items. Each item is encrypted with a key of its own, so that its signature identifies it.
#[derive(Debug, Default)]
pub(super) struct RecentSignatures {
    order: VecDeque<Box<str>>,
    known: HashSet<Box<str>>,
}

impl RecentSignatures {
    pub(super) fn contains(&self, signature: &str) -> bool {
        self.known.contains(signature)
    }

    /// Remembers an item, and forgets the oldest one beyond the maximum.
    pub(super) fn remember(&mut self, signature: &str) {
        if !self.known.insert(signature.into()) {
            return;
        }
        self.order.push_back(signature.into());
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let mut seen = RecentSignatures::default();
        for number in 0..REMEMBERED_MAX + 10 {
            seen.remember(&number.to_string());
            seen.remember(&number.to_string());
        }
        assert_eq!(seen.order.len(), REMEMBERED_MAX);
        assert_eq!(seen.known.len(), REMEMBERED_MAX);
        assert!(!seen.contains("9") && seen.contains("10"));
    }
}
