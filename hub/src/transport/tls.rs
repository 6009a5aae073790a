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

use crate::config::TlsVersion;
use crate::identity::enrolment::peer;
use crate::identity::pki::authority::Authority;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    #[error("set TLS up: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("set client authentication up: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// TLS for offices: a client certificate of `authority` that names an office of its trust domain is required. One
/// that ended less than `renewal_grace` ago is let in; what it may do is decided for each request.
pub fn agents_tls(
    server: Arc<dyn ResolvesServerCert>,
    authority: Arc<Authority>,
    renewal_grace: Duration,
    oldest: TlsVersion,
) -> Result<ServerConfig, TlsSetupError> {
    let provider = provider();
    let verifier = OfficeVerifier {
        signatures: chain_verifier(&authority)?,
        authority,
        renewal_grace,
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(oldest))?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(server);
    Ok(hardened(config, &[b"h2"]))
}

/// rustls's verification against the CAs that are trusted now.
fn chain_verifier(authority: &Authority) -> Result<Arc<dyn ClientCertVerifier>, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    for anchor in authority.trust_anchors() {
        roots.add(anchor)?;
    }
    Ok(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?)
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
    /// For what does not depend on who is trusted.
    signatures: Arc<dyn ClientCertVerifier>,
    authority: Arc<Authority>,
    renewal_grace: Duration,
}

impl OfficeVerifier {
    /// Offices stand directly below the CA. webpki does not hold a trust anchor to its path length, so nothing
    /// but the leaf is looked at. Who is trusted is asked each time: a CA is followed by another while the hub runs.
    fn verify_chain(
        &self,
        leaf: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chain = chain_verifier(&self.authority)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        match chain.verify_client_cert(leaf, &[], now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after,
                ..
            })) if now.as_secs() - not_after.as_secs() <= self.renewal_grace.as_secs() => {
                chain.verify_client_cert(leaf, &[], not_after)
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
        match peer::identify(leaf, self.authority.trust_domain()) {
            Ok(_) => Ok(verified),
            Err(error) => {
                tracing::warn!(%error, "a certificate of our own CA names no office");
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        }
    }

    /// None: an agent has one certificate, and the names of CAs may change.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signatures
            .verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signatures
            .verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_verify_schemes()
    }
}
