//! Self-signed certificates, made by OpenSSL.

use std::{path::Path, process::Command};

/// Writes a certificate for a subject alternative name, like `DNS:localhost`, and its private key.
///
/// # Panics
/// openssl is not installed.
pub fn certify(name: &str, certificate: &Path, key: &Path) {
    let subject = format!("/CN={}", name.rsplit(':').next().unwrap_or(name));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", &subject])
        .args(["-addext", &format!("subjectAltName={name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .output()
        .expect("openssl is missing: apt-get install openssl");
    assert!(made.status.success(), "{made:?}");
}
