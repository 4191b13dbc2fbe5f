//! Ids of events for clients. A revision counts all changes, including those of people who are hidden from the viewer: two
//! plain revisions would reveal changes in between. An id is the revision, sealed with a random nonce and a key of this
//! run.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// Bytes of the nonce before the sealed revision.
const NONCE_BYTES: usize = 12;
/// Bytes of a revision.
const REVISION_BYTES: usize = 8;
/// Bytes of the authentication tag after the sealed revision.
const TAG_BYTES: usize = 16;
/// Characters of an id.
const ID_LENGTH: usize = (NONCE_BYTES + REVISION_BYTES + TAG_BYTES) / 3 * 4;

/// Seals revisions as ids of events and opens them. The key lives as long as the process.
pub struct Tokens(RandomizedNonceKey);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Makes a random key.
    ///
    /// # Errors
    /// The operating system gives no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        // Fails only for keys of a wrong length.
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key);
        key.map(Self).map_err(|_| getrandom::Error::UNEXPECTED)
    }

    /// The id of a revision, different at each call.
    pub fn seal(&self, revision: u64) -> String {
        let mut sealed = revision.to_be_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::empty(), &mut sealed);
        // A client without an id reads everything again after a disconnection.
        nonce.map_or_else(
            |_| String::new(),
            |nonce| {
                let bytes = [nonce.as_ref().as_slice(), &sealed].concat();
                BASE64_URL_SAFE_NO_PAD.encode(bytes)
            },
        )
    }

    /// The revision of an id; `None` for ids of other runs.
    pub fn open(&self, id: &str) -> Option<u64> {
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(id).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let revision = self.0.open_in_place(nonce, Aad::empty(), sealed).ok()?;
        Some(u64::from_be_bytes(revision.try_into().ok()?))
    }
}

/// Whether a text has the form of an event's id, of this or another run.
pub(super) fn is_well_formed(id: &str) -> bool {
    id.len() == ID_LENGTH && BASE64_URL_SAFE_NO_PAD.decode(id).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_says_nothing_but_to_the_server_that_made_it() {
        let tokens = Tokens::new().unwrap();
        let ids: BTreeSet<String> = (0..100).map(|_| tokens.seal(7)).collect();
        assert_eq!(ids.len(), 100, "each time another id");
        for id in &ids {
            assert!(is_well_formed(id), "{id}");
            assert_eq!(tokens.open(id), Some(7));
            assert_eq!(Tokens::new().unwrap().open(id), None, "of another run");
        }
        for id in ["", "7", "abc", &"A".repeat(ID_LENGTH), &"é".repeat(24)] {
            assert_eq!(tokens.open(id), None, "{id}");
        }
        assert!(!is_well_formed("7") && !is_well_formed(""));
    }
}
