//! Pairing codes: the web application shows the person a short code, and an agent exchanges the code for the secret of its
//! device.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use presence::{PersonId, Timestamp};
use runtime::{rate_limit::RateLimit, secrets::hash};
use store::SecretHash;
use tokio::time::Instant;

/// Validity of a code.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Valid codes at a time, of all people.
const CODES_MAX: usize = 100_000;
/// Letters and digits that are not mistaken for one another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a code: 40 random bits.
const LENGTH: usize = 8;
/// Wrong codes that one address may send at once, and then per second.
const ATTEMPTS: f64 = 30.0;
const PER_SECOND: f64 = 0.1;

/// The valid codes.
#[derive(Debug)]
pub struct PairingCodes {
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    valid: HashMap<SecretHash, (PersonId, Timestamp)>,
    attempts: RateLimit<IpAddr>,
}

/// No code was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// `CODES_MAX` codes are valid.
    #[error("too many codes wait to be typed; try again in some minutes")]
    TooMany,
    /// The operating system gives no random numbers.
    #[error(transparent)]
    Random(#[from] getrandom::Error),
}

impl Default for PairingCodes {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            inner: Mutex::new(Inner {
                valid: HashMap::new(),
                attempts: RateLimit::new(ATTEMPTS, PER_SECOND),
            }),
        }
    }
}

impl PairingCodes {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a code for a person, and returns it with the end of its validity. An older code of the person becomes invalid.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub fn new_code(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<(String, Timestamp), CodeError> {
        let mut random = [0; LENGTH];
        getrandom::fill(&mut random)?;
        let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let code: String = letters.iter().collect();
        let until = now + LIFETIME;
        let mut inner = self.lock();
        inner
            .valid
            .retain(|_, (of, until)| *of != person && *until > now);
        if inner.valid.len() >= CODES_MAX {
            return Err(CodeError::TooMany);
        }
        inner.valid.insert(hash(&code), (person, until));
        let (one, other) = code.split_at(LENGTH / 2);
        Ok((format!("{one}-{other}"), until))
    }

    /// Consumes a code and returns its person, if the code is valid. Case, blanks and hyphens do not matter.
    pub fn redeem(&self, code: &str, now: Timestamp) -> Option<PersonId> {
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let (person, until) = self.lock().valid.remove(&hash(&code))?;
        (until > now).then_some(person)
    }

    /// Consumes one attempt of an address; returns false if the address has none left.
    pub fn may_try(&self, address: IpAddr) -> bool {
        let mut inner = self.lock();
        inner.attempts.take(self.began.elapsed(), address, 1.0)
    }

    /// Gives the attempt of a right code back, and no other: a code of one's own does not pay for guesses at others'.
    pub fn was_right(&self, address: &IpAddr) {
        self.lock().attempts.give_back(address, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_000);
    const ANNA: PersonId = PersonId(1);

    #[test]
    fn a_code_is_valid_once_for_ten_minutes_in_any_notation() {
        let codes = PairingCodes::default();
        let (code, until) = codes.new_code(ANNA, NOW).unwrap();
        assert_eq!((code.len(), until), (9, NOW + LIFETIME));
        let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
        assert_eq!(codes.redeem(&typed, NOW), Some(ANNA));
        assert_eq!(codes.redeem(&code, NOW), None, "used");
        let (code, until) = codes.new_code(ANNA, NOW).unwrap();
        assert_eq!(codes.redeem(&code, until), None, "too old");
    }

    #[test]
    fn a_new_code_takes_the_place_of_the_old_one() {
        let codes = PairingCodes::default();
        let (old, _) = codes.new_code(ANNA, NOW).unwrap();
        let (other, _) = codes.new_code(PersonId(2), NOW).unwrap();
        let (new, _) = codes.new_code(ANNA, NOW).unwrap();
        assert_eq!(codes.redeem(&old, NOW), None);
        assert_eq!(codes.redeem(&other, NOW), Some(PersonId(2)));
        assert_eq!(codes.redeem(&new, NOW), Some(ANNA));
    }

    #[test]
    fn guesses_of_an_address_are_limited() {
        let codes = PairingCodes::default();
        let address = "192.0.2.1".parse().unwrap();
        let tries = (0..100).filter(|_| codes.may_try(address)).count();
        assert!(tries <= 31, "{tries}");
        assert!(codes.may_try("192.0.2.2".parse().unwrap()));
    }

    #[test]
    fn a_code_of_ones_own_pays_for_no_guesses_at_others() {
        let codes = PairingCodes::default();
        let address = "192.0.2.1".parse().unwrap();
        let guesses = (0..100).filter(|_| {
            if codes.may_try(address) {
                codes.was_right(&address);
            }
            codes.may_try(address)
        });
        let guesses = guesses.count();
        assert!((29..=31).contains(&guesses), "{guesses}");
    }
}
