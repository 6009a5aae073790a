//! The first certificate: a key made here, a join token, and the hub known by the operator's CA file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use linkage::office::OfficeId;
use linkage::token::{TokenAlgorithm, TokenKey, TokenKeys};
use notary_proto::hub::v1::enrollment_service_client::EnrollmentServiceClient;
use notary_proto::hub::v1::{self as wire, EnrollRequest, EnrollResponse};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tonic::transport::Channel;
use tonic::{Response, Status};
use zeroize::Zeroizing;

use super::{Identity, IdentityError, file, secret_file};
use crate::config::Config;
use crate::dial::{self, DialError, Refusal};
use crate::outbox;

/// The hub's reason for a request that it cannot use, or a key that has asked for another office.
const CSR_INVALID: &str = "CSR_INVALID";

/// Why the agent is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The CA file cannot be used.
    #[error("hub.ca_file {}: {problem}; copy the operator's anchors.pem there", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The hub was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The hub said no.
    #[error("the hub refused the enrolment: {refusal}")]
    Refused {
        /// Why.
        refusal: Box<Refusal>,
        /// By which the bureau knows the key that asked: see [`key_sha256`].
        key_sha256: String,
    },
    /// The hub's answer cannot be used.
    #[error("the hub's answer cannot be used: {0}")]
    Answer(&'static str),
    /// The data directory is another office's.
    #[error(
        "the outbox in {} holds records of office {has}, but the token is for office {got}; use another data_dir, \
         or move that outbox away",
        data_dir.display()
    )]
    OtherOffice {
        /// The data directory.
        data_dir: PathBuf,
        /// Whose it is.
        has: OfficeId,
        /// Whose token it was.
        got: OfficeId,
    },
    /// The key could not be made.
    #[error("make a key: {0}")]
    Key(#[from] rcgen::Error),
    /// The identity could not be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl EnrolError {
    /// What to do, for staff, Chinese; `None` for what is between this program and its machine.
    #[must_use]
    pub fn message_zh(&self) -> Option<String> {
        Some(match self {
            Self::CaFile { path, .. } => format!(
                "CA 文件 {} 不能使用。请向市平台运维索取 anchors.pem。",
                path.display()
            ),
            Self::Dial(error) => error
                .remedy_zh()
                .unwrap_or("无法连接平台。请核对配置中的平台地址和本机网络，然后重新执行。")
                .to_owned(),
            Self::Refused {
                refusal,
                key_sha256,
            } => {
                let why = match refusal.message_zh.as_str() {
                    "" => "平台未接受注册。",
                    zh => zh,
                };
                format!("{why}本机密钥指纹（SHA-256）：{key_sha256}")
            }
            Self::Answer(_) => "平台的答复不能使用。请联系市平台运维。".to_owned(),
            Self::OtherOffice { data_dir, has, got } => format!(
                "{} 中的发送队列属于公证处 {has}，注册码属于 {got}。请更换 data_dir，或移走该队列。",
                data_dir.display()
            ),
            Self::Key(_) | Self::Identity(_) => return None,
        })
    }
}

/// Enrols and stores the identity. Until the hub's first answer has been stored, every attempt uses the same key,
/// so that an answer lost on its way does not use the token up.
///
/// # Errors
/// When there is no identity at the end; what is stored is as before.
pub async fn enrol(config: &Config, token: &str) -> Result<Identity, EnrolError> {
    let data_dir = &config.data_dir;
    secret_file::make_dir(data_dir).map_err(IdentityError::from)?;
    let anchors = ca_file(&config.hub.ca_file)?;
    let mut key = pending_key(data_dir)?;
    let tls = dial::anonymous(&anchors).map_err(DialError::from)?;
    let channel = dial::dial(&config.hub.people, tls).await?;
    let mut answer = ask(&channel, token, &key).await;
    if let Err(EnrolError::Refused { refusal, .. }) = &answer
        && refusal.reason == CSR_INVALID
    {
        // The key has asked for another office, with a token that was not meant for here: no key serves two.
        key = make_pending_key(data_dir)?;
        answer = ask(&channel, token, &key).await;
    }
    let identity = accept(answer?, key)?;
    refuse_other_office(data_dir, identity.office_id())?;
    file::store(data_dir, &identity)?;
    secret_file::remove(&pending(data_dir)).map_err(IdentityError::from)?;
    Ok(identity)
}

async fn ask(channel: &Channel, token: &str, key: &[u8]) -> Result<EnrollResponse, EnrolError> {
    let request = EnrollRequest {
        join_token: token.trim().to_owned(),
        csr_der: request(key)?,
    };
    let answer = EnrollmentServiceClient::new(channel.clone())
        .enroll(request)
        .await;
    answer
        .map(Response::into_inner)
        .map_err(|status| refused(&status, key))
}

