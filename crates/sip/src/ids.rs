//! Unpredictable names (branches, tags, Call-IDs, client nonces) from a seed.
//!
//! The caller draws the seed from the operating system, a test uses a fixed one; this crate has no source of randomness of
//! its own. The generator is SHA-256 over seed and counter: without the seed a tag cannot be guessed from the ones before it
//! (RFC 3261 §19.3 requires 32 bits of real randomness in a tag; these have 64 or more).

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A deterministic source of names, unpredictable without the seed.
#[derive(Clone)]
pub struct Ids {
    seed: [u8; 32],
    counter: u64,
    /// Numbers drawn together with the last one.
    numbers: [u64; 3],
    left: usize,
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The seed predicts every nonce that follows: keep it out of logs.
        f.debug_struct("Ids")
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

impl Ids {
    /// A generator for this seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: 0,
            numbers: [0; 3],
            left: 0,
        }
    }

    /// A generator for one of many owners, independent of the others' use.
    pub fn fork(&mut self) -> Self {
        Self::new(self.block())
    }

    /// The branch of a new transaction, with the cookie of RFC 3261 §8.1.1.7.
    pub fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.hex(12))
    }

    /// A From or To tag (RFC 3261 §19.3).
    pub fn tag(&mut self) -> String {
        self.hex(8)
    }

    /// A Call-ID (RFC 3261 §8.1.1.4).
    pub fn call_id(&mut self) -> String {
        self.hex(16)
    }

    /// A client nonce (RFC 7616 §3.4) or a server nonce.
    pub fn nonce(&mut self) -> String {
        self.hex(16)
    }

    /// An unpredictable number, for tags and branches in large numbers.
    pub fn number(&mut self) -> u64 {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return self.numbers.get(left).copied().unwrap_or_default();
        }
        let mut drawn = [0; 4];
        for (number, bytes) in drawn.iter_mut().zip(self.block().chunks_exact(8)) {
            *number = u64::from_be_bytes(bytes.try_into().unwrap_or_default());
        }
        let [first, rest @ ..] = drawn;
        (self.numbers, self.left) = (rest, 3);
        first
    }

    /// A number in `0..1000`, to spread deadlines.
    pub fn per_mille(&mut self) -> u32 {
        let block = self.block();
        u32::from_be_bytes([block[0], block[1], block[2], block[3]]) % 1000
    }

    fn hex(&mut self, bytes: usize) -> String {
        hex(&self.block()[..bytes.min(32)])
    }

    fn block(&mut self) -> [u8; 32] {
        self.counter += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.counter.to_be_bytes());
        hash.finalize().into()
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_names_and_another_seed_others() {
        let (mut a, mut b, mut c) = (Ids::new([1; 32]), Ids::new([1; 32]), Ids::new([2; 32]));
        assert_eq!(a.branch(), b.branch());
        assert_eq!(a.fork().tag(), b.fork().tag());
        assert_ne!(a.call_id(), c.call_id());
        assert_ne!(a.tag(), a.tag());
        let drawn: std::collections::BTreeSet<u64> = (0..1_000).map(|_| a.number()).collect();
        assert_eq!(drawn.len(), 1_000);
    }

    #[test]
    fn the_seed_is_not_printed() {
        assert!(!format!("{:?}", Ids::new([0xAB; 32])).contains("171"));
    }
}
