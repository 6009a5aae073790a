//! The hub's REST interface as a program uses it: TLS against the hub's CA, a person's session, JSON.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

/// A client, signed in or not.
#[derive(Clone)]
pub struct Rest {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    session: Option<String>,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Rest {
    /// A client that nobody has signed in to.
    ///
    /// # Errors
    /// When the CA's certificate cannot be read.
    pub fn new(address: SocketAddr, ca_file: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_file_iter(ca_file).context("read the hub's CAs")? {
            roots.add(ca?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            address,
            tls: Arc::new(tls),
            session: None,
        })
    }

    /// The same client with a person's session.
    ///
    /// # Errors
    /// When the hub refuses.
    pub async fn sign_in(&self, login: &str, password: &str) -> anyhow::Result<Self> {
        let body = json!({ "login": login, "password": password });
        let (status, answer) = self
            .send(
                Method::POST,
                "/api/v1/sessions",
                "application/json",
                Some(body),
            )
            .await?;
        if !status.is_success() {
            bail!("signing {login} in: {status}");
        }
        let answer: Value = serde_json::from_slice(&answer)?;
        let session = answer["access_token"]
            .as_str()
            .context("a session's token")?;
        Ok(Self {
            session: Some(session.to_owned()),
            ..self.clone()
        })
    }

    /// GET as JSON.
    ///
    /// # Errors
    /// When the answer is not a success, or not JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.keep().await?.get(path).await
    }

    /// GET in a form of one's choice.
    ///
    /// # Errors
    /// When the answer is not a success.
    pub async fn get_as(&self, path: &str, accept: &str) -> anyhow::Result<Bytes> {
        let (status, answer) = self.send(Method::GET, path, accept, None).await?;
        understood("GET", path, status, &answer)?;
        Ok(answer)
    }

    /// PUT of JSON.
    ///
    /// # Errors
    /// When the answer is not a success.
    pub async fn put(&self, path: &str, body: Value) -> anyhow::Result<()> {
        let json = "application/json";
        let (status, answer) = self.send(Method::PUT, path, json, Some(body)).await?;
        understood("PUT", path, status, &answer)
    }

    /// A connection that stays for many questions.
    ///
    /// # Errors
    /// When the hub cannot be reached.
    pub async fn keep(&self) -> anyhow::Result<Kept> {
        let tcp = TcpStream::connect(self.address).await?;
        let tls = TlsConnector::from(Arc::clone(&self.tls))
            .connect("localhost".try_into()?, tcp)
            .await?;
        let (sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        Ok(Kept {
            sender,
            session: self.session.clone(),
            _connection: AbortOnDropHandle::new(tokio::spawn(connection)),
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        self.keep().await?.send(method, path, accept, body).await
    }
}

/// One connection of a client.
#[derive(Debug)]
pub struct Kept {
    sender: http1::SendRequest<Full<Bytes>>,
    session: Option<String>,
    _connection: AbortOnDropHandle<hyper::Result<()>>,
}

impl Kept {
    /// GET as JSON.
    ///
    /// # Errors
    /// When the answer is not a success, or not JSON.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        let json = "application/json";
        let (status, answer) = self.send(Method::GET, path, json, None).await?;
        understood("GET", path, status, &answer)?;
        serde_json::from_slice(&answer).with_context(|| format!("GET {path}: not JSON"))
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        accept: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, accept);
        if let Some(session) = &self.session {
            request = request.header(header::AUTHORIZATION, format!("Bearer {session}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Full::new(Bytes::from(body.to_string()))
            }
            None => Full::default(),
        };
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(body)?).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        Ok((status, bytes))
    }
}

fn understood(method: &str, path: &str, status: StatusCode, answer: &[u8]) -> anyhow::Result<()> {
    if !status.is_success() {
        let said = String::from_utf8_lossy(answer);
        bail!("{method} {path}: {status} {said}");
    }
    Ok(())
}