fn refused(status: &Status, key: &[u8]) -> EnrolError {
    match key_pair(key) {
        Ok(pair) => EnrolError::Refused {
            refusal: Box::new(Refusal::of(status)),
            key_sha256: key_sha256(&pair.subject_public_key_info()),
        },
        Err(error) => error.into(),
    }
}

/// By which a key is compared with what the hub shows of it (`notary-hub enrol pending`): of its SubjectPublicKeyInfo.
pub(super) fn key_sha256(public_key_der: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(public_key_der))
}

fn ca_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, EnrolError> {
    let failed = |problem: String| EnrolError::CaFile {
        path: path.to_owned(),
        problem,
    };
    let pem = fs::read(path).map_err(|error: io::Error| failed(error.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    match certificates.is_empty() {
        true => Err(failed("there is no PEM certificate in it".to_owned())),
        false => Ok(certificates),
    }
}

fn pending(data_dir: &Path) -> PathBuf {
    data_dir.join("enrolment.key")
}

fn pending_key(data_dir: &Path) -> Result<Zeroizing<Vec<u8>>, EnrolError> {
    match secret_file::read(&pending(data_dir)).map_err(IdentityError::from)? {
        Some(key) if key_pair(&key).is_ok() => Ok(key),
        _ => make_pending_key(data_dir),
    }
}

fn make_pending_key(data_dir: &Path) -> Result<Zeroizing<Vec<u8>>, EnrolError> {
    let key = new_key()?;
    secret_file::write(&pending(data_dir), &key).map_err(IdentityError::from)?;
    Ok(key)
}

/// A new ECDSA P-256 key, PKCS #8 DER.
pub(super) fn new_key() -> Result<Zeroizing<Vec<u8>>, rcgen::Error> {
    Ok(Zeroizing::new(
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?.serialize_der(),
    ))
}

pub(super) fn key_pair(der: &[u8]) -> Result<KeyPair, IdentityError> {
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &PKCS_ECDSA_P256_SHA256)
        .map_err(|_| IdentityError::Damaged("the key is no ECDSA P-256 key"))
}

/// A signing request for the key, DER. Its names are empty: the hub decides them.
pub(super) fn request(key: &[u8]) -> Result<Vec<u8>, EnrolError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(&key_pair(key)?)?.der().to_vec())
}

fn accept(answer: EnrollResponse, key: Zeroizing<Vec<u8>>) -> Result<Identity, EnrolError> {
    let office_id = answer
        .office_id
        .parse()
        .map_err(|_| EnrolError::Answer("it names no office"))?;
    let present = answer
        .token_key
        .ok_or(EnrolError::Answer("it has no token key"))?;
    let token_keys = TokenKeys {
        present: token_key(present)?,
        next: answer.next_token_key.map(token_key).transpose()?,
    };
    Ok(Identity::new(
        (office_id, answer.office_name),
        key,
        ders(answer.certificate_chain_der),
        ders(answer.trust_anchors_der),
        token_keys,
        OffsetDateTime::now_utc(),
    )?)
}

/// A token key as the hub hands it out.
pub(super) fn token_key(key: wire::TokenKey) -> Result<TokenKey, EnrolError> {
    let secret = Zeroizing::new(key.secret);
    let algorithm = wire::TokenAlgorithm::try_from(key.algorithm)
        .ok()
        .and_then(algorithm)
        .ok_or(EnrolError::Answer("unknown token algorithm"))?;
    let secret: [u8; 32] = secret
        .as_slice()
        .try_into()
        .map_err(|_| EnrolError::Answer("the token key has not 32 bytes"))?;
    Ok(TokenKey::new(key.key_id, algorithm, secret))
}

pub(super) fn ders(certificates: Vec<Vec<u8>>) -> Vec<CertificateDer<'static>> {
    certificates.into_iter().map(Into::into).collect()
}

/// The algorithm as the contract names it.
pub(crate) fn algorithm(wire: wire::TokenAlgorithm) -> Option<TokenAlgorithm> {
    match wire {
        wire::TokenAlgorithm::HmacSha256 => Some(TokenAlgorithm::HmacSha256),
        wire::TokenAlgorithm::HmacSm3 => Some(TokenAlgorithm::HmacSm3),
        wire::TokenAlgorithm::Unspecified => None,
    }
}

/// One office's cases must not go out in another's name.
fn refuse_other_office(data_dir: &Path, got: OfficeId) -> Result<(), EnrolError> {
    let known = match file::load(data_dir) {
        Ok(identity) => identity.office_id(),
        Err(_) => return Ok(()),
    };
    if known != got && data_dir.join(outbox::FILE).exists() {
        return Err(EnrolError::OtherOffice {
            data_dir: data_dir.to_owned(),
            has: known,
            got,
        });
    }
    Ok(())
}
