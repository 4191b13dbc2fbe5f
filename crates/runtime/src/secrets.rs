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

/// The hash of a secret, which the store keeps.
pub fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// The first `bytes` of the hash of `data`, in hexadecimal digits: names the data without revealing it.
pub fn fingerprint(data: &[u8], bytes: usize) -> String {
    let hash = Sha256::digest(data);
    hash.iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
