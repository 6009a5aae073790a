//! Who this agent is: the office's key and certificate, whom to trust for the hub, and the city's token keys.
//!
//! All of it is one file, replaced in one step, so that key and certificate always belong together.

mod enrol;
mod file;
mod renew;
mod secret_file;

use std::fmt;

use linkage::office::OfficeId;
use linkage::token::{TokenKey, TokenKeys};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

pub(crate) use enrol::algorithm;
pub use enrol::{EnrolError, enrol};
pub use file::{IdentityError, load, store};
pub use renew::{Identities, RenewError, Renewal, keep_renewed};
pub use secret_file::make_dir;

/// Metadata that names the token key which a call's tokens are made with.
const TOKEN_KEY_ID: &str = "token-key-id";

/// An office's identity. `Debug` shows no secret.
#[derive(Clone)]
pub struct Identity {
    office_id: OfficeId,
    office_name: String,
    /// PKCS #8 DER.
    key: Zeroizing<Vec<u8>>,
    key_sha256: String,
    chain: Vec<CertificateDer<'static>>,
    anchors: Vec<CertificateDer<'static>>,
    token_keys: TokenKeys,
    /// When it was received, by this machine's clock. A certificate begins earlier than it was made.
    received_at: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Identity {
    /// Puts an identity together.
    ///
    /// # Errors
    /// When the certificate is none, or is not one for the key.
    fn new(
        office: (OfficeId, String),
        key: Zeroizing<Vec<u8>>,
        chain: Vec<CertificateDer<'static>>,
        anchors: Vec<CertificateDer<'static>>,
        token_keys: TokenKeys,
        received_at: OffsetDateTime,
    ) -> Result<Self, IdentityError> {
        let leaf = chain
            .first()
            .ok_or(IdentityError::Damaged("there is no certificate"))?;
        let (_, certificate) = parse_x509_certificate(leaf)
            .map_err(|_| IdentityError::Damaged("the certificate cannot be read"))?;
        let not_after = certificate.validity().not_after.to_datetime();
        let key_sha256 = enrol::key_sha256(certificate.public_key().raw);
        let pair = enrol::key_pair(&key)?;
        if rcgen::PublicKeyData::der_bytes(&pair)
            != certificate.public_key().subject_public_key.data.as_ref()
        {
            return Err(IdentityError::Damaged("the certificate is of another key"));
        }
        if anchors.is_empty() {
            return Err(IdentityError::Damaged("there is no CA certificate"));
        }
        let (office_id, office_name) = office;
        Ok(Self {
            office_id,
            office_name,
            key,
            key_sha256,
            chain,
            anchors,
            token_keys,
            received_at,
            not_after,
        })
    }

    /// The office.
    #[must_use]
    pub fn office_id(&self) -> OfficeId {
        self.office_id
    }

    /// The office's Chinese name.
    #[must_use]
    pub fn office_name(&self) -> &str {
        &self.office_name
    }

    /// By which the bureau knows this agent's key, hexadecimal.
    #[must_use]
    pub fn key_sha256(&self) -> &str {
        &self.key_sha256
    }

    /// The city's token key.
    #[must_use]
    pub fn token_key(&self) -> &TokenKey {
        &self.token_keys.present
    }

    /// The key that is to follow it, once the hub has handed one out.
    #[must_use]
    pub fn next_token_key(&self) -> Option<&TokenKey> {
        self.token_keys.next.as_ref()
    }

    /// The same, when it is the one that is `asked` for.
    #[must_use]
    pub fn next_token_key_if(&self, asked: Option<u32>) -> Option<TokenKey> {
        let next = self.next_token_key();
        next.filter(|key| Some(key.id()) == asked).cloned()
    }

    /// The same office with the next key as the city's, when it is the one with this id.
    #[must_use]
    pub fn under_next_key(&self, key_id: u32) -> Option<Self> {
        let present = self.next_token_key_if(Some(key_id))?;
        Some(Self {
            token_keys: TokenKeys {
                present,
                next: None,
            },
            ..self.clone()
        })
    }

    /// The same office under another key than this one: its present key, or else the next.
    #[must_use]
    pub(crate) fn under_other_key(self, refused: u32) -> Option<Self> {
        match self.token_key().id() == refused {
            false => Some(self),
            true => self.under_next_key(self.next_token_key()?.id()),
        }
    }

    /// Names the key that a call's tokens are made with.
    pub fn name_key<T>(&self, call: &mut tonic::Request<T>) {
        let id = self.token_key().id();
        call.metadata_mut().insert(TOKEN_KEY_ID, id.into());
    }

    /// When the certificate ends.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// Half of the certificate's life: when to get the next.
    #[must_use]
    pub fn renew_at(&self) -> OffsetDateTime {
        self.received_at + (self.not_after - self.received_at) / 2
    }

    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(crate) fn anchors(&self) -> &[CertificateDer<'static>] {
        &self.anchors
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.to_vec()).into()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("office_id", &self.office_id)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}
