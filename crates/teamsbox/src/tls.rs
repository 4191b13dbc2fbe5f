//! TLS with an authority of the emulator, for clients that refuse plain HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
};

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use tokio::task::JoinHandle;

use crate::config::StartError;

/// A certificate with its authority.
pub(crate) struct Identity {
    /// The authority's certificate, PEM.
    pub(crate) authority: String,
    config: RustlsConfig,
}

impl Identity {
    /// Creates an authority, and a certificate for loopback and the address of the listener. The authority's key is not kept.
    pub(crate) fn new(listen: IpAddr) -> Result<Self, StartError> {
        fn failed(error: impl std::fmt::Display) -> StartError {
            StartError::Tls(error.to_string())
        }
        let authority_key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Teamsbox test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = params.self_signed(&authority_key).map_err(failed)?.pem();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(failed)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        for address in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
            listen,
        ] {
            if !address.is_unspecified()
                && !params
                    .subject_alt_names
                    .contains(&SanType::IpAddress(address))
            {
                params.subject_alt_names.push(SanType::IpAddress(address));
            }
        }
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let private =
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).map_err(failed)?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            authority,
            config: RustlsConfig::from_config(Arc::new(config)),
        })
    }

    /// Serves until the handle stops it.
    pub(crate) fn serve(
        &self,
        listener: TcpListener,
        handle: axum_server::Handle<SocketAddr>,
        routes: Router,
    ) -> Result<JoinHandle<()>, StartError> {
        let server = axum_server::from_tcp_rustls(listener, self.config.clone())
            .map_err(|error| StartError::Tls(error.to_string()))?
            .handle(handle);
        Ok(tokio::spawn(async {
            if let Err(error) = server.serve(routes.into_make_service()).await {
                tracing::error!(%error, "the emulator stopped listening");
            }
        }))
    }
}
