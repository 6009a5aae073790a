//! TLS towards the hub: 1.3 alone, one crypto provider, no resumption (a resumed session would not show a renewed
//! certificate).

use std::sync::Arc;

use rustls::client::{Resumption, WantsClientCert};
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_pki_types::CertificateDer;

use crate::identity::Identity;

/// Why TLS could not be set up from what is stored.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Nothing to know the hub by.
    #[error("there is no usable CA certificate to know the hub by")]
    NoAnchor,
    /// A certificate or key that rustls cannot use.
    #[error("the stored certificate or key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// Without a certificate of our own: enrolment and sign-in.
///
/// # Errors
/// When no anchor can be used.
pub fn anonymous(anchors: &[CertificateDer<'static>]) -> Result<ClientConfig, TlsError> {
    Ok(hardened(trusting(anchors)?.with_no_client_auth()))
}

/// With the office's certificate.
///
/// # Errors
/// When the identity cannot be used.
pub fn as_office(identity: &Identity) -> Result<ClientConfig, TlsError> {
    let config = trusting(identity.anchors())?
        .with_client_auth_cert(identity.chain().to_vec(), identity.private_key())?;
    Ok(hardened(config))
}

fn trusting(
    anchors: &[CertificateDer<'static>],
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(anchors.iter().cloned());
    if roots.is_empty() {
        return Err(TlsError::NoAnchor);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots))
}

fn hardened(mut config: ClientConfig) -> ClientConfig {
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
