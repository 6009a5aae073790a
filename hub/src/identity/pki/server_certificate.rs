//! The hub's own certificate: made by the CA for the configured names, replaced by itself in good time, also
//! while the hub runs.

use std::sync::{Arc, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use zeroize::Zeroizing;

use super::authority::{Authority, AuthorityError, damaged};
use super::secret_file;
use crate::config::Config;

/// A certificate with less life than this is replaced.
const RENEW_BEFORE: Duration = Duration::days(90);

/// What the TLS listeners present. A replaced certificate is presented from the next handshake on.
#[derive(Debug)]
pub struct ServerCertificate {
    current: RwLock<Arc<CertifiedKey>>,
}

impl ServerCertificate {
    /// Reads the certificate from the pki folder, making a new one when there is none, when it ends soon, or
    /// when it is for other names or of another CA.
    pub fn load_or_make(
        config: &Config,
        authority: &Authority,
        now: OffsetDateTime,
    ) -> Result<Self, AuthorityError> {
        let certified = certified_key(config, authority, now)?;
        Ok(Self {
            current: RwLock::new(certified),
        })
    }

    /// Replaces the certificate when it is due.
    pub fn renew_if_due(
        &self,
        config: &Config,
        authority: &Authority,
        now: OffsetDateTime,
    ) -> Result<(), AuthorityError> {
        let certified = certified_key(config, authority, now)?;
        *self.current.write().expect("no holder of the lock panics") = certified;
        Ok(())
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().expect("no holder of the lock panics");
        Some(Arc::clone(&current))
    }
}

fn certified_key(
    config: &Config,
    authority: &Authority,
    now: OffsetDateTime,
) -> Result<Arc<CertifiedKey>, AuthorityError> {
    // Key and certificate stand in one file, so that they are replaced together.
    let path = config.pki_dir().join("server.pem");
    let stored = match path.exists() {
        true => Some(read(&secret_file::read(&path)?)?),
        false => None,
    };
    let (certificate, key) = match stored {
        Some((certificate, key)) if is_good(&certificate, authority, config, now) => {
            (certificate, key)
        }
        _ => {
            let (certificate, key) = authority.certify_server(&config.identity.names, now)?;
            let pem = Zeroizing::new(key.serialize_pem() + &certificate.pem());
            secret_file::write(&path, 0o600, pem.as_bytes())?;
            read(pem.as_bytes())?
        }
    };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let chain = vec![certificate, authority.server_issuer()];
    CertifiedKey::from_der(chain, key, &provider)
        .map(Arc::new)
        .map_err(|error| damaged("server.pem", error))
}

fn read(pem: &[u8]) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), AuthorityError> {
    let certificate =
        CertificateDer::from_pem_slice(pem).map_err(|error| damaged("server.pem", error))?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| damaged("server.pem", error))?;
    Ok((certificate, key))
}

fn is_good(
    certificate: &CertificateDer<'_>,
    authority: &Authority,
    config: &Config,
    now: OffsetDateTime,
) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let issuer = authority.server_issuer();
    let Ok((_, ca)) = X509Certificate::from_der(&issuer) else {
        return false;
    };
    let mut wanted: Vec<String> = config
        .identity
        .names
        .iter()
        .map(|name| canonical(name))
        .collect();
    let mut held: Vec<String> = match parsed.subject_alternative_name() {
        Ok(Some(extension)) => extension
            .value
            .general_names
            .iter()
            .filter_map(text_of)
            .collect(),
        _ => return false,
    };
    wanted.sort();
    held.sort();
    wanted == held
        && parsed.validity().not_after.to_datetime() - RENEW_BEFORE > now
        && parsed.verify_signature(Some(ca.public_key())).is_ok()
}

/// An IP address in its one form, anything else in lower case.
fn canonical(name: &str) -> String {
    match name.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => name.to_ascii_lowercase(),
    }
}

fn text_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => {
            let address = match bytes.len() {
                4 => std::net::IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?),
                _ => std::net::IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
            };
            Some(address.to_string())
        }
        _ => None,
    }
}
