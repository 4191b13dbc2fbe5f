//! Seals secrets that must be read again (refresh tokens) with AES-256-GCM. The key is not in the database but in a file, the
//! environment or a systemd credential: a backup of the database alone opens no secret.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use store::{Database, SealedSecret, StoreError};

use crate::secrets;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of the nonce, before the ciphertext.
const NONCE_BYTES: usize = 12;
/// Bytes of a key's hash that name the key without revealing it.
const NAME_BYTES: usize = 8;

/// A secret that cannot be sealed or opened, with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key cannot be read.
    #[error(
        "{from}: {problem}; a key is 64 hexadecimal digits, made for example with `openssl rand -hex 32`"
    )]
    Key {
        /// The source of the key.
        from: String,
        /// The reason.
        problem: String,
    },
    /// Sealed with another key.
    #[error(
        "{name} is sealed with the key {sealed_with}, and the present one is {present}; name that key, or re-wrap with `offhook rewrap`"
    )]
    OtherKey {
        /// The name of the secret.
        name: String,
        /// The name of the key that sealed it.
        sealed_with: String,
        /// The name of the present key.
        present: String,
    },
    /// The ciphertext was changed, or belongs to another name.
    #[error("{name} is damaged or was moved: it does not open with its key; sign in again")]
    Damaged {
        /// The name of the secret.
        name: String,
    },
    /// The cryptographic library refused, or the operating system has no random numbers.
    #[error("the cryptographic library refused to seal")]
    Refused,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Seals and opens secrets. `Debug` prints the name of the key only.
