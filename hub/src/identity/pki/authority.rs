//! The city's own certificate authority: names the hub to offices, and offices to the hub.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use linkage::office::OfficeId;
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData,
    SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::ca::{self, CaSet, OutOfTurn, Phase};
use super::secret_file::SecretFileError;
use crate::config::{Config, TrustDomain};
use crate::identity::Serial;

/// A certificate begins this much before it is made: offices' clocks are not the hub's.
const BACK_DATE: Duration = Duration::from_secs(300);
/// What offices' machines check by clocks of their own, which may be a day slow, began so long ago. They would know
/// nothing of a hub that was founded today otherwise.
pub(super) const SLOW_CLOCKS: Duration = Duration::from_secs(48 * 3600);
pub(super) const CA_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
const SERVER_LIFE: Duration = Duration::from_secs(397 * 24 * 3600);

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    File(#[from] SecretFileError),
    #[error("{file} in the pki folder is damaged: {problem}; restore it from the backup")]
    Damaged { file: &'static str, problem: String },
    #[error("make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error(transparent)]
    OutOfTurn(#[from] OutOfTurn),
}

/// Why a certificate signing request cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    #[error("the request is larger than {MAX_CSR} bytes")]
    TooLarge,
    #[error("the request is no PKCS #10 DER or its signature does not fit its key")]
    Malformed,
    #[error("the request's key is no ECDSA key on P-256")]
    UnsuitableKey,
}

const MAX_CSR: usize = 4096;

/// A public key whose owner has proved to hold the private one. All that is taken from a request.
#[derive(Debug)]
pub struct ProvenKey(rcgen::PublicKey);

impl ProvenKey {
    /// Checks a PKCS #10 request's signature and takes its key.
    pub fn from_csr(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_CSR {
            return Err(CsrError::TooLarge);
        }
        let request = CertificateSigningRequestParams::from_der(&der.into())
            .map_err(|_| CsrError::Malformed)?;
        let key = request.public_key;
        // The signature's algorithm does not say which curve the key is on; an uncompressed point of 65
        // bytes is P-256 alone.
        let suitable = key.algorithm() == &PKCS_ECDSA_P256_SHA256
            && key.der_bytes().len() == 65
            && key.der_bytes()[0] == 4;
        match suitable {
            true => Ok(Self(key)),
            false => Err(CsrError::UnsuitableKey),
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.subject_public_key_info()).into()
    }
}

/// A certificate made for an office, not handed out yet.
#[derive(Clone, Debug)]
pub struct OfficeCertificate {
    pub serial: Serial,
    pub key_hash: [u8; 32],
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// Fingerprint of the CA that signed it.
    pub issuer: [u8; 32],
    pub der: CertificateDer<'static>,
}

/// The CA with its key, and its successor while there is one.
#[derive(Debug)]
pub struct Authority {
    set: RwLock<Arc<CaSet>>,
    trust_domain: TrustDomain,
    office_life: Duration,
}

impl Authority {
    /// Makes the CA in the pki folder unless it is there.
    pub fn create(config: &Config, now: OffsetDateTime) -> Result<(), AuthorityError> {
        ca::create_first(config, now)
    }

    /// Reads the CA from the pki folder.
    pub fn load(config: &Config) -> Result<Self, AuthorityError> {
        Ok(Self {
            set: RwLock::new(Arc::new(CaSet::load(&config.pki_dir())?)),
            trust_domain: config.identity.trust_domain.clone(),
            office_life: config.identity.certificate_ttl.into(),
        })
    }

    /// Goes on as `newer`, read from the same folder after a step of a succession.
    pub fn replace(&self, newer: Self) {
        *self.set.write().expect("no holder of the lock panics") = newer.set();
    }

    fn set(&self) -> Arc<CaSet> {
        let set = self.set.read().expect("no holder of the lock panics");
        Arc::clone(&set)
    }

    /// Where a succession stands.
    pub fn phase(&self) -> Phase {
        self.set().phase
    }

    /// The CA that signs offices' certificates.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.set().issuing.certificate.clone()
    }

    /// The CA that signs the hub's own certificate.
    pub fn server_issuer(&self) -> CertificateDer<'static> {
        self.set().serving.certificate.clone()
    }

    /// Every CA whose certificates are good.
    pub fn trust_anchors(&self) -> Vec<CertificateDer<'static>> {
        self.set().trusted.clone()
    }

    /// Domain of the offices' names.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// Certificate of an office: one URI name, for client authentication and nothing else. The hub decides
    /// every field; only the key is the office's.
    pub fn certify_office(
        &self,
        office_id: OfficeId,
        key: &ProvenKey,
        now: OffsetDateTime,
    ) -> Result<OfficeCertificate, AuthorityError> {
        let set = self.set();
        let serial = Serial::random();
        let mut params = params(office_id.as_str(), now, self.office_life);
        let name = format!("spiffe://{}/office/{office_id}", self.trust_domain);
        params.subject_alt_names = vec![SanType::URI(name.try_into()?)];
        params.serial_number = Some(SerialNumber::from_slice(serial.as_bytes()));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key.0, &set.issuing.issuer)?;
        Ok(OfficeCertificate {
            serial,
            key_hash: key.hash(),
            not_before: params.not_before,
            not_after: params.not_after,
            issuer: ca::fingerprint(&set.issuing.certificate),
            der: certificate.der().clone(),
        })
    }

    /// Certificate and key of a hub reached under `names`.
    pub(super) fn certify_server(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<(rcgen::Certificate, KeyPair), AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = params("notary-hub", now, SERVER_LIFE);
        params.not_before -= SLOW_CLOCKS;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.serial_number = Some(SerialNumber::from_slice(Serial::random().as_bytes()));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok((params.signed_by(&key, &self.set().serving.issuer)?, key))
    }
}

pub(super) fn params(common_name: &str, now: OffsetDateTime, life: Duration) -> CertificateParams {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, common_name);
    // X.509 counts whole seconds; what is recorded must be what the certificate says.
    let now = now.replace_nanosecond(0).expect("zero is a nanosecond");
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name;
    params.not_before = now - BACK_DATE;
    params.not_after = now + life;
    params
}

pub(crate) fn damaged(file: &'static str, problem: impl std::fmt::Display) -> AuthorityError {
    AuthorityError::Damaged {
        file,
        problem: problem.to_string(),
    }
}
