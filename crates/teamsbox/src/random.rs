//! Repeatable random numbers for latencies: the same seed gives the same run. Never used for secrets.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    duration::Milliseconds,
    knobs::{self, Knobs, Spread},
};

/// SplitMix64: small, and sufficient for latencies.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator with a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number from 0 up to, but not including, a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// The latency of a notification.
    pub(crate) fn latency(&mut self, knobs: &Knobs) -> Milliseconds {
        let mean = knobs::milliseconds(knobs.notification_mean);
        let cap = knobs::milliseconds(knobs.notification_cap);
        let latency = match knobs.notification_spread {
            Spread::Fixed => mean,
            Spread::Exponential => {
                // 53 bits make a number between 0 and 1, never 0 itself.
                let unit = ((self.next() >> 11) as f64 + 1.0) / 9_007_199_254_740_993.0;
                (-unit.ln() * mean as f64) as Milliseconds
            }
        };
        latency.min(cap)
    }
}

/// A secret of 32 random bytes from the operating system, as text.
///
/// # Errors
/// The operating system returned no random bytes.
pub(crate) fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A code of nine letters and digits that is easy to type.
///
/// # Errors
/// The operating system returned no random bytes.
pub(crate) fn user_code() -> Result<String, getrandom::Error> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0_u8; 9];
    getrandom::fill(&mut bytes)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_47_latencies_have_their_mean_and_their_cap() {
        let knobs = Knobs::default();
        let mut random = Random::new(7);
        let latencies: Vec<_> = (0..20_000).map(|_| random.latency(&knobs)).collect();
        let mean = latencies.iter().sum::<Milliseconds>() / 20_000;
        assert!((2_900..3_100).contains(&mean), "{mean}");
        assert!(
            latencies
                .iter()
                .all(|latency| (0..=60_000).contains(latency))
        );
        let again: Vec<_> = (0..5)
            .map({
                let mut random = Random::new(7);
                move |_| random.latency(&knobs)
            })
            .collect();
        assert_eq!(again, latencies[..5]);
    }
}