pub struct Vault {
    key: RandomizedNonceKey,
    name: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("key", &self.name)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault with the key of these hexadecimal digits; `from` names its source in messages.
    ///
    /// # Errors
    /// The text is no key.
    pub fn new(key: &str, from: &str) -> Result<Self, VaultError> {
        let problem = |problem: String| VaultError::Key {
            from: from.to_owned(),
            problem,
        };
        let key = key.trim();
        if key.len() != 2 * KEY_BYTES {
            return Err(problem(format!("has {} characters", key.len())));
        }
        let digits = key.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        let bytes: Option<Vec<u8>> = digits.collect();
        let bytes = bytes.ok_or_else(|| problem("has other characters".into()))?;
        let bytes = SecretSlice::from(bytes);
        let bytes = bytes.expose_secret();
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| VaultError::Refused)?;
        Ok(Self {
            key,
            name: secrets::fingerprint(bytes, NAME_BYTES),
        })
    }

    /// A vault with the key from a file.
    ///
    /// # Errors
    /// The file cannot be read, or its text is no key.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        let from = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| VaultError::Key {
            from: from.clone(),
            problem: error.to_string(),
        })?;
        Self::new(SecretString::from(text).expose_secret(), &from)
    }

    /// A new key for a file.
    ///
    /// # Errors
    /// No random numbers.
    pub fn new_key() -> Result<String, getrandom::Error> {
        secrets::new_secret()
    }

    /// Seals a secret under a name. The secret opens under no other name.
    ///
    /// # Errors
    /// The library refused.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<SealedSecret, VaultError> {
        let mut body = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut body)
            .map_err(|_| VaultError::Refused)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(SealedSecret {
            name: name.to_owned(),
            key: self.name.clone(),
            sealed,
        })
    }

    /// Opens a sealed secret.
    ///
    /// # Errors
    /// The secret is sealed with another key or under another name, or damaged.
    pub fn open(&self, secret: &SealedSecret) -> Result<SecretSlice<u8>, VaultError> {
        let name = || secret.name.clone();
        if secret.key != self.name {
            return Err(VaultError::OtherKey {
                name: name(),
                sealed_with: secret.key.clone(),
                present: self.name.clone(),
            });
        }
        let damaged = || VaultError::Damaged { name: name() };
        let (nonce, body) = secret
            .sealed
            .split_at_checked(NONCE_BYTES)
            .ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut body = body.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(secret.name.as_bytes()), &mut body)
            .map_err(|_| damaged())?;
        let length = opened.len();
        body.truncate(length);
        Ok(body.into())
    }

    /// Seals all secrets of the old key with this key, and returns their number. Changes none if one does not open.
    ///
    /// # Errors
    /// A secret does not open with the old key; the store refused.
    pub async fn rewrap(&self, old: &Self, database: &Database) -> Result<usize, VaultError> {
        let mut anew = Vec::new();
        for secret in database.sealed_secrets().await? {
            // An earlier run has changed this one.
            if secret.key != self.name {
                anew.push(self.seal(&secret.name, old.open(&secret)?.expose_secret())?);
            }
        }
        database.replace_sealed_secrets(&anew).await?;
        Ok(anew.len())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use store::{OrganisationId, SealedSecret, Store};

    use super::{Vault, VaultError};

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn vault(key: &str) -> Vault {
        Vault::new(key, "a test").unwrap()
    }

    #[test]
    fn what_is_sealed_opens_under_its_name_and_key_only() {
        let vault = vault(OLD);
        let sealed = vault.seal("refresh/1", b"a token").unwrap();
        assert_eq!(vault.open(&sealed).unwrap().expose_secret(), b"a token");
        let hides = |needle: &[u8]| {
            !sealed
                .sealed
                .windows(needle.len())
                .any(|part| part == needle)
        };
        assert!(hides(b"token"));
        let again = vault.seal("refresh/1", b"a token").unwrap();
        assert_ne!(sealed, again, "a fresh nonce each time");
        let moved = SealedSecret {
            name: "refresh/2".into(),
            ..sealed.clone()
        };
        assert!(matches!(
            vault.open(&moved),
            Err(VaultError::Damaged { .. })
        ));
        let other = self::vault(NEW).open(&sealed).unwrap_err().to_string();
        assert!(other.contains("offhook rewrap"), "{other}");
        for at in 0..sealed.sealed.len() {
            let mut damaged = sealed.clone();
            damaged.sealed[at] ^= 1;
            assert!(vault.open(&damaged).is_err());
            damaged.sealed.truncate(at);
            assert!(vault.open(&damaged).is_err());
        }
    }

    #[test]
    fn a_key_is_64_digits_and_told_nowhere() {
        for key in [
            "",
            "00",
            &OLD[1..],
            &OLD.replace('0', "x"),
            &OLD.replace('f', "é"),
        ] {
            let refused = Vault::new(key, "key.txt").unwrap_err().to_string();
            assert!(refused.starts_with("key.txt: "), "{refused}");
            assert!(key.len() < 10 || !refused.contains(key));
        }
        assert!(!format!("{:?}", vault(OLD)).contains(&OLD[..16]));
        assert!(Vault::new(&Vault::new_key().unwrap(), "new").is_ok());
    }

    #[tokio::test]
    async fn everything_is_sealed_anew_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("offhook.db"), OrganisationId::FIRST)
            .await
            .unwrap();
        let (old, new) = (vault(OLD), vault(NEW));
        let secrets = ["a", "b"].map(|name| old.seal(name, name.as_bytes()).unwrap());
        store.seal_secrets(&secrets).await.unwrap();
        assert_eq!(new.rewrap(&old, store.database()).await.unwrap(), 2);
        assert_eq!(
            new.rewrap(&old, store.database()).await.unwrap(),
            0,
            "done already"
        );
        for secret in store.sealed_secrets("").await.unwrap() {
            assert_eq!(
                new.open(&secret).unwrap().expose_secret(),
                secret.name.as_bytes()
            );
        }
        let foreign = SealedSecret {
            key: "another".into(),
            ..secrets[0].clone()
        };
        store
            .seal_secrets(&[foreign, old.seal("c", b"c").unwrap()])
            .await
            .unwrap();
        assert!(new.rewrap(&old, store.database()).await.is_err());
        let untouched = store.sealed_secrets("c").await.unwrap();
        assert_eq!(old.open(&untouched[0]).unwrap().expose_secret(), b"c");
    }
}
