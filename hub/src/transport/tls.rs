//! TLS of the two listeners: one provider, 1.3 unless configured otherwise, no resumption.
//!
//! A resumed session would carry over the certificate chain of its first handshake without looking at it
//! again, so a revoked or ended certificate could go on (rustls restores it from the ticket). Handshakes are
//! rare here; they are always full.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::config::{TlsVersion, TrustDomain};
use crate::identity::peer;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    #[error("set TLS up: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("set client authentication up: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// TLS for offices: a client certificate of `ca` that names an office of `trust_domain` is required. One that
/// ended less than `renewal_grace` ago is let in; what it may do is decided for each request.
pub fn agents_tls(
    server: Arc<dyn ResolvesServerCert>,
    ca: &CertificateDer<'static>,
    trust_domain: &TrustDomain,
    renewal_grace: Duration,
    oldest: TlsVersion,
) -> Result<ServerConfig, TlsSetupError> {
    let provider = provider();
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone())?;
    let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let verifier = OfficeVerifier {
        chain: chain.build()?,
        trust_domain: trust_domain.clone(),
        renewal_grace,
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(oldest))?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(server);
    Ok(hardened(config, &[b"h2"]))
}

/// TLS for people, who have no certificate.
pub fn people_tls(
    server: Arc<dyn ResolvesServerCert>,
    oldest: TlsVersion,
) -> Result<ServerConfig, TlsSetupError> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(oldest))?
        .with_no_client_auth()
        .with_cert_resolver(server);
    Ok(hardened(config, &[b"h2", b"http/1.1"]))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn versions(oldest: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    static FROM_13: [&SupportedProtocolVersion; 1] = [&TLS13];
    static FROM_12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    match oldest {
        TlsVersion::Tls13 => &FROM_13,
        TlsVersion::Tls12 => &FROM_12,
    }
}

fn hardened(mut config: ServerConfig, protocols: &[&[u8]]) -> ServerConfig {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}

/// rustls's own chain verification, and then [`peer::identify`], so that a certificate that names no office
/// fails the handshake.
#[derive(Debug)]
struct OfficeVerifier {
    chain: Arc<dyn ClientCertVerifier>,
    trust_domain: TrustDomain,
    renewal_grace: Duration,
}

impl OfficeVerifier {
    /// Offices stand directly below the CA. webpki does not hold a trust anchor to its path length, so nothing
    /// but the leaf is looked at.
    fn verify_chain(
        &self,
        leaf: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.chain.verify_client_cert(leaf, &[], now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after,
                ..
            })) if now.as_secs() - not_after.as_secs() <= self.renewal_grace.as_secs() => {
                self.chain.verify_client_cert(leaf, &[], not_after)
            }
            result => result,
        }
    }
}

impl ClientCertVerifier for OfficeVerifier {
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.verify_chain(leaf, now)?;
        match peer::identify(leaf, &self.trust_domain) {
            Ok(_) => Ok(verified),
            Err(error) => {
                tracing::warn!(%error, "a certificate of our own CA names no office");
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        }
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
