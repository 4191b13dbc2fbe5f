//! The public test vectors (reference 13), and key pairs made while the tests run. Tests only.

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::Certificate;

pub(crate) fn all() -> serde_json::Value {
    serde_json::from_str(include_str!("../tests/vectors.json")).unwrap()
}

pub(crate) fn certificate() -> Certificate {
    let base64 = all()["encryptionCertificate_base64Der"].clone();
    Certificate::from_der(BASE64_STANDARD.decode(base64.as_str().unwrap()).unwrap())
}

/// A fresh key pair as two PEM texts. What stands for the certificate is not a whole one: nothing here or at Graph looks
/// at more than the public key in it, and its fingerprint.
pub(crate) fn pair_pem(size: KeySize) -> (String, String) {
    let pair = KeyPair::generate(size).unwrap();
    let certificate = [b"not really X.509 ", pair.public_key().as_ref()].concat();
    let pkcs8 = pair.as_der().unwrap();
    (
        pem("CERTIFICATE", &certificate),
        pem("PRIVATE KEY", pkcs8.as_ref()),
    )
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The public key's SubjectPublicKeyInfo of a private key in PEM.
pub(crate) fn public_der(key: &str) -> Vec<u8> {
    use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
    let der = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let pair = KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    der.as_ref().to_vec()
}

/// Modulus and exponent of a private key in PEM.
pub(crate) fn public_components(key: &str) -> (Vec<u8>, Vec<u8>) {
    use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
    let der = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let pair = KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = aws_lc_rs::rsa::PublicKey::from_der(pair.public_key().as_ref()).unwrap();
    (
        public.modulus().big_endian_without_leading_zero().to_vec(),
        public.exponent().big_endian_without_leading_zero().to_vec(),
    )
}
