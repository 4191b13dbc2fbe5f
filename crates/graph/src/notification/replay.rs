//! What was received lately, so that what comes twice is counted and not applied again.

use std::collections::{HashSet, VecDeque};

/// Graph repeats a notification for up to four hours (reference 4.9), but a busy tenant says enough anew to heal what
/// a forgotten repetition spoils; the memory is what is bounded.
const REMEMBERED: usize = 8_192;

/// Signatures of items that were accepted. Each item has a key of its own, so its signature is its name.
#[derive(Debug, Default)]
pub(super) struct Seen {
    order: VecDeque<Box<str>>,
    known: HashSet<Box<str>>,
}

impl Seen {
    pub(super) fn contains(&self, signature: &str) -> bool {
        self.known.contains(signature)
    }

    /// Remembers an item, and forgets the oldest if there are too many.
    pub(super) fn remember(&mut self, signature: &str) {
        if !self.known.insert(signature.into()) {
            return;
        }
        self.order.push_back(signature.into());
        if self.order.len() > REMEMBERED
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
        let mut seen = Seen::default();
        for number in 0..REMEMBERED + 10 {
            seen.remember(&number.to_string());
            seen.remember(&number.to_string());
        }
        assert_eq!(seen.order.len(), REMEMBERED);
        assert_eq!(seen.known.len(), REMEMBERED);
        assert!(!seen.contains("9") && seen.contains("10"));
    }
}
