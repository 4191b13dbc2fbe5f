//! Encryption of rich notifications: a new key for each item, AES-256-CBC, HMAC-SHA256 over the ciphertext, and the key
//! encrypted by RSA-OAEP with SHA-1 (Graph: "Set up change notifications that include resource data").

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    error::Unspecified,
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::subscription::Recipient;

/// Encrypts the data of an item for its recipient.
///
/// # Errors
/// The operating system returned no random bytes, or the public key cannot be used.
pub(crate) fn encrypt(plaintext: &str, recipient: &Recipient) -> Result<Value, Unspecified> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key).map_err(|_| Unspecified)?;
    let (data, signature) = seal(plaintext.as_bytes(), &key)?;
    let public = PublicEncryptingKey::from_der(&recipient.certificate.public_key)
        .map_err(|_| Unspecified)?;
    let public = OaepPublicEncryptingKey::new(public)?;
    let mut wrapped = vec![0_u8; public.ciphertext_size()];
    let wrapped = public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)?;
    Ok(json!({
        "data": STANDARD.encode(data),
        "dataSignature": STANDARD.encode(signature),
        "dataKey": STANDARD.encode(wrapped),
        "encryptionCertificateId": recipient.id,
        "encryptionCertificateThumbprint": recipient.certificate.thumbprint(),
    }))
}

/// The ciphertext and its signature. As in Graph, the first half of the key is the initialization vector: each key is
/// used once.
fn seal(plaintext: &[u8], key: &[u8; 32]) -> Result<(Vec<u8>, Vec<u8>), Unspecified> {
    let mut vector = [0_u8; 16];
    vector.copy_from_slice(key.get(..16).ok_or(Unspecified)?);
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?;
    let mut data = plaintext.to_vec();
    cipher.less_safe_encrypt(
        &mut data,
        EncryptionContext::Iv128(FixedLength::from(vector)),
    )?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &data);
    Ok((data, signature.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting_key() -> [u8; 32] {
        std::array::from_fn(|index| u8::try_from(index).unwrap())
    }

    #[test]
    fn row_074_and_075_the_vector_comes_out() {
        let (data, signature) =
            seal(crate::vectors::PLAINTEXT.as_bytes(), &counting_key()).unwrap();
        assert_eq!(STANDARD.encode(data), crate::vectors::DATA);
        assert_eq!(STANDARD.encode(signature), crate::vectors::SIGNATURE);
    }

    #[test]
    fn row_079_the_small_vector_comes_out() {
        let text = br#"{"id":"u","availability":"Available","activity":"Available"}"#;
        let (data, signature) = seal(text, &counting_key()).unwrap();
        let expected = "LoFmM3wt0D8H6bTuNTroQT4Nfvygo+VP7lIzEyY4UO3hYTlE12ipZLH+RlqPgS3pmjmiOUCKXU6UKVMUPONEWg==";
        assert_eq!(STANDARD.encode(data), expected);
        assert_eq!(
            STANDARD.encode(signature),
            "5WrDaSnNArHksdA9/aRayP4emG43BM4mBnMXPyFpQUY="
        );
    }
}
