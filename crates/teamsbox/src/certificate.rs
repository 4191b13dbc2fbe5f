//! Certificates of clients: applications sign in with them, and notifications are encrypted for them.
//!
//! Only the public key and the thumbprints are read. The issuer is not checked, as in Graph.

use aws_lc_rs::{
    digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    rsa::PublicEncryptingKey,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The most bytes of a certificate. One with a key of 4,096 bits has about 2,000.
const DER_BYTES_MAX: usize = 16 * 1_024;

/// A certificate with an RSA key.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    /// The public key with its algorithm, DER.
    pub(crate) public_key: Box<[u8]>,
    sha1: Digest,
    sha256: Digest,
}

/// The reason why a certificate is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateError {
    /// Not base64, or not X.509.
    #[error("is not the base64 of an X.509 certificate")]
    Unreadable,
    /// Another kind of key, or a key of another length.
    #[error("does not have an RSA key of 2048 to 4096 bits")]
    Key,
}

impl Certificate {
    /// Reads base64 of DER, with or without PEM's markers and line ends.
    pub(crate) fn parse(text: &str) -> Result<Self, CertificateError> {
        let bare: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(str::chars)
            .filter(|letter| !letter.is_ascii_whitespace())
            .take(DER_BYTES_MAX * 2)
            .collect();
        let der = STANDARD
            .decode(bare)
            .map_err(|_| CertificateError::Unreadable)?;
        if der.len() > DER_BYTES_MAX {
            return Err(CertificateError::Unreadable);
        }
        let bytes = CertificateDer::from(der.as_slice());
        let certificate =
            EndEntityCert::try_from(&bytes).map_err(|_| CertificateError::Unreadable)?;
        let public_key = certificate.subject_public_key_info();
        let key = PublicEncryptingKey::from_der(&public_key).map_err(|_| CertificateError::Key)?;
        let bits = key.key_size_bits();
        if !(2_048..=4_096).contains(&bits) {
            return Err(CertificateError::Key);
        }
        Ok(Self {
            public_key: public_key.as_ref().into(),
            sha1: digest(&SHA1_FOR_LEGACY_USE_ONLY, &der),
            sha256: digest(&SHA256, &der),
        })
    }

    /// The SHA-1 of the certificate in upper-case hexadecimal digits, as notifications carry it.
    pub(crate) fn thumbprint(&self) -> String {
        self.sha1
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    /// The header `x5t` of assertions.
    pub(crate) fn x5t(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.sha1.as_ref())
    }

    /// The header `x5t#S256` of assertions.
    pub(crate) fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.sha256.as_ref())
    }

    /// The public key in PEM.
    pub(crate) fn public_key_pem(&self) -> String {
        let body = STANDARD.encode(&self.public_key);
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn row_080_the_thumbprints_of_the_vector_certificate() {
        let certificate = Certificate::parse(crate::vectors::CERTIFICATE).unwrap();
        assert_eq!(
            certificate.thumbprint(),
            "259BDB039022FE66498EB808E6E8F810B4152CE0"
        );
        assert_eq!(certificate.x5t(), "JZvbA5Ai_mZJjrgI5uj4ELQVLOA");
        assert_eq!(
            certificate.x5t_s256(),
            "ptb6_zrNj93yaQaCVeYn43jjf1qiE-NJpkBwwA2jsKU"
        );
    }

    #[test]
    fn other_keys_are_refused() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let text = STANDARD.encode(certificate.der());
        assert_eq!(
            Certificate::parse(&text).unwrap_err(),
            CertificateError::Key
        );
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Certificate::parse(&text);
            prop_assert!(Certificate::parse(&STANDARD.encode(bytes)).is_err());
        }
    }
}
