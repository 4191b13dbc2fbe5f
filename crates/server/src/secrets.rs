//! Random secrets, and the hashes by which the store knows them.

use sha2::{Digest, Sha256};
use store::SecretHash;

/// A fresh secret of 256 random bits, as text.
///
/// # Errors
/// The operating system gives no random numbers.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What is stored of a secret.
pub fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// The first `bytes` of the hash of anything, as text: to name it without telling it.
pub fn fingerprint(data: &[u8], bytes: usize) -> String {
    let hash = Sha256::digest(data);
    hash.iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
