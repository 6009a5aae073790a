//! The identity's file: `identity.json` in the data directory.

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use linkage::office::OfficeId;
use linkage::token::{TokenAlgorithm, TokenKey, TokenKeys};
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::{Zeroize, Zeroizing};

use super::Identity;
use super::secret_file::{self, SecretFileError};

/// Why there is no identity to use.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// None was made yet.
    #[error(
        "this agent is not enrolled: there is no {path}; get a join token from the operator and run \
         `office-agent enroll --token TOKEN`"
    )]
    NotEnrolled {
        /// Where it would be.
        path: PathBuf,
    },
    /// What is stored cannot be used.
    #[error("the stored identity cannot be used: {0}; enrol again with a new join token")]
    Damaged(&'static str),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
}

/// As stored. DER in Base64.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    office_id: OfficeId,
    office_name: String,
    private_key: String,
    certificate_chain: Vec<String>,
    trust_anchors: Vec<String>,
    /// Seconds since 1970.
    received_at: i64,
    token_key_id: u32,
    token_algorithm: TokenAlgorithm,
    token_secret: String,
    /// Written only while there is one, so that an agent of the version before reads the file at any other time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_token_key: Option<StoredKey>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: u32,
    algorithm: TokenAlgorithm,
    secret: String,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.private_key.zeroize();
        self.token_secret.zeroize();
    }
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("identity.json")
}

/// Reads the identity.
///
/// # Errors
/// When there is none, or it cannot be used.
pub fn load(data_dir: &Path) -> Result<Identity, IdentityError> {
    let path = path(data_dir);
    let Some(text) = secret_file::read(&path)? else {
        return Err(IdentityError::NotEnrolled { path });
    };
    let stored: Stored = serde_json::from_slice(&text)
        .map_err(|_| IdentityError::Damaged("identity.json is no identity"))?;
    let token_keys = TokenKeys {
        present: token_key(
            stored.token_key_id,
            stored.token_algorithm,
            &stored.token_secret,
        )?,
        next: stored
            .next_token_key
            .as_ref()
            .map(|key| token_key(key.id, key.algorithm, &key.secret))
            .transpose()?,
    };
    Identity::new(
        (stored.office_id, stored.office_name.clone()),
        Zeroizing::new(decode(&stored.private_key)?),
        certificates(&stored.certificate_chain)?,
        certificates(&stored.trust_anchors)?,
        token_keys,
        OffsetDateTime::from_unix_timestamp(stored.received_at)
            .map_err(|_| IdentityError::Damaged("identity.json is no identity"))?,
    )
}

/// Stores the identity in place of the one before.
///
/// # Errors
/// When the file cannot be written.
pub fn store(data_dir: &Path, identity: &Identity) -> Result<(), IdentityError> {
    let stored = Stored {
        office_id: identity.office_id,
        office_name: identity.office_name.clone(),
        private_key: BASE64.encode(&identity.key),
        certificate_chain: encoded(&identity.chain),
        trust_anchors: encoded(&identity.anchors),
        received_at: identity.received_at.unix_timestamp(),
        token_key_id: identity.token_key().id(),
        token_algorithm: identity.token_key().algorithm(),
        token_secret: BASE64.encode(identity.token_key().secret()),
        next_token_key: identity.next_token_key().map(|key| StoredKey {
            id: key.id(),
            algorithm: key.algorithm(),
            secret: BASE64.encode(key.secret()),
        }),
    };
    let text = serde_json::to_vec_pretty(&stored)
        .map(Zeroizing::new)
        .map_err(|_| IdentityError::Damaged("it cannot be written as JSON"))?;
    Ok(secret_file::write(&path(data_dir), &text)?)
}

fn token_key(id: u32, algorithm: TokenAlgorithm, secret: &str) -> Result<TokenKey, IdentityError> {
    let secret = Zeroizing::new(decode(secret)?);
    let secret: [u8; 32] = secret
        .as_slice()
        .try_into()
        .map_err(|_| IdentityError::Damaged("the token key has not 32 bytes"))?;
    Ok(TokenKey::new(id, algorithm, secret))
}

fn encoded(certificates: &[CertificateDer<'_>]) -> Vec<String> {
    certificates.iter().map(|der| BASE64.encode(der)).collect()
}

fn certificates(texts: &[String]) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    texts.iter().map(|text| Ok(decode(text)?.into())).collect()
}

fn decode(text: &str) -> Result<Vec<u8>, IdentityError> {
    BASE64
        .decode(text.as_bytes())
        .map_err(|_| IdentityError::Damaged("identity.json is no identity"))
}
