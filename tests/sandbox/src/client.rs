//! TLS and gRPC of an office that keeps to the rules, for suites that measure or abuse a hub without its agent.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use http::Uri;
use hyper_util::rt::TokioIo;
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use notary_proto::hub::v1::enrollment_service_client::EnrollmentServiceClient;
use notary_proto::hub::v1::session_service_client::SessionServiceClient;
use notary_proto::hub::v1::{
    CheckApplicationRequest, CreateSessionRequest, EnrollRequest, IdentifierKind, IdentifierToken,
    LookupParty, LookupPurpose, PartyRole, RenewRequest,
};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

/// A certificate's chain and its key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// HTTP/2 over TLS 1.3 to a hub of this CA.
pub fn config(ca_file: &Path, identity: Option<Identity>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_file_iter(ca_file).context("read the hub's CAs")? {
        roots.add(ca?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// The handshake over a connection that stands.
pub async fn handshake(
    config: &Arc<ClientConfig>,
    tcp: TcpStream,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::clone(config))
        .connect(name, tcp)
        .await
}

/// What a channel is made of; a caller may set its windows.
pub fn endpoint() -> Endpoint {
    Endpoint::from_static("https://localhost")
}

/// A gRPC channel; connects when it is used.
pub fn channel(endpoint: &Endpoint, address: SocketAddr, config: Arc<ClientConfig>) -> Channel {
    channel_from(endpoint, Ipv4Addr::LOCALHOST, address, config)
}

/// The same from an address of one's own, any in 127.0.0.0/8: the hub counts by address.
pub fn channel_from(
    endpoint: &Endpoint,
    own: Ipv4Addr,
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> Channel {
    endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
        let config = Arc::clone(&config);
        async move {
            let socket = TcpSocket::new_v4()?;
            socket.bind((own, 0).into())?;
            let tcp = socket.connect(address).await?;
            tcp.set_nodelay(true)?;
            handshake(&config, tcp).await.map(TokioIo::new)
        }
    }))
}

/// An office's certificate for its join token.
pub async fn enrol(people: Channel, join_token: String) -> anyhow::Result<Identity> {
    let (key, csr_der) = new_key()?;
    let request = EnrollRequest {
        join_token,
        csr_der,
    };
    let enrolled = EnrollmentServiceClient::new(people).enroll(request).await?;
    Ok(identity(key, enrolled.into_inner().certificate_chain_der))
}

/// The next certificate, over a connection with the one before.
pub async fn renew(agents: Channel) -> anyhow::Result<Identity> {
    let (key, csr_der) = new_key()?;
    let request = RenewRequest { csr_der };
    let renewed = CertificateServiceClient::new(agents).renew(request).await?;
    Ok(identity(key, renewed.into_inner().certificate_chain_der))
}

/// A key and its signing request.
fn new_key() -> anyhow::Result<(KeyPair, Vec<u8>)> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let csr = CertificateParams::default().serialize_request(&key)?;
    Ok((key, csr.der().to_vec()))
}

fn identity(key: KeyPair, chain_der: Vec<Vec<u8>>) -> Identity {
    (
        chain_der.into_iter().map(CertificateDer::from).collect(),
        PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    )
}

/// The same certificate once more.
pub fn copy_of((chain, key): &Identity) -> Identity {
    (chain.clone(), key.clone_key())
}

/// A person's session.
pub async fn sign_in(people: Channel, login: &str, password: &str) -> anyhow::Result<String> {
    let request = CreateSessionRequest {
        login: login.to_owned(),
        password: password.to_owned(),
        otp: String::new(),
    };
    let session = SessionServiceClient::new(people)
        .create_session(request)
        .await?;
    Ok(session.into_inner().access_token)
}

/// A call of whoever has this session.
pub fn signed<T>(message: T, session: &str) -> anyhow::Result<Request<T>> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {session}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    Ok(request)
}

/// About one person, before accepting a mandate.
pub fn question(case_reference: &str, token: &[u8]) -> CheckApplicationRequest {
    CheckApplicationRequest {
        purpose: LookupPurpose::BeforeAcceptance.into(),
        case_reference: case_reference.to_owned(),
        matter_type: "mandate".to_owned(),
        parties: vec![LookupParty {
            role: PartyRole::Principal.into(),
            identifier: Some(IdentifierToken {
                kind: IdentifierKind::ResidentId.into(),
                token: token.to_vec(),
                verified: true,
                ..IdentifierToken::default()
            }),
            ..LookupParty::default()
        }],
        ..CheckApplicationRequest::default()
    }
}
