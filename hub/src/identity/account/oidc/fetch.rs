//! What the provider publishes: its configuration (OpenID Connect Discovery 1.0) and its keys, over HTTPS alone,
//! from the configured issuer alone, bounded in time and size. A redirect is an answer like any other that is not 200.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::JwkSet;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

use super::keys::ProviderKeys;
use crate::config::IssuerUrl;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer, bytes.
const LARGEST: usize = 256 << 10;

/// Why the certificates that the provider is trusted by cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("oidc.ca_file {}: {problem}", file.display())]
    CaFile { file: PathBuf, problem: String },
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{url} cannot be reached: {problem}")]
    Unreachable { url: String, problem: String },
    #[error("{url} answers {status}")]
    Status { url: String, status: u16 },
    #[error("{url} is not what it should be: {problem}")]
    Malformed { url: String, problem: String },
    #[error("it was asked a moment ago, in vain")]
    JustAsked,
}

/// Asks the provider.
#[derive(Debug)]
pub(super) struct Fetcher {
    issuer: IssuerUrl,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

/// What of the provider's configuration is looked at.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Fetcher {
    pub(super) fn new(issuer: &IssuerUrl, ca_file: &Path) -> Result<Self, TrustError> {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(trusting(ca_file)?)
            .https_only()
            .enable_http1()
            .build();
        Ok(Self {
            issuer: issuer.clone(),
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// The keys that the provider signs with now.
    pub(super) async fn keys(&self) -> Result<ProviderKeys, FetchError> {
        let url = self.issuer.discovery();
        let discovery: Discovery = self.get(&url).await?;
        if discovery.issuer != self.issuer.as_str() {
            return Err(FetchError::Malformed {
                url,
                problem: "it is of another issuer".into(),
            });
        }
        let set: JwkSet = self.get(&discovery.jwks_uri).await?;
        let keys = ProviderKeys::of(&set);
        match keys.is_empty() {
            false => Ok(keys),
            true => Err(FetchError::Malformed {
                url: discovery.jwks_uri,
                problem: "it holds no signing key".into(),
            }),
        }
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, url: &str) -> Result<T, FetchError> {
        let unreachable = |problem: String| FetchError::Unreachable {
            url: url.to_owned(),
            problem,
        };
        let malformed = |problem: String| FetchError::Malformed {
            url: url.to_owned(),
            problem,
        };
        let uri: http::Uri = url.parse().map_err(|_| malformed("no URL".into()))?;
        let answer = async {
            let answer = self.client.get(uri).await;
            let answer = answer.map_err(|error| unreachable(in_full(&error)))?;
            if answer.status() != http::StatusCode::OK {
                return Err(FetchError::Status {
                    url: url.to_owned(),
                    status: answer.status().as_u16(),
                });
            }
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            body.map_err(|error| malformed(error.to_string()))
        };
        let body = tokio::time::timeout(PATIENCE, answer).await;
        let body = body.map_err(|_| unreachable("no answer in ten seconds".into()))??;
        serde_json::from_slice(&body.to_bytes()).map_err(|error| malformed(error.to_string()))
    }
}

fn trusting(ca_file: &Path) -> Result<ClientConfig, TrustError> {
    let wrong = |problem: String| TrustError::CaFile {
        file: ca_file.to_owned(),
        problem,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca_file);
    for certificate in certificates.map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        // A bundle of the system may hold roots of a kind that is not understood.
        roots.add_parsable_certificates([certificate]);
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".into()));
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// An error with what caused it: hyper's own text says nothing of a refused certificate.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
