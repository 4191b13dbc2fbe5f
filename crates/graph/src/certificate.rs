//! Certificates with which the application signs in and decrypts notifications.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rsa::{KeyPair, OaepPrivateDecryptingKey, PrivateDecryptingKey},
    signature::KeyPair as _,
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use jsonwebtoken::EncodingKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// Reason why a certificate or its key cannot be used. No variant contains key material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The text is not a certificate in PEM.
    #[error("this is not a certificate: {cause}; give a PEM file with a section BEGIN CERTIFICATE")]
    Certificate {
        /// Error of the PEM parser.
        cause: String,
    },
    /// The text is not a private key in PEM.
    #[error("this is not a private key: {cause}; give an unencrypted PEM file, PKCS#8 or PKCS#1")]
    Key {
        /// Error of the PEM parser.
        cause: String,
    },
    /// Entra or Graph does not accept keys of this kind or size (Graph, "Set up change notifications that include resource
    /// data").
    #[error(
        "the private key is not RSA with 2048 to 4096 bits; create a new pair of key and certificate"
    )]
    Kind,
    /// The key belongs to another certificate.
    #[error(
        "the private key does not belong to the certificate; give the two files that were created together"
    )]
    Pair,
}

/// Public certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// Reads the first certificate of a PEM file.
    ///
    /// # Errors
    /// [`CertificateError::Certificate`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let der =
            CertificateDer::from_pem_slice(pem).map_err(|error| CertificateError::Certificate {
                cause: error.to_string(),
            })?;
        Ok(Self(der.to_vec()))
    }

    /// Wraps a certificate in DER without parsing it.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Self {
        Self(der.into())
    }

    /// Base64 of the DER, for `encryptionCertificate` of a subscription (Graph, resource type "subscription").
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.0)
    }

    /// SHA-1 of the DER in upper-case hexadecimal, as Entra's portal and `encryptionCertificateThumbprint` show it. The
    /// thumbprint identifies the certificate and authenticates nothing.
    pub fn thumbprint(&self) -> String {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.0)
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    /// Base64url of the SHA-256 of the DER: `x5t#S256` of a client assertion (RFC 7515, 4.1.8).
    pub fn x5t_s256(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.0))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.thumbprint())
    }
}

/// Certificate with its private key. `Debug` shows the thumbprint only. Cheap to clone.
#[derive(Clone)]
pub struct KeyedCertificate {
    certificate: Certificate,
    /// Computed once, because every notification is compared with it.
    thumbprint: Arc<str>,
    decrypting: Arc<OaepPrivateDecryptingKey>,
    signing: Arc<EncodingKey>,
}

impl KeyedCertificate {
    /// Reads a certificate and its private key (PKCS#8 or PKCS#1, unencrypted) from PEM. Both arguments may be the same
    /// file.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| CertificateError::Key {
            cause: error.to_string(),
        })?;
        let pair = match &key {
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(CertificateError::Kind),
        };
        let pair = pair.map_err(|_| CertificateError::Kind)?;
        if !(256..=512).contains(&pair.public_modulus_len()) {
            return Err(CertificateError::Kind);
        }
        // A certificate contains the DER of its public key unchanged, so that no X.509 parser is needed for the comparison.
        let public = pair.public_key().as_ref();
        if !certificate
            .0
            .windows(public.len())
            .any(|part| part == public)
        {
            return Err(CertificateError::Pair);
        }
        let pkcs8 = pair.as_der().map_err(|_| CertificateError::Kind)?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref())
            .map_err(|_| CertificateError::Kind)
            .and_then(|key| {
                OaepPrivateDecryptingKey::new(key).map_err(|_| CertificateError::Kind)
            })?;
        // `EncodingKey` accepts DER only as PKCS#1, but PEM in both forms.
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(pkcs8.as_ref())
        );
        let signing =
            EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| CertificateError::Kind)?;
        Ok(Self {
            thumbprint: certificate.thumbprint().into(),
            certificate,
            decrypting: Arc::new(decrypting),
            signing: Arc::new(signing),
        })
    }

    /// The certificate without its key.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    pub(crate) fn decrypting(&self) -> &OaepPrivateDecryptingKey {
        &self.decrypting
    }

    pub(crate) fn signing(&self) -> &EncodingKey {
        &self.signing
    }
}

impl fmt::Debug for KeyedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "KeyedCertificate({}, key redacted)",
            self.certificate.thumbprint()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn row_80_the_thumbprints_are_those_of_the_vectors() {
        let certificate = vectors::certificate();
        let vectors = vectors::all();
        assert_eq!(
            certificate.thumbprint(),
            "259BDB039022FE66498EB808E6E8F810B4152CE0"
        );
        assert_eq!(certificate.x5t_s256(), vectors["x5tS256"]);
        assert_eq!(
            certificate.base64(),
            vectors["encryptionCertificate_base64Der"]
        );
    }

    #[test]
    fn key_and_certificate_must_be_a_pair_and_show_nothing() {
        let (certificate, key) = vectors::pair_pem(KeySize::Rsa2048);
        let pair = KeyedCertificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        let text = format!("{pair:?}");
        assert!(text.contains(&pair.certificate().thumbprint()), "{text}");
        assert!(text.len() < 100, "{text}");

        let (_, other) = vectors::pair_pem(KeySize::Rsa2048);
        for (key, expected) in [
            (other.as_str(), "does not belong"),
            ("nothing", "not a private key"),
            (certificate.as_str(), "not a private key"),
        ] {
            let error =
                KeyedCertificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = KeyedCertificate::from_pem(key.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("not a certificate"), "{error}");
    }

    use aws_lc_rs::rsa::KeySize;
}
