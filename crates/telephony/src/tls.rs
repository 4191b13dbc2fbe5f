//! Certificates and TLS for SIP over connections (RFC 3261 §26.2).

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// What a server shows its clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity(pub(crate) Arc<ServerConfig>);

impl Identity {
    /// From a chain of certificates and their key, both PEM.
    ///
    /// # Errors
    /// In words: what is wrong with them.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("the certificate is no PEM: {error}"))?;
        if chain.is_empty() {
            return Err("there is no certificate (BEGIN CERTIFICATE) in it".into());
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("there is no private key in it: {error}"))?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| format!("certificate and key do not belong together: {error}"))?;
        Ok(Self(Arc::new(config)))
    }
}

/// Whom a client believes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(pub(crate) Arc<ClientConfig>);

impl Trust {
    /// The authorities that this machine believes.
    ///
    /// # Errors
    /// In words: they cannot be read.
    pub fn of_machine() -> Result<Self, String> {
        let config = ClientConfig::builder()
            .with_platform_verifier()
            .map_err(|error| format!("the authorities of this machine cannot be used: {error}"))?;
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }

    /// These authorities, PEM, and no others.
    ///
    /// # Errors
    /// In words: what is wrong with them.
    pub fn from_pem(authorities: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            let certificate = certificate.map_err(|error| format!("it is no PEM: {error}"))?;
            roots
                .add(certificate)
                .map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
        }
        if roots.is_empty() {
            return Err("there is no certificate (BEGIN CERTIFICATE) in it".into());
        }
        let config = ClientConfig::builder().with_root_certificates(roots);
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }
}

/// A name or address as certificates have it.
///
/// # Errors
/// In words: it is none.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(plain.to_owned())
        .map_err(|_| format!("{host} cannot stand in a certificate"))
}
