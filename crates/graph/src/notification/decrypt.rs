//! Decrypts one item (Graph, "Set up change notifications that include resource data"): RSA-OAEP with SHA-1 unwraps the
//! key, HMAC-SHA256 authenticates the content, AES-256-CBC decrypts it.

use aws_lc_rs::{
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::wire::EncryptedContent;

/// Reason why an item was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A field is not Base64.
    Malformed,
    /// The HMAC differs. Nothing was decrypted.
    Signature,
    /// The key cannot be unwrapped, or the padding is wrong.
    Undecryptable,
}

/// Length of an item's AES key in bytes.
const KEY_LEN: usize = 32;

/// Decrypts the item's content.
pub(super) fn open(
    key: &OaepPrivateDecryptingKey,
    content: &EncryptedContent,
) -> Result<Vec<u8>, Failure> {
    let wrapped = decode(&content.data_key)?;
    // aws-lc requires a buffer as long as the modulus.
    let mut room = vec![0; key.min_output_size()];
    let item_key = key
        .decrypt(&OAEP_SHA1_MGF1SHA1, &wrapped, &mut room, None)
        .map_err(|_| Failure::Undecryptable)?;
    open_with(item_key, decode(&content.data)?, &content.data_signature)
}

/// Decrypts the content with the unwrapped key.
pub(super) fn open_with(
    key: &[u8],
    mut data: Vec<u8>,
    signature: &str,
) -> Result<Vec<u8>, Failure> {
    if key.len() != KEY_LEN {
        return Err(Failure::Undecryptable);
    }
    let signature = decode(signature)?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &data, &signature)
        .map_err(|_| Failure::Signature)?;
    let mut iv = [0; 16];
    iv.copy_from_slice(&key[..16]);
    let text_len = UnboundCipherKey::new(&AES_256, key)
        .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
        .and_then(|aes| {
            aes.decrypt(&mut data, DecryptionContext::Iv128(FixedLength::from(iv)))
                .map(|text| text.len())
        })
        .map_err(|_| Failure::Undecryptable)?;
    data.truncate(text_len);
    Ok(data)
}

fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64_STANDARD.decode(text).map_err(|_| Failure::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn key() -> Vec<u8> {
        (0..32).collect()
    }

    fn text(name: &str) -> String {
        let vectors = vectors::all();
        vectors.pointer(name).unwrap().as_str().unwrap().to_owned()
    }

    fn data() -> Vec<u8> {
        decode(&text("/dataBase64")).unwrap()
    }

    #[test]
    fn rows_74_and_75_the_vector_opens() {
        let opened = open_with(&key(), data(), &text("/dataSignatureBase64")).unwrap();
        assert_eq!(String::from_utf8(opened).unwrap(), text("/plaintextUtf8"));
    }

    #[test]
    fn row_76_a_signature_over_the_base64_text_is_refused() {
        let signature = text("/negative/signatureOverBase64Text");
        assert_eq!(
            open_with(&key(), data(), &signature),
            Err(Failure::Signature)
        );
    }

    #[test]
    fn row_77_a_flipped_byte_is_refused_by_the_signature() {
        let data = decode(&text("/negative/dataLastByteFlipped")).unwrap();
        let signature = text("/dataSignatureBase64");
        assert_eq!(open_with(&key(), data, &signature), Err(Failure::Signature));
    }

    #[test]
    fn row_79_the_small_vector_opens() {
        let data = "LoFmM3wt0D8H6bTuNTroQT4Nfvygo+VP7lIzEyY4UO3hYTlE12ipZLH+RlqPgS3pmjmiOUCKXU6UKVMUPONEWg==";
        let opened = open_with(
            &key(),
            decode(data).unwrap(),
            "5WrDaSnNArHksdA9/aRayP4emG43BM4mBnMXPyFpQUY=",
        );
        assert_eq!(
            opened.unwrap(),
            br#"{"id":"u","availability":"Available","activity":"Available"}"#
        );
    }

    #[test]
    fn keys_of_another_length_and_texts_without_end_are_refused() {
        assert_eq!(
            open_with(&[1; 31], data(), &text("/dataSignatureBase64")),
            Err(Failure::Undecryptable)
        );
        for data in [vec![], vec![7; 15], vec![7; 32]] {
            let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &key());
            let signature = BASE64_STANDARD.encode(hmac::sign(&hmac_key, &data));
            assert_eq!(
                open_with(&key(), data, &signature),
                Err(Failure::Undecryptable)
            );
        }
    }
}
