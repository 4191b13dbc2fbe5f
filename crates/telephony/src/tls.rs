//! Certificates and TLS for SIP over connections (RFC 3261 §26.2).

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// A server's certificate and key. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity(pub(crate) Arc<ServerConfig>);

impl Identity {
    /// Reads a certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// In words: the fault of the certificate or key.
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

/// A client's certificate authorities. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(pub(crate) Arc<ClientConfig>);

impl Trust {
    /// The certificate authorities of this machine.
    ///
    /// # Errors
    /// In words: they cannot be read.
    pub fn system() -> Result<Self, String> {
        let config = ClientConfig::builder()
            .with_platform_verifier()
            .map_err(|error| format!("the authorities of this machine cannot be used: {error}"))?;
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }

    /// Trusts these authorities (PEM) and no others. A certificate listed itself is trusted too: most hand-made certificates
    /// are their own authority, which the standard does not allow for a server.
    ///
    /// # Errors
    /// In words: the fault of the certificates.
    pub fn from_pem(authorities: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let mut known = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            let certificate = certificate.map_err(|error| format!("it is no PEM: {error}"))?;
            known.push(certificate.clone());
            roots
                .add(certificate)
                .map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
        }
        if roots.is_empty() {
            return Err("there is no certificate (BEGIN CERTIFICATE) in it".into());
        }
        let by_authority = WebPkiServerVerifier::builder(Arc::new(roots))
            .build()
            .map_err(|error| format!("the certificates in it cannot be used: {error}"))?;
        let verifier = Arc::new(KnownOrVouchedFor {
            known,
            by_authority,
        });
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }
}

/// Accepts the listed certificates of servers, and certificates issued by a listed authority. The name must match in both
/// cases.
#[derive(Debug)]
struct KnownOrVouchedFor {
    known: Vec<CertificateDer<'static>>,
    by_authority: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for KnownOrVouchedFor {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.known.iter().any(|known| known == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.by_authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// A host name or IP address for certificates.
///
/// # Errors
/// In words: the text is neither.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(plain.to_owned())
        .map_err(|_| format!("{host} cannot stand in a certificate"))
}
