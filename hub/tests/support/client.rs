//! TLS of a client: trusts the hub's CA, presents what it is given.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use super::Keys;

/// Presents one certificate whatever the server asks for, also one that does not fit its key.
#[derive(Debug)]
struct Always(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

pub fn ca(keys: &Keys) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(keys.config.pki_dir().join("ca.pem")).unwrap()
}

/// A certificate chain and its key in PKCS #8.
pub type Identity = (Vec<CertificateDer<'static>>, Vec<u8>);

pub fn config(
    ca: CertificateDer<'static>,
    identity: Option<Identity>,
    protocols: &[&[u8]],
) -> ClientConfig {
    let versions = &[&rustls::version::TLS13];
    config_for(versions, ca, identity, protocols)
}

pub fn config_for(
    versions: &[&'static SupportedProtocolVersion],
    ca: CertificateDer<'static>,
    identity: Option<Identity>,
    protocols: &[&[u8]],
) -> ClientConfig {
    config_trusting(versions, &[ca], identity, protocols)
}

pub fn config_trusting(
    versions: &[&'static SupportedProtocolVersion],
    anchors: &[CertificateDer<'static>],
    identity: Option<Identity>,
    protocols: &[&[u8]],
) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certified = identity.map(|(chain, key)| {
        let key = PrivateKeyDer::Pkcs8(key.into());
        let key = provider.key_provider.load_private_key(key).unwrap();
        Arc::new(CertifiedKey::new(chain, key))
    });
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots.add(anchor.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Always(certified)));
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}

pub async fn connect(
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    let name = "localhost".try_into().unwrap();
    TlsConnector::from(config).connect(name, tcp).await
}

/// A gRPC channel; connects when it is used.
pub fn channel(address: SocketAddr, config: ClientConfig) -> Channel {
    let config = Arc::new(config);
    Endpoint::from_static("https://localhost").connect_with_connector_lazy(tower::service_fn(
        move |_: Uri| {
            let config = Arc::clone(&config);
            async move { connect(address, config).await.map(TokioIo::new) }
        },
    ))
}
